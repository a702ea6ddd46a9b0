//! Names of signature algorithms, and what a public key is.

use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

const RSA_PSS: &str = "1.2.840.113549.1.1.10";

/// The name of a signature algorithm, else its OID.
pub(super) fn signature(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.algorithm.to_id_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "MD2-RSA",
        "1.2.840.113549.1.1.4" => "MD5-RSA",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "SHA1-RSA",
        "1.2.840.113549.1.1.14" => "SHA224-RSA",
        "1.2.840.113549.1.1.11" => "SHA256-RSA",
        "1.2.840.113549.1.1.12" => "SHA384-RSA",
        "1.2.840.113549.1.1.13" => "SHA512-RSA",
        RSA_PSS => return pss(algorithm).unwrap_or(oid),
        "1.2.840.10040.4.3" => "DSA-SHA1",
        "2.16.840.1.101.3.4.3.1" => "DSA-SHA224",
        "2.16.840.1.101.3.4.3.2" => "DSA-SHA256",
        "1.2.840.10045.4.1" => "ECDSA-SHA1",
        "1.2.840.10045.4.3.1" => "ECDSA-SHA224",
        "1.2.840.10045.4.3.2" => "ECDSA-SHA256",
        "1.2.840.10045.4.3.3" => "ECDSA-SHA384",
        "1.2.840.10045.4.3.4" => "ECDSA-SHA512",
        _ => return key_algorithm(&oid).map_or(oid, str::to_owned),
    };
    name.to_owned()
}

/// RSASSA-PSS names its hash in the parameters (RFC 4055, section 3.1).
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> Option<String> {
    let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm) else {
        return None;
    };
    let hash = match parameters.hash_algorithm_oid().to_id_string().as_str() {
        "1.3.14.3.2.26" => "SHA1",
        "2.16.840.1.101.3.4.2.1" => "SHA256",
        "2.16.840.1.101.3.4.2.2" => "SHA384",
        "2.16.840.1.101.3.4.2.3" => "SHA512",
        "2.16.840.1.101.3.4.2.4" => "SHA224",
        _ => return None,
    };
    Some(format!("{hash}-RSAPSS"))
}

/// The name of a key's algorithm. The newer ones have one OID for keys and signatures.
fn key_algorithm(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.1.1.1" | RSA_PSS => "RSA",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10045.2.1" => "ECDSA",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ => return None,
    })
}

/// Name and field size in bits of a curve.
fn curve(oid: &str) -> Option<(&'static str, u32)> {
    Some(match oid {
        "1.2.840.10045.3.1.1" => ("P-192", 192),
        "1.3.132.0.33" => ("P-224", 224),
        "1.2.840.10045.3.1.7" => ("P-256", 256),
        "1.3.132.0.34" => ("P-384", 384),
        "1.3.132.0.35" => ("P-521", 521),
        "1.3.132.0.10" => ("secp256k1", 256),
        "1.3.36.3.3.2.8.1.1.7" => ("brainpoolP256r1", 256),
        "1.3.36.3.3.2.8.1.1.11" => ("brainpoolP384r1", 384),
        "1.3.36.3.3.2.8.1.1.13" => ("brainpoolP512r1", 512),
        "1.2.156.10197.1.301" => ("curveSM2", 256),
        _ => return None,
    })
}

/// What is reported of a public key.
#[derive(Debug, Default)]
pub(super) struct PublicKeyFacts {
    pub(super) algorithm: String,
    pub(super) size: Option<u32>,
    pub(super) curve: Option<String>,
    pub(super) exponent: Option<u64>,
}

impl PublicKeyFacts {
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Self {
        let oid = info.algorithm.algorithm.to_id_string();
        let name = key_algorithm(&oid);
        let mut facts = Self {
            algorithm: name.map_or_else(|| oid.clone(), str::to_owned),
            ..Self::default()
        };
        match name {
            Some("RSA") => {
                if let Ok((_, key)) = RSAPublicKey::from_der(&info.subject_public_key.data) {
                    facts.size = Some(bit_length(key.modulus));
                    facts.exponent = key.try_exponent().ok();
                }
            }
            Some("ECDSA") => facts.fill_curve(info),
            Some("DSA") => facts.size = dsa_size(&info.algorithm),
            Some("Ed25519" | "X25519") => facts.size = Some(256),
            Some("Ed448") => facts.size = Some(456),
            Some("X448") => facts.size = Some(448),
            _ => {}
        }
        facts
    }

    /// The curve is named in the parameters (RFC 5480, section 2.1.1); else the point tells the size.
    fn fill_curve(&mut self, info: &SubjectPublicKeyInfo<'_>) {
        let parameters = info.algorithm.parameters.as_ref();
        let named = parameters.filter(|parameters| parameters.tag() == Tag::Oid);
        let oid = named
            .and_then(|named| named.as_oid().ok())
            .map(|oid| oid.to_id_string());
        if let Some((name, size)) = oid.as_deref().and_then(curve) {
            self.curve = Some(name.to_owned());
            self.size = Some(size);
            return;
        }
        self.curve = oid;
        if let Ok(PublicKey::EC(point)) = info.parsed() {
            self.size = u32::try_from(point.key_size()).ok().filter(|size| *size > 0);
        }
    }
}

/// The bits of the prime p, the first of the parameters (RFC 3279, section 2.3.2).
fn dsa_size(algorithm: &AlgorithmIdentifier<'_>) -> Option<u32> {
    let parameters = algorithm.parameters.as_ref()?;
    let (_, prime) = Any::from_der(parameters.data).ok()?;
    (prime.tag() == Tag::Integer).then(|| bit_length(prime.data))
}

/// Bits of a big-endian number, without leading zeros.
fn bit_length(bytes: &[u8]) -> u32 {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = bytes.get(zeros..).unwrap_or_default();
    let first = significant.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(significant.len() * 8)
        .unwrap_or(u32::MAX)
        .saturating_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SubjectPublicKeyInfo of an uncompressed P-256 point, with these parameters (DER).
    fn elliptic_key(parameters: &[u8]) -> PublicKeyFacts {
        let algorithm = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], parameters].concat();
        let mut der = vec![
            0x30,
            (2 + algorithm.len() + 68) as u8,
            0x30,
            algorithm.len() as u8,
        ];
        der.extend(algorithm);
        der.extend([3, 66, 0, 4]);
        der.extend([1; 64]);
        PublicKeyFacts::of(&SubjectPublicKeyInfo::from_der(&der).unwrap().1)
    }

    #[test]
    fn curves_are_named_only_when_the_key_names_them() {
        let named = elliptic_key(&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
        assert_eq!((named.curve.as_deref(), named.size), (Some("P-256"), Some(256)));
        let unknown = elliptic_key(&[6, 2, 0x2a, 3]);
        assert_eq!(
            (unknown.curve.as_deref(), unknown.size),
            (Some("1.2.3"), Some(256))
        );
        let explicit = elliptic_key(&[0x30, 3, 2, 1, 1]);
        assert_eq!((explicit.curve, explicit.size), (None, Some(256)));
        assert_eq!(explicit.algorithm, "ECDSA");
    }

    #[test]
    fn sizes_are_those_of_the_number() {
        assert_eq!(bit_length(&[0, 0x80, 0]), 16);
        assert_eq!(bit_length(&[1, 0]), 9);
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[]), 0);
    }
}
