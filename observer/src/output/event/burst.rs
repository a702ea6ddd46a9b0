//! The event of a refusal burst.

use std::fmt::{self, Display};
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::certificate::Leaf;
use super::text::Id;
use super::time::Time;
use super::{Category, Endpoint, Type, ecs_words};
use crate::observation::{Reason, Side};
use crate::output::words::{Word, Worded};
use crate::report::{Network, RefusalBurst, Refused};

/// Clients of one source, or all that show one certificate, are refused again and again. There is one such event when the
/// configured rate is passed, and no other before the burst is over.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusalBurstEvent")]
pub struct BurstEvent<'a> {
    /// When the refusal was seen that passed the rate; RFC 3339 in UTC with microseconds.
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    /// What kind of event this is.
    pub event: About,
    /// Where the clients come from; absent when a certificate is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The certificate that is refused; absent when a source is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls<'a>>,
    /// How often, why and by whom.
    pub refusals: Refusals,
}

/// ECS `event.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusalBurstEventFields")]
pub struct About {
    /// Always "alert": the agent concluded this from many events.
    pub kind: Worded<BurstKind>,
    /// Always "network".
    pub category: [Worded<Category>; 1],
    /// Always "denied".
    #[serde(rename = "type")]
    pub types: [Worded<Type>; 1],
    /// Always "tls-refusal-burst".
    pub action: Worded<BurstAction>,
    /// The id of the handshake that passed the rate.
    pub id: Id,
}

ecs_words! {
    /// ECS `event.kind`.
    BurstKind { Alert = "alert" }
    /// ECS `event.action`.
    BurstAction { RefusalBurst = "tls-refusal-burst" }
    /// What was counted.
    RefusalsBy { Source = "source", Certificate = "certificate" }
}

/// ECS `source.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusedSource")]
pub struct Source {
    /// The last client.
    pub ip: IpAddr,
    /// What was counted as one: that address, or the /64 of a global IPv6 address, as "2001:db8::/64".
    pub address: String,
}

/// ECS `tls.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefusedTls")]
pub struct Tls<'a> {
    /// The client's leaf certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Leaf<'a>>,
    /// The server's leaf certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Leaf<'a>>,
}

/// How often, why and by whom.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Refusals {
    /// What was counted: refusals of a source, or of a certificate.
    pub by: Worded<RefusalsBy>,
    /// Refusals within the window.
    pub count: u32,
    /// Refusals since `first`.
    pub total: u64,
    /// The count from which on it is a burst.
    pub threshold: u32,
    /// Length of the window in nanoseconds.
    pub window: u64,
    /// The first of the refusals that followed each other with less than a window between them.
    pub first: Time,
    /// The last one.
    pub last: Time,
    /// The most frequent of their reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Worded<Reason>>,
    /// The servers that the clients spoke to, the first eight of them.
    pub servers: Vec<Endpoint>,
    /// Whether there were more servers.
    pub more_servers: bool,
}

impl<'a> BurstEvent<'a> {
    /// The event that tells of `burst`.
    pub fn new(burst: &'a RefusalBurst) -> Self {
        let (source, tls) = match &burst.refused {
            Refused::Source { client, network } => {
                let source = Source {
                    ip: *client,
                    address: network.to_string(),
                };
                (Some(source), None)
            }
            Refused::Certificate { side, leaf } => (None, Some(Tls::new(*side, Leaf::new(leaf)))),
        };
        let time = Time::from_nanos(burst.time_ns);
        Self {
            timestamp: time,
            event: About {
                kind: Worded(BurstKind::Alert),
                category: [Worded(Category::Network)],
                types: [Worded(Type::Denied)],
                action: Worded(BurstAction::RefusalBurst),
                id: Id(burst.handshake),
            },
            source,
            tls,
            refusals: Refusals {
                by: Worded(RefusalsBy::of(&burst.refused)),
                count: burst.count,
                total: burst.total,
                threshold: burst.rate.count,
                window: u64::try_from(burst.rate.window.as_nanos()).unwrap_or(u64::MAX),
                first: Time::from_nanos(burst.first_ns),
                last: time,
                reason: burst.reason.map(Worded),
                servers: burst.servers.iter().copied().map(Endpoint::from).collect(),
                more_servers: burst.more_servers,
            },
        }
    }
}

impl RefusalsBy {
    /// What `refused` is.
    pub fn of(refused: &Refused) -> Self {
        match refused {
            Refused::Source { .. } => Self::Source,
            Refused::Certificate { .. } => Self::Certificate,
        }
    }
}

impl<'a> Tls<'a> {
    /// The leaf of one side.
    pub fn new(side: Side, leaf: Leaf<'a>) -> Self {
        let (client, server) = match side {
            Side::Client => (Some(leaf), None),
            Side::Server => (None, Some(leaf)),
        };
        Self { client, server }
    }
}

/// An address, or as many as a prefix has, as `2001:db8::/64`.
impl Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let single = if self.address.is_ipv4() { 32 } else { 128 };
        if self.prefix == single {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::samples;

    fn value(burst: &RefusalBurst) -> serde_json::Value {
        serde_json::to_value(BurstEvent::new(burst)).unwrap()
    }

    #[test]
    fn a_refused_source() {
        let wanted = json!({
            "@timestamp": "2023-11-14T22:13:20.123456Z",
            "event": {
                "kind": "alert",
                "category": ["network"],
                "type": ["denied"],
                "action": "tls-refusal-burst",
                "id": "11".repeat(16),
            },
            "source": { "ip": "2001:db8::1:2", "address": "2001:db8::/64" },
            "refusals": {
                "by": "source",
                "count": 20,
                "total": 24,
                "threshold": 20,
                "window": 10_000_000_000_u64,
                "first": "2023-11-14T22:13:11.000000Z",
                "last": "2023-11-14T22:13:20.123456Z",
                "reason": "client_certificate_expired",
                "servers": [{ "ip": "10.0.0.1", "port": 8443 }],
                "more_servers": false,
            },
        });
        assert_eq!(value(&samples::refused_source()), wanted);
    }

    #[test]
    fn a_refused_certificate() {
        let event = value(&samples::refused_certificate());
        assert_eq!(event["refusals"]["by"], "certificate");
        let client = &event["tls"]["client"];
        assert_eq!(client["subject"], "CN=alice,O=Example");
        assert_eq!(client["issuer"], "CN=Example CA");
        assert_eq!(client["hash"]["sha256"], "AB".repeat(32));
        assert!(event.get("source").is_none() && event["tls"].get("server").is_none());
    }
}
