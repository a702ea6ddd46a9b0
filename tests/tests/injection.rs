//! What networks do to segments: whole mutual handshakes, injected as hand-made frames, must give the same event in
//! every shape. The bytes come from conversations held in memory.

use anyhow::Result;
use observer_tests::agent::{Agent, Attach};
use observer_tests::conversation;
use observer_tests::events::{assert_event, at};
use observer_tests::expect::Expected;
use observer_tests::inject::Injector;
use observer_tests::netns::VETH;
use observer_tests::packets::{Headers, Segment, connection};
use observer_tests::peers::Version;
use observer_tests::pki::Pki;
use serde_json::{Value, json};

/// Ordinary size of a segment.
const MSS: usize = 1400;

/// A way in which a conversation reaches the agent.
struct Shape {
    name: &'static str,
    v6: bool,
    mss: usize,
    isn: u32,
    headers: fn(&mut Headers),
    segments: fn(Vec<Segment>) -> Vec<Segment>,
}

impl Shape {
    const PLAIN: Self = Self {
        name: "plain",
        v6: false,
        mss: MSS,
        isn: 1_000_000,
        headers: |_| {},
        segments: |segments| segments,
    };
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape::PLAIN,
        Shape {
            name: "IPv6",
            v6: true,
            ..Shape::PLAIN
        },
        Shape {
            name: "IPv4 options",
            headers: |h| h.ipv4_options = vec![1; 40],
            ..Shape::PLAIN
        },
        Shape {
            name: "IPv6 extension headers",
            v6: true,
            headers: |h| h.ipv6_extensions = true,
            ..Shape::PLAIN
        },
        Shape {
            name: "TCP options",
            headers: |h| h.tcp_options = vec![1; 40],
            ..Shape::PLAIN
        },
        Shape {
            name: "VLAN tag",
            headers: |h| h.vlan = Some(77),
            ..Shape::PLAIN
        },
        Shape {
            name: "VLAN tag, IPv6",
            v6: true,
            headers: |h| h.vlan = Some(77),
            ..Shape::PLAIN
        },
        Shape {
            name: "one byte a segment",
            mss: 1,
            ..Shape::PLAIN
        },
        Shape {
            name: "seven bytes a segment",
            mss: 7,
            ..Shape::PLAIN
        },
        Shape {
            name: "a flight a segment",
            mss: 60_000,
            ..Shape::PLAIN
        },
        Shape {
            name: "sequence numbers that wrap",
            mss: 100,
            isn: u32::MAX - 150,
            ..Shape::PLAIN
        },
        Shape {
            name: "every segment twice",
            mss: 200,
            segments: duplicate,
            ..Shape::PLAIN
        },
        Shape {
            name: "overlapping segments",
            mss: 200,
            segments: overlap,
            ..Shape::PLAIN
        },
        Shape {
            name: "neighbours swapped",
            mss: 200,
            segments: swap,
            ..Shape::PLAIN
        },
        Shape {
            name: "a later retransmission of all",
            mss: 200,
            segments: repeat,
            ..Shape::PLAIN
        },
    ]
}

fn duplicate(segments: Vec<Segment>) -> Vec<Segment> {
    segments
        .into_iter()
        .flat_map(|segment| [segment.clone(), segment])
        .collect()
}

/// Each segment begins with the last bytes of the one before in its direction.
fn overlap(mut segments: Vec<Segment>) -> Vec<Segment> {
    const BACK: usize = 50;
    let mut tails = [Vec::new(), Vec::new()];
    for segment in segments.iter_mut().filter(|segment| !segment.payload.is_empty()) {
        let tail = &mut tails[usize::from(segment.from_client)];
        let own = segment.payload.clone();
        segment.seq = segment.seq.wrapping_sub(tail.len() as u32);
        segment.payload.splice(0..0, tail.drain(..));
        *tail = own[own.len().saturating_sub(BACK)..].to_vec();
    }
    segments
}

/// Swaps each two data segments that follow one another in the same direction.
fn swap(mut segments: Vec<Segment>) -> Vec<Segment> {
    let mut at = 0;
    while at + 1 < segments.len() {
        let [one, two] = [&segments[at], &segments[at + 1]];
        let data = !one.payload.is_empty() && !two.payload.is_empty();
        if data && one.from_client == two.from_client {
            segments.swap(at, at + 1);
            at += 1;
        }
        at += 1;
    }
    segments
}

/// Each flight is followed by a copy of all of its segments.
fn repeat(segments: Vec<Segment>) -> Vec<Segment> {
    let mut repeated = Vec::new();
    for flight in segments.chunk_by(|one, two| one.from_client == two.from_client) {
        repeated.extend_from_slice(flight);
        repeated.extend(
            flight
                .iter()
                .filter(|segment| !segment.payload.is_empty())
                .cloned(),
        );
    }
    repeated
}

