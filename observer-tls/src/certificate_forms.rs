//! Certificates that come otherwise than as a plain chain, and the proof that one's key is held.

use bytes::Bytes;

use crate::codepoints::{
    CertificateChainType, CertificateCompressionAlgorithm, ProtocolVersion, SignatureScheme,
};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::items;

/// A compressed Certificate message (RFC 8879, section 4). It is not decompressed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedCertificate {
    /// How it is compressed.
    pub algorithm: CertificateCompressionAlgorithm,
    /// Bytes of the Certificate message when decompressed.
    pub uncompressed_length: u32,
    /// The compressed message.
    pub compressed: Bytes,
}

impl CompressedCertificate {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            algorithm: CertificateCompressionAlgorithm(reader.u16("algorithm")?),
            uncompressed_length: reader.u24("uncompressed_length")?,
            compressed: body.slice_ref(reader.vec24("compressed_certificate_message")?.peek()),
        };
        reader.finish("CompressedCertificate")?;
        Ok(message)
    }
}

/// Where a client's certificates are to be fetched (RFC 6066, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateUrl {
    /// What is at the URLs.
    pub chain_type: CertificateChainType,
    /// Each URL with the SHA-1 of what is there.
    pub urls: Vec<(Bytes, [u8; 20])>,
}

impl CertificateUrl {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            chain_type: CertificateChainType(reader.u8("CertChainType")?),
            urls: items(reader.vec16("url_and_hash_list")?, |list| {
                let url = body.slice_ref(list.vec16("url")?.peek());
                list.u8("padding")?;
                Ok((url, list.array("SHA1Hash")?))
            })?,
        };
        reader.finish("CertificateURL")?;
        Ok(message)
    }
}

/// A signature of which an onlooker learns the algorithm and the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The algorithm; up to TLS 1.1 that of the certificate's key, not told here.
    pub scheme: Option<SignatureScheme>,
    /// Length of the signature in bytes.
    pub length: usize,
}

impl Signature {
    /// Reads a `DigitallySigned` (RFC 5246, section 4.7; RFC 4346, section 4.7), which must be the last thing in a
    /// message. When the version is not known, the form is the one in which the lengths add up.
    pub(crate) fn read(reader: Reader<'_>, version: Option<ProtocolVersion>) -> Result<Self, ParseError> {
        match version {
            Some(version) => Self::read_form(reader, version.has_signature_algorithms()),
            None => {
                let without = Self::read_form(reader.clone(), false);
                Self::read_form(reader, true).or_else(|error| without.map_err(|_| error))
            }
        }
    }

    fn read_form(mut reader: Reader<'_>, with_scheme: bool) -> Result<Self, ParseError> {
        let scheme = match with_scheme {
            true => Some(SignatureScheme(reader.u16("algorithm")?)),
            false => None,
        };
        let length = reader.vec16("signature")?.len();
        reader.finish("signature")?;
        Ok(Self { scheme, length })
    }
}

/// The proof that a certificate's key is held (RFC 8446, section 4.4.3; RFC 5246, section 7.4.8). Its form depends on the
/// version, so it is kept raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateVerify {
    /// The body of the message.
    pub body: Bytes,
}

impl CertificateVerify {
    /// The algorithm and size of the signature. When the version is not known, the form is the one in which the lengths
    /// add up.
    ///
    /// # Errors
    /// When they do in none of the forms that `version` allows.
    pub fn signature(&self, version: Option<ProtocolVersion>) -> Result<Signature, ParseError> {
        Signature::read(Reader::new(&self.body), version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    #[test]
    fn a_compressed_certificate_tells_algorithm_and_lengths() {
        let body = Bytes::from([u16s(&[2]), vec![0, 0x10, 0], vec24(b"brotli")].concat());
        let message = CompressedCertificate::parse(&body).unwrap();
        assert_eq!(message.algorithm, CertificateCompressionAlgorithm::BROTLI);
        assert_eq!(message.uncompressed_length, 4096);
        assert_eq!(message.compressed.as_ref(), b"brotli");
        assert!(CompressedCertificate::parse(&body.slice(..body.len() - 1)).is_err());
    }

    #[test]
    fn urls_have_hashes() {
        let entry = [vec16(b"http://a.example/leaf"), vec![1], vec![0xaa; 20]].concat();
        let body = [vec![0], vec16(&[entry.clone(), entry].concat())].concat();
        let message = CertificateUrl::parse(&body.into()).unwrap();
        assert_eq!(message.chain_type, CertificateChainType::INDIVIDUAL_CERTS);
        let url = (Bytes::from_static(b"http://a.example/leaf"), [0xaa; 20]);
        assert_eq!(message.urls, [url.clone(), url]);
    }

    #[test]
    fn signatures_name_their_algorithm_since_tls12() {
        let new = CertificateVerify {
            body: [u16s(&[0x0804]), vec16(&[1; 256])].concat().into(),
        };
        let old = CertificateVerify {
            body: vec16(&[1; 256]).into(),
        };
        let length = 256;
        for version in [None, Some(ProtocolVersion::TLS12), Some(ProtocolVersion::TLS13)] {
            let scheme = Some(SignatureScheme::RSA_PSS_RSAE_SHA256);
            assert_eq!(new.signature(version), Ok(Signature { scheme, length }));
        }
        for version in [None, Some(ProtocolVersion::TLS11)] {
            assert_eq!(old.signature(version), Ok(Signature { scheme: None, length }));
        }
        assert!(old.signature(Some(ProtocolVersion::TLS12)).is_err());
        assert!(new.signature(Some(ProtocolVersion::SSL3)).is_err());
    }
}
