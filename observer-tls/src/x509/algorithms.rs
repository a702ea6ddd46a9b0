//! Names of signature algorithms, and what a public key is.

use super::der::{self, Element};
use super::oid;
use crate::error::ParseError;
use crate::reader::Reader;

/// AlgorithmIdentifier (RFC 5280, section 4.1.1.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Algorithm<'a> {
    /// The identifier's content.
    oid: &'a [u8],
    parameters: Option<Element<'a>>,
}

impl<'a> Algorithm<'a> {
    /// The algorithm that `sequence` has inside.
    ///
    /// # Errors
    /// [`ParseError`] with `field` when it is not an OID and at most one element of parameters.
    pub(super) fn read(sequence: &Element<'a>, field: &'static str) -> Result<Self, ParseError> {
        let mut content = sequence.reader();
        let oid = oid::read(&mut content, field)?;
        let parameters = match content.is_empty() {
            true => None,
            false => Some(Element::read(&mut content, field)?),
        };
        content.finish(field)?;
        Ok(Self { oid, parameters })
    }

    /// The name of a signature algorithm, else its OID, if it is one.
    pub(super) fn signature_name(&self) -> Option<String> {
        let name = match self.oid {
            // pkcs-1, 1.2.840.113549.1.1
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, algorithm] => match algorithm {
                2 => "MD2-RSA",
                4 => "MD5-RSA",
                5 => "SHA1-RSA",
                10 => {
                    let named = self.pss().map(|hash| format!("{hash}-RSAPSS"));
                    return named.or_else(|| oid::dotted(self.oid));
                }
                11 => "SHA256-RSA",
                12 => "SHA384-RSA",
                13 => "SHA512-RSA",
                14 => "SHA224-RSA",
                _ => return self.key_name(),
            },
            // 1.3.14.3.2.29, of the OIW
            [0x2b, 14, 3, 2, 29] => "SHA1-RSA",
            // 1.2.840.10040.4.3
            [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3] => "DSA-SHA1",
            // 1.2.840.10045.4
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => "ECDSA-SHA1",
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, algorithm] => match algorithm {
                1 => "ECDSA-SHA224",
                2 => "ECDSA-SHA256",
                3 => "ECDSA-SHA384",
                4 => "ECDSA-SHA512",
                _ => return self.key_name(),
            },
            // sigAlgs of NIST, 2.16.840.1.101.3.4.3
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, algorithm] => match algorithm {
                1 => "DSA-SHA224",
                2 => "DSA-SHA256",
                3 => "DSA-SHA384",
                4 => "DSA-SHA512",
                9 => "ECDSA-SHA3-224",
                10 => "ECDSA-SHA3-256",
                11 => "ECDSA-SHA3-384",
                12 => "ECDSA-SHA3-512",
                13 => "SHA3-224-RSA",
                14 => "SHA3-256-RSA",
                15 => "SHA3-384-RSA",
                16 => "SHA3-512-RSA",
                _ => return self.key_name(),
            },
            _ => return self.key_name(),
        };
        Some(name.to_owned())
    }

    /// The hash of RSASSA-PSS, which its parameters name (RFC 4055, section 3.1).
    fn pss(&self) -> Option<&'static str> {
        let parameters = self
            .parameters
            .filter(|element| element.identifier == der::SEQUENCE)?;
        let hash = Element::optional(&mut parameters.reader(), der::context(0), "hashAlgorithm").ok()?;
        let Some(hash) = hash else {
            return Some("SHA1");
        };
        let hash = Element::expect(&mut hash.reader(), der::SEQUENCE, "hashAlgorithm").ok()?;
        Some(match Self::read(&hash, "hashAlgorithm").ok()?.oid {
            [0x2b, 14, 3, 2, 26] => "SHA1",
            // hashAlgs of NIST, 2.16.840.1.101.3.4.2
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, algorithm] => match algorithm {
                1 => "SHA256",
                2 => "SHA384",
                3 => "SHA512",
                4 => "SHA224",
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The name of a key's algorithm, else its OID, if it is one.
    fn key_name(&self) -> Option<String> {
        match self.key() {
            Some((name, _)) => Some(name.to_owned()),
            None => oid::dotted(self.oid),
        }
    }

    /// Name and kind of a key's algorithm. The newer ones have one OID for keys and signatures.
    fn key(&self) -> Option<(&'static str, Kind)> {
        Some(match self.oid {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 | 10] => ("RSA", Kind::Rsa),
            [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1] => ("DSA", Kind::Dsa),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] => ("ECDSA", Kind::Curve),
            // RFC 8410, 1.3.101
            [0x2b, 0x65, 110] => ("X25519", Kind::Fixed(256)),
            [0x2b, 0x65, 111] => ("X448", Kind::Fixed(448)),
            [0x2b, 0x65, 112] => ("Ed25519", Kind::Fixed(256)),
            [0x2b, 0x65, 113] => ("Ed448", Kind::Fixed(456)),
            [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, algorithm] => (post_quantum(*algorithm)?, Kind::Other),
            _ => return None,
        })
    }
}

