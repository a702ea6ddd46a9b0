//! The JSON event: the nested objects of the Elastic Common Schema, filled from an [`Observation`].
//!
//! The doc comments of these types are the descriptions in the JSON Schema.

pub mod burst;
pub mod certificate;
pub mod community_id;
pub mod handshake;
pub mod new_certificate;
pub mod offer;
pub mod text;
pub mod time;
pub mod verdict;

use std::net::{IpAddr, SocketAddr};

use observer_tls::codepoints::{AlertLevel, CipherSuite, NamedGroup, ProtocolVersion};
use schemars::JsonSchema;
use serde::Serialize;

use super::words::{Word, Worded};
use crate::observation::{Action, EndTold, Observation, Outcome, Reason, Side};
use certificate::{AnyLeaf, Leaf};
use handshake::Handshake;
use offer::Part;
use text::{Chain, FingerprintText, Id, Named, NamedList};
use time::Time;
use verdict::Verdict;

/// What an event may contain beyond the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventOptions {
    /// Whole certificate chains, as base64 DER.
    pub certificate_chain: bool,
}

/// One TLS handshake, or one alert on a connection whose handshake was reported before. Absent means not seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event<'a> {
    /// When the ClientHello's first byte was seen, of a later alert when that was; RFC 3339 in UTC with microseconds.
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    /// What kind of event this is.
    pub event: About,
    /// Who sent the ClientHello.
    pub client: Peer<'a>,
    /// Who answered it.
    pub server: Peer<'a>,
    /// Address and port of `client`.
    pub source: Endpoint,
    /// Address and port of `server`.
    pub destination: Endpoint,
    /// The connection.
    pub network: Network,
    /// What was negotiated and shown.
    pub tls: Tls<'a>,
    /// How the handshake went.
    pub handshake: Handshake<'a>,
    /// What should have happened; absent when no certificate was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict<'a>>,
}

/// ECS `event.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EventFields")]
pub struct About {
    /// Always "event".
    pub kind: Worded<Kind>,
    /// Always "network".
    pub category: [Worded<Category>; 1],
    /// "connection", with "allowed" for established, "denied" for rejected, "error" for aborted and timed-out
    /// handshakes and for fatal alerts.
    #[serde(rename = "type")]
    #[schemars(with = "Vec<Worded<Type>>")]
    pub types: &'static [Worded<Type>],
    /// A handshake, or an alert on an established connection.
    pub action: Worded<Action>,
    /// Whether the handshake succeeded; "failure" for a later fatal alert, "unknown" for other later ones.
    pub outcome: Worded<Success>,
    /// Nanoseconds from the ClientHello to the outcome, or to the later alert.
    pub duration: u64,
    /// Stable id of the handshake. A later alert on its connection carries the same.
    pub id: Id,
}

macro_rules! ecs_words {
    ($($(#[$meta:meta])* $type:ident { $($variant:ident = $word:literal),* })*) => {$(
        $(#[$meta])*
        #[allow(missing_docs, reason = "the words are ECS's own")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($variant),* }

        impl Word for $type {
            const NAME: &'static str = concat!("Event", stringify!($type));
            const WORDS: &'static [&'static str] = &[$($word),*];
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    )*};
}
use ecs_words;

ecs_words! {
    /// ECS `event.kind`.
    Kind { Event = "event" }
    /// ECS `event.category`.
    Category { Network = "network" }
    /// ECS `event.type`.
    Type { Connection = "connection", Allowed = "allowed", Denied = "denied", Error = "error" }
    /// ECS `event.outcome`.
    Success { Success = "success", Failure = "failure", Unknown = "unknown" }
    /// ECS `network.transport`.
    Transport { Tcp = "tcp" }
    /// ECS `network.type`.
    Family { Ipv4 = "ipv4", Ipv6 = "ipv6" }
    /// ECS `network.protocol`.
    Protocol { Tls = "tls" }
}

/// One end of the connection.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Endpoint {
    /// IP address.
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            ip: address.ip().to_canonical(),
            port: address.port(),
        }
    }
}

