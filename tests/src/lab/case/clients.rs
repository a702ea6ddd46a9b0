//! The cases without a cut.

use std::time::Duration;

use super::servers::{self as server, PADDING, chain};
use super::{Case, Materials, Meant, Server, Who, identity};
use crate::lab::peer::{Behaviour, ClientPlan, Identity};
use crate::peers::Version::{self, Tls12, Tls13};

type Adjust = for<'a> fn(&mut ClientPlan<'a>, &'a Materials);

/// Connections of a pair in cases that are there for their number: good handshakes.
const MANY: u32 = 30;
/// Connections of a pair in the other cases.
const FEW: u32 = 3;
const BOTH: &[Version] = &Version::ALL;
const ONLY_12: &[Version] = &[Tls12];
const ONLY_13: &[Version] = &[Tls13];

/// A case that is in both versions and in the long run only.
fn case(name: &str, server: Server, meant: Meant, adjust: Adjust) -> Case {
    Case {
        name: name.to_owned(),
        server,
        who: Who::AnyStack,
        versions: BOTH,
        adjust,
        cipher: None,
        count: FEW,
        meant,
        cut: None,
        quick: false,
    }
}

impl Case {
    fn quick(self) -> Self {
        Self { quick: true, ..self }
    }

    fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    fn only(self, versions: &'static [Version]) -> Self {
        Self { versions, ..self }
    }

    fn by(self, stranger: &'static str) -> Self {
        Self {
            who: Who::Stranger(stranger),
            ..self
        }
    }

    fn with(self, cipher: &'static str) -> Self {
        Self {
            cipher: Some(cipher),
            name: format!("{} {cipher}", self.name),
            ..self
        }
    }
}

/// The client shows the good certificate.
fn shows<'a>(plan: &mut ClientPlan<'a>, with: &'a Materials) {
    plan.identity = Some(identity(&with.pki.good));
}

/// All of them.
pub fn all() -> Vec<Case> {
    [
        good(),
        closings(),
        sessions(),
        shapes(),
        suites(),
        bad_clients(),
        bad_servers(),
        disagreements(),
        strangers(),
    ]
    .concat()
}

/// Handshakes with nothing special, many of them.
fn good() -> Vec<Case> {
    use Meant::Established;
    vec![
        case("accepted, none asked", server::PLAIN, Established, |_, _| {})
            .times(MANY)
            .quick(),
        case(
            "accepted with certificate, optional",
            server::OPTIONAL,
            Established,
            shows,
        )
        .times(MANY),
        case(
            "accepted without certificate, optional",
            server::OPTIONAL,
            Established,
            |_, _| {},
        )
        .times(MANY)
        .quick(),
        case("accepted with certificate", server::REQUIRED, Established, shows)
            .times(MANY)
            .quick(),
    ]
}

/// How connections end that were good.
fn closings() -> Vec<Case> {
    use Meant::Established;
    let idle = |name, server, adjust| case(name, server, Established, adjust);
    vec![
        case("closes at once", server::PLAIN, Established, |plan, _| {
            plan.behaviour = Behaviour::ClosesAtOnce
        })
        .quick(),
        case(
            "closes at once, with certificate",
            server::REQUIRED,
            Established,
            |plan, with| {
                shows(plan, with);
                plan.behaviour = Behaviour::ClosesAtOnce;
            },
        ),
        case(
            "closes at once, optional certificate not sent",
            server::OPTIONAL,
            Established,
            |plan, _| {
                plan.behaviour = Behaviour::ClosesAtOnce;
            },
        ),
        case(
            "closes at once, no tickets",
            server::NO_TICKET,
            Established,
            |plan, _| plan.behaviour = Behaviour::ClosesAtOnce,
        ),
        case(
            "closes at once, with certificate, no tickets",
            server::NO_TICKET_REQUIRED,
            Established,
            |plan, with| {
                shows(plan, with);
                plan.behaviour = Behaviour::ClosesAtOnce;
            },
        )
        .quick(),
        idle("idle for 0.3 s", server::PLAIN, |plan, _| {
            plan.behaviour = Behaviour::Idles(Duration::from_millis(300))
        })
        .times(1)
        .quick(),
        idle("idle for 3 s", server::PLAIN, |plan, _| {
            plan.behaviour = Behaviour::Idles(Duration::from_secs(3))
        })
        .times(1),
        idle(
            "idle for 0.3 s, with certificate, no tickets",
            server::NO_TICKET_REQUIRED,
            |plan, with| {
                shows(plan, with);
                plan.behaviour = Behaviour::Idles(Duration::from_millis(300));
            },
        )
        .times(1),
        idle(
            "idle for 3 s, with certificate, no tickets",
            server::NO_TICKET_REQUIRED,
            |plan, with| {
                shows(plan, with);
                plan.behaviour = Behaviour::Idles(Duration::from_secs(3));
            },
        )
        .times(1),
        case("server closes at once", server::CLOSES, Established, |_, _| {}),
        case(
            "server closes at once, with certificate, no tickets",
            server::CLOSES_REQUIRED,
            Established,
            shows,
        ),
        case(
            "both close at once, with certificate, no tickets",
            server::CLOSES_REQUIRED,
            Established,
            |plan, with| {
                shows(plan, with);
                plan.behaviour = Behaviour::ClosesAtOnce;
            },
        ),
    ]
}

