//! GnuTLS's numbers: errors (`GNUTLS_E_…`) and what is wrong with a certificate (`GNUTLS_CERT_…`).
//!
//! They are part of its interface, and the same in all versions that have them.

use crate::facts::terms::{Term, find, terms, written};
use crate::observation::{CertificateFault, Reason};

/// `GNUTLS_E_CERTIFICATE_REQUIRED`.
pub(super) const CERTIFICATE_REQUIRED: i32 = -112;
/// `GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR`, where the library verifies by itself.
pub(super) const CERTIFICATE_VERIFICATION_ERROR: i32 = -348;
/// `GNUTLS_E_CERTIFICATE_ERROR`, which services give whose own function verifies.
pub(super) const CERTIFICATE_ERROR: i32 = -43;

/// Numbers in order, for the search.
const ERRORS: &[Term<Reason>] = {
    use Reason::*;
    terms! {
        -430 "GNUTLS_E_X509_DUPLICATE_EXTENSION" None;
        -429 "GNUTLS_E_EARLY_DATA_REJECTED" None;
        -427 "GNUTLS_E_MISSING_EXTENSION" Some(ProtocolError);
        -423 "GNUTLS_E_NO_COMMON_KEY_SHARE" Some(NoSharedGroup);
        -419 "GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY" None;
        -417 "GNUTLS_E_RECORD_OVERFLOW" Some(ProtocolError);
        -409 "GNUTLS_E_PK_INVALID_PUBKEY" None;
        -406 "GNUTLS_E_SESSION_USER_ID_CHANGED" Some(ProtocolError);
        -402 "GNUTLS_E_LIB_IN_ERROR_STATE" Some(InternalError);
        -350 "GNUTLS_E_UNEXPECTED_EXTENSIONS_LENGTH" Some(DecodeError);
        -348 "GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR" None;
        -347 "GNUTLS_E_INAPPROPRIATE_FALLBACK" Some(ProtocolError);
        -344 "GNUTLS_E_NO_APPLICATION_PROTOCOL" Some(NoApplicationProtocol);
        -341 "GNUTLS_E_OCSP_RESPONSE_ERROR" None;
        -340 "GNUTLS_E_NO_CERTIFICATE_STATUS" None;
        -325 "GNUTLS_E_ILLEGAL_PARAMETER" Some(ProtocolError);
        -322 "GNUTLS_E_ECC_UNSUPPORTED_CURVE" Some(NoSharedGroup);
        -321 "GNUTLS_E_ECC_NO_SUPPORTED_CURVES" Some(NoSharedGroup);
        -320 "GNUTLS_E_USER_ERROR" None;
        -319 "GNUTLS_E_TIMEDOUT" Some(TimedOut);
        -294 "GNUTLS_E_UNRECOGNIZED_NAME" Some(UnrecognizedName);
        -217 "GNUTLS_E_INSUFFICIENT_SECURITY" None;
        -210 "GNUTLS_E_HANDSHAKE_TOO_LARGE" Some(ProtocolError);
        -112 "GNUTLS_E_CERTIFICATE_REQUIRED" None;
        -108 "GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED" Some(ProtocolError);
        -107 "GNUTLS_E_SAFE_RENEGOTIATION_FAILED" Some(ProtocolError);
        -106 "GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM" None;
        -89 "GNUTLS_E_PK_SIG_VERIFY_FAILED" Some(DecryptError);
        -87 "GNUTLS_E_NO_CIPHER_SUITES" Some(NoSharedCipher);
        -86 "GNUTLS_E_NO_COMPRESSION_ALGORITHMS" Some(ProtocolError);
        -82 "GNUTLS_E_RECEIVED_DISALLOWED_NAME" None;
        -81 "GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS" Some(ProtocolError);
        -80 "GNUTLS_E_UNKNOWN_PK_ALGORITHM" None;
        -78 "GNUTLS_E_TOO_MANY_EMPTY_PACKETS" Some(ProtocolError);
        -63 "GNUTLS_E_DH_PRIME_UNACCEPTABLE" Some(ProtocolError);
        -61 "GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE" None;
        -60 "GNUTLS_E_CERTIFICATE_KEY_MISMATCH" None;
        -59 "GNUTLS_E_INTERNAL_ERROR" Some(InternalError);
        -58 "GNUTLS_E_RECEIVED_ILLEGAL_EXTENSION" Some(ProtocolError);
        -56 "GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE" None;
        -55 "GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER" Some(ProtocolError);
        -49 "GNUTLS_E_NO_CERTIFICATE_FOUND" None;
        -48 "GNUTLS_E_KEY_USAGE_VIOLATION" None;
        -47 "GNUTLS_E_X509_UNSUPPORTED_CRITICAL_EXTENSION" None;
        -45 "GNUTLS_E_PK_DECRYPTION_FAILED" Some(DecryptError);
        -43 "GNUTLS_E_CERTIFICATE_ERROR" None;
        -40 "GNUTLS_E_ENCRYPTION_FAILED" Some(InternalError);
        -33 "GNUTLS_E_HASH_FAILED" Some(InternalError);
        -32 "GNUTLS_E_INSUFFICIENT_CREDENTIALS" None;
        -25 "GNUTLS_E_MEMORY_ERROR" Some(InternalError);
        -24 "GNUTLS_E_DECRYPTION_FAILED" Some(DecryptError);
        -19 "GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET" Some(ProtocolError);
        -18 "GNUTLS_E_ERROR_IN_FINISHED_PACKET" Some(DecryptError);
        -15 "GNUTLS_E_UNEXPECTED_PACKET" Some(ProtocolError);
        -12 "GNUTLS_E_FATAL_ALERT_RECEIVED" None;
        -9 "GNUTLS_E_UNEXPECTED_PACKET_LENGTH" Some(DecodeError);
        -8 "GNUTLS_E_UNSUPPORTED_VERSION_PACKET" Some(NoSharedVersion);
    }
};