/// ML-DSA (RFC 9881) and SLH-DSA (RFC 9909) by the last arc of their OIDs.
fn post_quantum(algorithm: u8) -> Option<&'static str> {
    Some(match algorithm {
        17 => "ML-DSA-44",
        18 => "ML-DSA-65",
        19 => "ML-DSA-87",
        20 => "SLH-DSA-SHA2-128s",
        21 => "SLH-DSA-SHA2-128f",
        22 => "SLH-DSA-SHA2-192s",
        23 => "SLH-DSA-SHA2-192f",
        24 => "SLH-DSA-SHA2-256s",
        25 => "SLH-DSA-SHA2-256f",
        26 => "SLH-DSA-SHAKE-128s",
        27 => "SLH-DSA-SHAKE-128f",
        28 => "SLH-DSA-SHAKE-192s",
        29 => "SLH-DSA-SHAKE-192f",
        30 => "SLH-DSA-SHAKE-256s",
        31 => "SLH-DSA-SHAKE-256f",
        _ => return None,
    })
}

/// Where the size of a key is to be found.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Rsa,
    Dsa,
    Curve,
    /// It is always this, in bits.
    Fixed(u32),
    /// It is in the name.
    Other,
}

/// Name and field size in bits of a curve, by the content of its OID.
fn curve(oid: &[u8]) -> Option<(&'static str, u32)> {
    Some(match oid {
        // 1.2.840.10045.3.1
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1] => ("P-192", 192),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => ("P-256", 256),
        // 1.3.132.0
        [0x2b, 0x81, 4, 0, 33] => ("P-224", 224),
        [0x2b, 0x81, 4, 0, 34] => ("P-384", 384),
        [0x2b, 0x81, 4, 0, 35] => ("P-521", 521),
        [0x2b, 0x81, 4, 0, 10] => ("secp256k1", 256),
        // 1.3.36.3.3.2.8.1.1
        [0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7] => ("brainpoolP256r1", 256),
        [0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11] => ("brainpoolP384r1", 384),
        [0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13] => ("brainpoolP512r1", 512),
        // 1.2.156.10197.1.301
        [0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d] => ("curveSM2", 256),
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
    /// Why there is no size although the algorithm is known.
    pub(super) fault: Option<ParseError>,
}

const KEY: &str = "subjectPublicKeyInfo";

impl PublicKeyFacts {
    /// The facts of the SubjectPublicKeyInfo with this content.
    ///
    /// # Errors
    /// [`ParseError`] when not even the algorithm can be read.
    pub(super) fn read(content: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(content);
        let algorithm = Algorithm::read(&Element::expect(&mut reader, der::SEQUENCE, KEY)?, KEY)?;
        let mut facts = Self {
            algorithm: algorithm.key_name().ok_or(ParseError::Invalid {
                field: KEY,
                why: "an object identifier that is too long",
            })?,
            ..Self::default()
        };
        facts.fault = facts.fill(&algorithm, &mut reader).err();
        Ok(facts)
    }

    fn fill(&mut self, algorithm: &Algorithm<'_>, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let bits = Element::expect(reader, der::BIT_STRING, KEY)?;
        reader.finish(KEY)?;
        // The first byte is the number of bits that the last one lacks (X.690, section 8.6.2).
        let (_, key) = bits.content.split_first().ok_or(ParseError::Invalid {
            field: KEY,
            why: "no bytes in the key",
        })?;
        match algorithm.key() {
            Some((_, Kind::Rsa)) => self.fill_rsa(key)?,
            Some((_, Kind::Dsa)) => self.size = dsa_size(algorithm)?,
            Some((_, Kind::Curve)) => self.fill_curve(algorithm, key),
            Some((_, Kind::Fixed(size))) => self.size = Some(size),
            Some((_, Kind::Other)) | None => {}
        }
        Ok(())
    }

    /// RSAPublicKey (RFC 3279, section 2.3.1).
    fn fill_rsa(&mut self, key: &[u8]) -> Result<(), ParseError> {
        let mut numbers = Element::expect(&mut Reader::new(key), der::SEQUENCE, KEY)?.reader();
        self.size = Some(bit_length(positive(&mut numbers)?));
        let exponent = positive(&mut numbers)?;
        self.exponent = (bit_length(exponent) <= u64::BITS).then(|| {
            exponent
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        });
        Ok(())
    }

    /// The curve is named in the parameters (RFC 5480, section 2.1.1); else the point tells the size.
    fn fill_curve(&mut self, algorithm: &Algorithm<'_>, point: &[u8]) {
        let named = algorithm
            .parameters
            .filter(|parameters| parameters.identifier == der::OBJECT_IDENTIFIER);
        if let Some((name, size)) = named.and_then(|named| curve(named.content)) {
            self.curve = Some(name.to_owned());
            self.size = Some(size);
            return;
        }
        self.curve = named.and_then(|named| oid::dotted(named.content));
        // SEC 1, section 2.3.3: a point has one coordinate when compressed, else two.
        let bytes = match point {
            [2 | 3, x @ ..] => x.len(),
            [4, both @ ..] => both.len() / 2,
            _ => 0,
        };
        self.size = u32::try_from(8 * bytes).ok().filter(|size| *size > 0);
    }
}

/// The bits of the prime p, the first of the parameters (RFC 3279, section 2.3.2). Without parameters they are those
/// of the issuer's key.
fn dsa_size(algorithm: &Algorithm<'_>) -> Result<Option<u32>, ParseError> {
    let parameters = algorithm
        .parameters
        .filter(|element| element.identifier == der::SEQUENCE);
    parameters
        .map(|parameters| positive(&mut parameters.reader()).map(bit_length))
        .transpose()
}

/// The next element, which has to be a positive number.
fn positive<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], ParseError> {
    match Element::expect(reader, der::INTEGER, KEY)?.content {
        [] | [0x80..=0xff, ..] => Err(ParseError::Invalid {
            field: KEY,
            why: "a number that is not positive",
        }),
        number => Ok(number),
    }
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

    /// The content of the SubjectPublicKeyInfo of an uncompressed P-256 point, with these parameters (DER).
    fn elliptic_key(parameters: &[u8]) -> PublicKeyFacts {
        let algorithm = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], parameters].concat();
        let mut content = vec![0x30, algorithm.len() as u8];
        content.extend(algorithm);
        content.extend([3, 66, 0, 4]);
        content.extend([1; 64]);
        PublicKeyFacts::read(&content).unwrap()
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
    fn a_broken_key_still_has_its_algorithm() {
        // A modulus that is negative.
        let negative = [2, 1, 0x80, 2, 1, 3];
        let key = [&[3, 9, 0, 0x30, 6][..], &negative].concat();
        let algorithm = [0x30, 11, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        let facts = PublicKeyFacts::read(&[&algorithm[..], &key].concat()).unwrap();
        assert_eq!(
            (facts.algorithm.as_str(), facts.size, facts.exponent),
            ("RSA", None, None)
        );
        assert_eq!(
            facts.fault.unwrap().to_string(),
            "subjectPublicKeyInfo: a number that is not positive"
        );
        assert!(PublicKeyFacts::read(&key).is_err());
    }

    #[test]
    fn signatures_have_their_common_name_or_oid() {
        let name = |oid: &[u8], parameters: &[u8]| {
            let content = [&[6, oid.len() as u8], oid, parameters].concat();
            let der = [&[0x30, content.len() as u8], &content[..]].concat();
            let sequence = Element::read(&mut Reader::new(&der), "signature").unwrap();
            Algorithm::read(&sequence, "signature")
                .unwrap()
                .signature_name()
                .unwrap()
        };
        let pss = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
        assert_eq!(name(&pss, &[0x30, 0]), "SHA1-RSAPSS");
        assert_eq!(name(&pss, &[]), "1.2.840.113549.1.1.10");
        assert_eq!(name(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], &[]), "ML-DSA-65");
        assert_eq!(
            name(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], &[]),
            "ECDSA-SHA256"
        );
        assert_eq!(name(&[0x2a, 3], &[5, 0]), "1.2.3");
    }

    #[test]
    fn sizes_are_those_of_the_number() {
        assert_eq!(bit_length(&[0, 0x80, 0]), 16);
        assert_eq!(bit_length(&[1, 0]), 9);
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[]), 0);
    }
}
