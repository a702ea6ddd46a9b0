//! OpenSSL's numbers: errors of verification (`X509_V_…`), reasons of the SSL library (`SSL_R_…`).
//!
//! They are part of its interface, and the same in all versions that have them.

use crate::facts::terms::{Term, find, terms, written};
use crate::observation::{CertificateFault, Reason};

/// `SSL_R_CERTIFICATE_VERIFY_FAILED`.
pub(super) const CERTIFICATE_VERIFY_FAILED: u32 = 134;
/// `SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE`.
pub(super) const PEER_DID_NOT_RETURN_A_CERTIFICATE: u32 = 199;
/// `SSL_R_CERT_LENGTH_MISMATCH`: lengths of a Certificate message do not fit, or there is something behind a certificate.
const CERT_LENGTH_MISMATCH: u32 = 135;
/// `ERR_R_ASN1_LIB`, whose number changed with 3.2: libcrypto could not read what it was given.
const ASN1_LIB: [u32; 2] = [13, 0x8_000d];
/// `SSL_AD_REASON_OFFSET`: reasons from here on are alerts of the peer.
const ALERTS: u32 = 1000;

/// Numbers in order, for the search.
const VERIFICATION: &[Term<CertificateFault>] = {
    use CertificateFault::*;
    terms! {
        0 "X509_V_OK" None;
        1 "X509_V_ERR_UNSPECIFIED" Some(Rejected);
        2 "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT" Some(UnknownCa);
        3 "X509_V_ERR_UNABLE_TO_GET_CRL" Some(Rejected);
        4 "X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE" Some(Bad);
        5 "X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE" Some(Rejected);
        6 "X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY" Some(Bad);
        7 "X509_V_ERR_CERT_SIGNATURE_FAILURE" Some(Bad);
        8 "X509_V_ERR_CRL_SIGNATURE_FAILURE" Some(Rejected);
        9 "X509_V_ERR_CERT_NOT_YET_VALID" Some(NotYetValid);
        10 "X509_V_ERR_CERT_HAS_EXPIRED" Some(Expired);
        11 "X509_V_ERR_CRL_NOT_YET_VALID" Some(Rejected);
        12 "X509_V_ERR_CRL_HAS_EXPIRED" Some(Rejected);
        13 "X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD" Some(Bad);
        14 "X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD" Some(Bad);
        15 "X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD" Some(Rejected);
        16 "X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD" Some(Rejected);
        17 "X509_V_ERR_OUT_OF_MEM" Some(Rejected);
        18 "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT" Some(UnknownCa);
        19 "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN" Some(UnknownCa);
        20 "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY" Some(UnknownCa);
        21 "X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE" Some(UnknownCa);
        22 "X509_V_ERR_CERT_CHAIN_TOO_LONG" Some(Bad);
        23 "X509_V_ERR_CERT_REVOKED" Some(Revoked);
        24 "X509_V_ERR_NO_ISSUER_PUBLIC_KEY" Some(Bad);
        25 "X509_V_ERR_PATH_LENGTH_EXCEEDED" Some(Bad);
        26 "X509_V_ERR_INVALID_PURPOSE" Some(WrongPurpose);
        27 "X509_V_ERR_CERT_UNTRUSTED" Some(UnknownCa);
        28 "X509_V_ERR_CERT_REJECTED" Some(Rejected);
        29 "X509_V_ERR_SUBJECT_ISSUER_MISMATCH" Some(UnknownCa);
        30 "X509_V_ERR_AKID_SKID_MISMATCH" Some(UnknownCa);
        31 "X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH" Some(UnknownCa);
        32 "X509_V_ERR_KEYUSAGE_NO_CERTSIGN" Some(Bad);
        33 "X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER" Some(Rejected);
        34 "X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION" Some(Bad);
        35 "X509_V_ERR_KEYUSAGE_NO_CRL_SIGN" Some(Rejected);
        37 "X509_V_ERR_INVALID_NON_CA" Some(Bad);
        39 "X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE" Some(WrongPurpose);
        41 "X509_V_ERR_INVALID_EXTENSION" Some(Bad);
        43 "X509_V_ERR_NO_EXPLICIT_POLICY" Some(Bad);
        44 "X509_V_ERR_DIFFERENT_CRL_SCOPE" Some(Rejected);
        47 "X509_V_ERR_PERMITTED_VIOLATION" Some(Bad);
        48 "X509_V_ERR_EXCLUDED_VIOLATION" Some(Bad);
        50 "X509_V_ERR_APPLICATION_VERIFICATION" Some(Rejected);
        54 "X509_V_ERR_CRL_PATH_VALIDATION_ERROR" Some(Rejected);
        62 "X509_V_ERR_HOSTNAME_MISMATCH" Some(NameMismatch);
        63 "X509_V_ERR_EMAIL_MISMATCH" Some(NameMismatch);
        64 "X509_V_ERR_IP_ADDRESS_MISMATCH" Some(NameMismatch);
        65 "X509_V_ERR_DANE_NO_MATCH" Some(Rejected);
        66 "X509_V_ERR_EE_KEY_TOO_SMALL" Some(Bad);
        67 "X509_V_ERR_CA_KEY_TOO_SMALL" Some(Bad);
        68 "X509_V_ERR_CA_MD_TOO_WEAK" Some(Bad);
        71 "X509_V_ERR_NO_VALID_SCTS" Some(Rejected);
        73 "X509_V_ERR_OCSP_VERIFY_NEEDED" Some(Rejected);
        74 "X509_V_ERR_OCSP_VERIFY_FAILED" Some(Rejected);
        75 "X509_V_ERR_OCSP_CERT_UNKNOWN" Some(Rejected);
        79 "X509_V_ERR_INVALID_CA" Some(UnknownCa);
        94 "X509_V_ERR_EC_KEY_EXPLICIT_PARAMS" Some(Bad);
    }
};

