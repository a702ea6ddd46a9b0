//! NewSessionTicket (RFC 5077, section 3.3; RFC 8446, section 4.6.1).

use bytes::Bytes;

use crate::codepoints::ProtocolVersion;
use crate::error::ParseError;
use crate::extension::{self, Extension};
use crate::reader::Reader;

/// A ticket with which the client may resume the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSessionTicket {
    /// How long it may be used, in seconds; up to TLS 1.2 a hint, 0 for none.
    pub lifetime: u32,
    /// The ticket.
    pub ticket: Bytes,
    /// What TLS 1.3 adds.
    pub tls13: Option<Tls13Ticket>,
}

/// The rest of a ticket of TLS 1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls13Ticket {
    /// The number that hides the ticket's age.
    pub age_add: u32,
    /// What tells this ticket's key from those of the connection's others, 0 to 255 bytes.
    pub nonce: Bytes,
    /// Extensions, raw and in order.
    pub extensions: Vec<Extension>,
}

impl NewSessionTicket {
    /// Parses the body of the message, without the handshake header. When the version is not known, the form is the one
    /// in which all lengths add up; that of TLS 1.2 if both do, which chance makes so once in some ten thousand.
    ///
    /// # Errors
    /// When the lengths add up in none of the forms that `version` allows.
    pub fn parse(body: &Bytes, version: Option<ProtocolVersion>) -> Result<Self, ParseError> {
        match version {
            Some(version) if version.is_tls13() => Self::parse_tls13(body),
            Some(_) => Self::parse_tls12(body),
            None => Self::parse_tls12(body).or_else(|error| Self::parse_tls13(body).map_err(|_| error)),
        }
    }

    fn parse_tls12(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let lifetime = reader.u32("ticket_lifetime_hint")?;
        let ticket = body.slice_ref(reader.vec16("ticket")?.peek());
        reader.finish("NewSessionTicket")?;
        Ok(Self {
            lifetime,
            ticket,
            tls13: None,
        })
    }

    fn parse_tls13(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let lifetime = reader.u32("ticket_lifetime")?;
        let age_add = reader.u32("ticket_age_add")?;
        let nonce = body.slice_ref(reader.vec8("ticket_nonce")?.peek());
        let ticket = body.slice_ref(reader.vec16("ticket")?.peek());
        match extension::parse_list(reader, body) {
            (_, Some(error)) => Err(error),
            (extensions, None) => Ok(Self {
                lifetime,
                ticket,
                tls13: Some(Tls13Ticket {
                    age_add,
                    nonce,
                    extensions,
                }),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::{ExtensionContent, ExtensionContext};
    use crate::support::*;

    #[test]
    fn both_forms_are_read_with_and_without_the_version() {
        let tls12 = Bytes::from([vec![0, 0, 0x1c, 0x20], vec16(b"ticket")].concat());
        for version in [None, Some(ProtocolVersion::TLS12), Some(ProtocolVersion::TLS10)] {
            let message = NewSessionTicket::parse(&tls12, version).unwrap();
            assert_eq!(
                (message.lifetime, message.ticket.as_ref()),
                (7200, &b"ticket"[..])
            );
            assert_eq!(message.tls13, None);
        }
        let early_data = extension(42, &[0, 0, 0x40, 0]);
        let tls13 = [
            vec![0, 0, 0x1c, 0x20, 9, 8, 7, 6],
            vec8(&[1]),
            vec16(b"ticket"),
            vec16(&early_data),
        ];
        let tls13 = Bytes::from(tls13.concat());
        for version in [None, Some(ProtocolVersion::TLS13)] {
            let message = NewSessionTicket::parse(&tls13, version).unwrap();
            assert_eq!(
                (message.lifetime, message.ticket.as_ref()),
                (7200, &b"ticket"[..])
            );
            let rest = message.tls13.unwrap();
            assert_eq!((rest.age_add, rest.nonce.as_ref()), (0x0908_0706, &[1][..]));
            let early_data = rest.extensions[0].content(ExtensionContext::NewSessionTicket);
            assert_eq!(early_data, Ok(ExtensionContent::MaxEarlyData(0x4000)));
        }
        assert!(NewSessionTicket::parse(&tls12, Some(ProtocolVersion::TLS13)).is_err());
        assert!(NewSessionTicket::parse(&tls13, Some(ProtocolVersion::TLS12)).is_err());
    }
}
