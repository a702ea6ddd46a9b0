//! What a handshake may be made of: key exchanges, certificate chains, extensions, records of odd sizes.

use super::{Ending, Plan};
use crate::record::Scenario;

const TLS12: &[&str] = &["-tls1_2"];
const TLS13: &[&str] = &["-tls1_3"];

/// All of them.
pub fn scenarios() -> Vec<Scenario> {
    let mut found = chains();
    found.extend(key_exchanges());
    found.extend(extensions());
    found.extend(refused());
    found.push(large_hello());
    found.into_iter().map(Plan::scenario).collect()
}

fn chains() -> Vec<Plan> {
    let rows: [(&str, &[&str], &[&str]); 3] = [
        (
            "rsa",
            &[
                "-cert",
                "{pki}/rsa.crt",
                "-key",
                "{pki}/rsa.key",
                "-cert_chain",
                "{pki}/rsa-chain.crt",
            ],
            &["-CAfile", "{pki}/rsa-root.crt"],
        ),
        (
            "ecdsa",
            &[
                "-cert",
                "{pki}/ecdsa.crt",
                "-key",
                "{pki}/ecdsa.key",
                "-cert_chain",
                "{pki}/ecdsa-chain.crt",
            ],
            &["-CAfile", "{pki}/ecdsa-root.crt"],
        ),
        (
            "ed25519",
            &[
                "-cert",
                "{pki}/ed25519.crt",
                "-key",
                "{pki}/ed25519.key",
                "-cert_chain",
                "{pki}/ed25519-chain.crt",
            ],
            &["-CAfile", "{pki}/ed25519-root.crt"],
        ),
    ];
    let mut found = Vec::new();
    for (key, server, client) in rows {
        for (version, words, both) in [("tls12", "TLS 1.2", TLS12), ("tls13", "TLS 1.3", TLS13)] {
            found.push(Plan {
                both,
                server,
                client,
                ..Plan::new(
                    &format!("{version}-chain-{key}"),
                    &format!("{words}, the server shows a leaf and an intermediate CA with {key} keys"),
                )
            });
        }
    }
    found
}

fn key_exchanges() -> Vec<Plan> {
    const RSA: &[&str] = &[
        "-cert",
        "{pki}/rsa.crt",
        "-key",
        "{pki}/rsa.key",
        "-cert_chain",
        "{pki}/rsa-chain.crt",
    ];
    const TRUST: &[&str] = &["-CAfile", "{pki}/rsa-root.crt"];
    vec![
        Plan {
            both: &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
            server: RSA,
            client: TRUST,
            ..Plan::new(
                "tls12-rsa-key-exchange",
                "TLS 1.2, RSA key exchange: no ServerKeyExchange",
            )
        },
        Plan {
            both: &["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"],
            server: RSA,
            client: TRUST,
            ..Plan::new(
                "tls10-rsa-key-exchange",
                "TLS 1.0, RSA key exchange: no ServerKeyExchange",
            )
        },
        Plan {
            both: &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
            server: RSA,
            client: TRUST,
            ..Plan::new("tls12-dhe", "TLS 1.2, finite-field Diffie-Hellman")
        },
        Plan {
            both: &[
                "-tls1_2",
                "-cipher",
                "ECDHE-ECDSA-CHACHA20-POLY1305",
                "-curves",
                "P-384:P-256",
            ],
            shows_server: true,
            ..Plan::new("tls12-chacha20-p384", "TLS 1.2, ChaCha20-Poly1305 and secp384r1")
        },
        Plan {
            both: &[
                "-tls1_3",
                "-ciphersuites",
                "TLS_CHACHA20_POLY1305_SHA256",
                "-curves",
                "X448",
            ],
            ..Plan::new("tls13-chacha20-x448", "TLS 1.3, ChaCha20-Poly1305 and x448")
        },
        Plan {
            both: &["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"],
            ..Plan::new("tls13-ccm8", "TLS 1.3, a suite with tags of eight bytes")
        },
        Plan {
            both: &[
                "-tls1_2",
                "-psk",
                "00112233445566778899aabbccddeeff",
                "-cipher",
                "PSK-AES128-GCM-SHA256",
            ],
            server: &["-nocert", "-psk_hint", "hint"],
            client: &["-psk_identity", "someone"],
            ..Plan::new("tls12-psk", "TLS 1.2, pre-shared key without certificates")
        },
        Plan {
            both: TLS13,
            server: &["-curves", "P-256"],
            client: &["-curves", "X25519:P-256"],
            further: &[("handshake.hello_retry", "true")],
            ..Plan::new(
                "tls13-hello-retry",
                "TLS 1.3, the server asks for another key share: HelloRetryRequest",
            )
        },
    ]
}

