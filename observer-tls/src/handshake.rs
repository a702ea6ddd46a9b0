//! Handshake messages (RFC 8446, section 4; RFC 5246, section 7.4).

use bytes::Bytes;

use crate::certificate::CertificateList;
use crate::client_hello::ClientHello;
use crate::codepoints::HandshakeType;
use crate::error::ParseError;
use crate::key_exchange::ServerKeyExchange;
use crate::reader::Reader;
use crate::server_hello::ServerHello;

/// A plaintext handshake message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The server asks for a new handshake.
    HelloRequest,
    /// The client's offer.
    ClientHello(ClientHello),
    /// The server's choice, or a HelloRetryRequest.
    ServerHello(ServerHello),
    /// A chain, in the form of TLS 1.2.
    Certificate(CertificateList),
    /// The body of a CertificateRequest. Its form depends on the version, which only the ServerHello tells: see
    /// [`crate::certificate_request::CertificateRequest::parse`].
    CertificateRequest(Bytes),
    /// The server's key exchange parameters.
    ServerKeyExchange(ServerKeyExchange),
    /// A stapled answer about the server's certificate (RFC 6066, section 8).
    CertificateStatus {
        /// `CertificateStatusType`: 1 is OCSP.
        status_type: u8,
        /// The response, DER; for type 2 (RFC 6961) the raw list.
        response: Bytes,
    },
    /// The server's flight is complete.
    ServerHelloDone,
    /// A session ticket in the form of RFC 5077, section 3.3.
    NewSessionTicket {
        /// Lifetime hint in seconds.
        lifetime: u32,
        /// The ticket.
        ticket: Bytes,
    },
    /// The client's key exchange parameters; nothing in them can be read.
    ClientKeyExchange,
    /// The client's proof that it holds its certificate's key.
    CertificateVerify,
    /// In plaintext only under a NULL cipher.
    Finished,
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
    pub fn parse(typ: HandshakeType, body: &Bytes) -> Self {
        // Bodies have a 24-bit length on the wire.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        Self::parse_known(typ, body, length).unwrap_or_else(|error| Self::Malformed { typ, length, error })
    }

    fn parse_known(typ: HandshakeType, body: &Bytes, length: u32) -> Result<Self, ParseError> {
        Ok(match typ {
            HandshakeType::HELLO_REQUEST => {
                Reader::new(body).finish("HelloRequest")?;
                Self::HelloRequest
            }
            HandshakeType::CLIENT_HELLO => Self::ClientHello(ClientHello::parse(body)?),
            HandshakeType::SERVER_HELLO => Self::ServerHello(ServerHello::parse(body)?),
            HandshakeType::CERTIFICATE => Self::Certificate(CertificateList::parse(body)?),
            HandshakeType::CERTIFICATE_REQUEST => Self::CertificateRequest(body.clone()),
            HandshakeType::SERVER_KEY_EXCHANGE => {
                Self::ServerKeyExchange(ServerKeyExchange { body: body.clone() })
            }
            HandshakeType::CERTIFICATE_STATUS => parse_certificate_status(body)?,
            HandshakeType::SERVER_HELLO_DONE => {
                Reader::new(body).finish("ServerHelloDone")?;
                Self::ServerHelloDone
            }
            HandshakeType::NEW_SESSION_TICKET => parse_new_session_ticket(body)?,
            HandshakeType::CLIENT_KEY_EXCHANGE => Self::ClientKeyExchange,
            HandshakeType::CERTIFICATE_VERIFY => Self::CertificateVerify,
            HandshakeType::FINISHED => Self::Finished,
            _ => Self::Other { typ, length },
        })
    }

    /// The type of the message.
    pub fn typ(&self) -> HandshakeType {
        match self {
            Self::HelloRequest => HandshakeType::HELLO_REQUEST,
            Self::ClientHello(_) => HandshakeType::CLIENT_HELLO,
            Self::ServerHello(_) => HandshakeType::SERVER_HELLO,
            Self::Certificate(_) => HandshakeType::CERTIFICATE,
            Self::CertificateRequest(_) => HandshakeType::CERTIFICATE_REQUEST,
            Self::ServerKeyExchange(_) => HandshakeType::SERVER_KEY_EXCHANGE,
            Self::CertificateStatus { .. } => HandshakeType::CERTIFICATE_STATUS,
            Self::ServerHelloDone => HandshakeType::SERVER_HELLO_DONE,
            Self::NewSessionTicket { .. } => HandshakeType::NEW_SESSION_TICKET,
            Self::ClientKeyExchange => HandshakeType::CLIENT_KEY_EXCHANGE,
            Self::CertificateVerify => HandshakeType::CERTIFICATE_VERIFY,
            Self::Finished => HandshakeType::FINISHED,
            Self::Other { typ, .. } | Self::Malformed { typ, .. } => *typ,
        }
    }
}

fn parse_certificate_status(body: &Bytes) -> Result<Message, ParseError> {
    let mut reader = Reader::new(body);
    let status_type = reader.u8("status_type")?;
    let response = body.slice_ref(reader.vec24("response")?.peek());
    reader.finish("CertificateStatus")?;
    Ok(Message::CertificateStatus {
        status_type,
        response,
    })
}

fn parse_new_session_ticket(body: &Bytes) -> Result<Message, ParseError> {
    let mut reader = Reader::new(body);
    let lifetime = reader.u32("ticket_lifetime_hint")?;
    let ticket = body.slice_ref(reader.vec16("ticket")?.peek());
    reader.finish("NewSessionTicket")?;
    Ok(Message::NewSessionTicket { lifetime, ticket })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    fn parse(typ: u8, body: &[u8]) -> Message {
        Message::parse(HandshakeType(typ), &Bytes::copy_from_slice(body))
    }

    #[test]
    fn messages_keep_their_type() {
        let bodies: [(u8, Vec<u8>); 13] = [
            (0, vec![]),
            (1, client_hello_body(&[])),
            (2, server_hello_body(SERVER_RANDOM, &[])),
            (4, [vec![0; 4], vec16(&[1])].concat()),
            (8, vec![0, 0]),
            (11, vec24(&[])),
            (12, vec![3]),
            (13, vec![1]),
            (14, vec![]),
            (15, vec![1]),
            (16, vec![1]),
            (20, vec![1; 12]),
            (22, [vec![1], vec24(&[1])].concat()),
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
        assert_eq!(
            ticket,
            Message::NewSessionTicket {
                lifetime: 7200,
                ticket: Bytes::from_static(b"ticket")
            }
        );
        let status = parse(22, &[vec![1], vec24(b"ocsp")].concat());
        assert_eq!(
            status,
            Message::CertificateStatus {
                status_type: 1,
                response: Bytes::from_static(b"ocsp")
            }
        );
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
        for typ in [1, 2, 4, 11, 22] {
            let message = parse(typ, &[0]);
            assert_eq!(message.typ(), HandshakeType(typ));
            assert!(matches!(message, Message::Malformed { length: 1, .. }));
        }
    }
}
