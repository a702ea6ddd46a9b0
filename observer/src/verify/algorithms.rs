//! Signature algorithms that can be checked: those of webpki, and the weak ones that peers still take.
//!
//! What a peer would accept is judged here, not what it should; weakness is told by a warning. What is not in the list
//! cannot be checked: MD5, SHA-224, DSA, ECDSA with P-521 or with digests other than SHA-256 and SHA-384, Ed448, RSASSA-PSS
//! with SHA-1 or by keys that prescribe a digest, RSA under 1024 bits, and under 2048 bits with SHA-384 or RSASSA-PSS.

use ring::signature;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use webpki::ring::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ED25519,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    RSA_PSS_2048_8192_SHA256_LEGACY_KEY, RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
};

/// All algorithms; no two of them are for the same pair of key and signature.
pub const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ECDSA_P256_SHA256,
    ECDSA_P256_SHA384,
    ECDSA_P384_SHA256,
    ECDSA_P384_SHA384,
    ED25519,
    &RSA_SHA256,
    &RSA_SHA256_NO_PARAMETERS,
    RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    &RSA_SHA512,
    &RSA_SHA512_NO_PARAMETERS,
    RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    &PSS_SHA256,
    &PSS_SHA384,
    &PSS_SHA512,
    &RSA_SHA1,
    &RSA_SHA1_NO_PARAMETERS,
];

/// The algorithm that checks this kind of signature by this kind of key, each given as the content of its
/// AlgorithmIdentifier.
pub fn find(signature: &[u8], key: &[u8]) -> Option<&'static dyn SignatureVerificationAlgorithm> {
    let fits = |known: &&dyn SignatureVerificationAlgorithm| {
        known.signature_alg_id().as_ref() == signature && known.public_key_alg_id().as_ref() == key
    };
    ALGORITHMS.iter().copied().find(fits)
}

/// Signatures by RSA keys that webpki does not check (RFC 8017, section 8).
#[derive(Debug)]
struct Rsa {
    /// The key's AlgorithmIdentifier, without its tag and length.
    key: AlgorithmIdentifier,
    /// The signature's AlgorithmIdentifier (RFC 4055), without its tag and length.
    signature: AlgorithmIdentifier,
    verification: &'static signature::RsaParameters,
}

impl SignatureVerificationAlgorithm for Rsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        signature::UnparsedPublicKey::new(self.verification, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// The content of an AlgorithmIdentifier of PKCS #1, 1.2.840.113549.1.1.x, with NULL for parameters and, as RFC 4055
/// wants it understood too, without.
macro_rules! pkcs1 {
    ($last:literal, NULL) => {
        AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, $last, 5, 0])
    };
    ($last:literal) => {
        AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, $last])
    };
}

/// PKCS #1 v1.5, keys from 1024 bits on.
const fn pkcs1_v1_5(signature: AlgorithmIdentifier, verification: &'static signature::RsaParameters) -> Rsa {
    Rsa {
        key: alg_id::RSA_ENCRYPTION,
        signature,
        verification,
    }
}

/// RSASSA-PSS by keys that are for nothing else, and for any digest (RFC 4055, section 1.2).
const fn pss(signature: AlgorithmIdentifier, verification: &'static signature::RsaParameters) -> Rsa {
    Rsa {
        key: pkcs1!(10),
        signature,
        verification,
    }
}

static RSA_SHA1: Rsa = pkcs1_v1_5(
    pkcs1!(5, NULL),
    &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
);
static RSA_SHA1_NO_PARAMETERS: Rsa = pkcs1_v1_5(
    pkcs1!(5),
    &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
);
static RSA_SHA256: Rsa = pkcs1_v1_5(
    pkcs1!(11, NULL),
    &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
);
static RSA_SHA256_NO_PARAMETERS: Rsa = pkcs1_v1_5(
    pkcs1!(11),
    &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
);
static RSA_SHA512: Rsa = pkcs1_v1_5(
    pkcs1!(13, NULL),
    &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
);
static RSA_SHA512_NO_PARAMETERS: Rsa = pkcs1_v1_5(
    pkcs1!(13),
    &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
);
static PSS_SHA256: Rsa = pss(alg_id::RSA_PSS_SHA256, &signature::RSA_PSS_2048_8192_SHA256);
static PSS_SHA384: Rsa = pss(alg_id::RSA_PSS_SHA384, &signature::RSA_PSS_2048_8192_SHA384);
static PSS_SHA512: Rsa = pss(alg_id::RSA_PSS_SHA512, &signature::RSA_PSS_2048_8192_SHA512);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_pair_of_key_and_signature_is_checked_by_one_algorithm() {
        let pairs: HashSet<_> = ALGORITHMS
            .iter()
            .map(|algorithm| {
                let (key, signature) = (algorithm.public_key_alg_id(), algorithm.signature_alg_id());
                (key.as_ref().to_vec(), signature.as_ref().to_vec())
            })
            .collect();
        assert_eq!(pairs.len(), ALGORITHMS.len());
    }

    #[test]
    fn nothing_that_webpki_checks_is_missing() {
        let known: HashSet<_> = ALGORITHMS
            .iter()
            .map(|algorithm| algorithm.signature_alg_id())
            .map(|identifier| identifier.as_ref().to_vec())
            .collect();
        for algorithm in webpki::ALL_VERIFICATION_ALGS {
            assert!(
                known.contains(algorithm.signature_alg_id().as_ref()),
                "{algorithm:?}"
            );
        }
    }
}