/// One end of the connection, and the process there.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Peer<'a> {
    /// IP address.
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
    /// The process, where its TLS library told of the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process<'a>>,
}

impl<'a> Peer<'a> {
    fn new(endpoint: Endpoint, told: Option<&'a EndTold>) -> Self {
        let Endpoint { ip, port } = endpoint;
        let process = told.map(|told| Process {
            pid: told.pid,
            name: told.process(),
            executable: told.executable.as_deref(),
        });
        Self { ip, port, process }
    }
}

/// ECS `process.*`.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Process<'a> {
    /// Its id, in the first pid namespace.
    pub pid: u32,
    /// The name of its program's file; if the process had ended before it was looked at, that of the thread that made the
    /// handshake.
    pub name: &'a str,
    /// The path of its program, as the process sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<&'a str>,
}

/// ECS `network.*`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Network {
    /// Always "tcp".
    pub transport: Worded<Transport>,
    /// The IP version.
    #[serde(rename = "type")]
    pub family: Worded<Family>,
    /// "tls"; absent when what was sent to a TLS port is not TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Worded<Protocol>>,
    /// Community ID, version 1, seed 0: the connection's name in other tools.
    pub community_id: String,
}

/// ECS `tls.*`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tls<'a> {
    /// The negotiated version, such as "1.3".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Named<ProtocolVersion>>,
    /// "tls", or "ssl" for SSL 3.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_protocol: Option<&'static str>,
    /// The cipher suite that the server chose, by its IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<Named<CipherSuite>>,
    /// The key exchange group, by its IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<Named<NamedGroup>>,
    /// Whether an earlier session was resumed, by session id, ticket or pre-shared key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// Whether the handshake was completed; absent when too little was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub established: Option<bool>,
    /// The application protocol that the server chose (ALPN), when it is visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_protocol: Option<&'a str>,
    /// The client's side.
    #[serde(skip_serializing_if = "TlsClient::is_empty")]
    pub client: TlsClient<'a>,
    /// The server's side.
    #[serde(skip_serializing_if = "TlsServer::is_empty")]
    pub server: TlsServer<'a>,
}

/// ECS `tls.client.*`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TlsClient<'a> {
    /// The server name that the client asked for (SNI).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<&'a str>,
    /// Cipher suites that the client offered, in its order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_ciphers: Option<Part<'a, NamedList<'a, CipherSuite>>>,
    /// JA3 fingerprint of the ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3: Option<FingerprintText<32>>,
    /// JA4 fingerprint of the ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja4: Option<FingerprintText<36>>,
    /// The leaf certificate.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Leaf<'a>>")]
    pub leaf: Option<AnyLeaf<'a>>,
    /// The whole chain as base64 DER, leaf first; only when asked for.
    #[serde(skip_serializing_if = "Chain::is_empty")]
    pub certificate_chain: Chain<'a>,
}

impl TlsClient<'_> {
    fn is_empty(&self) -> bool {
        self.server_name.is_none()
            && self.supported_ciphers.is_none()
            && self.ja3.is_none()
            && self.ja4.is_none()
            && self.leaf.is_none()
    }
}

/// ECS `tls.server.*`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TlsServer<'a> {
    /// JA3S fingerprint of the ServerHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3s: Option<FingerprintText<32>>,
    /// The leaf certificate.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Leaf<'a>>")]
    pub leaf: Option<AnyLeaf<'a>>,
    /// The whole chain as base64 DER, leaf first; only when asked for.
    #[serde(skip_serializing_if = "Chain::is_empty")]
    pub certificate_chain: Chain<'a>,
}

impl TlsServer<'_> {
    fn is_empty(&self) -> bool {
        self.ja3s.is_none() && self.leaf.is_none()
    }
}