/// Resumption, tickets, early data.
fn sessions() -> Vec<Case> {
    use Meant::Established;
    vec![
        case("resumes", server::PLAIN, Established, |plan, _| {
            plan.resume = true
        })
        .quick(),
        case(
            "resumes with certificate",
            server::REQUIRED,
            Established,
            |plan, with| {
                shows(plan, with);
                plan.resume = true;
            },
        ),
        case(
            "resumes and closes at once",
            server::PLAIN,
            Established,
            |plan, _| {
                plan.resume = true;
                plan.behaviour = Behaviour::ClosesAtOnce;
            },
        ),
        case("no tickets", server::NO_TICKET, Established, |_, _| {}).only(ONLY_13),
        case(
            "no tickets, with certificate",
            server::NO_TICKET_REQUIRED,
            Established,
            shows,
        )
        .only(ONLY_13),
        case("one ticket", server::ONE_TICKET, Established, |_, _| {}).only(ONLY_13),
        case("two tickets", server::TWO_TICKETS, Established, |_, _| {}).only(ONLY_13),
        case("early data, accepted", server::EARLY, Established, |plan, _| {
            plan.resume = true;
            plan.early_data = true;
        })
        .only(ONLY_13)
        .quick(),
        // Tickets of a server that takes no early data forbid it, so clients fall back to resuming.
        case(
            "early data, not offered by the server",
            server::PLAIN,
            Established,
            |plan, _| {
                plan.resume = true;
                plan.early_data = true;
            },
        )
        .only(ONLY_13),
    ]
}

/// Messages of unusual size or number.
fn shapes() -> Vec<Case> {
    use Meant::{Established, ServerRefuses};
    fn pads(plan: &mut ClientPlan<'_>) {
        plan.padding = Some(PADDING);
    }
    vec![
        case("padded by the server", server::PADDED, Established, |_, _| {}).only(ONLY_13),
        case(
            "padded by the server, with certificate",
            server::PADDED_REQUIRED,
            Established,
            shows,
        )
        .only(ONLY_13),
        case(
            "padded by both, with certificate",
            server::PADDED_REQUIRED,
            Established,
            |plan, with| {
                shows(plan, with);
                pads(plan);
            },
        )
        .only(ONLY_13),
        case(
            "padded by both, certificate missing",
            server::PADDED_REQUIRED,
            ServerRefuses,
            |plan, _| pads(plan),
        )
        .only(ONLY_13),
        case(
            "padded by both, certificate expired",
            server::PADDED_REQUIRED,
            ServerRefuses,
            |plan, with| {
                plan.identity = Some(identity(&with.pki.expired));
                pads(plan);
            },
        )
        .only(ONLY_13),
        case("padded by the client", server::PLAIN, Established, |plan, _| {
            pads(plan)
        })
        .only(ONLY_13),
        case("big server chain", server::BIG, Established, |plan, with| {
            plan.trusted = &with.faults.big_server.root
        }),
        case(
            "big client chain",
            server::BIG_CLIENTS,
            Established,
            |plan, with| plan.identity = Some(chain(&with.faults.big_client)),
        ),
        case("RSA server", server::RSA, Established, |_, _| {}),
        case("HelloRetryRequest", server::OTHER_GROUP, Established, |_, _| {}).quick(),
        case(
            "HelloRetryRequest, with certificate",
            server::OTHER_GROUP_REQUIRED,
            Established,
            shows,
        ),
        case(
            "HelloRetryRequest, certificate missing",
            server::OTHER_GROUP_REQUIRED,
            ServerRefuses,
            |_, _| {},
        ),
        case(
            "server speaks first",
            server::SPEAKS_FIRST,
            Established,
            |_, _| {},
        ),
        case(
            "server speaks first, with certificate",
            server::SPEAKS_FIRST_REQUIRED,
            Established,
            shows,
        ),
        case(
            "server speaks first, certificate missing",
            server::SPEAKS_FIRST_REQUIRED,
            ServerRefuses,
            |_, _| {},
        ),
        case("key update", server::PLAIN, Established, |plan, _| {
            plan.behaviour = Behaviour::UpdatesKey
        })
        .only(ONLY_13),
        case(
            "post-handshake authentication",
            server::POST_HANDSHAKE,
            Established,
            |plan, with| {
                shows(plan, with);
                plan.post_handshake_auth = true;
            },
        )
        .only(ONLY_13),
        case("ALPN", server::ALPN, Established, |plan, _| {
            plan.alpn = Some(server::PROTOCOL)
        }),
    ]
}

