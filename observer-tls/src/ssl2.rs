//! Messages of SSL 2 (draft-hickman-netscape-ssl-00), of which the ClientHello lived on as the first message of clients
//! that spoke SSL 3 and TLS as well (RFC 5246, appendix E.2).
//!
//! A record of SSL 2 holds one message. Its header is two bytes, with the high bit set, and 15 bits of length; or three:
//! the high bit clear, a bit that marks escapes, 14 bits of length and the length of the padding at the end. The server
//! may answer in TLS; else all that follows the client's master key is encrypted.

use bytes::Bytes;

use crate::codepoints::ProtocolVersion;
use crate::error::ParseError;
use crate::reader::Reader;

/// Type of the ClientHello, of the client's master key and of the ServerHello.
pub(crate) const CLIENT_HELLO: u8 = 1;
pub(crate) const CLIENT_MASTER_KEY: u8 = 2;
pub(crate) const SERVER_HELLO: u8 = 4;

/// A message of SSL 2 in plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The client's offer.
    ClientHello(ClientHello),
    /// The client's choice of a cipher, with the master key, of which most is encrypted.
    ClientMasterKey {
        /// The cipher: 24 bits.
        cipher: u32,
    },
    /// The server's offer.
    ServerHello(ServerHello),
    /// A message that does not have the form of its type.
    Malformed {
        /// The type.
        typ: u8,
        /// What is wrong.
        error: ParseError,
    },
}

/// What a client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The highest version it speaks: SSL 2.0 or any later one.
    pub version: ProtocolVersion,
    /// Ciphers, 24 bits each. Those below 0x01_0000 are cipher suites of TLS.
    pub cipher_specs: Vec<u32>,
    /// The session to resume, or nothing.
    pub session_id: Bytes,
    /// 16 to 32 bytes; as the ClientHello of a later version, its random, with zeros in front.
    pub challenge: Bytes,
}

/// What a server that speaks SSL 2 answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// Whether the session goes on; then there is no certificate and no cipher.
    pub session_id_hit: bool,
    /// The version: SSL 2.0.
    pub version: ProtocolVersion,
    /// The certificate, DER.
    pub certificate: Bytes,
    /// The ciphers that both sides speak, 24 bits each.
    pub cipher_specs: Vec<u32>,
    /// 16 to 32 random bytes.
    pub connection_id: Bytes,
}

impl Message {
    /// Parses a message, from its type on. It never fails: what does not parse is [`Message::Malformed`].
    pub fn parse(message: &Bytes) -> Self {
        let typ = message.first().copied().unwrap_or_default();
        Self::parse_known(message).unwrap_or_else(|error| Self::Malformed { typ, error })
    }

    fn parse_known(message: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(message);
        match reader.u8("msg_type")? {
            CLIENT_HELLO => ClientHello::parse(message, reader).map(Self::ClientHello),
            CLIENT_MASTER_KEY => Ok(Self::ClientMasterKey {
                cipher: reader.u24("cipher_kind")?,
            }),
            SERVER_HELLO => ServerHello::parse(message, reader).map(Self::ServerHello),
            _ => Err(ParseError::Invalid {
                field: "msg_type",
                why: "not in plaintext",
            }),
        }
    }

    /// The type of the message.
    pub fn typ(&self) -> u8 {
        match self {
            Self::ClientHello(_) => CLIENT_HELLO,
            Self::ClientMasterKey { .. } => CLIENT_MASTER_KEY,
            Self::ServerHello(_) => SERVER_HELLO,
            Self::Malformed { typ, .. } => *typ,
        }
    }
}

impl ClientHello {
    fn parse(message: &Bytes, mut reader: Reader<'_>) -> Result<Self, ParseError> {
        let version = ProtocolVersion(reader.u16("version")?);
        let [ciphers, session_id, challenge] = lengths(&mut reader)?;
        let hello = Self {
            version,
            cipher_specs: cipher_specs(reader.take(ciphers, "cipher_specs")?)?,
            session_id: message.slice_ref(reader.take(session_id, "session_id")?),
            challenge: message.slice_ref(reader.take(challenge, "challenge")?),
        };
        reader.finish("ClientHello")?;
        Ok(hello)
    }
}

impl ServerHello {
    fn parse(message: &Bytes, mut reader: Reader<'_>) -> Result<Self, ParseError> {
        let session_id_hit = reader.u8("session_id_hit")? != 0;
        reader.u8("certificate_type")?;
        let version = ProtocolVersion(reader.u16("version")?);
        let [certificate, ciphers, connection_id] = lengths(&mut reader)?;
        let hello = Self {
            session_id_hit,
            version,
            certificate: message.slice_ref(reader.take(certificate, "certificate")?),
            cipher_specs: cipher_specs(reader.take(ciphers, "cipher_specs")?)?,
            connection_id: message.slice_ref(reader.take(connection_id, "connection_id")?),
        };
        reader.finish("ServerHello")?;
        Ok(hello)
    }
}

/// The lengths of the three fields that follow them.
fn lengths(reader: &mut Reader<'_>) -> Result<[usize; 3], ParseError> {
    let mut length = || reader.u16("length").map(usize::from);
    Ok([length()?, length()?, length()?])
}

fn cipher_specs(bytes: &[u8]) -> Result<Vec<u32>, ParseError> {
    let mut reader = Reader::new(bytes);
    let mut specs = Vec::with_capacity(bytes.len() / 3);
    while !reader.is_empty() {
        specs.push(reader.u24("cipher_spec")?);
    }
    Ok(specs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    fn parse(record: &[u8]) -> Message {
        Message::parse(&Bytes::copy_from_slice(&record[2..]))
    }

    #[test]
    fn hellos_are_read_field_by_field() {
        let Message::ClientHello(hello) = parse(&ssl2_client_hello(0x0301)) else {
            panic!("no ClientHello")
        };
        assert_eq!(hello.version, ProtocolVersion::TLS10);
        assert_eq!(hello.cipher_specs, [0x01_0080, 0x2f, 0x0a]);
        assert!(hello.session_id.is_empty());
        assert_eq!(hello.challenge, &CLIENT_RANDOM[..]);
        let Message::ServerHello(hello) = parse(&ssl2_server_hello()) else {
            panic!("no ServerHello")
        };
        assert_eq!(hello.version, ProtocolVersion::SSL2);
        assert!(!hello.session_id_hit);
        assert_eq!(hello.certificate, &[0x30; 300][..]);
        assert_eq!(hello.cipher_specs, [0x01_0080]);
        assert_eq!(hello.connection_id, &[0xc0; 16][..]);
        let cipher = 0x01_0080;
        assert_eq!(parse(&ssl2_master_key()), Message::ClientMasterKey { cipher });
    }

    #[test]
    fn every_prefix_is_malformed_and_keeps_its_type() {
        for record in [ssl2_client_hello(2), ssl2_server_hello()] {
            for end in 3..record.len() {
                let message = parse(&record[..end]);
                assert!(matches!(message, Message::Malformed { .. }));
                assert_eq!(message.typ(), record[2]);
            }
        }
        assert_eq!(parse(&[0x80, 1, 9]).typ(), 9);
    }
}
