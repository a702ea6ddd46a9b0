//! What the error texts of TLS libraries mean.

use super::peer::{Fault, Report};

/// Parts of texts that mean the other side sent an alert.
const ALERTED: [&str; 9] = [
    "ssl alert number",
    "received fatal alert",
    "alert received",
    "fatal alert has been received",
    "remote error: tls",
    "tlsv1 alert",
    "tlsv13 alert",
    "sslv3 alert",
    "_alert_",
];
/// Parts of texts that mean nothing came.
const TIMED_OUT: [&str; 4] = ["timed out", "timeout", "etimedout", "would block"];
/// Parts of texts that mean the connection was reset, or found to be when writing.
const RESET: [&str; 5] = ["reset", "broken pipe", "epipe", "econnaborted", "not connected"];
/// Parts of texts that mean the other side closed.
const CLOSED: [&str; 6] = [
    "eof",
    "hang up",
    "connection closed",
    "connection was closed",
    "non-properly terminated",
    "disconnected before",
];

/// Reasons of the agent's vocabulary, without `client_certificate_` and `server_certificate_`, each with parts of texts
/// that name it. The first that matches counts.
const CERTIFICATE_FAULTS: [(&str, &[&str]); 8] = [
    (
        "missing",
        &[
            "did not return a certificate",
            "nocertificatespresented",
            "no certificates",
            "sent no cert",
            "didn't provide a certificate",
            "no certificate was",
            "certificate is required",
            "certificate_required",
        ],
    ),
    (
        "not_yet_valid",
        &[
            "not yet valid",
            "not valid yet",
            "notvalidyet",
            "not activated",
            "is before",
            "not_yet_valid",
        ],
    ),
    ("expired", &["expired", "is after"]),
    ("revoked", &["revoked"]),
    (
        "wrong_purpose",
        &[
            "purpose",
            "incompatible key usage",
            "extendedkeyusage",
            "extended key usage",
            "key usage",
        ],
    ),
    (
        "name_mismatch",
        &[
            "hostname mismatch",
            "notvalidforname",
            "not valid for name",
            "is valid for",
            "does not match",
            "altname",
        ],
    ),
    (
        "unknown_ca",
        &[
            "unknownissuer",
            "unknown issuer",
            "unknown authority",
            "self-signed",
            "self signed",
            "depth_zero_self_signed",
            "local issuer",
            "unable to verify the first",
            "unable_to_verify_leaf",
            "issuer is unknown",
            "not trusted",
        ],
    ),
    (
        "bad",
        &[
            "badencoding",
            "bad encoding",
            "malformed",
            "asn1",
            "asn.1",
            "failed to parse",
            "parsing",
            "decode",
        ],
    ),
];

/// Other reasons, each with parts of texts that name it.
const OTHER_REASONS: [(&str, &[&str]); 7] = [
    (
        "decrypt_error",
        &[
            "bad signature",
            "badsignature",
            "invalid signature",
            "digest check failed",
            "verification failure",
        ],
    ),
    (
        "not_tls",
        &[
            "http request",
            "wrong version number",
            "not look like a tls",
            "invalidcontenttype",
            "packet length too long",
            "unexpected tls packet",
        ],
    ),
    (
        "no_shared_version",
        &[
            "unsupported protocol",
            "unsupported version",
            "tls12notoffered",
            "tls13required",
            "supportedversionsextensionrequired",
            "servertlsversionisdisabled",
            "protocol version",
            "no protocols available",
        ],
    ),
    (
        "no_shared_cipher",
        &["no shared cipher", "nociphersuitesincommon", "no cipher suite"],
    ),
    (
        "no_shared_group",
        &[
            "no suitable key share",
            "nokxgroupsincommon",
            "no ecdhe curve",
            "no supported elliptic",
            "no suitable groups",
            "no key exchange group",
        ],
    ),
    (
        "no_application_protocol",
        &["application protocol", "any known protocol"],
    ),
    (
        "unrecognized_name",
        &["unrecognized name", "unrecognised name", "final_server_name"],
    ),
];

