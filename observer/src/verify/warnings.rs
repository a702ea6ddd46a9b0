//! Weak points that are no reason to refuse a chain: the vocabulary of `verdict.*.warnings`.

use super::certificate::Certificate;
use crate::observation::Side;

/// Bits of RSA keys from which on nobody minds (NIST SP 800-131A, CA/Browser Forum Baseline Requirements, section 6.1.5).
const RSA_BITS: u32 = 2048;
/// Days that browsers take a server's certificate for.
const SERVER_DAYS: i64 = 398;
/// The same for clients, where there is no rule: what Apple takes from private authorities, and browsers once took.
const CLIENT_DAYS: i64 = 825;
const SECONDS_OF_DAY: i64 = 86_400;

/// Signed with SHA-1.
pub const SHA1_SIGNATURE: &str = "sha1_signature";
/// Signed with MD5 or MD2.
pub const MD5_SIGNATURE: &str = "md5_signature";
/// An RSA key of less than 2048 bits.
pub const SMALL_RSA_KEY: &str = "rsa_key_under_2048_bits";
/// An issuer's certificate is signed with SHA-1; roots and other trusted certificates do not count.
pub const ISSUER_SHA1_SIGNATURE: &str = "issuer_sha1_signature";
/// The same with MD5 or MD2.
pub const ISSUER_MD5_SIGNATURE: &str = "issuer_md5_signature";
/// The RSA key of an issuer, also of a trusted one, has less than 2048 bits.
pub const ISSUER_SMALL_RSA_KEY: &str = "issuer_rsa_key_under_2048_bits";
/// A server's certificate is valid for more than 398 days.
pub const LONG_SERVER_VALIDITY: &str = "validity_over_398_days";
/// A client's certificate is valid for more than 825 days.
pub const LONG_CLIENT_VALIDITY: &str = "validity_over_825_days";
/// There is no subjectAltName; a common name is nobody's name any more (RFC 9525, section 2).
pub const NO_ALTERNATIVE_NAME: &str = "no_subject_alt_name";

/// All words there are.
pub const ALL: [&str; 9] = [
    SHA1_SIGNATURE,
    MD5_SIGNATURE,
    SMALL_RSA_KEY,
    ISSUER_SHA1_SIGNATURE,
    ISSUER_MD5_SIGNATURE,
    ISSUER_SMALL_RSA_KEY,
    LONG_SERVER_VALIDITY,
    LONG_CLIENT_VALIDITY,
    NO_ALTERNATIVE_NAME,
];

/// The weak points of a path, each once. `is_trusted` tells that its last certificate is trusted, so that its signature
/// does not count.
pub fn of(path: &[&Certificate], is_trusted: bool, side: Side) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    let mut add = |applies: bool, warning| {
        if applies && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    };
    for (depth, certificate) in path.iter().enumerate() {
        let facts = &certificate.facts;
        let is_leaf = depth == 0;
        let of = |leaf, issuer| if is_leaf { leaf } else { issuer };
        let is_anchor = is_trusted && depth + 1 == path.len();
        let algorithm = facts.signature_algorithm.as_str();
        let signed_with = |hash: &str| !is_anchor && algorithm.split('-').any(|part| part == hash);
        add(signed_with("SHA1"), of(SHA1_SIGNATURE, ISSUER_SHA1_SIGNATURE));
        let md5 = signed_with("MD5") || signed_with("MD2");
        add(md5, of(MD5_SIGNATURE, ISSUER_MD5_SIGNATURE));
        let small = facts.public_key_algorithm.starts_with("RSA")
            && facts.public_key_size.is_some_and(|bits| bits < RSA_BITS);
        add(small, of(SMALL_RSA_KEY, ISSUER_SMALL_RSA_KEY));
        if is_leaf {
            let (days, warning) = match side {
                Side::Server => (SERVER_DAYS, LONG_SERVER_VALIDITY),
                Side::Client => (CLIENT_DAYS, LONG_CLIENT_VALIDITY),
            };
            // Both ends are within (RFC 5280, section 4.1.2.5).
            let seconds = certificate
                .not_after
                .saturating_sub(certificate.not_before)
                .saturating_add(1);
            add(seconds > days * SECONDS_OF_DAY, warning);
            add(
                certificate.extensions.alternative_names.is_none(),
                NO_ALTERNATIVE_NAME,
            );
        }
    }
    warnings
}
