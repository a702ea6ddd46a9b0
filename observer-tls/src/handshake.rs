//! Handshake messages (RFC 8446, section 4; RFC 5246, section 7.4).

use bytes::Bytes;

use crate::certificate::CertificateList;
use crate::certificate_forms::{CertificateUrl, CertificateVerify, CompressedCertificate};
use crate::client_hello::ClientHello;
use crate::codepoints::{HandshakeType, KeyUpdateRequest, ProtocolVersion};
use crate::encrypted_extensions::{DraftHelloRetryRequest, EncryptedExtensions};
use crate::error::ParseError;
use crate::extension::{self, StapledStatus};
use crate::key_exchange::{ClientKeyExchange, ServerKeyExchange};
use crate::reader::Reader;
use crate::server_hello::ServerHello;
use crate::session_ticket::NewSessionTicket;
use crate::uncommon::{ChannelId, HelloVerifyRequest, NextProtocol, SupplementalData};
use crate::vectors::whole;

/// A plaintext handshake message. Those of TLS 1.3 that are never in plaintext on the wire are known, too: whoever has
/// them decrypted can have them parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// The server asks for a new handshake.
    HelloRequest,
    /// The client's offer.
    ClientHello(ClientHello),
    /// The server's choice, or a HelloRetryRequest.
    ServerHello(ServerHello),
    /// A DTLS server's demand to see its cookie first.
    HelloVerifyRequest(HelloVerifyRequest),
    /// A HelloRetryRequest of TLS 1.3's early drafts. That of the RFC is a [`Message::ServerHello`].
    DraftHelloRetryRequest(DraftHelloRetryRequest),
    /// What a server answers to the client's extensions in TLS 1.3.
    EncryptedExtensions(EncryptedExtensions),
    /// A chain, or a raw public key.
    Certificate(CertificateList),
    /// A chain, compressed.
    CompressedCertificate(CompressedCertificate),
    /// Where a chain is to be fetched.
    CertificateUrl(CertificateUrl),
    /// The body of a CertificateRequest. Its form depends on the version, which only the ServerHello tells: see
    /// [`crate::certificate_request::CertificateRequest::parse`].
    CertificateRequest(Bytes),
    /// The server's key exchange parameters.
    ServerKeyExchange(ServerKeyExchange),
    /// A stapled answer about the server's certificate (RFC 6066, section 8; RFC 6961, section 2.2).
    CertificateStatus(StapledStatus),
    /// The server's flight is complete.
    ServerHelloDone,
    /// A session ticket.
    NewSessionTicket(NewSessionTicket),
    /// The client's key exchange parameters.
    ClientKeyExchange(ClientKeyExchange),
    /// The proof that a certificate's key is held.
    CertificateVerify(CertificateVerify),
    /// Up to TLS 1.2 in plaintext only under a NULL cipher.
    Finished,
    /// The client's early data are over (RFC 8446, section 4.5).
    EndOfEarlyData,
    /// The sender goes on with new keys (RFC 8446, section 4.6.3).
    KeyUpdate(KeyUpdateRequest),
    /// Data of applications.
    SupplementalData(SupplementalData),
    /// The protocol that the client chose with NPN.
    NextProtocol(NextProtocol),
    /// The key by which the client wants to be known again.
    ChannelId(ChannelId),
    /// What stands for the first ClientHello in the transcript after a HelloRetryRequest; never sent (RFC 8446,
    /// section 4.4.1).
    MessageHash(Bytes),
    /// A type this crate does not parse.
    Other {
        /// The type.
        typ: HandshakeType,
        /// Length of the body in bytes.
        length: u32,
    },
    /// A message of a known type that does not have that type's form.
    Malformed {
        /// The type.
        typ: HandshakeType,
        /// Length of the body in bytes.
        length: u32,
        /// What is wrong.
        error: ParseError,
    },
}

impl Message {
    /// Parses the body of a message of type `typ`. It never fails: what does not parse is [`Message::Malformed`].
    /// Where the form depends on the version, it is the one in which all lengths add up.
    pub fn parse(typ: HandshakeType, body: &Bytes) -> Self {
        Self::parse_of(typ, body, None)
    }

