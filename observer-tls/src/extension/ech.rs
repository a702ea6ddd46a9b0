//! Encrypted ClientHello (RFC 9849) and the encrypted server name of the drafts before it.

use bytes::Bytes;

use crate::codepoints::{CipherSuite, ExtensionType, HpkeAead, HpkeKdf, NamedGroup};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::items;

/// `ECHClientHelloType` of the hello that is seen (RFC 9849, section 5).
const OUTER: u8 = 0;
/// `ECHClientHelloType` of the hello that is encrypted inside.
const INNER: u8 = 1;

/// The algorithms of a sealed hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HpkeSymmetricCipherSuite {
    /// Key derivation.
    pub kdf: HpkeKdf,
    /// Encryption.
    pub aead: HpkeAead,
}

/// encrypted_client_hello in a ClientHello (RFC 9849, section 5).
///
/// Clients that have no key of the server send a GREASE one (section 6.2), made to look like the real: an onlooker
/// cannot tell the two apart, and neither does this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EncryptedClientHello {
    /// The hello on the wire, with another one sealed inside, or GREASE.
    Outer {
        /// The algorithms.
        cipher_suite: HpkeSymmetricCipherSuite,
        /// Which of the server's keys it is sealed for.
        config_id: u8,
        /// Length of the encapsulated key in bytes; 0 in the hello after a HelloRetryRequest.
        enc_length: usize,
        /// Length of the sealed hello in bytes.
        payload_length: usize,
    },
    /// The mark of a hello that was sealed. It is never seen on the wire, but by who holds the key.
    Inner,
}

/// A key that a server sends to clients that used a wrong one (RFC 9849, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EchConfig {
    /// The version: the number of the extension it is for.
    pub version: ExtensionType,
    /// The rest, whose form depends on the version.
    pub contents: Bytes,
}

/// encrypted_server_name in a ClientHello (draft-ietf-tls-esni-02, section 5.1), the draft that was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EncryptedServerName {
    /// The suite of the encryption.
    pub suite: CipherSuite,
    /// The group of the client's key for it.
    pub group: NamedGroup,
    /// Length of that key in bytes.
    pub key_length: usize,
    /// The digest of the record that has the server's key.
    pub record_digest: Bytes,
    /// Length of the encrypted name in bytes.
    pub encrypted_length: usize,
}

pub(super) fn client_hello(reader: &mut Reader<'_>) -> Result<EncryptedClientHello, ParseError> {
    match reader.u8("ECHClientHelloType")? {
        OUTER => Ok(EncryptedClientHello::Outer {
            cipher_suite: HpkeSymmetricCipherSuite {
                kdf: HpkeKdf(reader.u16("kdf_id")?),
                aead: HpkeAead(reader.u16("aead_id")?),
            },
            config_id: reader.u8("config_id")?,
            enc_length: reader.vec16("enc")?.len(),
            payload_length: reader.vec16("payload")?.len(),
        }),
        INNER => Ok(EncryptedClientHello::Inner),
        _ => Err(ParseError::Invalid {
            field: "ECHClientHelloType",
            why: "neither outer nor inner",
        }),
    }
}

pub(super) fn retry_configs(reader: &mut Reader<'_>, data: &Bytes) -> Result<Vec<EchConfig>, ParseError> {
    items(reader.vec16("retry_configs")?, |list| {
        Ok(EchConfig {
            version: ExtensionType(list.u16("version")?),
            contents: data.slice_ref(list.vec16("contents")?.peek()),
        })
    })
}

pub(super) fn server_name(reader: &mut Reader<'_>, data: &Bytes) -> Result<EncryptedServerName, ParseError> {
    Ok(EncryptedServerName {
        suite: CipherSuite(reader.u16("suite")?),
        group: NamedGroup(reader.u16("group")?),
        key_length: reader.vec16("key_exchange")?.len(),
        record_digest: data.slice_ref(reader.vec16("record_digest")?.peek()),
        encrypted_length: reader.vec16("encrypted_sni")?.len(),
    })
}
