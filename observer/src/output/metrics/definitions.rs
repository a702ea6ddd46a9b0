//! Every metric, its labels and their values: what is exported and what `docs/metrics.md` says come from here.

mod verdicts;

use observer_tls::codepoints::{AlertDescription, AlertLevel, CipherSuite, NamedGroup, ProtocolVersion};

use super::series::{Definition, Kind, Label};
use crate::observation::{AlertSeen, ClientCertificate, Evidence, Outcome, Reason};
use crate::output::words::Word;
pub use verdicts::*;

/// The value for what is not in a list.
pub const OTHER: &str = "other";
/// The value for what was not there at all.
pub const NONE: &str = "none";
/// The value for alerts that cannot be read.
pub const ENCRYPTED: &str = "encrypted";
/// The value for the level of alerts that cannot be read.
pub const UNKNOWN: &str = "unknown";

/// How the handshake ended.
pub static OUTCOME: Label = Label {
    name: "outcome",
    values: Outcome::WORDS,
};
/// Negotiated version; `none` before a ServerHello.
pub static VERSION: Label = Label {
    name: "version",
    values: &["1.0", "1.1", "1.2", "1.3", OTHER, NONE],
};
/// Whether an earlier session was resumed.
pub static RESUMED: Label = Label {
    name: "resumed",
    values: &["true", "false"],
};
/// Who refused; `none` where nobody did.
pub static REJECTED_BY: Label = Label {
    name: "rejected_by",
    values: &["client", "server", NONE],
};
/// `handshake.reason`.
pub static REASON: Label = Label {
    name: "reason",
    values: Reason::WORDS,
};
/// `handshake.evidence`.
pub static EVIDENCE: Label = Label {
    name: "evidence",
    values: Evidence::WORDS,
};
/// Who sent an alert.
pub static SENDER: Label = Label {
    name: "sender",
    values: &["client", "server"],
};
/// An alert's level.
pub static LEVEL: Label = Label {
    name: "level",
    values: &["warning", "fatal", UNKNOWN],
};
/// An alert's IANA name.
pub static DESCRIPTION: Label = Label {
    name: "description",
    values: &[
        "close_notify",
        "unexpected_message",
        "bad_record_mac",
        "decryption_failed",
        "record_overflow",
        "decompression_failure",
        "handshake_failure",
        "no_certificate",
        "bad_certificate",
        "unsupported_certificate",
        "certificate_revoked",
        "certificate_expired",
        "certificate_unknown",
        "illegal_parameter",
        "unknown_ca",
        "access_denied",
        "decode_error",
        "decrypt_error",
        "export_restriction",
        "protocol_version",
        "insufficient_security",
        "internal_error",
        "inappropriate_fallback",
        "user_canceled",
        "no_renegotiation",
        "missing_extension",
        "unsupported_extension",
        "certificate_unobtainable",
        "unrecognized_name",
        "bad_certificate_status_response",
        "bad_certificate_hash_value",
        "unknown_psk_identity",
        "certificate_required",
        "general_error",
        "no_application_protocol",
        "ech_required",
        ENCRYPTED,
        OTHER,
    ],
};
/// Alerts that peers send as warnings.
pub const WARNINGS: [&str; 5] = [
    "close_notify",
    "user_canceled",
    "no_renegotiation",
    "no_certificate",
    "unrecognized_name",
];
/// What became of the client's certificate.
pub static STATE: Label = Label {
    name: "state",
    values: ClientCertificate::WORDS,
};
/// Cipher suites that today's software negotiates.
pub static CIPHER: Label = Label {
    name: "cipher",
    values: &[
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        OTHER,
    ],
};
/// Key exchange groups that today's software negotiates.
pub static GROUP: Label = Label {
    name: "group",
    values: &[
        "x25519",
        "x448",
        "secp256r1",
        "secp384r1",
        "secp521r1",
        "ffdhe2048",
        "ffdhe3072",
        "ffdhe4096",
        "X25519MLKEM768",
        "SecP256r1MLKEM768",
        "SecP384r1MLKEM1024",
        "X25519Kyber768Draft00",
        "MLKEM768",
        "MLKEM1024",
        OTHER,
    ],
};
/// Whether a group resists quantum computers.
pub static POST_QUANTUM: Label = Label {
    name: "post_quantum",
    values: &["true", "false"],
};
/// Where something was lost.
pub static STAGE: Label = Label {
    name: "stage",
    values: &[],
};
/// Why something was lost.
pub static LOSS: Label = Label {
    name: "reason",
    values: &[],
};
/// A kernel hook.
pub static HOOK: Label = Label {
    name: "hook",
    values: &[],
};
/// The cgroup or interface that a hook is attached to.
pub static TARGET: Label = Label {
    name: "target",
    values: &[],
};
/// A release of the agent.
pub static RELEASE: Label = Label {
    name: "version",
    values: &[],
};

