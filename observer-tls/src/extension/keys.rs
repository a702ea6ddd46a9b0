//! Key shares and pre-shared keys (RFC 8446, sections 4.2.8 and 4.2.11).

use bytes::Bytes;

use crate::codepoints::NamedGroup;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::items;

/// One key share. The key itself tells an onlooker nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyShare {
    /// The group.
    pub group: NamedGroup,
    /// Length of the key in bytes.
    pub key_length: usize,
}

/// One pre-shared key that a client offers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PskIdentity {
    /// A ticket, or the name of an external key.
    pub identity: Bytes,
    /// The ticket's age in milliseconds plus a number that only client and server know; 0 for external keys.
    pub obfuscated_ticket_age: u32,
}

pub(super) fn key_share(reader: &mut Reader<'_>) -> Result<KeyShare, ParseError> {
    Ok(KeyShare {
        group: NamedGroup(reader.u16("group")?),
        key_length: reader.vec16("key_exchange")?.len(),
    })
}

/// The shares of a client.
pub(crate) fn key_shares(reader: &mut Reader<'_>) -> Result<Vec<KeyShare>, ParseError> {
    items(reader.vec16("client_shares")?, key_share)
}

/// The keys that a client offers, and the length of each binder.
pub(super) fn pre_shared_keys(
    reader: &mut Reader<'_>,
    data: &Bytes,
) -> Result<(Vec<PskIdentity>, Vec<usize>), ParseError> {
    let identities = items(reader.vec16("identities")?, |list| {
        Ok(PskIdentity {
            identity: data.slice_ref(list.vec16("identity")?.peek()),
            obfuscated_ticket_age: list.u32("obfuscated_ticket_age")?,
        })
    })?;
    let binders = items(reader.vec16("binders")?, |list| {
        Ok(list.vec8("PskBinderEntry")?.len())
    })?;
    Ok((identities, binders))
}
