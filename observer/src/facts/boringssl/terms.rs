//! BoringSSL's numbers, where they are not OpenSSL's: reasons of the SSL library (`SSL_R_…`) and some errors of verification
//! (`X509_V_…`).

use crate::facts::terms::{Term, find, terms, written};
use crate::observation::Reason;

/// Numbers in order, for the search.
const FAILURES: &[Term<Reason>] = {
    use Reason::*;
    terms! {
        100 "SSL_R_APP_DATA_IN_HANDSHAKE" Some(ProtocolError);
        102 "SSL_R_BAD_ALERT" Some(DecodeError);
        103 "SSL_R_BAD_CHANGE_CIPHER_SPEC" Some(ProtocolError);
        108 "SSL_R_BAD_ECPOINT" Some(ProtocolError);
        109 "SSL_R_BAD_HANDSHAKE_RECORD" Some(ProtocolError);
        112 "SSL_R_BAD_PACKET_LENGTH" Some(DecodeError);
        114 "SSL_R_BAD_SIGNATURE" Some(DecryptError);
        125 "SSL_R_CERTIFICATE_VERIFY_FAILED" None;
        127 "SSL_R_CERT_LENGTH_MISMATCH" Some(DecodeError);
        131 "SSL_R_CLIENTHELLO_PARSE_FAILED" Some(DecodeError);
        137 "SSL_R_DECODE_ERROR" Some(DecodeError);
        138 "SSL_R_DECRYPTION_FAILED" Some(DecryptError);
        139 "SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" Some(DecryptError);
        142 "SSL_R_DIGEST_CHECK_FAILED" Some(DecryptError);
        146 "SSL_R_ENCRYPTED_LENGTH_TOO_LONG" Some(ProtocolError);
        149 "SSL_R_ERROR_PARSING_EXTENSION" Some(DecodeError);
        150 "SSL_R_EXCESSIVE_MESSAGE_SIZE" Some(ProtocolError);
        155 "SSL_R_HTTPS_PROXY_REQUEST" Some(NotTls);
        156 "SSL_R_HTTP_REQUEST" Some(NotTls);
        157 "SSL_R_INAPPROPRIATE_FALLBACK" Some(ProtocolError);
        162 "SSL_R_LENGTH_MISMATCH" Some(DecodeError);
        164 "SSL_R_MISSING_EXTENSION" Some(ProtocolError);
        184 "SSL_R_NO_SHARED_CIPHER" Some(NoSharedCipher);
        190 "SSL_R_PARSE_TLSEXT" None;
        192 "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE" None;
        222 "SSL_R_UNEXPECTED_EXTENSION" Some(ProtocolError);
        223 "SSL_R_UNEXPECTED_MESSAGE" Some(ProtocolError);
        225 "SSL_R_UNEXPECTED_RECORD" Some(ProtocolError);
        236 "SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED" Some(ProtocolError);
        240 "SSL_R_UNSUPPORTED_PROTOCOL" Some(NoSharedVersion);
        242 "SSL_R_WRONG_CIPHER_RETURNED" Some(ProtocolError);
        243 "SSL_R_WRONG_CURVE" Some(ProtocolError);
        245 "SSL_R_WRONG_SIGNATURE_TYPE" Some(ProtocolError);
        247 "SSL_R_WRONG_VERSION_NUMBER" None;
        253 "SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS" None;
        258 "SSL_R_MISSING_KEY_SHARE" Some(ProtocolError);
        266 "SSL_R_NO_SHARED_GROUP" Some(NoSharedGroup);
        307 "SSL_R_NO_APPLICATION_PROTOCOL" Some(NoApplicationProtocol);
    }
};

/// What each is in OpenSSL, where that has a meaning of its own: a verification that failed, a certificate that is missing.
const AS_OPENSSL: [(u64, u64); 2] = [(125, 134), (192, 199)];

/// Reasons that tell of no refusal: `SSL_R_CONNECTION_REJECTED`, `SSL_R_PROTOCOL_IS_SHUTDOWN`,
/// `SSL_R_SSL_HANDSHAKE_FAILURE`, which follows on another, `SSL_R_SHUTDOWN_WHILE_IN_INIT`,
/// `SSL_R_APPLICATION_DATA_ON_SHUTDOWN`.
const NOISE: [u64; 5] = [133, 194, 215, 250, 291];

/// Errors of verification that have another number, or none, in OpenSSL, and what stands for them there.
const VERIFICATION: [(u64, &str, u64); 4] = [
    (24, "X509_V_ERR_INVALID_CA (24)", 79),
    (65, "X509_V_ERR_INVALID_CALL (65)", UNSPECIFIED),
    (66, "X509_V_ERR_STORE_LOOKUP (66)", UNSPECIFIED),
    (67, "X509_V_ERR_NAME_CONSTRAINTS_WITHOUT_SANS (67)", UNSPECIFIED),
];

/// OpenSSL's `X509_V_ERR_UNSPECIFIED`.
const UNSPECIFIED: u64 = 1;

/// The reason of OpenSSL's that means the same, where readers make more of it than a failure.
pub(super) fn as_openssl(reason: u64) -> Option<u64> {
    let same = AS_OPENSSL.iter().find(|(own, _)| *own == reason);
    // Alerts of the peer have the same numbers in both.
    same.map(|(_, same)| *same).or((reason >= 1000).then_some(reason))
}

/// What the library calls a reason.
pub(super) fn failure(number: u64) -> Box<str> {
    written(FAILURES, number as i32, "SSL_R")
}

/// What a reason is in the terms of events, where one of them says it.
pub(super) fn reason(number: u64) -> Option<Reason> {
    find(FAILURES, number as i32)?.meaning
}

/// Whether a reason is none for a handshake to fail.
pub(super) fn is_noise(number: u64) -> bool {
    NOISE.contains(&number)
}

/// OpenSSL's number of an error of verification, and what BoringSSL calls it if that is another.
pub(super) fn verification(number: u64) -> (u64, Option<&'static str>) {
    let own = VERIFICATION.iter().find(|(own, ..)| *own == number);
    own.map_or((number, None), |(_, name, same)| (*same, Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order() {
        assert!(FAILURES.is_sorted_by_key(|term| term.number));
    }

    #[test]
    fn what_means_the_same_in_openssl_is_that() {
        assert_eq!(as_openssl(125), Some(134));
        assert_eq!(as_openssl(1048), Some(1048));
        // 134 is something else here.
        assert_eq!(as_openssl(134), None);
    }
}
