//! A cipher suite that pads each of its records (RFC 8446, section 5.4), which rustls itself never does.

use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{ConnectionTrafficSecrets, ContentType, Error, SupportedCipherSuite, Tls13CipherSuite};

/// `suite`, with so many bytes of padding in each record.
pub fn padded(suite: &'static Tls13CipherSuite, bytes: usize) -> SupportedCipherSuite {
    let inner = suite.aead_alg;
    // For as long as the program runs, as rustls wants it.
    let aead_alg = Box::leak(Box::new(Padding { inner, bytes }));
    let common = rustls::crypto::CipherSuiteCommon {
        suite: suite.common.suite,
        hash_provider: suite.common.hash_provider,
        confidentiality_limit: suite.common.confidentiality_limit,
    };
    SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
        common,
        hkdf_provider: suite.hkdf_provider,
        aead_alg,
        quic: None,
    })))
}

struct Padding {
    inner: &'static dyn Tls13AeadAlgorithm,
    bytes: usize,
}

impl Tls13AeadAlgorithm for Padding {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Padder {
            inner: self.inner.encrypter(key, iv),
            bytes: self.bytes,
        })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.inner.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.inner.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv)
    }
}

struct Padder {
    inner: Box<dyn MessageEncrypter>,
    bytes: usize,
}

impl MessageEncrypter for Padder {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        // The content type stands before the padding. What the inner one takes for it is the padding's last zero.
        let mut bytes = message.payload.to_vec();
        bytes.push(message.typ.into());
        bytes.resize(bytes.len() + self.bytes - 1, 0);
        let padded = OutboundPlainMessage {
            typ: ContentType::from(0),
            version: message.version,
            payload: OutboundChunks::Single(&bytes),
        };
        self.inner.encrypt(padded, sequence)
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        self.inner.encrypted_payload_len(length + self.bytes)
    }
}