impl<'a> Event<'a> {
    /// The event that tells of `seen`.
    pub fn new(seen: &'a Observation, options: EventOptions) -> Self {
        let (client, server) = (Endpoint::from(seen.client), Endpoint::from(seen.server));
        let told = |side| seen.told.as_ref().and_then(|told| told.by(side));
        let tls_was_spoken = seen.reason != Some(Reason::NotTls);
        Self {
            timestamp: Time::from_nanos(seen.time_ns),
            event: About::new(seen),
            client: Peer::new(client, told(Side::Client)),
            server: Peer::new(server, told(Side::Server)),
            source: client,
            destination: server,
            network: Network {
                transport: Worded(Transport::Tcp),
                family: Worded(if client.ip.is_ipv4() {
                    Family::Ipv4
                } else {
                    Family::Ipv6
                }),
                protocol: tls_was_spoken.then_some(Worded(Protocol::Tls)),
                community_id: community_id::community_id(seen.client, seen.server),
            },
            tls: Tls::new(seen, options),
            handshake: Handshake::new(seen),
            verdict: Verdict::new(seen),
        }
    }
}

impl About {
    fn new(seen: &Observation) -> Self {
        const CONNECTION: Worded<Type> = Worded(Type::Connection);
        let fatal = seen
            .alerts
            .iter()
            .any(|seen| seen.alert.is_some_and(|alert| alert.level == AlertLevel::FATAL));
        let (types, outcome): (&'static [_], _) = match (seen.action, seen.outcome) {
            (Action::LateAlert, _) if fatal => (&[CONNECTION, Worded(Type::Error)], Success::Failure),
            (Action::LateAlert, _) => (&[CONNECTION], Success::Unknown),
            (Action::Handshake, Outcome::Established) => {
                (&[CONNECTION, Worded(Type::Allowed)], Success::Success)
            }
            (Action::Handshake, Outcome::Rejected) => (&[CONNECTION, Worded(Type::Denied)], Success::Failure),
            (Action::Handshake, Outcome::Aborted | Outcome::TimedOut) => {
                (&[CONNECTION, Worded(Type::Error)], Success::Failure)
            }
            (Action::Handshake, Outcome::Incomplete) => (&[CONNECTION], Success::Unknown),
        };
        Self {
            kind: Worded(Kind::Event),
            category: [Worded(Category::Network)],
            types,
            action: Worded(seen.action),
            outcome: Worded(outcome),
            duration: seen.duration_ns,
            id: Id(seen.id),
        }
    }
}

impl<'a> Tls<'a> {
    fn new(seen: &'a Observation, options: EventOptions) -> Self {
        let chain = |chain| Chain(if options.certificate_chain { chain } else { &[] });
        let offer = seen.offer.as_ref();
        Self {
            version: seen.version.map(Named),
            version_protocol: seen.version.map(ProtocolVersion::protocol),
            cipher: seen.cipher.map(Named),
            curve: seen.group.map(Named),
            resumed: seen.resumed,
            established: match seen.outcome {
                Outcome::Incomplete => None,
                outcome => Some(outcome == Outcome::Established),
            },
            next_protocol: seen.alpn.as_deref(),
            client: TlsClient {
                server_name: seen.server_name.as_deref(),
                supported_ciphers: offer
                    .map(|offer| NamedList(&offer.cipher_suites))
                    .filter(|suites| !suites.is_empty())
                    .map(Part::New),
                ja3: seen.ja3.map(FingerprintText),
                ja4: offer.and_then(|offer| offer.ja4).map(FingerprintText),
                leaf: seen.client_chain.first().map(|leaf| AnyLeaf::Facts(leaf)),
                certificate_chain: chain(&seen.client_chain),
            },
            server: TlsServer {
                ja3s: seen.ja3s.map(FingerprintText),
                leaf: seen.server_chain.first().map(|leaf| AnyLeaf::Facts(leaf)),
                certificate_chain: chain(&seen.server_chain),
            },
        }
    }
}

/// For `skip_serializing_if` on slices.
fn is_empty<T>(list: &&[T]) -> bool {
    list.is_empty()
}

#[cfg(test)]
mod tests;
