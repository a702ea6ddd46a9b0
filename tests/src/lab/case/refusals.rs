//! Handshakes that an end refuses, and ends that do not speak TLS.

use std::time::Duration;

use super::build::{case, good};
use super::servers::{self as server, chain};
use super::{Case, Meant, Server, identity, of_files};
use crate::lab::peer::Behaviour::{ClosesAtOnce, Idles};
use crate::lab::peer::Identity;

/// All of them.
pub fn all() -> Vec<Case> {
    let of_certificates = [bad_certificates(), special_clients(), bad_servers()].concat();
    let of_certificates = of_certificates.into_iter().map(Case::few_pairs_unless_quick);
    let disagreements = disagreements().into_iter().map(Case::few_pairs);
    of_certificates.chain(disagreements).chain(strangers()).collect()
}

/// One that the server refuses.
fn refused(name: &str, server: Server) -> Case {
    case(name, server, Meant::ServerRefuses)
}

/// Each fault that a client's certificate can have.
fn bad_certificates() -> Vec<Case> {
    let refused = |name| refused(name, server::REQUIRED);
    vec![
        refused("certificate missing").quick(),
        refused("certificate expired")
            .shows(|with| identity(&with.pki.expired))
            .quick(),
        refused("certificate not yet valid").shows(|with| identity(&with.pki.not_yet_valid)),
        refused("certificate of an unknown CA")
            .shows(|with| identity(&with.pki.unknown_ca))
            .quick(),
        refused("certificate self-signed").shows(|with| identity(&with.faults.clients.self_signed)),
        refused("certificate for servers").shows(|with| identity(&with.pki.wrong_purpose)),
        refused("certificate broken")
            .shows(|with| of_files(&with.faults.clients.broken))
            .client(|plan, _| plan.unchecked_identity = true),
        refused("certificate with the wrong key")
            .shows(|with| Identity {
                key: &with.pki.expired.files.key,
                ..good(with)
            })
            .client(|plan, _| plan.unchecked_identity = true),
        refused("big client chain of an unknown CA").shows(|with| chain(&with.faults.big_client)),
    ]
}

/// The same faults with other servers, or with clients that do not wait for an answer.
fn special_clients() -> Vec<Case> {
    let a_moment = Idles(Duration::from_millis(300));
    let missing = |name, server| refused(name, server);
    let expired = |name, server| refused(name, server).shows(|with| identity(&with.pki.expired));
    vec![
        missing("certificate missing, closes at once", server::REQUIRED).behaves(ClosesAtOnce),
        expired("certificate expired, closes at once", server::REQUIRED).behaves(ClosesAtOnce),
        missing("certificate missing, idles", server::REQUIRED)
            .behaves(a_moment)
            .once(),
        expired("certificate expired, idles", server::REQUIRED)
            .behaves(a_moment)
            .once(),
        missing("certificate missing, no tickets", server::NO_TICKET_REQUIRED),
        expired("certificate expired, no tickets", server::NO_TICKET_REQUIRED),
        expired("certificate expired, optional", server::OPTIONAL),
        refused("certificate revoked", server::REVOKING)
            .shows(|with| identity(&with.faults.clients.revoked))
            .quick(),
        case("certificate not revoked", server::REVOKING, Meant::Established).shows(good),
    ]
}

/// Servers that a client refuses for their certificates.
fn bad_servers() -> Vec<Case> {
    let refused = |name, server| case(name, server, Meant::ClientRefuses);
    vec![
        refused("server's CA unknown", server::UNKNOWN_CA).quick(),
        refused("server's certificate expired", server::EXPIRED).quick(),
        refused("server's certificate not yet valid", server::NOT_YET),
        refused("server's name mismatch", server::OTHER_NAME).quick(),
        refused("server's certificate for clients", server::WRONG_PURPOSE),
        refused(
            "server's CA unknown, client asked for a certificate",
            server::UNKNOWN_CA_REQUIRED,
        )
        .shows(good),
    ]
}

/// Nothing in common.
fn disagreements() -> Vec<Case> {
    vec![
        refused("no shared version", server::ONLY_13).only_12().quick(),
        refused("no shared version", server::ONLY_12).only_13(),
        refused("no shared suite", server::SUITE_12)
            .cipher("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
            .only_12()
            .quick(),
        refused("no shared suite", server::SUITE_13)
            .cipher("TLS_CHACHA20_POLY1305_SHA256")
            .only_13(),
        refused("no shared group", server::OTHER_GROUP)
            .client(|plan, _| plan.group = Some("secp256r1"))
            .quick(),
        refused("no shared protocol", server::ALPN)
            .client(|plan, _| plan.alpn = Some("other/1"))
            .quick(),
        refused("name not served", server::ONLY_NAME)
            .client(|plan, _| plan.server_name = "other.observer.test")
            .quick(),
    ]
}

/// Ends that do not speak TLS.
fn strangers() -> Vec<Case> {
    let stranger = |name, program, meant| case(name, server::stranger(program), meant);
    vec![
        refused("plain HTTP client", server::PLAIN)
            .by("http-client")
            .only_13()
            .quick(),
        stranger("plain HTTP server", "http-server", Meant::ClientRefuses).quick(),
        stranger("silent server", "silent-server", Meant::Cut)
            .once()
            .only_13()
            .quick(),
        stranger("resetting server", "reset-server", Meant::Cut).quick(),
        stranger("closing server", "closing-server", Meant::Cut),
    ]
}
