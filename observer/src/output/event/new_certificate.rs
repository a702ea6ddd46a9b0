//! The event of a certificate that is new to a name.

use schemars::JsonSchema;
use serde::Serialize;

use super::certificate::Leaf;
use super::text::Id;
use super::time::Time;
use super::{Category, Endpoint, Kind, ecs_words};
use crate::observation::Side;
use crate::output::words::{Word, Worded};
use crate::report::NewCertificate;

/// A certificate was shown whose issuer or serial number was not seen before for its name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewCertificateEvent<'a> {
    /// When the handshake ended that showed it; RFC 3339 in UTC with microseconds.
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    /// What kind of event this is.
    pub event: About,
    /// Who sent the ClientHello.
    pub client: Endpoint,
    /// Who answered it.
    pub server: Endpoint,
    /// The same as `client`.
    pub source: Endpoint,
    /// The same as `server`.
    pub destination: Endpoint,
    /// What was shown.
    pub tls: Tls<'a>,
    /// What is new about it.
    pub certificate: News<'a>,
}

/// ECS `event.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewCertificateEventFields")]
pub struct About {
    /// Always "event".
    pub kind: Worded<Kind>,
    /// Always "network".
    pub category: [Worded<Category>; 1],
    /// Always "info".
    #[serde(rename = "type")]
    pub types: [Worded<NewsType>; 1],
    /// Always "tls-certificate-new".
    pub action: Worded<NewsAction>,
    /// The id of the handshake.
    pub id: Id,
}

ecs_words! {
    /// ECS `event.type`.
    NewsType { Info = "info" }
    /// ECS `event.action`.
    NewsAction { CertificateNew = "tls-certificate-new" }
    /// What may be new about a certificate.
    NewPart { Issuer = "issuer", Serial = "serial" }
}

/// ECS `tls.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewCertificateTls")]
pub struct Tls<'a> {
    /// The client's side.
    #[serde(skip_serializing_if = "TlsClient::is_empty")]
    pub client: TlsClient<'a>,
    /// The server's leaf certificate, if that is the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Leaf<'a>>,
}

/// ECS `tls.client.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewCertificateTlsClient")]
pub struct TlsClient<'a> {
    /// The name that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<&'a str>,
    /// The client's leaf certificate, if that is the new one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<Leaf<'a>>,
}

impl TlsClient<'_> {
    fn is_empty(&self) -> bool {
        self.server_name.is_none() && self.leaf.is_none()
    }
}

/// What is new.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CertificateNews")]
pub struct News<'a> {
    /// Who showed it.
    pub side: Worded<Side>,
    /// For which name: of a server the one asked for, else its own; of a client its SPIFFE id, else its subject.
    pub name: &'a str,
    /// What was not seen before.
    pub new: Vec<Worded<NewPart>>,
    /// The certificate that was new before it; absent when this is the first for its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous<'a>>,
}

/// The certificate that was new before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PreviousCertificate")]
pub struct Previous<'a> {
    /// Distinguished name of its issuer (RFC 4514).
    pub issuer: &'a str,
    /// Its serial number in uppercase hex.
    pub serial_number: &'a str,
}

impl<'a> NewCertificateEvent<'a> {
    /// The event that tells of `new`.
    pub fn new(new: &'a NewCertificate) -> Self {
        let (client, server) = (Endpoint::from(new.client), Endpoint::from(new.server));
        let leaf = |side| (new.side == side).then(|| Leaf::new(&new.leaf));
        Self {
            timestamp: Time::from_nanos(new.time_ns),
            event: About {
                kind: Worded(Kind::Event),
                category: [Worded(Category::Network)],
                types: [Worded(NewsType::Info)],
                action: Worded(NewsAction::CertificateNew),
                id: Id(new.handshake),
            },
            client,
            server,
            source: client,
            destination: server,
            tls: Tls {
                client: TlsClient {
                    server_name: new.server_name.as_deref(),
                    leaf: leaf(Side::Client),
                },
                server: leaf(Side::Server),
            },
            certificate: News {
                side: Worded(new.side),
                name: &new.name,
                new: NewPart::of(new).map(Worded).collect(),
                previous: new.previous.as_ref().map(|previous| Previous {
                    issuer: &previous.issuer,
                    serial_number: &previous.serial_number,
                }),
            },
        }
    }
}

impl NewPart {
    /// What is new about a certificate.
    pub fn of(new: &NewCertificate) -> impl Iterator<Item = Self> {
        let issuer = new.new_issuer.then_some(Self::Issuer);
        issuer.into_iter().chain(new.new_serial.then_some(Self::Serial))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::samples;

    #[test]
    fn a_server_with_another_issuer() {
        let new = samples::new_certificate();
        let event = serde_json::to_value(NewCertificateEvent::new(&new)).unwrap();
        assert_eq!(
            event["event"],
            json!({
                "kind": "event",
                "category": ["network"],
                "type": ["info"],
                "action": "tls-certificate-new",
                "id": "11".repeat(16),
            })
        );
        assert_eq!(
            event["certificate"],
            json!({
                "side": "server",
                "name": "api.example.com",
                "new": ["issuer", "serial"],
                "previous": { "issuer": "CN=Old CA", "serial_number": "0A" },
            })
        );
        assert_eq!(event["server"], json!({ "ip": "10.0.0.1", "port": 8443 }));
        assert_eq!(event["destination"], event["server"]);
        assert_eq!(
            event["tls"]["client"],
            json!({ "server_name": "api.example.com" })
        );
        assert_eq!(event["tls"]["server"]["x509"]["serial_number"], "00F1");
    }

    #[test]
    fn a_client_that_was_never_seen() {
        let new = NewCertificate {
            side: Side::Client,
            server_name: None,
            new_serial: false,
            previous: None,
            ..samples::new_certificate()
        };
        let event = serde_json::to_value(NewCertificateEvent::new(&new)).unwrap();
        assert_eq!(event["certificate"]["new"], json!(["issuer"]));
        assert!(event["certificate"].get("previous").is_none());
        assert_eq!(event["tls"]["client"]["subject"], "CN=server,O=Example");
        assert!(event["tls"].get("server").is_none());
    }
}
