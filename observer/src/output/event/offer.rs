//! What a client offered, and its JSON, which is written once for all clients with the same offer.

use std::borrow::Cow;
use std::fmt::Write;

use observer_tls::codepoints::{ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::super::json::writer::{self, Raw};
use super::text::{Joined, Named, NamedList};
use crate::observation::ClientOffer;

/// A part of an event.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a, T> {
    /// Still to be written.
    New(T),
    /// JSON of it, written before.
    Written(&'a str),
}

impl<T: Serialize> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::New(part) => part.serialize(serializer),
            Self::Written(json) => Raw(json).serialize(serializer),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Part<'_, T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// What the client offered, each list in the client's order. Values without a registered name are hex, those of RFC 8701
/// "GREASE".
#[derive(Debug, Serialize, JsonSchema)]
pub struct Offer<'a> {
    /// `legacy_version` of the ClientHello: the highest version of clients before TLS 1.3.
    pub legacy_version: Named<ProtocolVersion>,
    /// Versions in supported_versions.
    #[serde(skip_serializing_if = "NamedList::is_empty")]
    pub versions: NamedList<'a, ProtocolVersion>,
    /// Key exchange groups.
    #[serde(skip_serializing_if = "NamedList::is_empty")]
    pub groups: NamedList<'a, NamedGroup>,
    /// Groups for which a key share was sent.
    #[serde(skip_serializing_if = "NamedList::is_empty")]
    pub key_shares: NamedList<'a, NamedGroup>,
    /// Signature algorithms.
    #[serde(skip_serializing_if = "NamedList::is_empty")]
    pub signature_algorithms: NamedList<'a, SignatureScheme>,
    /// Application protocols (ALPN).
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub alpn: Joined<'a, 1>,
    /// Extensions.
    #[serde(skip_serializing_if = "NamedList::is_empty")]
    pub extensions: NamedList<'a, ExtensionType>,
}

impl<'a> From<(&'a ClientOffer, &'a [ExtensionType])> for Offer<'a> {
    fn from((offer, extensions): (&'a ClientOffer, &'a [ExtensionType])) -> Self {
        Self {
            legacy_version: Named(offer.legacy_version),
            versions: NamedList(&offer.versions),
            groups: NamedList(&offer.groups),
            key_shares: NamedList(&offer.key_shares),
            signature_algorithms: NamedList(&offer.signature_algorithms),
            alpn: Joined([&offer.alpn]),
            extensions: NamedList(extensions),
        }
    }
}

/// The JSON of an offer.
#[derive(Debug)]
pub struct WrittenOffer {
    /// Of `tls.client.supported_ciphers`; `None` when the client offered none.
    pub ciphers: Option<String>,
    /// Of `handshake.client`, without the extensions, which come last, and without the end.
    client: String,
}

impl WrittenOffer {
    /// Writes `offer`; `None` when that fails.
    pub fn new(offer: &ClientOffer) -> Option<Self> {
        let suites = NamedList(&offer.cipher_suites);
        let ciphers = match suites.is_empty() {
            true => None,
            false => Some(json(&suites)?),
        };
        Some(Self {
            ciphers,
            client: json(&Offer::from((offer, &[][..])))?
                .strip_suffix('}')?
                .to_owned(),
        })
    }

    /// Appends the JSON of `handshake.client` of a hello with these extensions.
    pub fn client(&self, extensions: &[ExtensionType], out: &mut String) {
        out.push_str(&self.client);
        if !extensions.is_empty() {
            out.push_str(",\"extensions\":[");
            for typ in extensions {
                out.push('"');
                // Writing to a String cannot fail. Names of code points need no escapes.
                let _ = write!(out, "{}", Named(*typ));
                out.push_str("\",");
            }
            out.pop();
            out.push(']');
        }
        out.push('}');
    }

    /// Its length in bytes.
    pub fn size(&self) -> usize {
        self.ciphers.as_ref().map_or(0, String::len) + self.client.len()
    }
}

fn json(value: &impl Serialize) -> Option<String> {
    let mut text = Vec::new();
    writer::write(value, &mut text).ok()?;
    String::from_utf8(text).ok()
}
