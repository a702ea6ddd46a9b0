//! The scenarios, by theme.

mod broken;
mod fronted;
mod mutual;
mod offers;
mod resumption;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::openssl::{self, Heard};
use super::stage::{Stage, local};
use super::{Account, Scenario};
use crate::peers::{ClientAuth, rustls, tls::Offer};
use crate::pki::{Leaf, Pki, SERVER_NAME};

/// Every scenario.
pub fn all() -> Vec<Scenario> {
    [
        mutual::scenarios(),
        offers::scenarios(),
        resumption::scenarios(),
        fronted::scenarios(),
        broken::scenarios(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How a handshake is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Both finish, and the server answers the client.
    Established,
    /// `client` or `server` refuses for a reason of the events' vocabulary, with this alert.
    Rejected(&'static str, &'static str, u8),
}

impl Ending {
    /// As paths of an event.
    fn put(self, event: &mut Map<String, Value>) {
        let mut put = |path: &str, value: Value| drop(event.insert(path.into(), value));
        match self {
            Self::Established => {
                put("handshake.outcome", "established".into());
                put("tls.established", true.into());
            }
            Self::Rejected(by, reason, _) => {
                put("handshake.outcome", "rejected".into());
                put("handshake.rejected_by", by.into());
                put("handshake.reason", reason.into());
                put("tls.established", false.into());
            }
        }
    }

    /// Fails unless the peers say so too.
    fn check(self, heard: &Heard) -> Result<()> {
        let agreed = match self {
            Self::Established => heard.answered,
            Self::Rejected(by, _, code) => !heard.answered && heard.has_alert(by == "client", code),
        };
        ensure!(agreed, "expected {self:?}, and the peers say: {heard:#?}");
        Ok(())
    }
}

/// A handshake between OpenSSL's client and a server, as a table row.
#[derive(Clone)]
struct Plan {
    name: String,
    about: String,
    /// Arguments of either side, of the server and of the client.
    both: &'static [&'static str],
    server: &'static [&'static str],
    client: &'static [&'static str],
    /// The client renegotiates once established.
    renegotiates: bool,
    port: u16,
    ipv6: bool,
    auth: ClientAuth,
    /// The certificate that the client has.
    certificate: Option<fn(&Pki) -> &Leaf>,
    /// A rustls server with this offer instead of OpenSSL's.
    rustls: Option<Offer>,
    /// Name that the client asks for.
    server_name: Option<&'static str>,
    ending: Ending,
    /// `handshake.client_certificate`.
    state: &'static str,
    /// The server's certificate is that of [`Pki::server`] and is sent in plaintext.
    shows_server: bool,
    /// Further paths of the event.
    further: &'static [(&'static str, &'static str)],
}

impl Plan {
    fn new(name: &str, about: &str) -> Self {
        Self {
            name: name.into(),
            about: about.into(),
            both: &[],
            server: &[],
            client: &[],
            renegotiates: false,
            port: 443,
            ipv6: false,
            auth: ClientAuth::None,
            certificate: None,
            rustls: None,
            server_name: Some(SERVER_NAME),
            ending: Ending::Established,
            state: "not_requested",
            shows_server: false,
            further: &[],
        }
    }

    /// The scenario of this one handshake.
    fn scenario(self) -> Scenario {
        Scenario {
            name: self.name.clone(),
            about: self.about.clone(),
            play: Box::new(move |stage| self.play(stage)),
        }
    }

    fn play(&self, stage: &Stage<'_>) -> Result<Account> {
        let address = if self.ipv6 {
            std::net::SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), self.port)
        } else {
            local(self.port)
        };
        let arguments = [self.both, self.server].concat();
        let _server = match &self.rustls {
            None => openssl::serve(stage, address, self.auth, &arguments)?,
            Some(offer) => {
                let mut command = rustls::server(stage.pki(), address, offer, self.auth)?;
                stage.place().serve(command.args(self.server), address)?
            }
        };
        let heard = self.call(stage, address, &[])?;
        let mut messages = openssl::plaintext(&heard.logged);
        if self.rustls.is_none() {
            // Either side knows best what it has sent: what the other has not read before it left is in no log of its.
            messages.retain(|told| told.from_client);
            let theirs = openssl::plaintext(&openssl::server_log(stage)?);
            messages.extend(theirs.into_iter().filter(|told| !told.from_client));
        }
        let mut events = vec![self.event(stage, &heard)?];
        if self.renegotiates {
            let mut second = Map::new();
            self.ending.put(&mut second);
            events.push(second);
        }
        Ok(Account {
            peers: self.peers(stage),
            port: self.port,
            events,
            messages: Some(messages),
        })
    }

    /// Runs the client of this plan.
    fn call(&self, stage: &Stage<'_>, address: std::net::SocketAddr, further: &[&str]) -> Result<Heard> {
        let files = self.certificate.map(|choose| &choose(stage.pki()).files);
        let identity: Vec<String> = files.map_or(Vec::new(), |files| {
            let path = |path: &std::path::Path| path.display().to_string();
            vec![
                "-cert".into(),
                path(&files.certificate),
                "-key".into(),
                path(&files.key),
            ]
        });
        let mut arguments: Vec<&str> = match self.server_name {
            Some(name) => vec!["-servername", name],
            None => vec!["-noservername"],
        };
        arguments.extend(identity.iter().map(String::as_str));
        arguments.extend([self.both, self.client, further].concat());
        openssl::call(stage, address, &arguments, self.renegotiates)
    }

    /// The event that the peers' words make.
    fn event(&self, stage: &Stage<'_>, heard: &Heard) -> Result<Map<String, Value>> {
        self.ending.check(heard)?;
        let mut event = heard.negotiated(stage);
        self.ending.put(&mut event);
        let is_tls13 = event.get("tls.version").is_some_and(|version| version == "1.3");
        if let Some(name) = self.server_name {
            event.insert("tls.client.server_name".into(), name.into());
        }
        event.insert("handshake.client_certificate".into(), self.state.into());
        if !is_tls13 && self.shows_server {
            event.insert(
                "tls.server.hash.sha256".into(),
                stage.pki().server.sha256.clone().into(),
            );
        }
        if let Some(choose) = self.certificate.filter(|_| !is_tls13 && self.state == "sent") {
            event.insert(
                "tls.client.hash.sha256".into(),
                choose(stage.pki()).sha256.clone().into(),
            );
        }
        for (path, value) in self.further {
            let value = serde_json::from_str(value).with_context(|| (*value).to_owned())?;
            event.insert((*path).into(), value);
        }
        Ok(event)
    }

    fn peers(&self, stage: &Stage<'_>) -> String {
        let openssl = &stage.materials.openssl;
        let server = match self.rustls {
            None => format!("openssl s_server {openssl}"),
            Some(_) => RUSTLS.to_owned(),
        };
        format!("openssl s_client {openssl}, {server}")
    }
}

/// The rustls peer.
const RUSTLS: &str = "rustls 0.23 (ring)";
