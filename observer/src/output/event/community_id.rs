//! Community ID, version 1: a flow's name that other tools (Zeek, Suricata, Elastic) compute alike.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const TCP: u8 = 6;
const PADDING: u8 = 0;

/// The id of the TCP connection between two ends, with seed 0. The order of the ends does not matter.
pub fn community_id(one: SocketAddr, other: SocketAddr) -> String {
    let (one, other) = (plain(one), plain(other));
    let (lower, upper) = if one <= other { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update(0_u16.to_be_bytes());
    for ip in [lower.0, upper.0] {
        match ip {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([TCP, PADDING]);
    hash.update(lower.1.to_be_bytes());
    hash.update(upper.1.to_be_bytes());
    let mut id = String::with_capacity(30);
    // Writing to a string cannot fail.
    let _ = write!(id, "1:{}", Base64Display::new(&hash.finalize(), &STANDARD));
    id
}

/// Address and port, IPv4-mapped addresses as IPv4.
fn plain(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(one: &str, other: &str) -> String {
        community_id(one.parse().unwrap(), other.parse().unwrap())
    }

    /// The specification's published baseline, seed 0.
    #[test]
    fn published_examples() {
        let wanted = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
        assert_eq!(id("128.232.110.120:34855", "66.35.250.204:80"), wanted);
        assert_eq!(id("66.35.250.204:80", "128.232.110.120:34855"), wanted);
        assert_eq!(id("[::ffff:66.35.250.204]:80", "128.232.110.120:34855"), wanted);
        let wanted = "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=";
        assert_eq!(
            id(
                "[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943",
                "[2607:f8b0:400c:c03::1a]:25"
            ),
            wanted
        );
    }

    #[test]
    fn ports_decide_between_equal_addresses() {
        assert_eq!(
            id("127.0.0.1:1000", "127.0.0.1:443"),
            id("127.0.0.1:443", "127.0.0.1:1000")
        );
    }
}
