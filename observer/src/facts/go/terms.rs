//! What Go calls things: errors of crypto/x509, texts of crypto/tls.

use observer_common::hit::go as kind;

use crate::observation::{CertificateFault, Reason, Side};

/// Errors of `(*Certificate).Verify`, by the hash that Go's compilers give to their types. It is the same in all programs of
/// one compiler: those of Go 1.19 to 1.23, of Go 1.24, and of Go 1.25 to 1.27, as seen with 1.19.8, 1.21.13, 1.22.10, 1.23.9,
/// 1.24.11, 1.25.5, 1.26.6 and 1.27.3.
const TYPES: [(Type, [u32; 3]); 3] = [
    (Type::Invalid, [0xf4c5_05b0, 0x622d_d153, 0x0b3a_fab0]),
    (Type::UnknownAuthority, [0x119d_3977, 0x7082_ca36, 0xee62_c677]),
    (Type::Hostname, [0x15d6_4430, 0x37fd_670c, 0xea29_bb30]),
];

/// A type of error.
#[derive(Clone, Copy)]
enum Type {
    /// `CertificateInvalidError`.
    Invalid,
    /// `UnknownAuthorityError`.
    UnknownAuthority,
    /// `HostnameError`.
    Hostname,
}

/// `InvalidReason` by number, a part of the interface of crypto/x509, and what it is in the terms of events.
const REASONS: [(&str, CertificateFault); 11] = {
    use CertificateFault::*;
    [
        ("NotAuthorizedToSign", Bad),
        // See `validity`.
        ("Expired", Expired),
        ("CANotAuthorizedForThisName", Bad),
        ("TooManyIntermediates", Bad),
        ("IncompatibleUsage", WrongPurpose),
        ("NameMismatch", UnknownCa),
        ("NameConstraintsWithoutSANs", Bad),
        ("UnconstrainedName", Bad),
        ("TooManyConstraints", Bad),
        ("CANotAuthorizedForExtKeyUsage", WrongPurpose),
        ("NoValidChains", Bad),
    ]
};

/// Beginnings of crypto/tls's texts, and the reasons that they give. They are no part of its interface: of a text that
/// changes, the alert still tells.
const TEXTS: [(&str, Reason); 10] = [
    ("client didn't provide a certificate", MISSING),
    ("no cipher suite supported by both", Reason::NoSharedCipher),
    (
        "client offered only unsupported versions",
        Reason::NoSharedVersion,
    ),
    ("client offered TLS version older", Reason::NoSharedVersion),
    (
        "server selected unsupported protocol version",
        Reason::NoSharedVersion,
    ),
    ("no ECDHE curve supported by both", Reason::NoSharedGroup),
    ("no key exchanges supported by both", Reason::NoSharedGroup),
    (
        "client requested unsupported application protocols",
        Reason::NoApplicationProtocol,
    ),
    (
        "client did not request an application protocol",
        Reason::NoApplicationProtocol,
    ),
    ("invalid signature by the", Reason::DecryptError),
];

/// A client that sent no certificate and had to.
pub(super) const MISSING: Reason = Reason::Certificate(Side::Client, CertificateFault::Missing);

/// An error of `(*Certificate).Verify`: its type's hash, its second word and its detail. Gives the fault that it is, and
/// Go's term; `None` if that is not known for sure.
pub(super) fn verification(hash: u32, word: u64, detail: &[u8]) -> Option<(CertificateFault, Box<str>)> {
    let (kind, _) = TYPES.iter().find(|(_, hashes)| hashes.contains(&hash))?;
    Some(match kind {
        Type::UnknownAuthority => (CertificateFault::UnknownCa, "x509.UnknownAuthorityError".into()),
        Type::Hostname => (CertificateFault::NameMismatch, "x509.HostnameError".into()),
        Type::Invalid => {
            let (name, fault) = REASONS.get(usize::try_from(word).ok()?)?;
            let fault = if word == kind::REASON_EXPIRED {
                validity(detail)?
            } else {
                *fault
            };
            (
                fault,
                format!("x509.CertificateInvalidError: {name} ({word})").into(),
            )
        }
    })
}

/// Whether the time, of which the detail of an error tells, is after that of the certificate, or before.
fn validity(detail: &[u8]) -> Option<CertificateFault> {
    let has = |words: &[u8]| detail.windows(words.len()).any(|at| at == words);
    match (has(b" is after "), has(b" is before ")) {
        (true, false) => Some(CertificateFault::Expired),
        (false, true) => Some(CertificateFault::NotYetValid),
        _ => None,
    }
}

/// The reason that a text of crypto/tls gives.
pub(super) fn reason(text: &str) -> Option<Reason> {
    let text = text.strip_prefix("tls: ")?;
    let known = TEXTS.iter().find(|(start, _)| text.starts_with(start));
    known.map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(hash: u32, word: u64, detail: &[u8]) -> Option<CertificateFault> {
        verification(hash, word, detail).map(|(fault, _)| fault)
    }

    #[test]
    fn errors_of_verification_are_known_by_type_and_reason() {
        for hash in [0xf4c5_05b0, 0x622d_d153, 0x0b3a_fab0] {
            assert_eq!(fault(hash, 4, b""), Some(CertificateFault::WrongPurpose));
        }
        let (fault, term) = verification(0xee62_c677, 0x7fff_0000, b"").unwrap();
        assert_eq!(
            (fault, &*term),
            (CertificateFault::UnknownCa, "x509.UnknownAuthorityError")
        );
        let (fault, term) = verification(0xea29_bb30, 0x7fff_0000, b"").unwrap();
        assert_eq!(
            (fault, &*term),
            (CertificateFault::NameMismatch, "x509.HostnameError")
        );
        let (_, term) = verification(0x0b3a_fab0, 10, b"").unwrap();
        assert_eq!(&*term, "x509.CertificateInvalidError: NoValidChains (10)");
    }

    #[test]
    fn expired_and_not_yet_valid_are_one_reason_with_two_details() {
        let told = |detail: &str| fault(0x0b3a_fab0, kind::REASON_EXPIRED, detail.as_bytes());
        let after = "current time 2026-11-21T13:54:00Z is after 2021-01-01T00:00:00Z";
        assert_eq!(told(after), Some(CertificateFault::Expired));
        let before = "current time 2026-11-21T13:54:00Z is before 2034-01-01T00:00:00Z";
        assert_eq!(told(before), Some(CertificateFault::NotYetValid));
        assert_eq!(told("current time"), None);
    }

    #[test]
    fn what_no_version_is_known_to_make_is_not_believed() {
        assert_eq!(fault(0x0b3a_fab1, 4, b""), None, "another type");
        assert_eq!(fault(0x0b3a_fab0, 11, b""), None, "another reason");
        assert_eq!(fault(0x0b3a_fab0, 0x2ac1_f9f4_ec08, b""), None, "an address");
    }

    #[test]
    fn texts_give_reasons_whatever_follows() {
        let text = "tls: no cipher suite supported by both client and server; client offered: [1301]";
        assert_eq!(reason(text), Some(Reason::NoSharedCipher));
        assert_eq!(reason("tls: client didn't provide a certificate"), Some(MISSING));
        assert_eq!(reason("tls: protocol is shutdown"), None);
        assert_eq!(
            reason("no cipher suite supported by both client and server"),
            None
        );
    }
}
