//! To which addresses the agent may go for CRLs and OCSP responses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The port of HTTP, which is meant where none is named.
const HTTP: u16 = 80;

/// Something that may be connected to. As text a network or address (`192.0.2.0/24`, `2001:db8::1`), or a host
/// (`crl.example.com`, or `*.example.com` for all below it), and behind a colon a port, if it is not 80; an IPv6 network
/// with a port stands in brackets (`[2001:db8::/32]:8080`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    place: Place,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Addresses whose first bits are those of this one, whatever name led there.
    Network(IpAddr, u8),
    /// Public addresses of this host; in lower case.
    Host(String),
    /// Public addresses of the hosts whose names end with this; in lower case, with the dot.
    HostsBelow(String),
}

/// Why a text does not say what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is none of: network, address, host name, each with or without a port")]
pub struct NotAllowed {
    text: String,
}

impl Allowed {
    /// Whether one may connect to `address`, which is an address of `host`, as a URL names it.
    ///
    /// A host that is allowed may not lead to an address that is not public: its name is in the hands of others.
    pub(super) fn allows(&self, host: &str, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let place = match &self.place {
            Place::Network(network, bits) => is_in(ip, *network, *bits),
            Place::Host(name) => host.eq_ignore_ascii_case(name) && is_public(ip),
            Place::HostsBelow(end) => host.to_ascii_lowercase().ends_with(end) && is_public(ip),
        };
        place && address.port() == self.port
    }
}

impl FromStr for Allowed {
    type Err = NotAllowed;

    fn from_str(text: &str) -> Result<Self, NotAllowed> {
        let (place, port) = split_port(text).unwrap_or((text, HTTP));
        let place = network(place).or_else(|| host(place));
        place.map(|place| Self { place, port }).ok_or_else(|| NotAllowed {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Network(network @ IpAddr::V6(_), bits) => write!(f, "[{network}/{bits}]:{}", self.port),
            Place::Network(network, bits) => write!(f, "{network}/{bits}:{}", self.port),
            Place::Host(name) => write!(f, "{name}:{}", self.port),
            Place::HostsBelow(end) => write!(f, "*{end}:{}", self.port),
        }
    }
}

/// Splits off the port. An IPv6 address without brackets has none.
fn split_port(text: &str) -> Option<(&str, u16)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (place, port) = rest.split_once(']')?;
        let port = match port {
            "" => HTTP,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        return Some((place, port));
    }
    let (place, port) = text.split_once(':')?;
    Some((place, port.parse().ok()?))
}

fn network(text: &str) -> Option<Place> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= most)?,
        None => most,
    };
    Some(Place::Network(address, bits))
}

fn host(text: &str) -> Option<Place> {
    let (text, below) = match text.strip_prefix('*') {
        Some(end) => (end.strip_prefix('.')?, true),
        None => (text, false),
    };
    let is_name = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // What ends in a number was meant to be an address.
    let last_is_number = text.rsplit('.').next()?.bytes().all(|byte| byte.is_ascii_digit());
    if last_is_number || !text.split('.').all(is_name) {
        return None;
    }
    let name = text.to_ascii_lowercase();
    Some(match below {
        true => Place::HostsBelow(format!(".{name}")),
        false => Place::Host(name),
    })
}

fn is_in(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    let differ = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => u32::from(ip) ^ u32::from(network),
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            return same_bits(u128::from(ip) ^ u128::from(network), bits);
        }
        _ => return false,
    };
    // The bits of IPv4 are the upper ones of the same comparison.
    same_bits(u128::from(differ) << 96, bits)
}

fn same_bits(difference: u128, bits: u8) -> bool {
    difference.leading_zeros() >= u32::from(bits)
}

/// Whether an address is one of the internet's, and not of this host, its link, a private network or a special purpose
/// (RFC 6890 and the registries that it makes).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let shared = a == 100 && b & 0xc0 == 64;
            let protocol = (a, b, c) == (192, 0, 0);
            let benchmark = a == 198 && b & 0xfe == 18;
            !(a == 0 || a >= 224 || shared || protocol || benchmark)
                && !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_documentation())
        }
        IpAddr::V6(ip) => {
            // Of 2000::/3, which is all that is global, less the documentation's, and what tunnels IPv4.
            match ip.segments() {
                [0x2001, 0xdb8 | 0..0x200, ..] | [0x2002 | 0x3fff, ..] => false,
                [first, ..] => first & 0xe000 == 0x2000,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowed: &str, host: &str, address: &str) -> bool {
        let allowed: Allowed = allowed.parse().unwrap();
        assert_eq!(allowed.to_string().parse(), Ok(allowed.clone()));
        allowed.allows(host, address.parse().unwrap())
    }

    #[test]
    fn networks_allow_their_addresses_by_any_name() {
        assert!(allows("10.1.0.0/16", "any.example", "10.1.2.3:80"));
        assert!(!allows("10.1.0.0/16", "any.example", "10.2.2.3:80"));
        assert!(!allows("10.1.0.0/16", "any.example", "10.1.2.3:8080"));
        assert!(allows("10.1.2.3:8080", "10.1.2.3", "10.1.2.3:8080"));
        assert!(!allows("10.1.2.3", "x", "10.1.2.2:80"));
        assert!(allows("0.0.0.0/0", "x", "127.0.0.1:80"));
        assert!(!allows("0.0.0.0/0", "x", "[::1]:80"));
        assert!(allows("[2001:db8::/32]:8080", "x", "[2001:db8:1::1]:8080"));
        assert!(allows("2001:db8::1", "x", "[2001:db8::1]:80"));
        assert!(!allows("2001:db8::1", "x", "[2001:db8::2]:80"));
        // An IPv4 address in the form of IPv6 is the IPv4 address.
        assert!(allows("127.0.0.1", "x", "[::ffff:127.0.0.1]:80"));
        assert!(!allows("::/0", "x", "[::ffff:127.0.0.1]:80"));
    }

    #[test]
    fn hosts_allow_only_their_public_addresses() {
        assert!(allows("crl.example.com", "CRL.example.com", "93.184.215.14:80"));
        assert!(!allows("crl.example.com", "example.com", "93.184.215.14:80"));
        assert!(allows(
            "*.example.com:8080",
            "a.b.example.com",
            "93.184.215.14:8080"
        ));
        assert!(!allows("*.example.com", "example.com", "93.184.215.14:80"));
        assert!(!allows("*.example.com", "badexample.com", "93.184.215.14:80"));
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.0.1",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[::ffff:10.0.0.1]",
            "[2002:a00:1::]",
            "[64:ff9b::a00:1]",
        ] {
            assert!(
                !allows("a.example", "a.example", &format!("{address}:80")),
                "{address}"
            );
        }
        assert!(allows("a.example", "a.example", "[2606:4700::1]:80"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0",
            "10.0.0.256",
            "::/129",
            "a.example:http",
            "a..example",
            "*",
            "*example.com",
            "http://a.example",
            "a.example/b",
            "[::1",
            "[::1]80",
            "10.0.0.1:99999",
            "a b",
        ] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
