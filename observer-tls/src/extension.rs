//! Extensions of handshake messages (RFC 8446, section 4.2).
//!
//! An [`Extension`] keeps its content raw. [`Extension::content`] parses it when asked, so that a broken one harms no
//! other and nobody pays for what is not looked at.

mod certificates;
mod content;
mod ech;
mod keys;
mod names;
mod parse;

use bytes::Bytes;

pub use certificates::{
    DelegatedCredential, OidFilter, SignedCertificateTimestamp, StapledStatus, StatusRequest,
};
pub use content::{ExtensionContent, ExtensionContext};
pub use ech::{EchConfig, EncryptedClientHello, EncryptedServerName, HpkeSymmetricCipherSuite};
pub use keys::{KeyShare, PskIdentity};
pub use names::ServerName;

pub(crate) use certificates::{distinguished_names, stapled_status};
pub(crate) use keys::key_shares;
pub(crate) use names::{alpn, host_name};
pub(crate) use parse::signature_schemes;

use crate::codepoints::ExtensionType;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::vec16_or_rest;

/// One extension as it stands in the message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extension {
    /// What it is; unknown and GREASE values are kept.
    pub typ: ExtensionType,
    /// `extension_data`, without its length.
    pub data: Bytes,
}

/// Parses the extensions at the end of a message, which may end without any (RFC 5246, section 7.4.1.2).
///
/// When the lengths do not add up, the extensions that are whole are there all the same, beside what is wrong.
pub(crate) fn parse_list(mut reader: Reader<'_>, message: &Bytes) -> (Vec<Extension>, Option<ParseError>) {
    let mut extensions = Vec::new();
    let error = read_list(&mut reader, message, &mut extensions).err();
    (extensions, error)
}

fn read_list(
    reader: &mut Reader<'_>,
    message: &Bytes,
    extensions: &mut Vec<Extension>,
) -> Result<(), ParseError> {
    if reader.is_empty() {
        return Ok(());
    }
    // A list may claim to be longer than the message.
    let (mut list, error) = vec16_or_rest(reader, "extensions")?;
    while !list.is_empty() {
        let typ = ExtensionType(list.u16("extension_type")?);
        let data = message.slice_ref(list.vec16("extension_data")?.peek());
        extensions.push(Extension { typ, data });
    }
    error.map_or_else(|| reader.finish("extensions"), Err)
}

/// The content of the first extension of this type. A second one of a type is not allowed (RFC 8446, section 4.2) and
/// left unread.
pub(crate) fn find(extensions: &[Extension], typ: ExtensionType) -> Option<&Bytes> {
    extensions
        .iter()
        .find(|extension| extension.typ == typ)
        .map(|extension| &extension.data)
}

#[cfg(test)]
mod content_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    fn parse(bytes: Vec<u8>) -> (Vec<u16>, Option<ParseError>) {
        let message = Bytes::from(bytes);
        let (extensions, error) = parse_list(Reader::new(&message), &message);
        (
            extensions.iter().map(|extension| extension.typ.0).collect(),
            error,
        )
    }

    #[test]
    fn a_message_may_end_without_extensions() {
        assert_eq!(parse(vec![]), (vec![], None));
        assert_eq!(parse(vec![0, 0]), (vec![], None));
    }

    #[test]
    fn what_stands_before_the_damage_is_kept() {
        let two = [extension(10, &[1, 2]), extension(0xabcd, &[])].concat();
        assert_eq!(parse(vec16(&two)), (vec![10, 0xabcd], None));

        let trailing = [vec16(&two), vec![9]].concat();
        let error = ParseError::Trailing {
            field: "extensions",
            count: 1,
        };
        assert_eq!(parse(trailing), (vec![10, 0xabcd], Some(error)));

        // The list's length is too large; too small; an extension's length is too large.
        let mut long = vec16(&two);
        long[1] += 1;
        let error = ParseError::Short {
            field: "extensions",
            needed: 11,
            available: 10,
        };
        assert_eq!(parse(long), (vec![10, 0xabcd], Some(error)));
        let mut short = vec16(&two);
        short[1] -= 1;
        assert_eq!(parse(short).0, [10]);
        let overrun = [two.clone(), vec![0, 13, 0, 2, 1]].concat();
        let error = ParseError::Short {
            field: "extension_data",
            needed: 2,
            available: 1,
        };
        assert_eq!(parse(vec16(&overrun)), (vec![10, 0xabcd], Some(error)));
        let error = ParseError::Short {
            field: "extensions",
            needed: 2,
            available: 1,
        };
        assert_eq!(parse(vec![0]), (vec![], Some(error)));
    }

    #[test]
    fn the_first_of_a_type_counts() {
        let message = Bytes::from(vec16(&[extension(10, &[1]), extension(10, &[2])].concat()));
        let (extensions, error) = parse_list(Reader::new(&message), &message);
        assert_eq!((extensions.len(), error), (2, None));
        let first = find(&extensions, ExtensionType::SUPPORTED_GROUPS);
        assert_eq!(first.map(Bytes::as_ref), Some(&[1][..]));
    }
}