/// As [`VERIFICATION`].
const FAILURES: &[Term<Reason>] = {
    use Reason::*;
    terms! {
        13 "ERR_R_ASN1_LIB" None;
        101 "SSL_R_NO_SUITABLE_KEY_SHARE" Some(NoSharedGroup);
        108 "SSL_R_BAD_KEY_SHARE" Some(ProtocolError);
        110 "SSL_R_BAD_EXTENSION" Some(DecodeError);
        112 "SSL_R_MISSING_SIGALGS_EXTENSION" Some(ProtocolError);
        115 "SSL_R_BAD_PACKET_LENGTH" Some(DecodeError);
        118 "SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM" None;
        123 "SSL_R_BAD_SIGNATURE" Some(DecryptError);
        134 "SSL_R_CERTIFICATE_VERIFY_FAILED" None;
        135 "SSL_R_CERT_LENGTH_MISMATCH" Some(DecodeError);
        147 "SSL_R_DECRYPTION_FAILED" Some(DecryptError);
        149 "SSL_R_DIGEST_CHECK_FAILED" Some(DecryptError);
        155 "SSL_R_HTTPS_PROXY_REQUEST" Some(NotTls);
        156 "SSL_R_HTTP_REQUEST" Some(NotTls);
        159 "SSL_R_LENGTH_MISMATCH" Some(DecodeError);
        166 "SSL_R_VERSION_TOO_HIGH" Some(NoSharedVersion);
        191 "SSL_R_NO_PROTOCOLS_AVAILABLE" Some(NoSharedVersion);
        193 "SSL_R_NO_SHARED_CIPHER" Some(NoSharedCipher);
        199 "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE" None;
        205 "SSL_R_INVALID_ALERT" Some(ProtocolError);
        226 "SSL_R_CLIENTHELLO_TLSEXT" None;
        229 "SSL_R_SSL_HANDSHAKE_FAILURE" None;
        234 "SSL_R_CALLBACK_FAILED" None;
        235 "SSL_R_NO_APPLICATION_PROTOCOL" Some(NoApplicationProtocol);
        244 "SSL_R_UNEXPECTED_MESSAGE" Some(ProtocolError);
        245 "SSL_R_UNEXPECTED_RECORD" Some(ProtocolError);
        253 "SSL_R_BINDER_DOES_NOT_VERIFY" Some(DecryptError);
        258 "SSL_R_UNSUPPORTED_PROTOCOL" Some(NoSharedVersion);
        261 "SSL_R_WRONG_CIPHER_RETURNED" Some(ProtocolError);
        262 "SSL_R_UNEXPECTED_CCS_MESSAGE" Some(ProtocolError);
        264 "SSL_R_WRONG_SIGNATURE_LENGTH" Some(DecryptError);
        265 "SSL_R_WRONG_SIGNATURE_SIZE" Some(DecryptError);
        267 "SSL_R_WRONG_VERSION_NUMBER" None;
        271 "SSL_R_BAD_LENGTH" Some(DecodeError);
        281 "SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" Some(DecryptError);
        295 "SSL_R_NO_SUITABLE_GROUPS" Some(NoSharedGroup);
        338 "SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED" Some(ProtocolError);
        370 "SSL_R_WRONG_SIGNATURE_TYPE" Some(ProtocolError);
        373 "SSL_R_INAPPROPRIATE_FALLBACK" Some(ProtocolError);
        376 "SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS" None;
        396 "SSL_R_VERSION_TOO_LOW" Some(NoSharedVersion);
        397 "SSL_R_CA_KEY_TOO_SMALL" None;
        399 "SSL_R_EE_KEY_TOO_SMALL" None;
        410 "SSL_R_NO_SHARED_GROUPS" Some(NoSharedGroup);
        524301 "ERR_R_ASN1_LIB" None;
    }
};