/// Each cipher suite.
fn suites() -> Vec<Case> {
    use Meant::Established;
    const TLS13: [&str; 3] = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    ];
    const ECDSA: [&str; 5] = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    ];
    const RSA: [&str; 3] = [
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
    ];
    let suite = |server, suite, versions| {
        case("suite", server, Established, |_, _| {})
            .with(suite)
            .only(versions)
            .times(1)
    };
    let mut cases = Vec::new();
    for name in TLS13 {
        cases.push(suite(server::PLAIN, name, ONLY_13));
        let asked = case("with certificate, suite", server::REQUIRED, Established, shows);
        cases.push(asked.with(name).only(ONLY_13).times(1));
        let missing = case(
            "certificate missing, suite",
            server::REQUIRED,
            Meant::ServerRefuses,
            |_, _| {},
        );
        cases.push(missing.with(name).only(ONLY_13).times(1));
    }
    cases.push(suite(server::CCM, "TLS_AES_128_CCM_SHA256", ONLY_13));
    let ccm_8 = |name, meant, adjust| {
        case(name, server::CCM_8, meant, adjust)
            .with("TLS_AES_128_CCM_8_SHA256")
            .only(ONLY_13)
    };
    cases.push(ccm_8("with certificate, suite", Established, shows));
    cases.push(ccm_8(
        "certificate missing, suite",
        Meant::ServerRefuses,
        |_, _| {},
    ));
    cases.extend(ECDSA.map(|name| suite(server::PLAIN, name, ONLY_12)));
    cases.extend(RSA.map(|name| suite(server::RSA, name, ONLY_12)));
    cases
}

/// Clients that a server refuses for their certificates.
fn bad_clients() -> Vec<Case> {
    use Meant::{Established, ServerRefuses};
    let refused = |name, adjust| case(name, server::REQUIRED, ServerRefuses, adjust);
    vec![
        refused("certificate missing", |_, _| {}).quick(),
        refused("certificate expired", |plan, with| {
            plan.identity = Some(identity(&with.pki.expired))
        })
        .quick(),
        refused("certificate not yet valid", |plan, with| {
            plan.identity = Some(identity(&with.pki.not_yet_valid))
        }),
        refused("certificate of an unknown CA", |plan, with| {
            plan.identity = Some(identity(&with.pki.unknown_ca))
        })
        .quick(),
        refused("certificate self-signed", |plan, with| {
            plan.identity = Some(chain(&with.faults.self_signed))
        }),
        refused("certificate for servers", |plan, with| {
            plan.identity = Some(identity(&with.pki.wrong_purpose))
        }),
        refused("certificate broken", |plan, with| {
            plan.identity = Some(chain(&with.faults.broken));
            plan.unchecked_identity = true;
        }),
        refused("certificate with the wrong key", |plan, with| {
            plan.identity = Some(Identity {
                key: &with.pki.expired.files.key,
                ..identity(&with.pki.good)
            });
            plan.unchecked_identity = true;
        }),
        refused("certificate missing, closes at once", |plan, _| {
            plan.behaviour = Behaviour::ClosesAtOnce
        }),
        refused("certificate expired, closes at once", |plan, with| {
            plan.identity = Some(identity(&with.pki.expired));
            plan.behaviour = Behaviour::ClosesAtOnce;
        }),
        refused("certificate missing, idles", |plan, _| {
            plan.behaviour = Behaviour::Idles(Duration::from_millis(300))
        })
        .times(1),
        refused("certificate of an unknown CA, idles", |plan, with| {
            plan.identity = Some(identity(&with.pki.unknown_ca));
            plan.behaviour = Behaviour::Idles(Duration::from_millis(300));
        })
        .times(1),
        case(
            "certificate missing, no tickets",
            server::NO_TICKET_REQUIRED,
            ServerRefuses,
            |_, _| {},
        ),
        case(
            "certificate expired, no tickets",
            server::NO_TICKET_REQUIRED,
            ServerRefuses,
            |plan, with| {
                plan.identity = Some(identity(&with.pki.expired));
            },
        ),
        case(
            "certificate expired, optional",
            server::OPTIONAL,
            ServerRefuses,
            |plan, with| {
                plan.identity = Some(identity(&with.pki.expired));
            },
        ),
        case(
            "certificate revoked",
            server::REVOKING,
            ServerRefuses,
            |plan, with| {
                plan.identity = Some(identity(&with.faults.revoked));
            },
        )
        .quick(),
        case("certificate not revoked", server::REVOKING, Established, shows),
        case(
            "big client chain of an unknown CA",
            server::REQUIRED,
            ServerRefuses,
            |plan, with| {
                plan.identity = Some(chain(&with.faults.big_client));
            },
        ),
    ]
}