/// What ended a connection before its handshake was done, or a refusal after; `None` where nothing went wrong.
pub fn of(report: &Report) -> Option<Fault> {
    let from_text = report.error.as_deref().map(of_text);
    // A handshake that failed without an error is one whose other end has gone.
    let silent = (report.completed == Some(false)).then_some(Fault::Closed);
    match (report.fault, from_text) {
        // What a program takes for a refusal by its library, for want of another word; the library's text knows better.
        (Some(Fault::Refused), Some(_)) => from_text,
        (fault, _) => fault.or(from_text).or(silent),
    }
}

fn of_text(text: &str) -> Fault {
    let text = text.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&ALERTED) {
        Fault::Alerted
    } else if has(&TIMED_OUT) {
        Fault::TimedOut
    } else if has(&RESET) {
        Fault::Reset
    } else if has(&CLOSED) {
        Fault::Closed
    } else {
        Fault::Refused
    }
}

/// Why a side refused, by its own error text, in the agent's words; `None` where the text does not say. `judged` is whose
/// certificate it would be about: `client` or `server`.
pub fn reason(text: &str, judged: &str) -> Option<String> {
    // Go says both before it says which.
    let text = text.to_lowercase().replace("expired or is not yet valid", "");
    let named = |(_, parts): &&(&str, &[&str])| parts.iter().any(|part| text.contains(part));
    if let Some((reason, _)) = OTHER_REASONS.iter().find(named) {
        return Some((*reason).to_owned());
    }
    let (fault, _) = CERTIFICATE_FAULTS.iter().find(named)?;
    Some(format!("{judged}_certificate_{fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(error: &str) -> Fault {
        of(&Report {
            error: Some(error.into()),
            ..Report::default()
        })
        .expect("an error means something")
    }

    #[test]
    fn an_error_is_a_refusal_unless_it_says_that_the_other_side_ended_it() {
        for (text, fault) in [
            (
                "SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:x.c:1:SSL alert number 48",
                Fault::Alerted,
            ),
            ("remote error: tls: bad certificate", Fault::Alerted),
            ("received fatal alert: CertificateRequired", Fault::Alerted),
            ("unexpected eof while reading", Fault::Closed),
            (
                "Client network socket disconnected before secure TLS connection was established",
                Fault::Closed,
            ),
            ("read ECONNRESET", Fault::Reset),
            ("read tcp 127.0.0.1:4->127.0.0.1:5: i/o timeout", Fault::TimedOut),
            ("invalid peer certificate: UnknownIssuer", Fault::Refused),
        ] {
            assert_eq!(texts(text), fault, "{text}");
        }
        let silent = Report {
            completed: Some(false),
            ..Report::default()
        };
        assert_eq!(of(&silent), Some(Fault::Closed));
        assert_eq!(of(&Report::default()), None);
    }

    #[test]
    fn a_refusal_says_why_in_many_tongues() {
        for (text, expected) in [
            (
                "verify error:num=10:certificate has expired; 80::error:0A000086:SSL routines::certificate verify failed",
                "client_certificate_expired",
            ),
            (
                "x509: certificate has expired or is not yet valid: current time 2026 is before 2045",
                "client_certificate_not_yet_valid",
            ),
            ("peer did not return a certificate", "client_certificate_missing"),
            (
                "tls: client didn't provide a certificate",
                "client_certificate_missing",
            ),
            ("peer sent no certificates", "client_certificate_missing"),
            ("no shared cipher", "no_shared_cipher"),
            ("peer is incompatible: NoKxGroupsInCommon", "no_shared_group"),
        ] {
            assert_eq!(reason(text, "client").as_deref(), Some(expected), "{text}");
        }
        assert_eq!(reason("handshake failed", "client"), None);
    }
}
