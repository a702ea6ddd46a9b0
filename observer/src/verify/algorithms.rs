//! Signature algorithms that can be checked: those of webpki, and the weak ones that peers still take.
//!
//! What a peer would accept is judged here, not what it should; weakness is told by a warning. What is not in the list
//! cannot be checked: MD5, DSA, ECDSA with P-521 or SHA-1, Ed448, keys that are for RSASSA-PSS only, RSA under 1024 bits.

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
    &RSA_SHA1,
    &RSA_SHA1_NO_PARAMETERS,
];

/// PKCS #1 v1.5 signatures (RFC 8017, section 8.2) by RSA keys from 1024 bits on.
#[derive(Debug)]
struct Rsa {
    /// The signature's AlgorithmIdentifier (RFC 4055, section 5), without its tag and length.
    identifier: &'static [u8],
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
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.identifier)
    }
}

/// The content of an AlgorithmIdentifier of PKCS #1, 1.2.840.113549.1.1.x, with NULL for parameters and, as RFC 4055
/// wants it understood too, without.
macro_rules! pkcs1 {
    ($last:literal, NULL) => {
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, $last, 5, 0]
    };
    ($last:literal) => {
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, $last]
    };
}

static RSA_SHA1: Rsa = Rsa {
    identifier: pkcs1!(5, NULL),
    verification: &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
};
static RSA_SHA1_NO_PARAMETERS: Rsa = Rsa {
    identifier: pkcs1!(5),
    verification: &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
};
static RSA_SHA256: Rsa = Rsa {
    identifier: pkcs1!(11, NULL),
    verification: &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
};
static RSA_SHA256_NO_PARAMETERS: Rsa = Rsa {
    identifier: pkcs1!(11),
    verification: &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
};
static RSA_SHA512: Rsa = Rsa {
    identifier: pkcs1!(13, NULL),
    verification: &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
};
static RSA_SHA512_NO_PARAMETERS: Rsa = Rsa {
    identifier: pkcs1!(13),
    verification: &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
};

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
