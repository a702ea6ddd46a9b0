//! The certificate inventory as JSON: what `/certificates` answers. The doc comments of these types are its reference.

pub mod table;

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use super::event::certificate::Leaf;
use super::event::time::Time;
use super::json;
use super::words::Worded;
use crate::observation::Side;
use crate::verify::{Revocation, Status};
use crate::watch::inventory::{Entry, Inventory, Place};

/// The whole inventory.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// When it was written.
    time: Time,
    /// How many certificates there is room for.
    capacity: usize,
    /// How many left to make room since the agent started.
    forgotten: u64,
    /// Those that end first come first; those without an end come last.
    certificates: Vec<Certificate<'a>>,
}

/// A leaf certificate, as one side showed it.
#[derive(Debug, Serialize)]
struct Certificate<'a> {
    /// Who showed it.
    side: Worded<Side>,
    first_seen: Time,
    last_seen: Time,
    /// Handshakes that showed it.
    handshakes: u64,
    /// Those of them in which the peer refused it.
    refusals: u64,
    /// The agent's latest judgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// Servers that showed it, or to which it was shown, the latest first.
    places: Vec<Shown<'a>>,
    /// There were more places.
    more_places: bool,
    /// The certificate, as in events.
    #[serde(flatten)]
    leaf: Leaf<'a>,
}

#[derive(Debug, Serialize)]
struct Verdict {
    status: Worded<Status>,
    revocation: Worded<Revocation>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    ip: IpAddr,
    port: u16,
    /// The name that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    handshakes: u64,
    last_seen: Time,
}

/// Appends the inventory as one JSON object on a line.
pub fn write(inventory: &Inventory, now: Timestamp, out: &mut Vec<u8>) {
    let mut entries: Vec<_> = inventory.entries().collect();
    entries.sort_by_key(|entry| {
        let end = entry.leaf.not_after.unwrap_or(i64::MAX);
        (
            end,
            &entry.leaf.subject,
            entry.leaf.sha256,
            entry.side == Side::Client,
        )
    });
    let document = Document {
        time: Time::from_nanos(u64::try_from(now.as_nanosecond()).unwrap_or(0)),
        capacity: inventory.capacity(),
        forgotten: inventory.forgotten(),
        certificates: entries.into_iter().map(Certificate::of).collect(),
    };
    json::write(&document, out);
}

impl<'a> Certificate<'a> {
    fn of(entry: &'a Entry) -> Self {
        let mut places: Vec<_> = entry.places.iter().collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.last_ns));
        Self {
            side: Worded(entry.side),
            first_seen: Time::from_nanos(entry.first_ns),
            last_seen: Time::from_nanos(entry.last_ns),
            handshakes: entry.handshakes,
            refusals: entry.refusals,
            verdict: entry.verdict.map(|(status, revocation)| Verdict {
                status: Worded(status),
                revocation: Worded(revocation),
            }),
            places: places.into_iter().map(Shown::of).collect(),
            more_places: entry.more_places,
            leaf: Leaf::new(&entry.leaf),
        }
    }
}

impl<'a> Shown<'a> {
    fn of(place: &'a Place) -> Self {
        Self {
            ip: place.server.ip().to_canonical(),
            port: place.server.port(),
            server_name: place.server_name.as_deref(),
            handshakes: place.handshakes,
            last_seen: Time::from_nanos(place.last_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::observation::Observation;
    use crate::output::samples;

    fn document(observations: &[Observation]) -> Value {
        let mut inventory = Inventory::new(4096, 0);
        for seen in observations {
            inventory.observe(seen, seen.time_ns + seen.duration_ns);
        }
        let mut out = Vec::new();
        write(
            &inventory,
            Timestamp::from_second(1_700_000_100).unwrap(),
            &mut out,
        );
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_empty_inventory() {
        let wanted = json!({
            "time": "2023-11-14T22:15:00.000000Z",
            "capacity": 4096,
            "forgotten": 0,
            "certificates": [],
        });
        assert_eq!(document(&[]), wanted);
    }

    #[test]
    fn a_certificate_has_its_fields_of_events_and_what_became_of_it() {
        let found = document(&[samples::refused_client()]);
        let client = &found["certificates"][0];
        assert_eq!(client["side"], "client");
        assert_eq!(client["subject"], "CN=alice,O=Example");
        assert_eq!(client["hash"]["sha256"], "AB".repeat(32));
        assert_eq!(client["x509"]["serial_number"], "00F1");
        assert_eq!(client["not_after"], "2024-11-13T22:13:20Z");
        assert_eq!(
            (&client["handshakes"], &client["refusals"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(
            client["verdict"],
            json!({ "status": "expired", "revocation": "not_checked" })
        );
        assert_eq!(client["first_seen"], "2023-11-14T22:13:20.126456Z");
        assert_eq!(
            client["places"],
            json!([{
                "ip": "10.0.0.1",
                "port": 8443,
                "server_name": "api.example.com",
                "handshakes": 1,
                "last_seen": "2023-11-14T22:13:20.126456Z",
            }])
        );
        assert_eq!(client["more_places"], false);
    }

    #[test]
    fn those_that_end_first_come_first() {
        let ending = |number: u8, not_after| {
            let mut leaf = (*samples::certificate("x")).clone();
            (leaf.sha256[0], leaf.not_after) = (number, not_after);
            Observation {
                server_chain: vec![Arc::new(leaf)],
                client_chain: vec![],
                ..samples::refused_client()
            }
        };
        let found = document(&[
            ending(1, None),
            ending(2, Some(50)),
            ending(3, Some(-7)),
            ending(4, Some(60)),
        ]);
        let order = found["certificates"].as_array().unwrap().iter();
        let order: Vec<_> = order
            .map(|one| one["hash"]["sha256"].as_str().unwrap()[..2].to_owned())
            .collect();
        assert_eq!(order, ["03", "02", "04", "01"]);
    }
}