/// Clients that refuse the server for its certificate.
fn bad_servers() -> Vec<Case> {
    let refused = |name, server| case(name, server, Meant::ClientRefuses, |_, _| {});
    vec![
        refused("server's CA unknown", server::UNKNOWN_CA).quick(),
        refused("server's certificate expired", server::EXPIRED).quick(),
        refused("server's certificate not yet valid", server::NOT_YET),
        refused("server's name mismatch", server::OTHER_NAME).quick(),
        refused("server's certificate for clients", server::WRONG_PURPOSE),
        case(
            "server's CA unknown, client asked for a certificate",
            server::UNKNOWN_CA_REQUIRED,
            Meant::ClientRefuses,
            shows,
        ),
    ]
}

/// Nothing in common.
fn disagreements() -> Vec<Case> {
    use Meant::ServerRefuses;
    let refused =
        |name, server, versions, adjust: Adjust| case(name, server, ServerRefuses, adjust).only(versions);
    vec![
        refused("no shared version", server::ONLY_13, ONLY_12, |_, _| {}).quick(),
        refused("no shared version", server::ONLY_12, ONLY_13, |_, _| {}),
        refused("no shared suite", server::SUITE_12, ONLY_12, |plan, _| {
            plan.cipher = Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
        })
        .quick(),
        refused("no shared suite", server::SUITE_13, ONLY_13, |plan, _| {
            plan.cipher = Some("TLS_CHACHA20_POLY1305_SHA256")
        }),
        refused("no shared group", server::OTHER_GROUP, BOTH, |plan, _| {
            plan.group = Some("secp256r1")
        })
        .quick(),
        refused("no shared protocol", server::ALPN, BOTH, |plan, _| {
            plan.alpn = Some("other/1")
        })
        .quick(),
        refused("name not served", server::ONLY_NAME, BOTH, |plan, _| {
            plan.server_name = "other.observer.test"
        })
        .quick(),
    ]
}

/// Ends that do not speak TLS.
fn strangers() -> Vec<Case> {
    vec![
        case(
            "plain HTTP client",
            server::PLAIN,
            Meant::ServerRefuses,
            |_, _| {},
        )
        .by("http-client")
        .only(ONLY_13)
        .quick(),
        case(
            "plain HTTP server",
            server::stranger("http-server"),
            Meant::ClientRefuses,
            |_, _| {},
        )
        .quick(),
        case(
            "silent server",
            server::stranger("silent-server"),
            Meant::Cut,
            |_, _| {},
        )
        .times(1)
        .quick(),
        case(
            "resetting server",
            server::stranger("reset-server"),
            Meant::Cut,
            |_, _| {},
        )
        .quick(),
        case(
            "closing server",
            server::stranger("closing-server"),
            Meant::Cut,
            |_, _| {},
        ),
    ]
}