/// The event of such a conversation.
fn expected(pki: &Pki, headers: &Headers, version: Version) -> Expected {
    let seen = Expected::hello(headers.client.ip(), headers.server)
        .offering(version, true)
        .client_certificate("sent")
        .set("client.port", headers.client.port())
        .set("source.port", headers.client.port());
    match version {
        Version::Tls12 => seen
            .answered(version, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Some("x25519"))
            .certificate("server", &pki.server)
            .certificate("client", &pki.good)
            .set(
                "handshake.certificate_authorities",
                vec![pki.client_ca.name.text()],
            )
            .established(version),
        Version::Tls13 => seen
            .answered(version, "TLS_AES_256_GCM_SHA384", Some("x25519"))
            .established(version),
    }
}

/// An agent on the cable's left end.
fn watch(injector: &Injector) -> Result<Agent> {
    Agent::start(Attach::Interface(&injector.veth.left, VETH), &[])
}

#[test]
#[ignore = "needs root"]
fn every_shape_gives_the_same_event() -> Result<()> {
    let (pki, injector) = (Pki::new()?, Injector::new()?);
    let agent = watch(&injector)?;
    let mut seen = 0;
    for version in Version::ALL {
        for shape in shapes() {
            let flights = conversation::mutual(&pki, version, Some(&pki.good), b"some application data")?;
            let mut headers = Injector::headers(shape.v6)?;
            headers.client.set_port(20_000 + u16::try_from(seen)?);
            (shape.headers)(&mut headers);
            let segments = connection(&flights, shape.mss, shape.isn, shape.isn.wrapping_add(7));
            injector.send(&headers, &(shape.segments)(segments))?;
            let event = agent.event_after(seen)?;
            expected(&pki, &headers, version).assert(&event, &format!("{version:?}, {}", shape.name));
            seen += 1;
        }
    }
    assert_eq!(
        agent.stop()?.events.len(),
        seen,
        "one event for each conversation"
    );
    Ok(())
}

/// A segment that never comes: the event says so, and claims nothing that it cannot know.
#[test]
#[ignore = "needs root"]
fn a_lost_segment_is_a_gap_and_no_false_claim() -> Result<()> {
    let (pki, injector) = (Pki::new()?, Injector::new()?);
    let agent = watch(&injector)?;
    let flights = conversation::mutual(&pki, Version::Tls12, Some(&pki.good), b"some application data")?;
    let whole = connection(&flights, 200, 1, 1);
    let data: Vec<_> = (0..whole.len())
        .filter(|&at| !whole[at].payload.is_empty())
        .collect();
    let hello = flights[0].bytes.len().div_ceil(200);
    let mut seen = 0;
    // The segments of the server's first flight but for its first, which holds the ServerHello's beginning.
    let server_flight = flights[1].bytes.len().div_ceil(200);
    for &lost in &data[hello + 1..hello + server_flight] {
        let mut headers = Injector::headers(false)?;
        headers.client.set_port(20_000 + u16::try_from(seen)?);
        injector.send(
            &headers,
            whole
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != lost)
                .map(|(_, segment)| segment),
        )?;
        let event = agent.event_after(seen)?;
        assert_event(
            &event,
            &[
                ("handshake.completeness", json!("gap")),
                ("handshake.reason", Value::Null),
            ],
        );
        let shown = at(&event, "tls.server.hash.sha256");
        assert!(
            shown.is_null() || shown == pki.server.sha256.as_str(),
            "a certificate that was never sent: {event:#}"
        );
        seen += 1;
    }
    assert_eq!(agent.stop()?.events.len(), seen);
    Ok(())
}

/// Traffic that is no TLS, although some of it begins like a record.
#[test]
#[ignore = "needs root"]
fn other_protocols_give_no_events() -> Result<()> {
    let injector = Injector::new()?;
    let agent = watch(&injector)?;
    let talks: [&[u8]; 5] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        // The five bytes of a handshake record's header, then what is no handshake.
        &[
            22, 3, 1, 0, 20, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
        ],
        // A ClientHello of 16 MiB.
        &[22, 3, 1, 0, 8, 1, 255, 255, 255, 3, 3, 0, 0],
        &[0; 1000],
    ];
    for (number, talk) in talks.into_iter().enumerate() {
        let mut headers = Injector::headers(false)?;
        headers.client.set_port(21_000 + u16::try_from(number)?);
        let flights = [true, false].map(|from_client| conversation::Flight {
            from_client,
            bytes: talk.to_vec(),
        });
        injector.send(&headers, &connection(&flights, MSS, 1, 1))?;
    }
    // A handshake behind them proves that all of it has passed.
    let pki = Pki::new()?;
    let headers = Injector::headers(false)?;
    let flights = conversation::mutual(&pki, Version::Tls12, Some(&pki.good), b"data")?;
    injector.send(&headers, &connection(&flights, MSS, 1, 1))?;
    expected(&pki, &headers, Version::Tls12).assert(&agent.event_after(0)?, "the only event");
    assert_eq!(agent.stop()?.events.len(), 1);
    Ok(())
}