/// Errors that tell of no refusal. After some the handshake goes on: `GNUTLS_E_GOT_APPLICATION_DATA`,
/// `GNUTLS_E_REHANDSHAKE`, `GNUTLS_E_WARNING_ALERT_RECEIVED`; at others the connection was gone, which the wire knows
/// better: `GNUTLS_E_SESSION_EOF`, `GNUTLS_E_PREMATURE_TERMINATION`, `GNUTLS_E_PULL_ERROR`, `GNUTLS_E_PUSH_ERROR`,
/// `GNUTLS_E_INVALID_SESSION`.
const NOISE: [i32; 8] = [-328, -110, -54, -53, -38, -37, -16, -10];

/// What is wrong with a certificate: bits of the status, those that are told first where several are set first.
///
/// Where no issuer was found, nobody knows who signed it, and where the revocation is known, nothing else matters.
const FAULTS: [(u32, &str, CertificateFault); 16] = {
    use CertificateFault::*;
    [
        (1 << 5, "GNUTLS_CERT_REVOKED", Revoked),
        (1 << 6, "GNUTLS_CERT_SIGNER_NOT_FOUND", UnknownCa),
        (1 << 7, "GNUTLS_CERT_SIGNER_NOT_CA", UnknownCa),
        (1 << 11, "GNUTLS_CERT_SIGNATURE_FAILURE", Bad),
        (1 << 10, "GNUTLS_CERT_EXPIRED", Expired),
        (1 << 9, "GNUTLS_CERT_NOT_ACTIVATED", NotYetValid),
        (1 << 18, "GNUTLS_CERT_PURPOSE_MISMATCH", WrongPurpose),
        (1 << 14, "GNUTLS_CERT_UNEXPECTED_OWNER", NameMismatch),
        (1 << 16, "GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE", Bad),
        (1 << 8, "GNUTLS_CERT_INSECURE_ALGORITHM", Bad),
        (1 << 21, "GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS", Bad),
        (1 << 12, "GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED", Rejected),
        (1 << 15, "GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE", Rejected),
        (1 << 17, "GNUTLS_CERT_MISMATCH", Rejected),
        (1 << 19, "GNUTLS_CERT_MISSING_OCSP_STATUS", Rejected),
        (1 << 20, "GNUTLS_CERT_INVALID_OCSP_STATUS", Rejected),
    ]
};

/// What the library calls the status of a verification, and what that is in the terms of events.
pub(super) fn verification(status: u32) -> (Box<str>, Option<CertificateFault>) {
    if status == 0 {
        return ("GNUTLS_CERT_VALID (0x0)".into(), None);
    }
    let set = || FAULTS.iter().filter(|(bit, ..)| status & bit != 0);
    let names: Vec<&str> = set().map(|(_, name, _)| *name).collect();
    let names = match names.is_empty() {
        true => "GNUTLS_CERT_INVALID".to_owned(),
        false => names.join(" | "),
    };
    let fault = set()
        .next()
        .map_or(CertificateFault::Rejected, |(.., fault)| *fault);
    (format!("{names} ({status:#x})").into(), Some(fault))
}

/// What the library calls an error.
pub(super) fn error(number: i32) -> Box<str> {
    written(ERRORS, number, "GNUTLS_E")
}

/// What an error is in the terms of events, where one of them says it.
pub(super) fn reason(number: i32) -> Option<Reason> {
    find(ERRORS, number)?.meaning
}

/// Whether an error is none for a handshake to fail, or not the library's own.
pub(super) fn is_noise(number: i32) -> bool {
    NOISE.contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order() {
        assert!(ERRORS.is_sorted_by_key(|term| term.number));
    }

    #[test]
    fn what_has_no_name_keeps_its_number() {
        assert_eq!(&*error(-87), "GNUTLS_E_NO_CIPHER_SUITES (-87)");
        assert_eq!((&*error(-9999), reason(-9999)), ("GNUTLS_E (-9999)", None));
    }

    #[test]
    fn a_status_tells_all_that_is_wrong_and_the_worst_of_it() {
        use CertificateFault::*;
        // GNUTLS_CERT_INVALID is set with every other bit.
        let fault = |status| verification(status).1;
        assert_eq!(verification(0), ("GNUTLS_CERT_VALID (0x0)".into(), None));
        assert_eq!(
            verification(0x402),
            ("GNUTLS_CERT_EXPIRED (0x402)".into(), Some(Expired))
        );
        let both = "GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_EXPIRED (0x442)";
        assert_eq!(verification(0x442), (both.into(), Some(UnknownCa)));
        assert_eq!(fault(0x22), Some(Revoked));
        assert_eq!(fault(0x202), Some(NotYetValid));
        assert_eq!(fault(0x40002), Some(WrongPurpose));
        assert_eq!(fault(0x4002), Some(NameMismatch));
        assert_eq!(
            verification(2),
            ("GNUTLS_CERT_INVALID (0x2)".into(), Some(Rejected))
        );
        assert_eq!(fault(1 << 30), Some(Rejected));
    }
}