    /// As [`Message::parse`], of a connection of which the version is known.
    pub fn parse_of(typ: HandshakeType, body: &Bytes, version: Option<ProtocolVersion>) -> Self {
        // Bodies have a 24-bit length on the wire.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        Self::parse_known(typ, body, version, length).unwrap_or_else(|error| Self::Malformed {
            typ,
            length,
            error,
        })
    }

    fn parse_known(
        typ: HandshakeType,
        body: &Bytes,
        version: Option<ProtocolVersion>,
        length: u32,
    ) -> Result<Self, ParseError> {
        Ok(match typ {
            HandshakeType::HELLO_REQUEST => {
                Reader::new(body).finish("HelloRequest")?;
                Self::HelloRequest
            }
            HandshakeType::CLIENT_HELLO => Self::ClientHello(ClientHello::parse(body)?),
            HandshakeType::SERVER_HELLO => Self::ServerHello(ServerHello::parse(body)?),
            HandshakeType::HELLO_VERIFY_REQUEST => Self::HelloVerifyRequest(HelloVerifyRequest::parse(body)?),
            HandshakeType::NEW_SESSION_TICKET => {
                Self::NewSessionTicket(NewSessionTicket::parse(body, version)?)
            }
            HandshakeType::END_OF_EARLY_DATA => {
                Reader::new(body).finish("EndOfEarlyData")?;
                Self::EndOfEarlyData
            }
            HandshakeType::HELLO_RETRY_REQUEST => {
                Self::DraftHelloRetryRequest(DraftHelloRetryRequest::parse(body)?)
            }
            HandshakeType::ENCRYPTED_EXTENSIONS => {
                Self::EncryptedExtensions(EncryptedExtensions::parse(body))
            }
            HandshakeType::CERTIFICATE => Self::Certificate(CertificateList::parse(body, version)?),
            HandshakeType::SERVER_KEY_EXCHANGE => {
                Self::ServerKeyExchange(ServerKeyExchange { body: body.clone() })
            }
            HandshakeType::CERTIFICATE_REQUEST => Self::CertificateRequest(body.clone()),
            HandshakeType::SERVER_HELLO_DONE => {
                Reader::new(body).finish("ServerHelloDone")?;
                Self::ServerHelloDone
            }
            HandshakeType::CERTIFICATE_VERIFY => {
                Self::CertificateVerify(CertificateVerify { body: body.clone() })
            }
            HandshakeType::CLIENT_KEY_EXCHANGE => {
                Self::ClientKeyExchange(ClientKeyExchange { body: body.clone() })
            }
            HandshakeType::FINISHED => Self::Finished,
            HandshakeType::CERTIFICATE_URL => Self::CertificateUrl(CertificateUrl::parse(body)?),
            HandshakeType::CERTIFICATE_STATUS => {
                let status = |reader: &mut Reader<'_>| extension::stapled_status(reader, body);
                Self::CertificateStatus(whole(body, "CertificateStatus", status)?)
            }
            HandshakeType::SUPPLEMENTAL_DATA => Self::SupplementalData(SupplementalData::parse(body)?),
            HandshakeType::KEY_UPDATE => {
                let request = |reader: &mut Reader<'_>| reader.u8("request_update").map(KeyUpdateRequest);
                Self::KeyUpdate(whole(body, "KeyUpdate", request)?)
            }
            HandshakeType::COMPRESSED_CERTIFICATE => {
                Self::CompressedCertificate(CompressedCertificate::parse(body)?)
            }
            HandshakeType::NEXT_PROTOCOL => Self::NextProtocol(NextProtocol::parse(body)?),
            HandshakeType::CHANNEL_ID => Self::ChannelId(ChannelId::parse(body)?),
            HandshakeType::MESSAGE_HASH => Self::MessageHash(body.clone()),
            _ => Self::Other { typ, length },
        })
    }

    /// The type of the message.
    pub fn typ(&self) -> HandshakeType {
        match self {
            Self::HelloRequest => HandshakeType::HELLO_REQUEST,
            Self::ClientHello(_) => HandshakeType::CLIENT_HELLO,
            Self::ServerHello(_) => HandshakeType::SERVER_HELLO,
            Self::HelloVerifyRequest(_) => HandshakeType::HELLO_VERIFY_REQUEST,
            Self::DraftHelloRetryRequest(_) => HandshakeType::HELLO_RETRY_REQUEST,
            Self::EncryptedExtensions(_) => HandshakeType::ENCRYPTED_EXTENSIONS,
            Self::Certificate(_) => HandshakeType::CERTIFICATE,
            Self::CompressedCertificate(_) => HandshakeType::COMPRESSED_CERTIFICATE,
            Self::CertificateUrl(_) => HandshakeType::CERTIFICATE_URL,
            Self::CertificateRequest(_) => HandshakeType::CERTIFICATE_REQUEST,
            Self::ServerKeyExchange(_) => HandshakeType::SERVER_KEY_EXCHANGE,
            Self::CertificateStatus(_) => HandshakeType::CERTIFICATE_STATUS,
            Self::ServerHelloDone => HandshakeType::SERVER_HELLO_DONE,
            Self::NewSessionTicket(_) => HandshakeType::NEW_SESSION_TICKET,
            Self::ClientKeyExchange(_) => HandshakeType::CLIENT_KEY_EXCHANGE,
            Self::CertificateVerify(_) => HandshakeType::CERTIFICATE_VERIFY,
            Self::Finished => HandshakeType::FINISHED,
            Self::EndOfEarlyData => HandshakeType::END_OF_EARLY_DATA,
            Self::KeyUpdate(_) => HandshakeType::KEY_UPDATE,
            Self::SupplementalData(_) => HandshakeType::SUPPLEMENTAL_DATA,
            Self::NextProtocol(_) => HandshakeType::NEXT_PROTOCOL,
            Self::ChannelId(_) => HandshakeType::CHANNEL_ID,
            Self::MessageHash(_) => HandshakeType::MESSAGE_HASH,
            Self::Other { typ, .. } | Self::Malformed { typ, .. } => *typ,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codepoints::CertificateStatusType;
    use crate::support::*;

    fn parse(typ: u8, body: &[u8]) -> Message {
        Message::parse(HandshakeType(typ), &Bytes::copy_from_slice(body))
    }

    #[test]
    fn messages_keep_their_type() {
        let bodies: [(u8, Vec<u8>); 24] = [
            (0, vec![]),
            (1, client_hello_body(&[])),
            (2, server_hello_body(SERVER_RANDOM, &[])),
            (3, [u16s(&[0xfeff]), vec8(&[1])].concat()),
            (4, [vec![0; 4], vec16(&[1])].concat()),
            (5, vec![]),
            (6, [u16s(&[0x7f12]), vec16(&[])].concat()),
            (8, vec![0, 0]),
            (11, vec24(&[])),
            (12, vec![3]),
            (13, vec![1]),
            (14, vec![]),
            (15, vec![1]),
            (16, vec![1]),
            (20, vec![1; 12]),
            (21, [vec![0], vec16(&[])].concat()),
            (22, [vec![1], vec24(&[1])].concat()),
            (23, vec24(&[])),
            (24, vec![1]),
            (25, [vec![0; 5], vec24(&[])].concat()),
            (67, [vec8(&[]), vec8(&[])].concat()),
            (203, extension(0x7550, &[0; 128])),
            (254, vec![1; 32]),
            (99, vec![1]),
        ];
        for (typ, body) in bodies {
            let message = parse(typ, &body);
            assert_eq!(message.typ(), HandshakeType(typ));
            assert!(!matches!(message, Message::Malformed { .. }), "{message:?}");
        }
    }

    #[test]
    fn tickets_and_status_are_read() {
        let ticket = parse(4, &[vec![0, 0, 0x1c, 0x20], vec16(b"ticket")].concat());
        let Message::NewSessionTicket(ticket) = ticket else {
            panic!("{ticket:?}")
        };
        assert_eq!((ticket.lifetime, ticket.ticket.as_ref()), (7200, &b"ticket"[..]));
        let status = |body: &[u8]| {
            let message = parse(22, body);
            let Message::CertificateStatus(status) = message else {
                panic!("{message:?}")
            };
            status
        };
        let one = status(&[vec![1], vec24(b"ocsp")].concat());
        assert_eq!(one.status_type, CertificateStatusType::OCSP);
        assert_eq!(one.responses, [&b"ocsp"[..]]);
        let several = [vec24(b"leaf"), vec24(b""), vec24(b"root")].concat();
        let several = status(&[vec![2], vec24(&several)].concat());
        assert_eq!(several.status_type, CertificateStatusType::OCSP_MULTI);
        assert_eq!(several.responses, [&b"leaf"[..], b"", b"root"]);
    }

    #[test]
    fn a_known_version_decides_about_the_form() {
        let body = Bytes::from([vec8(&[]), vec24(&[vec24(b"leaf"), vec16(&[])].concat())].concat());
        let certificates = |version| match Message::parse_of(HandshakeType::CERTIFICATE, &body, version) {
            Message::Certificate(list) => list.certificates.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(certificates(None), 1);
        assert_eq!(certificates(Some(ProtocolVersion::TLS13)), 1);
        assert_eq!(certificates(Some(ProtocolVersion::TLS12)), 0);
    }

    #[test]
    fn unknown_types_are_kept_as_type_and_length() {
        assert_eq!(
            parse(99, &[0; 7]),
            Message::Other {
                typ: HandshakeType(99),
                length: 7
            }
        );
    }

    #[test]
    fn broken_ones_say_why() {
        let error = ParseError::Trailing {
            field: "ServerHelloDone",
            count: 1,
        };
        assert_eq!(
            parse(14, &[0]),
            Message::Malformed {
                typ: HandshakeType(14),
                length: 1,
                error
            }
        );
        for typ in [1, 2, 3, 4, 6, 11, 21, 23, 25, 67, 203] {
            let message = parse(typ, &[0]);
            assert_eq!(message.typ(), HandshakeType(typ));
            assert!(matches!(message, Message::Malformed { length: 1, .. }));
        }
        assert!(matches!(parse(22, &[1]), Message::Malformed { length: 1, .. }));
    }
}
