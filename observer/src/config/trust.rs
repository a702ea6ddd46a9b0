//! Trust bundles: whose certificates the agent holds for valid, and for which handshakes.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::service::{ServiceNames, check_name};
use super::values::{Count, FromText, Many, One, RevocationFetch, Span};
use crate::observation::Side;
use crate::verify::ExpectedName;
use crate::verify::revocation::fetch::{Allowed, NotAllowed};

/// One trust bundle: `[[trust]]` in the file, `NAME=FILE;KEY=VALUE;…` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct Trust {
    /// Its name in events.
    pub name: String,
    /// Files and directories with certificates of authorities.
    pub ca: Vec<PathBuf>,
    /// The authorities that this system trusts count, too.
    pub system_roots: bool,
    /// Files and directories with revocation lists.
    pub crl: Vec<PathBuf>,
    /// Names of which a client's certificate must have one; empty where any will do.
    pub expected_clients: Vec<ExpectedName>,
    /// What is fetched to know of revocation; `None` where nothing is.
    pub fetch: Option<Fetch>,
    /// For which handshakes it is.
    pub selector: Selector,
}

/// Fetching from the URLs that certificates name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The answers of OCSP responders.
    pub ocsp: bool,
    /// Revocation lists.
    pub crls: bool,
    /// What may be connected to; never empty.
    pub allow: Vec<Allowed>,
    /// How long one fetch may take, if other than usual.
    pub timeout: Option<Duration>,
    /// Bytes that a revocation list may have, if other than usual.
    pub max_bytes: Option<usize>,
}

/// Bytes of a fetched revocation list: up to 1 GiB.
type ListBytes = Count<1024, 1_073_741_824>;

/// Which certificates of which handshakes a bundle is for: those that match each of the keys that are not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Whose certificates; `None` for both sides'.
    pub side: Option<Side>,
    /// Names of listeners.
    pub services: Vec<String>,
    /// The server's address.
    pub addresses: Vec<Address>,
    /// The server's port.
    pub ports: Vec<Port>,
    /// The name that the client asked for.
    pub server_names: Vec<NamePattern>,
}

/// A TCP port.
pub type Port = Count<1, 65_535>;

/// A server's address: with its port, or on any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    ip: IpAddr,
    port: Option<u16>,
}

/// A name that a client asks for, or `*.` and the end of such names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    /// In lower case; without the `*` for all names that end so.
    text: String,
    is_suffix: bool,
}

/// What selects a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Whose certificate it is.
    pub side: Side,
    /// Who answered the ClientHello.
    pub server: SocketAddr,
    /// The name that the client asked for.
    pub server_name: Option<&'a str>,
}

impl Selector {
    /// Whether it selects some handshakes only.
    pub fn is_specific(&self) -> bool {
        let Self {
            side: _,
            services,
            addresses,
            ports,
            server_names,
        } = self;
        !(services.is_empty() && addresses.is_empty() && ports.is_empty() && server_names.is_empty())
    }

    /// Whether it selects `target`.
    pub fn matches(&self, target: &Target<'_>, services: &ServiceNames) -> bool {
        fn any<T>(choices: &[T], is_it: impl Fn(&T) -> bool) -> bool {
            choices.is_empty() || choices.iter().any(is_it)
        }
        let ip = target.server.ip().to_canonical();
        let port = target.server.port();
        self.side.is_none_or(|side| side == target.side)
            && any(&self.ports, |wanted| wanted.0 == u32::from(port))
            && any(&self.addresses, |wanted| {
                wanted.ip == ip && wanted.port.is_none_or(|wanted| wanted == port)
            })
            && any(&self.server_names, |wanted| {
                target.server_name.is_some_and(|name| wanted.matches(name))
            })
            && any(&self.services, |wanted| {
                services
                    .name(target.server)
                    .is_some_and(|name| **name == **wanted)
            })
    }
}

impl NamePattern {
    fn matches(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
        let pattern = self.text.as_bytes();
        let same = |name: &[u8]| name.eq_ignore_ascii_case(pattern);
        match name.len().checked_sub(pattern.len()) {
            Some(0) => !self.is_suffix && same(name),
            Some(before) => self.is_suffix && name.get(before..).is_some_and(same),
            None => false,
        }
    }
}

/// The keys as they stand in the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    #[serde(default)]
    ca: Many<PathBuf>,
    #[serde(default)]
    system_roots: bool,
    #[serde(default)]
    crl: Many<PathBuf>,
    #[serde(default)]
    expected_client: Many<ExpectedName>,
    side: Option<One<Side>>,
    #[serde(default)]
    service: Many<String>,
    #[serde(default)]
    address: Many<Address>,
    #[serde(default)]
    port: Many<Port>,
    #[serde(default)]
    server_name: Many<NamePattern>,
    revocation_fetch: Option<RevocationFetch>,
    #[serde(default)]
    revocation_allow: Many<Allowed>,
    revocation_timeout: Option<Span>,
    revocation_max_bytes: Option<ListBytes>,
}