/// Reasons that tell of no refusal: `SSL_R_PROTOCOL_IS_SHUTDOWN`, `SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY`,
/// `SSL_R_UNEXPECTED_EOF_WHILE_READING`, `SSL_R_SHUTDOWN_WHILE_IN_INIT`. The connection was closed, which the wire knows
/// better.
const NOISE: [u32; 4] = [207, 291, 294, 407];

/// What the library calls an error of verification, and what it is in the terms of events.
pub(super) fn verification(number: u32) -> (Box<str>, Option<CertificateFault>) {
    let number = number as i32;
    let fault = find(VERIFICATION, number).map_or(Some(CertificateFault::Rejected), |term| term.meaning);
    (written(VERIFICATION, number, "X509_V_ERR"), fault)
}

/// What the library calls a reason.
pub(super) fn failure(number: u32) -> Box<str> {
    written(FAILURES, number as i32, "SSL_R")
}

/// What a reason is in the terms of events, where one of them says it.
pub(super) fn reason(number: u32) -> Option<Reason> {
    find(FAILURES, number as i32)?.meaning
}

/// The alert that the peer sent, if that is the reason.
pub(super) fn alert_received(number: u32) -> Option<u8> {
    u8::try_from(number.checked_sub(ALERTS)?).ok()
}

/// Whether a certificate was missing.
pub(super) fn is_missing(number: u32) -> bool {
    number == PEER_DID_NOT_RETURN_A_CERTIFICATE
}

/// Whether a certificate that was just parsed may be what could not be read.
pub(super) fn may_be_unreadable(number: u32) -> bool {
    number == CERT_LENGTH_MISMATCH || ASN1_LIB.contains(&number)
}

/// Whether a reason is none for a handshake to fail.
pub(super) fn is_noise(number: u32) -> bool {
    NOISE.contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order() {
        assert!(VERIFICATION.is_sorted_by_key(|term| term.number));
        assert!(FAILURES.is_sorted_by_key(|term| term.number));
    }

    #[test]
    fn what_has_no_name_keeps_its_number() {
        assert_eq!(
            verification(10),
            (
                "X509_V_ERR_CERT_HAS_EXPIRED (10)".into(),
                Some(CertificateFault::Expired)
            )
        );
        assert_eq!(
            verification(999),
            ("X509_V_ERR (999)".into(), Some(CertificateFault::Rejected))
        );
        assert_eq!(&*failure(193), "SSL_R_NO_SHARED_CIPHER (193)");
        assert_eq!((&*failure(999), reason(999)), ("SSL_R (999)", None));
    }

    #[test]
    fn alerts_of_the_peer_are_reasons_from_a_thousand_on() {
        assert_eq!(alert_received(1045), Some(45));
        assert_eq!((alert_received(999), alert_received(1256)), (None, None));
    }
}