/// `tls_handshakes_total`.
pub static HANDSHAKES: Definition<3> = Definition {
    name: "tls_handshakes",
    kind: Kind::Counter,
    help: "TLS handshakes seen.",
    labels: [&OUTCOME, &VERSION, &RESUMED],
    per_service: true,
    initial: "established with every version but none, resumed and not; every other outcome with versions 1.2, 1.3 and \
              none, not resumed",
};
/// `tls_handshake_failures_total`.
pub static FAILURES: Definition<3> = Definition {
    name: "tls_handshake_failures",
    kind: Kind::Counter,
    help: "TLS handshakes that were rejected, aborted or timed out. Its OpenMetrics exemplar event_id is the event.id \
           of the latest.",
    labels: [&REJECTED_BY, &REASON, &EVIDENCE],
    per_service: true,
    initial: "every reason, with whom it comes from and how it is known by the rules for outcomes",
};
/// `tls_handshake_duration_seconds`.
pub static DURATION: Definition<2> = Definition {
    name: "tls_handshake_duration_seconds",
    kind: Kind::Histogram,
    help: "Time from the ClientHello to the end of established handshakes.",
    labels: [&VERSION, &RESUMED],
    per_service: true,
    initial: "versions 1.2 and 1.3, resumed and not",
};
/// `tls_alerts_total`.
pub static ALERTS: Definition<3> = Definition {
    name: "tls_alerts",
    kind: Kind::Counter,
    help: "TLS alerts seen, during handshakes and after. Those that cannot be read have the level unknown and the \
           description encrypted.",
    labels: [&SENDER, &LEVEL, &DESCRIPTION],
    per_service: true,
    initial: "every description as fatal, those that are sent as warnings also so, and encrypted ones, for both senders",
};
/// `tls_client_certificates_total`.
pub static CLIENT_CERTIFICATES: Definition<1> = Definition {
    name: "tls_client_certificates",
    kind: Kind::Counter,
    help: "TLS handshakes by what became of the client's certificate.",
    labels: [&STATE],
    per_service: true,
    initial: "all",
};
/// `tls_negotiated_ciphers_total`.
pub static CIPHERS: Definition<1> = Definition {
    name: "tls_negotiated_ciphers",
    kind: Kind::Counter,
    help: "TLS handshakes by the cipher suite that the server chose.",
    labels: [&CIPHER],
    per_service: true,
    initial: "all",
};
/// `tls_negotiated_groups_total`.
pub static GROUPS: Definition<2> = Definition {
    name: "tls_negotiated_groups",
    kind: Kind::Counter,
    help: "TLS handshakes by the key exchange group.",
    labels: [&GROUP, &POST_QUANTUM],
    per_service: true,
    initial: "every group with the post_quantum that it has; other with both",
};
/// `tls_observer_events_dropped_total`.
pub static DROPPED: Definition<2> = Definition {
    name: "tls_observer_events_dropped",
    kind: Kind::Counter,
    help: "What the agent lost on the way from the wire to the outputs, by where and why.",
    labels: [&STAGE, &LOSS],
    per_service: false,
    initial: "all",
};
/// `tls_observer_probe_attached`.
pub static PROBES: Definition<2> = Definition {
    name: "tls_observer_probe_attached",
    kind: Kind::Gauge,
    help: "Whether a kernel probe is attached (1) or should be and is not (0).",
    labels: [&HOOK, &TARGET],
    per_service: false,
    initial: "one for each hook that the configuration asks for",
};
/// `tls_observer_flows`.
pub static FLOWS: Definition<0> = Definition {
    name: "tls_observer_flows",
    kind: Kind::Gauge,
    help: "Connections in the agent's flow table.",
    labels: [],
    per_service: false,
    initial: "the one",
};
/// `tls_observer_buffer_bytes`.
pub static BUFFER_BYTES: Definition<0> = Definition {
    name: "tls_observer_buffer_bytes",
    kind: Kind::Gauge,
    help: "Bytes that wait for the rest of their message or for a gap to close.",
    labels: [],
    per_service: false,
    initial: "the one",
};
/// `tls_observer_ring_bytes_total`.
pub static RING_BYTES: Definition<0> = Definition {
    name: "tls_observer_ring_bytes",
    kind: Kind::Counter,
    help: "Bytes that the kernel probes wrote to the ring buffer.",
    labels: [],
    per_service: false,
    initial: "the one",
};
/// `tls_observer_build_info`.
pub static BUILD: Definition<1> = Definition {
    name: "tls_observer_build",
    kind: Kind::Info,
    help: "The running release.",
    labels: [&RELEASE],
    per_service: false,
    initial: "the one",
};