impl Table {
    /// Sets a key from text; a list gets one item more.
    fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
        let value = match key {
            "ca" => self.ca.push(text),
            "system_roots" => bool::from_text(text).map(|value| self.system_roots = value),
            "crl" => self.crl.push(text),
            "expected_client" => self.expected_client.push(text),
            "side" => Side::from_text(text).map(|side| self.side = Some(One(side))),
            "service" => self.service.push(text),
            "address" => self.address.push(text),
            "port" => self.port.push(text),
            "server_name" => self.server_name.push(text),
            "revocation_fetch" => {
                RevocationFetch::from_text(text).map(|what| self.revocation_fetch = Some(what))
            }
            "revocation_allow" => self.revocation_allow.push(text),
            "revocation_timeout" => Span::from_text(text).map(|span| self.revocation_timeout = Some(span)),
            "revocation_max_bytes" => {
                ListBytes::from_text(text).map(|bytes| self.revocation_max_bytes = Some(bytes))
            }
            _ => Err("there is no such key".to_owned()),
        };
        value.map_err(|message| format!("trust {:?}: {key}: {message}", self.name))
    }

    /// What is fetched.
    fn fetch(&self) -> Result<Option<Fetch>, String> {
        let what = self.revocation_fetch.unwrap_or(RevocationFetch::Off);
        if what == RevocationFetch::Off {
            return Ok(None);
        }
        let allow = self.revocation_allow.0.clone();
        if allow.is_empty() {
            return Err(format!(
                "trust {:?}: revocation_fetch needs revocation_allow: name the hosts or networks to fetch from",
                self.name
            ));
        }
        Ok(Some(Fetch {
            ocsp: matches!(what, RevocationFetch::Ocsp | RevocationFetch::Both),
            crls: matches!(what, RevocationFetch::Crl | RevocationFetch::Both),
            allow,
            timeout: self.revocation_timeout.map(|span| span.0),
            max_bytes: self.revocation_max_bytes.map(|bytes| bytes.0 as usize),
        }))
    }
}

impl TryFrom<Table> for Trust {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        check_name("trust bundle", &table.name)?;
        let fetch = table.fetch()?;
        let Table { name, .. } = table;
        if table.ca.0.is_empty() && !table.system_roots {
            return Err(format!(
                "trust {name:?}: it trusts nobody; name files in ca, or set system_roots = true"
            ));
        }
        let side = table.side.map(|side| side.0);
        if side == Some(Side::Server) && !table.expected_client.0.is_empty() {
            return Err(format!(
                "trust {name:?}: expected_client is about clients, and side says server"
            ));
        }
        Ok(Self {
            name,
            ca: table.ca.0,
            system_roots: table.system_roots,
            crl: table.crl.0,
            expected_clients: table.expected_client.0,
            fetch,
            selector: Selector {
                side,
                services: table.service.0,
                addresses: table.address.0,
                ports: table.port.0,
                server_names: table.server_name.0,
            },
        })
    }
}

impl FromText for Trust {
    fn from_text(text: &str) -> Result<Self, String> {
        let (first, rest) = text.split_once(';').unwrap_or((text, ""));
        let (name, file) = match first.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (first, None),
        };
        let mut table = Table {
            name: name.to_owned(),
            ..Table::default()
        };
        if let Some(file) = file {
            table.set("ca", file)?;
        }
        for part in rest.split(';').filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!(
                    "{text:?} is not a trust bundle; write NAME=FILE or NAME;KEY=VALUE;KEY=VALUE"
                ));
            };
            table.set(key, value)?;
        }
        table.try_into()
    }
}

impl FromStr for Trust {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_text(text)
    }
}

impl FromText for Address {
    fn from_text(text: &str) -> Result<Self, String> {
        let with_port = text.parse().map(|address: SocketAddr| Self {
            ip: address.ip().to_canonical(),
            port: Some(address.port()),
        });
        let without = text.parse().map(|ip: IpAddr| Self {
            ip: ip.to_canonical(),
            port: None,
        });
        with_port
            .or(without)
            .map_err(|_| format!("{text:?} is not an address; write 10.0.0.1, 10.0.0.1:8443 or [::1]:8443"))
    }
}

impl FromText for NamePattern {
    fn from_text(text: &str) -> Result<Self, String> {
        let (name, is_suffix) = match text.strip_prefix('*') {
            Some(rest) if rest.starts_with('.') => (rest, true),
            _ => (text, false),
        };
        let labels = name.strip_prefix('.').filter(|_| is_suffix).unwrap_or(name);
        let valid = labels
            .split('.')
            .all(|label| !label.is_empty() && !label.contains(|c: char| c == '*' || c.is_whitespace()));
        if !valid || name.len() > 255 {
            return Err(format!(
                "{text:?} is not a server name; write api.example.com or *.example.com"
            ));
        }
        Ok(Self {
            text: name.to_ascii_lowercase(),
            is_suffix,
        })
    }
}

impl FromText for Allowed {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: NotAllowed| error.to_string())
    }
}

impl FromText for ExpectedName {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl FromText for Side {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "client" => Ok(Self::Client),
            "server" => Ok(Self::Server),
            _ => Err(format!("{text:?} is neither client nor server")),
        }
    }
}

#[cfg(test)]
mod tests;
