//! Messages that are seldom seen: of DTLS, of extensions that never spread, of experiments.

use bytes::Bytes;

use crate::codepoints::{ExtensionType, ProtocolVersion};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::items;

/// The key and the signature of a channel id: two coordinates and two numbers of P-256 (draft-balfanz-tls-channelid-01,
/// section 3).
const CHANNEL_ID_BYTES: usize = 4 * 32;

/// A DTLS server's demand to see its cookie first (RFC 6347, section 4.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloVerifyRequest {
    /// `server_version`, which does not tell the version that will be chosen.
    pub version: ProtocolVersion,
    /// The cookie, 0 to 255 bytes.
    pub cookie: Bytes,
}

impl HelloVerifyRequest {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            version: ProtocolVersion(reader.u16("server_version")?),
            cookie: body.slice_ref(reader.vec8("cookie")?.peek()),
        };
        reader.finish("HelloVerifyRequest")?;
        Ok(message)
    }
}

/// Data of applications, sent within a handshake (RFC 4680, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplementalData {
    /// Each piece with its type.
    pub entries: Vec<(u16, Bytes)>,
}

impl SupplementalData {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let list = reader.vec24("supp_data")?;
        reader.finish("supp_data")?;
        let entries = items(list, |list| {
            let typ = list.u16("supp_data_type")?;
            Ok((typ, body.slice_ref(list.vec16("supp_data_entry")?.peek())))
        })?;
        Ok(Self { entries })
    }
}

/// The protocol that a client chose with NPN (draft-agl-tls-nextprotoneg-04, section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextProtocol {
    /// The protocol's name.
    pub selected: Bytes,
}

impl NextProtocol {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let selected = body.slice_ref(reader.vec8("selected_protocol")?.peek());
        reader.vec8("padding")?;
        reader.finish("NextProtocol")?;
        Ok(Self { selected })
    }
}

/// The key by which a client wants to be known again (draft-balfanz-tls-channelid-01, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelId {
    /// The number of the extension that it answers.
    pub extension: ExtensionType,
    /// Both coordinates of the public key on P-256, 64 bytes.
    pub public_key: Bytes,
}

impl ChannelId {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up, or are not those of a key and a signature of P-256.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let extension = ExtensionType(reader.u16("extension_type")?);
        let mut proof = reader.vec16("ChannelIDExtension")?;
        reader.finish("ChannelIDExtension")?;
        if proof.len() != CHANNEL_ID_BYTES {
            return Err(ParseError::Invalid {
                field: "ChannelIDExtension",
                why: "not 128 bytes",
            });
        }
        let public_key = body.slice_ref(proof.take(CHANNEL_ID_BYTES / 2, "public key")?);
        Ok(Self {
            extension,
            public_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    #[test]
    fn cookies_and_protocols_are_read() {
        let body = [u16s(&[0xfeff]), vec8(b"cookie")].concat();
        let message = HelloVerifyRequest::parse(&body.into()).unwrap();
        assert_eq!(
            (message.version, message.cookie.as_ref()),
            (ProtocolVersion::DTLS10, &b"cookie"[..])
        );

        let body = Bytes::from([vec8(b"spdy/3"), vec8(&[0; 24])].concat());
        assert_eq!(NextProtocol::parse(&body).unwrap().selected.as_ref(), b"spdy/3");
        assert!(NextProtocol::parse(&body.slice(..7)).is_err());
    }

    #[test]
    fn supplemental_data_is_a_list() {
        let entries = [u16s(&[0]), vec16(b"mapping"), u16s(&[16386]), vec16(&[])].concat();
        let data = SupplementalData::parse(&vec24(&entries).into()).unwrap();
        assert_eq!(
            data.entries,
            [(0, Bytes::from_static(b"mapping")), (16386, Bytes::new())]
        );
        assert!(SupplementalData::parse(&vec24(&entries[1..]).into()).is_err());
    }

    #[test]
    fn a_channel_id_is_a_key_and_a_signature() {
        let proof = [[1; 64], [2; 64]].concat();
        let id = ChannelId::parse(&extension(0x7550, &proof).into()).unwrap();
        assert_eq!(id.extension, ExtensionType::CHANNEL_ID);
        assert_eq!(id.public_key.as_ref(), [1; 64]);
        assert!(ChannelId::parse(&extension(0x7550, &proof[1..]).into()).is_err());
    }
}
