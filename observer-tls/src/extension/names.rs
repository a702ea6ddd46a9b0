//! Names of hosts and protocols: server_name (RFC 6066, section 3), ALPN (RFC 7301, section 3.1), NPN.

use bytes::Bytes;

use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::{items, whole};

/// `NameType` of a host name, the only one defined (RFC 6066, section 3).
const HOST_NAME: u8 = 0;

/// One name of a server_name list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerName {
    /// `NameType`: 0 is a host name, and nothing else is defined.
    pub name_type: u8,
    /// The name as sent. It ought to be ASCII without a trailing dot and not an address; senders do as they like.
    pub name: Bytes,
}

/// The names of a client's list.
pub(super) fn server_names(reader: &mut Reader<'_>, data: &Bytes) -> Result<Vec<ServerName>, ParseError> {
    Ok(raw_server_names(reader.rest())?
        .into_iter()
        .map(|(name_type, name)| ServerName {
            name_type,
            name: data.slice_ref(name),
        })
        .collect())
}

/// The first host name of a client's list; `None` when there is none, or only an empty one.
pub(crate) fn host_name(data: &[u8]) -> Option<&[u8]> {
    let names = raw_server_names(data).ok()?;
    let (_, name) = names.into_iter().find(|(name_type, _)| *name_type == HOST_NAME)?;
    (!name.is_empty()).then_some(name)
}

/// Names and their types. A list's length that is wrong does no harm if the names alone fill the extension, or if they
/// fill that length and something follows.
fn raw_server_names(data: &[u8]) -> Result<Vec<(u8, &[u8])>, ParseError> {
    let field = "server_name_list";
    let mut reader = Reader::new(data);
    let by_length = reader.vec16(field).and_then(|list| items(list, raw_server_name));
    if by_length.is_ok() && reader.is_empty() {
        return by_length;
    }
    match data.get(2..) {
        Some(names @ [_, ..]) => items(Reader::new(names), raw_server_name).or(by_length),
        _ => by_length,
    }
}

fn raw_server_name<'a>(list: &mut Reader<'a>) -> Result<(u8, &'a [u8]), ParseError> {
    Ok((list.u8("name_type")?, list.vec16("host_name")?.rest()))
}

/// The names of an ALPN extension.
pub(crate) fn alpn(data: &Bytes) -> Result<Vec<Bytes>, ParseError> {
    whole(data, "extension_data", |reader| protocol_names(reader, data))
}

/// A list of protocol names with a length in front.
pub(super) fn protocol_names(reader: &mut Reader<'_>, data: &Bytes) -> Result<Vec<Bytes>, ParseError> {
    items(reader.vec16("protocol_name_list")?, |list| {
        Ok(data.slice_ref(list.vec8("ProtocolName")?.peek()))
    })
}

/// The protocol names that a server offers with NPN (draft-agl-tls-nextprotoneg-04, section 3): without a length in
/// front.
pub(super) fn next_protocols(reader: &mut Reader<'_>, data: &Bytes) -> Result<Vec<Bytes>, ParseError> {
    items(Reader::new(reader.rest()), |list| {
        Ok(data.slice_ref(list.vec8("NextProtocol")?.peek()))
    })
}
