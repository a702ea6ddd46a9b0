//! Mutual TLS: every version and what may be wrong with the client's certificate, and servers that a client refuses.

use super::{Ending, Plan};
use crate::peers::{ClientAuth, Version, tls::Offer};
use crate::record::Scenario;

/// A kind of client certificate: name, words, certificate, and how each server refuses it.
struct Kind {
    name: &'static str,
    about: &'static str,
    certificate: Option<fn(&crate::pki::Pki) -> &crate::pki::Leaf>,
    auth: ClientAuth,
    /// Reason, with the alerts of OpenSSL before TLS 1.3, of OpenSSL in TLS 1.3 and of rustls.
    refusal: Option<(&'static str, [u8; 3])>,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "accepted",
        about: "a good client certificate",
        certificate: Some(|pki| &pki.good),
        auth: ClientAuth::Required,
        refusal: None,
    },
    Kind {
        name: "empty",
        about: "no client certificate, and the server does not insist",
        certificate: None,
        auth: ClientAuth::Optional,
        refusal: None,
    },
    Kind {
        name: "missing",
        about: "no client certificate, and the server insists",
        certificate: None,
        auth: ClientAuth::Required,
        refusal: Some(("client_certificate_missing", [40, 116, 116])),
    },
    Kind {
        name: "expired",
        about: "an expired client certificate",
        certificate: Some(|pki| &pki.expired),
        auth: ClientAuth::Required,
        refusal: Some(("client_certificate_expired", [45, 45, 45])),
    },
    Kind {
        name: "unknown-ca",
        about: "a client certificate of a CA that the server does not know",
        certificate: Some(|pki| &pki.unknown_ca),
        auth: ClientAuth::Required,
        refusal: Some(("client_certificate_unknown_ca", [48, 48, 48])),
    },
];

const TLS10: &[&str] = &["-tls1", "-cipher", "ALL:@SECLEVEL=0"];
const TLS11: &[&str] = &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];

/// All of them.
pub fn scenarios() -> Vec<Scenario> {
    let openssl = [("tls10", "TLS 1.0", TLS10, 0), ("tls11", "TLS 1.1", TLS11, 0)];
    let newer = [
        ("tls12", "TLS 1.2", &["-tls1_2"][..], 0),
        ("tls13", "TLS 1.3", &["-tls1_3"][..], 1),
    ];
    let rustls = [
        (
            "rustls12",
            "TLS 1.2 with a rustls server",
            &["-tls1_2"][..],
            Version::Tls12,
        ),
        (
            "rustls13",
            "TLS 1.3 with a rustls server",
            &["-tls1_3"][..],
            Version::Tls13,
        ),
    ];
    let mut found = Vec::new();
    for kind in &KINDS {
        for (name, words, both, which) in openssl.into_iter().chain(newer) {
            // TLS 1.1 differs from 1.0 in nothing that is in plaintext: once is enough.
            if name != "tls11" || kind.name == "accepted" {
                found.push(plan(kind, name, words, both, which, None));
            }
        }
        for (name, words, both, version) in rustls {
            found.push(plan(kind, name, words, both, 2, Some(Offer::only(version))));
        }
    }
    found.extend(refused_servers());
    found.into_iter().map(Plan::scenario).collect()
}

fn plan(
    kind: &Kind,
    version: &str,
    words: &str,
    both: &'static [&'static str],
    which: usize,
    rustls: Option<Offer>,
) -> Plan {
    let refusal = kind
        .refusal
        .and_then(|(reason, codes)| Some((reason, *codes.get(which)?)));
    Plan {
        both,
        auth: kind.auth,
        certificate: kind.certificate,
        rustls,
        ending: refusal.map_or(Ending::Established, |(reason, code)| {
            Ending::Rejected("server", reason, code)
        }),
        state: if kind.certificate.is_some() {
            "sent"
        } else {
            "requested_not_sent"
        },
        shows_server: true,
        ..Plan::new(
            &format!("{version}-mutual-{}", kind.name),
            &format!("{words}, {}", kind.about),
        )
    }
}

/// Servers with which something is wrong, in the client's eyes.
fn refused_servers() -> Vec<Plan> {
    let mut found = Vec::new();
    for (version, words, both) in [
        ("tls12", "TLS 1.2", &["-tls1_2"][..]),
        ("tls13", "TLS 1.3", &["-tls1_3"][..]),
    ] {
        found.push(Plan {
            both,
            client: &["-CAfile", "{pki}/other-ca.crt"],
            ending: Ending::Rejected("client", "server_certificate_unknown_ca", 48),
            state: "not_requested",
            shows_server: true,
            ..Plan::new(
                &format!("{version}-server-unknown-ca"),
                &format!("{words}, the client does not know the server's CA"),
            )
        });
        found.push(Plan {
            both,
            server: &["-cert", "{pki}/expired.crt", "-key", "{pki}/expired.key"],
            client: &["-CAfile", "{pki}/client-ca.crt", "-purpose", "any"],
            ending: Ending::Rejected("client", "server_certificate_expired", 45),
            state: "not_requested",
            ..Plan::new(
                &format!("{version}-server-expired"),
                &format!("{words}, the server's certificate has expired"),
            )
        });
    }
    found
}