fn extensions() -> Vec<Plan> {
    vec![
        Plan {
            both: &["-tls1_2", "-alpn", "h2,http/1.1"],
            shows_server: true,
            ..Plan::new("tls12-alpn", "TLS 1.2, the server chooses a protocol by ALPN")
        },
        Plan {
            both: &["-tls1_3", "-alpn", "h2,http/1.1"],
            ..Plan::new(
                "tls13-alpn",
                "TLS 1.3, the server chooses a protocol by ALPN, encrypted",
            )
        },
        Plan {
            both: TLS12,
            server_name: None,
            shows_server: true,
            ..Plan::new("tls12-no-server-name", "TLS 1.2, the client asks for no name")
        },
        Plan {
            both: TLS13,
            server_name: None,
            ..Plan::new("tls13-no-server-name", "TLS 1.3, the client asks for no name")
        },
        Plan {
            both: TLS12,
            server: &["-status_file", "{pki}/ocsp.der"],
            client: &["-status"],
            shows_server: true,
            ..Plan::new(
                "tls12-ocsp-stapling",
                "TLS 1.2, the server staples an OCSP response: CertificateStatus",
            )
        },
        Plan {
            both: TLS12,
            client: &["-maxfraglen", "1024", "-nextprotoneg", "http/1.1"],
            shows_server: true,
            ..Plan::new(
                "tls12-odd-extensions",
                "TLS 1.2, maximum fragment length and next protocol negotiation",
            )
        },
        Plan {
            both: &["-tls1_2", "-max_send_frag", "512"],
            shows_server: true,
            ..Plan::new(
                "tls12-small-records",
                "TLS 1.2, messages over several records of at most 512 bytes",
            )
        },
        Plan {
            both: &["-tls1_2", "-legacy_renegotiation"],
            server: &["-client_renegotiation"],
            renegotiates: true,
            shows_server: true,
            ..Plan::new(
                "tls12-renegotiation",
                "TLS 1.2, the client renegotiates under encryption",
            )
        },
        Plan {
            both: TLS12,
            server: &[
                "-servername",
                "other.observer.test",
                "-cert2",
                "{pki}/server.crt",
                "-key2",
                "{pki}/server.key",
            ],
            shows_server: true,
            ..Plan::new(
                "tls12-warning-unrecognized-name",
                "TLS 1.2, the server warns that it does not know the name and goes on",
            )
        },
        Plan {
            both: TLS12,
            ipv6: true,
            port: 8443,
            shows_server: true,
            ..Plan::new("tls12-ipv6", "TLS 1.2 over IPv6 on another port")
        },
        Plan {
            both: TLS13,
            ipv6: true,
            ..Plan::new("tls13-ipv6", "TLS 1.3 over IPv6")
        },
    ]
}

/// Handshakes that end before the server's flight.
fn refused() -> Vec<Plan> {
    vec![
        Plan {
            server: TLS13,
            client: TLS12,
            ending: Ending::Rejected("server", "no_shared_version", 70),
            state: "unknown",
            ..Plan::new(
                "no-shared-version",
                "the server wants TLS 1.3, the client knows TLS 1.2 at most",
            )
        },
        Plan {
            both: TLS12,
            server: &["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
            client: &["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
            ending: Ending::Rejected("server", "no_shared_cipher", 40),
            state: "unknown",
            ..Plan::new("tls12-no-shared-cipher", "TLS 1.2, no cipher suite in common")
        },
        Plan {
            both: TLS12,
            server: &["-alpn", "h2"],
            client: &["-alpn", "http/1.1"],
            ending: Ending::Rejected("server", "no_application_protocol", 120),
            state: "unknown",
            ..Plan::new(
                "tls12-no-application-protocol",
                "TLS 1.2, no application protocol in common",
            )
        },
        Plan {
            both: TLS12,
            server: &[
                "-servername",
                "other.observer.test",
                "-servername_fatal",
                "-cert2",
                "{pki}/server.crt",
                "-key2",
                "{pki}/server.key",
            ],
            ending: Ending::Rejected("server", "unrecognized_name", 112),
            state: "unknown",
            ..Plan::new(
                "tls12-unrecognized-name",
                "TLS 1.2, the server refuses the name asked for",
            )
        },
    ]
}

/// A hello longer than a record may be.
fn large_hello() -> Plan {
    // 80 names of 255 bytes in the ALPN extension.
    let names: Vec<String> = (0..80).map(|number| format!("{number:0>255}")).collect();
    let list: &'static str = Box::leak(names.join(",").into_boxed_str());
    let client: &'static [&'static str] = Box::leak(Box::new(["-alpn", list]));
    Plan {
        both: TLS12,
        client,
        shows_server: true,
        ..Plan::new(
            "tls12-large-hello",
            "TLS 1.2, a ClientHello of 20 KiB over two records",
        )
    }
}
