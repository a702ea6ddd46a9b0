//! What is learned, what is new after that, and what is not told.

use super::*;
use crate::observation::{CertificateFault, Reason};
use crate::output::samples;
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;
const LEARNING: u64 = 100 * SECOND;
const START: u64 = 1_700_000_000 * SECOND;

/// A certificate of `issuer` with this serial number.
fn leaf(issuer: &str, serial: u32) -> Arc<CertificateFacts> {
    let mut facts = (*samples::certificate("server")).clone();
    facts.issuer = format!("CN={issuer}");
    facts.serial_number = format!("{serial:08X}");
    facts.sha256 = observer_sha(issuer, serial);
    Arc::new(facts)
}

fn observer_sha(issuer: &str, serial: u32) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(format!("{issuer} {serial}")).into()
}

/// A handshake in which the server shows `leaf`.
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

/// A handshake in which the client shows `leaf`.
fn presented(leaf: &Arc<CertificateFacts>) -> Observation {
    Observation {
        server_chain: vec![],
        client_chain: vec![leaf.clone()],
        ..served(leaf)
    }
}

struct Watched(Names);

impl Watched {
    fn new() -> Self {
        Self(Names::new(LEARNING))
    }

    /// The certificates that are new in `seen`, `second` seconds after the start.
    fn at(&mut self, second: u64, seen: &Observation) -> Vec<NewCertificate> {
        let mut reports = Vec::new();
        self.0.observe(seen, START + second * SECOND, &mut reports);
        let new = |report| match report {
            Report::NewCertificate(new) => *new,
            other => panic!("{other:?}"),
        };
        reports.into_iter().map(new).collect()
    }
}

#[test]
fn nothing_is_told_before_the_learning_time_has_passed() {
    let mut watched = Watched::new();
    assert!(watched.at(0, &served(&leaf("A", 1))).is_empty());
    assert!(watched.at(50, &served(&leaf("A", 2))).is_empty());
    assert!(watched.at(99, &served(&leaf("B", 3))).is_empty());
    for known in [leaf("A", 1), leaf("A", 2), leaf("B", 3)] {
        assert!(watched.at(200, &served(&known)).is_empty(), "it was learned");
    }
    assert_eq!(watched.at(200, &served(&leaf("A", 4))).len(), 1);
}

#[test]
fn a_new_serial_number_and_a_new_issuer_are_told_once_with_what_was_before() {
    let mut watched = Watched::new();
    watched.at(0, &served(&leaf("A", 1)));
    let [new] = watched.at(100, &served(&leaf("A", 2))).try_into().unwrap();
    assert_eq!(
        (new.side, new.new_issuer, new.new_serial),
        (Side::Server, false, true)
    );
    assert_eq!(new.name, "api.example.com");
    assert_eq!(new.previous, Some(Identity::of(&leaf("A", 1))));
    assert_eq!(new.time_ns, START + 100 * SECOND);
    assert!(watched.at(101, &served(&leaf("A", 2))).is_empty());
    assert!(
        watched.at(102, &served(&leaf("A", 1))).is_empty(),
        "both may be in use"
    );
    let [new] = watched.at(103, &served(&leaf("B", 9))).try_into().unwrap();
    assert_eq!((new.new_issuer, new.new_serial), (true, true));
    assert_eq!(new.previous, Some(Identity::of(&leaf("A", 2))));
}

#[test]
fn a_name_that_was_never_seen_is_told_only_with_an_issuer_that_was_never_seen() {
    let mut watched = Watched::new();
    watched.at(0, &served(&leaf("A", 1)));
    let elsewhere = |leaf: &_, name: &str| Observation {
        server_name: Some(name.into()),
        ..served(leaf)
    };
    assert!(
        watched
            .at(200, &elsewhere(&leaf("A", 2), "b.example.com"))
            .is_empty()
    );
    let [new] = watched
        .at(201, &elsewhere(&leaf("C", 3), "c.example.com"))
        .try_into()
        .unwrap();
    assert_eq!(
        (new.new_issuer, new.new_serial, new.previous),
        (true, false, None)
    );
    assert!(
        watched
            .at(202, &elsewhere(&leaf("C", 3), "d.example.com"))
            .is_empty()
    );
}

#[test]
fn a_servers_name_is_the_one_asked_for_at_its_address() {
    let mut watched = Watched::new();
    let asked = |name: Option<&str>, port, leaf: &_| {
        let mut seen = served(leaf);
        seen.server_name = name.map(str::to_owned);
        seen.server.set_port(port);
        seen
    };
    watched.at(0, &asked(Some("a.example.com"), 1, &leaf("A", 1)));
    watched.at(0, &asked(None, 1, &leaf("A", 1)));
    assert!(
        watched
            .at(200, &asked(Some("a.example.com"), 2, &leaf("A", 2)))
            .is_empty(),
        "another server"
    );
    let [new] = watched
        .at(200, &asked(Some("A.Example.COM"), 1, &leaf("A", 2)))
        .try_into()
        .unwrap();
    assert_eq!(new.name, "A.Example.COM");
    let [new] = watched
        .at(200, &asked(None, 1, &leaf("A", 2)))
        .try_into()
        .unwrap();
    assert_eq!(new.name, "10.0.0.1:1");
}

