//! Hits as rustls was seen to make them, and such as it should never make.

use observer_tls::codepoints::AlertDescription as Alert;

use super::*;
use crate::facts::Origin;
use crate::observation::CertificateFault;

const SERVER: u64 = 70;
const CLIENT: u64 = 71;
/// Addresses of keys.
const KEY: u64 = 0x1000;
const OTHER_KEY: u64 = 0x2000;
/// In 2026.
const NOW: u64 = 1_790_000_000_000_000_000;

fn hit(cookie: u64, kind: u16, values: [u64; 4], bytes: &[u8]) -> Hit<'_> {
    Hit {
        time_ns: NOW,
        name: *b"tokio-rt-worker\0",
        ..Hit::sample(cookie, kind, values, bytes)
    }
}

fn message(cookie: u64, direction: u64, typ: u8) -> Hit<'static> {
    hit(cookie, kind::MESSAGE, [KEY, direction, typ.into(), 0], &[])
}

fn alert(cookie: u64, direction: u64, description: Alert) -> Hit<'static> {
    hit(
        cookie,
        kind::ALERT,
        [KEY, direction, 2, description.0.into()],
        &[],
    )
}

/// The piece `range` of a Certificate message.
fn piece(cookie: u64, key: u64, body: &[u8], range: std::ops::Range<usize>) -> Hit<'_> {
    let values = [key, body.len() as u64, range.start as u64, 0];
    hit(cookie, kind::CERTIFICATE, values, &body[range])
}

fn whole(cookie: u64, body: &[u8]) -> Hit<'_> {
    piece(cookie, KEY, body, 0..body.len())
}

/// The body of a Certificate message.
fn certificates(chain: &[&[u8]]) -> Vec<u8> {
    let vec24 = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat();
    let entries: Vec<u8> = chain
        .iter()
        .flat_map(|der| [vec24(der), vec![0, 0]].concat())
        .collect();
    [vec![0], vec24(&entries)].concat()
}

/// The body of a NewSessionTicket.
fn ticket(name: &[u8]) -> Vec<u8> {
    let length = (name.len() as u16).to_be_bytes();
    [&[0, 1, 0, 0, 9, 9, 9, 9, 1, 7][..], &length, name, &[0, 0]].concat()
}

