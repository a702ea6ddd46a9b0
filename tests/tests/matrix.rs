//! Mutual TLS, the agent's main job: both versions, both IP families, both ways of attaching, OpenSSL and rustls, and
//! every kind of client certificate. Both ends are local, so each handshake passes the hooks twice and must still give
//! exactly one event.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use observer_tests::expect::{Alert, Expected};
use observer_tests::peers::{ClientAuth, Stack, Version};
use observer_tests::pki::{Leaf, Pki};
use observer_tests::world::{LOOPBACKS, Mode, World};

/// A kind of client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    Missing,
    Expired,
    NotYetValid,
    UnknownCa,
    WrongPurpose,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Good,
        Self::Missing,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownCa,
        Self::WrongPurpose,
    ];

    fn leaf(self, pki: &Pki) -> Option<&Leaf> {
        match self {
            Self::Good => Some(&pki.good),
            Self::Missing => None,
            Self::Expired => Some(&pki.expired),
            Self::NotYetValid => Some(&pki.not_yet_valid),
            Self::UnknownCa => Some(&pki.unknown_ca),
            Self::WrongPurpose => Some(&pki.wrong_purpose),
        }
    }

    /// What a TLS 1.2 server answers: alert, reason, evidence.
    fn refusal(self, stack: Stack) -> Option<(Alert, &'static str, &'static str)> {
        let alert = |code, description| Alert {
            sender: "server",
            code,
            description,
        };
        let expired = alert(45, "certificate_expired");
        Some(match (self, stack) {
            (Self::Good, _) => return None,
            (Self::Missing, Stack::OpenSsl) => (
                alert(40, "handshake_failure"),
                "client_certificate_missing",
                "derived",
            ),
            (Self::Missing, Stack::Rustls) => (
                alert(116, "certificate_required"),
                "client_certificate_missing",
                "observed",
            ),
            (Self::Expired, _) => (expired, "client_certificate_expired", "observed"),
            (Self::NotYetValid, Stack::OpenSsl) => (
                alert(42, "bad_certificate"),
                "client_certificate_not_yet_valid",
                "derived",
            ),
            (Self::NotYetValid, Stack::Rustls) => (expired, "client_certificate_not_yet_valid", "derived"),
            (Self::UnknownCa, _) => (
                alert(48, "unknown_ca"),
                "client_certificate_unknown_ca",
                "observed",
            ),
            (Self::WrongPurpose, _) => (
                alert(43, "unsupported_certificate"),
                "client_certificate_wrong_purpose",
                "derived",
            ),
        })
    }

    /// The whole event of such a handshake.
    fn expected(
        self,
        pki: &Pki,
        client: IpAddr,
        server: SocketAddr,
        stack: Stack,
        version: Version,
    ) -> Expected {
        let hello = Expected::hello(client, server)
            // OpenSSL leaves supported_versions out when it offers nothing above 1.2.
            .offering(version, version == Version::Tls13 || stack == Stack::Rustls)
            .client_flight()
            .client_certificate(if self == Self::Missing {
                "requested_not_sent"
            } else {
                "sent"
            });
        match version {
            Version::Tls12 => {
                let seen = hello
                    .answered(version, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Some("x25519"))
                    .certificate("server", &pki.server)
                    .set(
                        "handshake.certificate_authorities",
                        vec![pki.client_ca.name.text()],
                    );
                let seen = match self.leaf(pki) {
                    Some(leaf) => seen.certificate("client", leaf),
                    None => seen,
                };
                match self.refusal(stack) {
                    None => seen.established(version),
                    Some((alert, reason, evidence)) => seen.rejected("server", reason, evidence).alert(alert),
                }
            }
            Version::Tls13 => {
                let seen = hello.answered(version, "TLS_AES_256_GCM_SHA384", Some("x25519"));
                match self {
                    Self::Good => seen.established(version),
                    Self::Missing => seen.rejected("server", "client_certificate_missing", "inferred"),
                    _ => seen.rejected("server", "client_certificate_rejected", "inferred"),
                }
            }
        }
    }
}

fn mutual_tls(mode: Mode) -> Result<()> {
    let mut world = World::new(mode, &[])?;
    for stack in Stack::ALL {
        for version in Version::ALL {
            for ip in LOOPBACKS {
                let server = SocketAddr::new(ip, 4433);
                let running =
                    stack.serve(world.place(), &world.pki, server, version, ClientAuth::Required)?;
                for kind in Kind::ALL {
                    let context = format!("{mode:?} {stack:?} {version:?} {ip} {kind:?}");
                    let trusted = &world.pki.server_ca.files.certificate;
                    let certificate = kind.leaf(&world.pki);
                    let served = stack.call(world.place(), trusted, server, version, certificate)?;
                    assert_eq!(served, kind == Kind::Good, "{context}");
                    let event = world.next_event()?;
                    kind.expected(&world.pki, ip, server, stack, version)
                        .assert(&event, &context);
                }
                drop(running);
            }
        }
    }
    let handshakes = Stack::ALL.len() * Version::ALL.len() * LOOPBACKS.len() * Kind::ALL.len();
    let metrics = world.agent()?.metrics()?;
    let count = |name, labels: &[_]| metrics.sum(name, labels).unwrap_or_default() as usize;
    assert_eq!(count("tls_handshakes_total", &[]), handshakes);
    assert_eq!(
        count("tls_handshakes_total", &[("outcome", "established")]),
        handshakes / Kind::ALL.len()
    );
    let missing = [("reason", "client_certificate_missing")];
    assert_eq!(
        count("tls_handshake_failures_total", &missing),
        handshakes / Kind::ALL.len()
    );
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn in_a_cgroup() -> Result<()> {
    mutual_tls(Mode::Cgroup)
}

#[test]
#[ignore = "needs root"]
fn on_an_interface() -> Result<()> {
    mutual_tls(Mode::Interface)
}