#[test]
fn a_clients_name_is_in_its_certificate_and_counts_once_it_was_taken() {
    let mut watched = Watched::new();
    watched.at(0, &presented(&leaf("A", 1)));
    let refused = Observation {
        outcome: Outcome::Rejected,
        rejected_by: Some(Side::Server),
        reason: Some(Reason::Certificate(Side::Client, CertificateFault::UnknownCa)),
        ..presented(&leaf("Evil", 1))
    };
    assert!(watched.at(150, &refused).is_empty());
    let mut elsewhere = presented(&leaf("A", 2));
    elsewhere.server.set_port(99);
    elsewhere.server_name = None;
    let [new] = watched.at(200, &elsewhere).try_into().unwrap();
    assert_eq!(
        (new.side, new.name.as_str()),
        (Side::Client, "spiffe://example.com/server")
    );

    let anonymous = |change: fn(&mut CertificateFacts)| {
        let mut facts = (*leaf("Z", 1)).clone();
        change(&mut facts);
        presented(&Arc::new(facts))
    };
    let [new] = watched
        .at(200, &anonymous(|facts| facts.uris.clear()))
        .try_into()
        .unwrap();
    assert_eq!(new.name, "CN=server,O=Example");
    let nameless = anonymous(|facts| {
        *facts = CertificateFacts {
            issuer: "CN=Y".into(),
            serial_number: "01".into(),
            ..CertificateFacts::default()
        };
    });
    assert!(watched.at(200, &nameless).is_empty());
}

#[test]
fn one_that_cannot_be_read_is_passed_over() {
    let mut watched = Watched::new();
    watched.at(0, &served(&leaf("A", 1)));
    let unread = Arc::new(CertificateFacts::default());
    assert!(watched.at(200, &served(&unread)).is_empty());
    assert!(watched.at(200, &presented(&unread)).is_empty());
}

#[test]
fn the_same_serial_number_in_other_bytes_is_not_new() {
    let mut watched = Watched::new();
    watched.at(0, &served(&leaf("A", 1)));
    let mut other = (*leaf("A", 1)).clone();
    other.sha256 = [9; 32];
    assert!(watched.at(200, &served(&Arc::new(other))).is_empty());
}

#[test]
fn a_name_with_many_serial_numbers_is_told_no_more_and_counted() {
    let mut watched = Watched::new();
    watched.at(0, &served(&leaf("A", 0)));
    let number = 10 * MAX_KNOWN as u32;
    let told: usize = (0..number)
        .map(|serial| {
            watched
                .at(100 + u64::from(serial) / 10, &served(&leaf("A", serial)))
                .len()
        })
        .sum();
    assert_eq!(told, MAX_KNOWN - 1);
    assert_eq!(watched.0.crowded() as usize, number as usize - MAX_KNOWN);
    let [new] = watched.at(150, &served(&leaf("B", 1))).try_into().unwrap();
    assert_eq!(
        (new.new_issuer, new.new_serial),
        (true, true),
        "an issuer is always told"
    );
    let later = watched.at(10_000, &served(&leaf("A", 999_999)));
    assert_eq!(later.len(), 1, "the others were not seen for long");
}

#[test]
fn it_is_bounded_and_names_in_use_stay() {
    let mut watched = Watched::new();
    watched.at(0, &served(&leaf("A", 0)));
    for number in 0..3 * MAX_NAMES {
        let other = Observation {
            server_name: Some(number.to_string()),
            ..served(&leaf("A", 1))
        };
        watched.at(200, &other);
        if number % 1_000 == 0 {
            watched.at(200, &served(&leaf("A", 0)));
        }
    }
    assert_eq!(watched.0.names.len(), MAX_NAMES);
    assert_eq!(watched.0.forgotten() as usize, 2 * MAX_NAMES + 1);
    assert_eq!(watched.at(201, &served(&leaf("A", 7))).len(), 1);
}

#[test]
fn when_time_begins_anew_so_does_the_learning() {
    let mut watched = Watched::new();
    watched.at(1_000, &served(&leaf("A", 1)));
    watched.0.begin_anew();
    assert!(watched.at(0, &served(&leaf("A", 2))).is_empty());
    assert_eq!(watched.at(100, &served(&leaf("A", 3))).len(), 1);
}