fn read(hits: &[Hit<'_>]) -> (Vec<Fact>, u64) {
    let mut reader = AwsLc::default();
    let mut facts = Vec::new();
    for hit in hits {
        reader.take(hit, &mut facts);
    }
    (facts, reader.losses().does_not_fit)
}

fn bodies(hits: &[Hit<'_>]) -> Vec<FactBody> {
    read(hits).0.into_iter().map(|fact| fact.body).collect()
}

fn chain(ders: &[&[u8]]) -> FactBody {
    FactBody::Chain(ders.iter().map(|der| Bytes::copy_from_slice(der)).collect())
}

fn verified(fault: Option<CertificateFault>, term: &str) -> FactBody {
    FactBody::Verified(Verification {
        fault,
        term: term.into(),
    })
}

const EXTENSIONS: u8 = handshake::ENCRYPTED_EXTENSIONS;

#[test]
fn a_server_accepts_a_client() {
    let list = certificates(&[b"leaf", b"issuer"]);
    let tickets = [ticket(b"one"), ticket(b"two")];
    let given = |body| hit(SERVER, kind::TICKET, [KEY, kind::SEALED, 0, 0], body);
    let (facts, does_not_fit) = read(&[
        message(SERVER, kind::SEALED, EXTENSIONS),
        message(SERVER, kind::SEALED, handshake::FINISHED),
        whole(SERVER, &list),
        given(&tickets[0]),
        given(&tickets[1]),
        alert(SERVER, kind::OPENED, Alert::CLOSE_NOTIFY),
    ]);
    let bodies: Vec<_> = facts.iter().map(|fact| fact.body.clone()).collect();
    assert_eq!(
        bodies,
        [
            chain(&[b"leaf", b"issuer"]),
            verified(None, "ClientCertVerified"),
            FactBody::Established,
            FactBody::Ticket(SessionName::of(b"one")),
            FactBody::Ticket(SessionName::of(b"two")),
            FactBody::AlertReceived(Alert::CLOSE_NOTIFY),
        ]
    );
    assert!(facts.iter().all(|fact| fact.own_side == Some(Side::Server)));
    let origin = Origin {
        pid: 1,
        name: "tokio-rt-worker".into(),
        executable: None,
        cgroup_id: 0,
        family: Family::RustlsAwsLc,
    };
    assert_eq!((&facts[0].origin, facts[0].socket.cookie), (&origin, SERVER));
    assert_eq!(does_not_fit, 0);
}

#[test]
fn a_client_accepts_a_server() {
    let list = certificates(&[b"leaf"]);
    let ticket = ticket(b"one");
    let (facts, _) = read(&[
        message(CLIENT, kind::OPENED, EXTENSIONS),
        whole(CLIENT, &list),
        message(CLIENT, kind::SEALED, handshake::FINISHED),
        hit(CLIENT, kind::TICKET, [KEY, kind::OPENED, 0, 0], &ticket),
    ]);
    assert!(facts.iter().all(|fact| fact.own_side == Some(Side::Client)));
    let bodies: Vec<_> = facts.into_iter().map(|fact| fact.body).collect();
    assert_eq!(
        bodies,
        [
            chain(&[b"leaf"]),
            verified(None, "ServerCertVerified"),
            FactBody::Established,
            FactBody::Ticket(SessionName::of(b"one")),
        ]
    );
}

#[test]
fn the_alert_that_is_sent_tells_what_was_found() {
    let refused = |side, description| {
        let direction = match side {
            Side::Server => kind::SEALED,
            Side::Client => kind::OPENED,
        };
        let list = certificates(&[b"leaf"]);
        bodies(&[
            message(SERVER, direction, EXTENSIONS),
            whole(SERVER, &list),
            alert(SERVER, kind::SEALED, description),
            // What comes later is about something else.
            alert(SERVER, kind::SEALED, Alert::CERTIFICATE_REVOKED),
        ])
    };
    for (description, fault, term) in [
        (
            Alert::CERTIFICATE_EXPIRED,
            CertificateFault::Expired,
            "alert certificate_expired (45)",
        ),
        (
            Alert::UNKNOWN_CA,
            CertificateFault::UnknownCa,
            "alert unknown_ca (48)",
        ),
        (
            Alert::CERTIFICATE_REVOKED,
            CertificateFault::Revoked,
            "alert certificate_revoked (44)",
        ),
    ] {
        for side in [Side::Server, Side::Client] {
            assert_eq!(
                refused(side, description),
                [
                    chain(&[b"leaf"]),
                    verified(Some(fault), term),
                    FactBody::AlertSent(description),
                    FactBody::AlertSent(Alert::CERTIFICATE_REVOKED),
                ]
            );
        }
    }
    // The signature of the handshake may be meant.
    assert_eq!(
        refused(Side::Server, Alert::DECRYPT_ERROR)[1],
        FactBody::AlertSent(Alert::DECRYPT_ERROR)
    );
}

#[test]
fn a_client_without_a_certificate() {
    let none = certificates(&[]);
    let (facts, _) = read(&[
        whole(SERVER, &none),
        alert(SERVER, kind::SEALED, Alert::CERTIFICATE_REQUIRED),
    ]);
    let told: Vec<_> = facts.iter().map(|fact| (fact.own_side, &fact.body)).collect();
    assert_eq!(
        told,
        [
            (Some(Side::Server), &FactBody::NoCertificate),
            (
                Some(Side::Server),
                &FactBody::AlertSent(Alert::CERTIFICATE_REQUIRED)
            ),
        ]
    );
    let from_server = [message(CLIENT, kind::OPENED, EXTENSIONS), whole(CLIENT, &none)];
    assert_eq!(read(&from_server), (Vec::new(), 1));
}

#[test]
fn a_message_in_pieces_is_put_together() {
    let list = certificates(&[&[7; 900], b"issuer"]);
    let end = list.len();
    let others = certificates(&[b"other"]);
    let hits = [
        piece(SERVER, KEY, &list, 0..1),
        piece(CLIENT, OTHER_KEY, &others, 0..5),
        piece(SERVER, KEY, &list, 1..500),
        piece(CLIENT, OTHER_KEY, &others, 5..others.len()),
        piece(SERVER, KEY, &list, 500..end),
    ];
    assert_eq!(
        bodies(&hits),
        [chain(&[b"other"]), chain(&[&[7; 900], b"issuer"])]
    );
}

#[test]
fn pieces_that_do_not_fit_make_no_chain() {
    let list = certificates(&[b"leaf"]);
    let end = list.len();
    for hits in [
        // One is missing; it came for another connection; it came twice; it is of another key.
        vec![piece(SERVER, KEY, &list, 0..3), piece(SERVER, KEY, &list, 4..end)],
        vec![piece(SERVER, KEY, &list, 0..3), piece(CLIENT, KEY, &list, 3..end)],
        vec![piece(SERVER, KEY, &list, 3..end)],
        vec![
            piece(SERVER, KEY, &list, 0..3),
            piece(SERVER, OTHER_KEY, &list, 3..end),
        ],
        // Its memory could not be read.
        vec![piece(SERVER, KEY, &list, 0..0)],
    ] {
        assert_eq!(read(&hits), (Vec::new(), 1), "{hits:?}");
    }
}

#[test]
fn unfinished_messages_are_bounded() {
    let list = certificates(&[b"leaf"]);
    let hits: Vec<_> = (0..1000).map(|key| piece(key, key, &list, 0..3)).collect();
    assert_eq!(read(&hits), (Vec::new(), 1000 - 64));
}

#[test]
fn a_second_chain_is_believed_of_no_connection() {
    let (first, second) = (certificates(&[b"first"]), certificates(&[b"second"]));
    let hits = [
        message(SERVER, kind::SEALED, EXTENSIONS),
        whole(SERVER, &first),
        whole(SERVER, &second),
    ];
    let (facts, does_not_fit) = read(&hits);
    assert_eq!((facts.len(), does_not_fit), (1, 1));
}

#[test]
fn a_handshake_within_a_connection_is_not_told_as_the_connection_s() {
    let (outer, inner) = (certificates(&[b"proxy"]), certificates(&[b"server"]));
    let handshake = |list| {
        [
            message(CLIENT, kind::OPENED, EXTENSIONS),
            list,
            message(CLIENT, kind::SEALED, handshake::FINISHED),
        ]
    };
    let hits = [handshake(whole(CLIENT, &outer)), handshake(whole(CLIENT, &inner))].concat();
    let (facts, does_not_fit) = read(&hits);
    assert_eq!((facts.len(), does_not_fit), (3, 3));
    assert_eq!(facts[0].body, chain(&[b"proxy"]));
}

#[test]
fn what_is_no_list_of_certificates_is_dropped() {
    let list = certificates(&[b"leaf"]);
    let cut = whole(SERVER, &list[..list.len() - 1]);
    assert_eq!(read(&[cut]), (Vec::new(), 1));
    let ticket = hit(SERVER, kind::TICKET, [KEY, kind::SEALED, 0, 0], &[1, 2]);
    assert_eq!(read(&[ticket]), (Vec::new(), 1));
}
