//! Names that the operator gives to listeners: the `service` label of the metrics.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use super::values::FromText;

/// One named listener: `[[service]]` in the file, `NAME=ADDRESS:PORT` or `NAME=PORT` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct Service {
    /// The label's value.
    pub name: String,
    /// Which listeners it names.
    pub listener: Listener,
}

/// Which listeners a [`Service`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// The one on this address.
    Address(SocketAddr),
    /// Those on this port, whatever their address.
    Port(u16),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    address: Option<SocketAddr>,
    port: Option<u16>,
}

impl TryFrom<Table> for Service {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let listener = match (table.address, table.port) {
            (Some(address), None) => Listener::Address(address),
            (None, Some(port)) => Listener::Port(port),
            _ => return Err("a service takes either address = \"10.0.0.1:8443\" or port = 8443".into()),
        };
        Self::new(table.name, listener)
    }
}

impl Service {
    fn new(name: String, listener: Listener) -> Result<Self, String> {
        check_name("service", &name)?;
        Ok(Self { name, listener })
    }
}

/// Whether events and labels can show `name`, that of a `what`.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 64 || name.contains(char::is_control) {
        return Err(format!(
            "{name:?} is not a {what} name: 1 to 64 bytes without control characters"
        ));
    }
    Ok(())
}

/// The names of listeners by where they listen: an address beats a port.
#[derive(Clone, Debug, Default)]
pub struct ServiceNames {
    addresses: HashMap<SocketAddr, Arc<str>>,
    ports: HashMap<u16, Arc<str>>,
}

impl ServiceNames {
    /// Those of `services`.
    pub fn new(services: &[Service]) -> Self {
        let mut names = Self::default();
        for service in services {
            let name: Arc<str> = service.name.as_str().into();
            match service.listener {
                Listener::Address(address) => names.addresses.insert(canonical(address), name),
                Listener::Port(port) => names.ports.insert(port, name),
            };
        }
        names
    }

    /// Whether no listener has a name.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.ports.is_empty()
    }

    /// The name of the listener on `server`.
    pub fn name(&self, server: SocketAddr) -> Option<&Arc<str>> {
        self.addresses
            .get(&canonical(server))
            .or_else(|| self.ports.get(&server.port()))
    }

    /// Every name, once for each of its listeners.
    pub fn all(&self) -> impl Iterator<Item = &Arc<str>> {
        self.addresses.values().chain(self.ports.values())
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl FromText for Service {
    fn from_text(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('=').and_then(|(name, listener)| {
            let address = listener.parse().map(Listener::Address);
            let listener = address.or_else(|_| listener.parse().map(Listener::Port)).ok()?;
            Some((name.to_owned(), listener))
        });
        let Some((name, listener)) = parsed else {
            return Err(format!(
                "{text:?} is not a service; write NAME=ADDRESS:PORT or NAME=PORT"
            ));
        };
        Self::new(name, listener)
    }
}

impl FromStr for Service {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_an_address_or_a_port() {
        let api = Service::from_text("api=10.0.0.1:8443").unwrap();
        assert_eq!(api.listener, Listener::Address("10.0.0.1:8443".parse().unwrap()));
        assert_eq!(
            Service::from_text("mail=465").unwrap().listener,
            Listener::Port(465)
        );
        for text in ["api", "=443", "api=", "api=host:1", "api=70000"] {
            assert!(Service::from_text(text).is_err(), "{text}");
        }
    }
}