/// Upper bounds of the buckets of [`DURATION`], in seconds.
pub const DURATION_BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// `name` when `label` lists it, else `other`.
fn listed(label: &Label, name: Option<&'static str>) -> &'static str {
    name.filter(|name| label.values.contains(name)).unwrap_or(OTHER)
}

/// The value of [`VERSION`].
pub fn version(version: Option<ProtocolVersion>) -> &'static str {
    version.map_or(NONE, |version| listed(&VERSION, version.label()))
}

/// The value of [`RESUMED`] and [`POST_QUANTUM`].
pub fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// The value of [`CIPHER`].
pub fn cipher(cipher: CipherSuite) -> &'static str {
    listed(&CIPHER, cipher.name())
}

/// The value of [`GROUP`].
pub fn group(group: NamedGroup) -> &'static str {
    listed(&GROUP, group.name())
}

/// The values of [`LEVEL`] and [`DESCRIPTION`].
pub fn alert(seen: &AlertSeen) -> (&'static str, &'static str) {
    let Some(alert) = seen.alert else {
        return (UNKNOWN, ENCRYPTED);
    };
    let level = match alert.level {
        AlertLevel::WARNING => "warning",
        AlertLevel::FATAL => "fatal",
        _ => UNKNOWN,
    };
    (
        level,
        listed(&DESCRIPTION, AlertDescription::name(alert.description)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_names_are_registered_ones() {
        let ciphers: Vec<_> = (0..=u16::MAX)
            .filter_map(|code| CipherSuite(code).name())
            .collect();
        let groups: Vec<_> = (0..=u16::MAX)
            .filter_map(|code| NamedGroup(code).name())
            .collect();
        let alerts: Vec<_> = (0..=u8::MAX)
            .filter_map(|code| AlertDescription(code).name())
            .collect();
        for (label, names) in [(&CIPHER, ciphers), (&GROUP, groups), (&DESCRIPTION, alerts)] {
            for value in label
                .values
                .iter()
                .filter(|value| ![OTHER, ENCRYPTED].contains(*value))
            {
                assert!(
                    names.contains(value),
                    "{value} is not in the registry of {}",
                    label.name
                );
            }
        }
        assert!(WARNINGS.iter().all(|name| DESCRIPTION.values.contains(name)));
    }

    #[test]
    fn what_is_not_listed_is_other() {
        assert_eq!(cipher(CipherSuite(0x0b0b)), OTHER);
        assert_eq!(
            cipher(CipherSuite(0x0001)),
            OTHER,
            "registered, but nobody negotiates it"
        );
        assert_eq!(version(Some(ProtocolVersion(0x0300))), OTHER);
        assert_eq!(version(None), NONE);
    }
}
