//! Whether one certificate signed another.

use super::algorithms::{self, ALGORITHMS};
use super::certificate::Certificate;
use super::der::{self, Elements};

/// id-RSASSA-PSS (RFC 4055, section 3.1).
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
/// sha384WithRSAEncryption (RFC 4055, section 5).
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12];

/// Sizes in bits of RSA keys that the library checks signatures of.
const RSA_SIZES: std::ops::RangeInclusive<u32> = 1024..=8192;
/// The same for RSASSA-PSS, and for SHA-384.
const RSA_SIZES_OF_SOME: std::ops::RangeInclusive<u32> = 2048..=8192;

/// How a signature turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is the issuer's.
    Good,
    /// It is not.
    Wrong,
    /// There is no telling: the algorithm, or the size of the key, is not supported.
    NotSupported,
}

/// Checks the signature of `certificate` with the key of `issuer`.
pub fn check(certificate: &Certificate, issuer: &Certificate) -> Outcome {
    if !certificate.is_well_signed {
        return Outcome::Wrong;
    }
    let for_signature = || {
        ALGORITHMS.iter().filter(|algorithm| {
            algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm.as_ref()
        })
    };
    match algorithms::find(&certificate.signature_algorithm, &issuer.key_algorithm) {
        Some(algorithm) => {
            let verified =
                algorithm.verify_signature(&issuer.key, &certificate.signed, &certificate.signature);
            match verified {
                Ok(()) => Outcome::Good,
                Err(_) if !has_supported_size(certificate, issuer) => Outcome::NotSupported,
                Err(_) => Outcome::Wrong,
            }
        }
        None if for_signature().next().is_none() => Outcome::NotSupported,
        // The signature is known and the key is not of its kind, unless it is so with other parameters: a curve.
        None => {
            let key = identifier(&issuer.key_algorithm);
            let kinds = || for_signature().map(|algorithm| algorithm.public_key_alg_id());
            if kinds().any(|kind| identifier(kind.as_ref()) == key) {
                Outcome::NotSupported
            } else {
                Outcome::Wrong
            }
        }
    }
}

/// Whether the issuer's key, if it is an RSA key, has a size that the library takes.
fn has_supported_size(certificate: &Certificate, issuer: &Certificate) -> bool {
    if issuer.facts.public_key_algorithm != "RSA" {
        return true;
    }
    let sizes = match identifier(&certificate.signature_algorithm) {
        RSASSA_PSS | RSA_SHA384 => RSA_SIZES_OF_SOME,
        _ => RSA_SIZES,
    };
    issuer
        .facts
        .public_key_size
        .is_some_and(|size| sizes.contains(&size))
}

/// The object identifier's content of an AlgorithmIdentifier's.
fn identifier(algorithm: &[u8]) -> &[u8] {
    Elements(algorithm)
        .content(der::OBJECT_IDENTIFIER)
        .unwrap_or_default()
}
