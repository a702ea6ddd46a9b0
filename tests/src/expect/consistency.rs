//! What must hold between the fields of every event.

use std::net::{IpAddr, SocketAddr};

use data_encoding::BASE64;
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::events::at;

/// Each way in which the fields of `event` contradict one another.
pub(super) fn faults(event: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (copy, original) in [("source", "client"), ("destination", "server")] {
        if event.get(copy) != event.get(original) {
            faults.push(format!("{copy} differs from {original}"));
        }
    }
    let endpoint = |side: &str| -> Option<SocketAddr> {
        let ip = at(event, &format!("{side}.ip")).as_str()?.parse().ok()?;
        Some(SocketAddr::new(
            ip,
            u16::try_from(at(event, &format!("{side}.port")).as_u64()?).ok()?,
        ))
    };
    if let (Some(client), Some(server)) = (endpoint("client"), endpoint("server")) {
        let id = community_id(client, server);
        if at(event, "network.community_id") != &id {
            faults.push(format!("network.community_id: expected {id}"));
        }
    }
    let steps = ["server_hello", "client_flight", "finished"]
        .map(|step| at(event, &format!("handshake.timings.{step}")).as_u64());
    let taken: Vec<_> = steps.into_iter().flatten().collect();
    if !taken.is_sorted() {
        faults.push("handshake.timings: out of order".to_owned());
    }
    faults
}

/// Community ID, version 1, seed 0, of a TCP connection: base64 of SHA-1 over seed, ordered endpoints and protocol.
fn community_id(one: SocketAddr, other: SocketAddr) -> String {
    let (low, high) = if (one.ip(), one.port()) <= (other.ip(), other.port()) {
        (one, other)
    } else {
        (other, one)
    };
    let octets = |address: SocketAddr| match address.ip() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut bytes = vec![0, 0];
    bytes.extend(octets(low));
    bytes.extend(octets(high));
    bytes.extend([6, 0]);
    bytes.extend(low.port().to_be_bytes());
    bytes.extend(high.port().to_be_bytes());
    format!("1:{}", BASE64.encode(&Sha1::digest(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::community_id;

    #[test]
    fn community_id_of_a_published_example() {
        // The baseline TCP example of the Community ID specification.
        let (client, server) = (
            "128.232.110.120:34855".parse().unwrap(),
            "66.35.250.204:80".parse().unwrap(),
        );
        assert_eq!(community_id(client, server), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(server, client), community_id(client, server));
    }
}
