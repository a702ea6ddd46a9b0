//! One handshake or alert message as either program tells of it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

/// The fields that are compared, by the observer's names.
pub const FIELDS: [&str; 16] = [
    "length",
    "random",
    "session_id",
    "server_name",
    "alpn",
    "ciphers",
    "extensions",
    "groups",
    "key_shares",
    "supported_versions",
    "alert_level",
    "alert_code",
    "certificates_sha256",
    "ja3",
    "ja3s",
    "ja4",
];

/// One direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Direction {
    /// Sender.
    pub source: (IpAddr, u16),
    /// Receiver.
    pub destination: (IpAddr, u16),
}

impl fmt::Display for Direction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((from, from_port), (to, to_port)) = (self.source, self.destination);
        write!(out, "{from}.{from_port} > {to}.{to_port}")
    }
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A handshake message of this type.
    Handshake(u64),
    /// An alert in plaintext.
    Alert,
    /// A message in the format of SSL 2.0.
    Ssl2,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(typ) => write!(out, "{typ}"),
            Self::Alert => out.write_str("alert"),
            Self::Ssl2 => out.write_str("ssl2"),
        }
    }
}

/// One message. Fields that are empty or unknown are not there; numbers are numbers, bytes lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// Values by the names of [`FIELDS`].
    pub fields: BTreeMap<&'static str, Value>,
}

/// The messages of each direction, in order.
pub type Messages = BTreeMap<Direction, Vec<Message>>;
