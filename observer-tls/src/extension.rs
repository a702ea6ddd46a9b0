//! Extensions of hello messages (RFC 8446, section 4.2).

use bytes::Bytes;

use crate::codepoints::ExtensionType;
use crate::error::ParseError;
use crate::reader::Reader;

/// One extension as it stands in the hello. Its content is parsed on demand, so that a broken one harms no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extension {
    /// What it is; unknown and GREASE values are kept.
    pub typ: ExtensionType,
    /// `extension_data`, without its length.
    pub data: Bytes,
}

/// Parses the extensions at the end of a hello. A hello may end without any (RFC 5246, section 7.4.1.2).
///
/// # Errors
/// When the lengths do not add up, or bytes follow the list.
pub(crate) fn parse_list(reader: &mut Reader<'_>, body: &Bytes) -> Result<Vec<Extension>, ParseError> {
    if reader.is_empty() {
        return Ok(Vec::new());
    }
    let mut list = reader.vec16("extensions")?;
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let typ = ExtensionType(list.u16("extension_type")?);
        let data = list.vec16("extension_data")?;
        extensions.push(Extension {
            typ,
            data: body.slice_ref(data.peek()),
        });
    }
    reader.finish("extensions")?;
    Ok(extensions)
}

/// The content of the first extension of this type. A second one of a type is not allowed (RFC 8446, section 4.2) and
/// left unread.
pub(crate) fn find(extensions: &[Extension], typ: ExtensionType) -> Option<&Bytes> {
    extensions
        .iter()
        .find(|extension| extension.typ == typ)
        .map(|extension| &extension.data)
}

/// The protocol names of an ALPN extension (RFC 7301, section 3.1).
pub(crate) fn alpn_names(data: &Bytes) -> Result<Vec<Bytes>, ParseError> {
    let mut reader = Reader::new(data);
    let mut list = reader.vec16("protocol_name_list")?;
    reader.finish("protocol_name_list")?;
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(data.slice_ref(list.vec8("ProtocolName")?.peek()));
    }
    Ok(names)
}
