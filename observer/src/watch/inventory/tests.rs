//! What is kept of a certificate, and which ones leave.

use super::*;
use crate::observation::{CertificateFault, Reason};
use crate::output::samples;
use crate::output::words::Word as _;

const SECOND: u64 = 1_000_000_000;

fn leaf(number: u32, der_bytes: usize) -> Arc<CertificateFacts> {
    let mut facts = (*samples::certificate(&format!("n{number}"))).clone();
    facts.sha256[..4].copy_from_slice(&number.to_be_bytes());
    facts.der = vec![0; der_bytes].into();
    Arc::new(facts)
}

fn served(leaf: &Arc<CertificateFacts>) -> Observation {
    Observation {
        outcome: Outcome::Established,
        rejected_by: None,
        reason: None,
        server_chain: vec![leaf.clone()],
        client_chain: vec![],
        ..samples::refused_client()
    }
}

#[test]
fn both_leaves_of_a_handshake_are_kept_with_what_became_of_them() {
    let mut inventory = Inventory::new(10, 0);
    let refused = samples::refused_client();
    inventory.observe(&refused, 20 * SECOND);
    let accepted = Observation {
        outcome: Outcome::Established,
        rejected_by: None,
        reason: None,
        client_verdict: Some(samples::verdict(Status::Valid)),
        ..samples::refused_client()
    };
    inventory.observe(&accepted, 30 * SECOND);
    // Handshakes are not quite in order.
    inventory.observe(&accepted, 10 * SECOND);
    inventory.observe(&samples::established_13(), 40 * SECOND);
    let mut entries: Vec<_> = inventory.entries().collect();
    entries.sort_by_key(|entry| entry.side.word());
    let [client, server] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(
        (client.side, client.leaf.subject.as_str()),
        (Side::Client, "CN=alice,O=Example")
    );
    assert_eq!((client.first_ns, client.last_ns), (10 * SECOND, 30 * SECOND));
    assert_eq!((client.handshakes, client.refusals), (3, 1));
    assert_eq!(client.verdict, Some((Status::Valid, Revocation::NotChecked)));
    assert_eq!(
        (server.handshakes, server.refusals),
        (3, 0),
        "it was the client's that was refused"
    );
    let [place] = server.places.as_slice() else {
        panic!("{server:?}")
    };
    assert_eq!(place.server, refused.server);
    assert_eq!(place.server_name.as_deref(), Some("api.example.com"));
    assert_eq!((place.handshakes, place.last_ns), (3, 30 * SECOND));
}

#[test]
fn a_server_that_the_client_refuses_is_refused() {
    let mut inventory = Inventory::new(10, 0);
    let seen = Observation {
        rejected_by: Some(Side::Client),
        reason: Some(Reason::Certificate(Side::Server, CertificateFault::Expired)),
        ..samples::refused_client()
    };
    inventory.observe(&seen, 0);
    let refusals = |side| {
        let entry = inventory.entries().find(|entry| entry.side == side);
        entry.map(|entry| entry.refusals)
    };
    assert_eq!(
        (refusals(Side::Server), refusals(Side::Client)),
        (Some(1), Some(0))
    );
}

#[test]
fn the_latest_places_stay() {
    let mut inventory = Inventory::new(10, 0);
    let leaf = leaf(1, 10);
    for port in 0..20 {
        let mut seen = served(&leaf);
        seen.server.set_port(1000 + port);
        seen.server_name = (port % 2 == 0).then(|| "x".repeat(300));
        inventory.observe(&seen, u64::from(port) * SECOND);
    }
    let entry = inventory.entries().next().unwrap();
    assert!(entry.more_places);
    let mut ports: Vec<_> = entry.places.iter().map(|place| place.server.port()).collect();
    ports.sort_unstable();
    assert_eq!(ports, (1012..1020).collect::<Vec<_>>());
    let names = entry
        .places
        .iter()
        .filter_map(|place| place.server_name.as_deref());
    assert!(names.clone().count() == 4 && names.clone().all(|name| name.len() == MAX_NAME_BYTES));
}

#[test]
fn the_one_not_seen_for_longest_leaves_and_is_counted() {
    let mut inventory = Inventory::new(3, 0);
    for number in [1, 2, 3, 1, 4] {
        inventory.observe(&served(&leaf(number, 10)), 0);
    }
    let mut kept: Vec<_> = inventory.entries().map(|entry| entry.leaf.sha256[3]).collect();
    kept.sort_unstable();
    assert_eq!(kept, [1, 3, 4]);
    assert_eq!(inventory.forgotten(), 1);
}

#[test]
fn large_certificates_take_the_room_of_many() {
    let mut inventory = Inventory::new(1000, 0);
    for number in 0..100 {
        inventory.observe(&served(&leaf(number, MAX_DER_BYTES / 10)), 0);
    }
    assert_eq!(inventory.entries().count(), 10);
    inventory.observe(&served(&leaf(200, MAX_DER_BYTES + 1)), 0);
    assert_eq!((inventory.entries().count(), inventory.der_bytes), (0, 0));
}

#[test]
fn as_many_are_measured_as_the_settings_say() {
    let mut inventory = Inventory::new(4, 2);
    for number in 0..4 {
        inventory.observe(&served(&leaf(number, 10)), 0);
    }
    let measured = |inventory: &Inventory| {
        let measured = inventory.entries().filter(|entry| entry.measured);
        measured.map(|entry| entry.leaf.sha256[3]).collect::<Vec<_>>()
    };
    assert_eq!((measured(&inventory), inventory.unmeasured()), (vec![0, 1], 2));
    // The first leaves; the fifth finds no room yet, the sixth does.
    for number in 4..6 {
        inventory.observe(&served(&leaf(number, 10)), 0);
    }
    assert_eq!((measured(&inventory), inventory.unmeasured()), (vec![5], 3));
}

#[test]
fn it_can_be_off() {
    let settings = Watching {
        inventory: 0,
        ..Watching::default()
    };
    assert!(SharedInventory::new(&settings).is_none());
    assert!(SharedInventory::new(&Watching::default()).is_some());
}
