//! However a stream is cut up and delivered, it says the same.

mod support;

use observer_tls::stream::{Item, ItemBody, Stream};
use support::*;

/// Sequence numbers wrap within every stream of these tests.
const START: u32 = u32::MAX - 700;

fn streams() -> [Vec<u8>; 3] {
    [
        server_flights_tls12(),
        client_flights_tls13(),
        client_flights_ssl2(),
    ]
}

/// One stream from `START`, with the pieces given as ranges.
fn read(bytes: &[u8], pieces: impl IntoIterator<Item = (usize, usize)>) -> Vec<ItemBody> {
    let mut stream = Stream::new();
    let mut out = Vec::new();
    stream.skip_to(START, &mut out);
    for (from, to) in pieces {
        stream.push(
            START.wrapping_add(from as u32),
            &bytes[from..to],
            (to - from) as u32,
            1,
            &mut out,
        );
    }
    stream.finish(&mut out);
    assert_eq!(stream.buffered(), 0);
    out.into_iter().map(|Item { body, .. }| body).collect()
}

fn whole(bytes: &[u8]) -> Vec<ItemBody> {
    read(bytes, [(0, bytes.len())])
}

#[test]
fn the_streams_say_what_they_hold() {
    let kinds = |bytes: &[u8]| -> Vec<String> {
        let name = |body| match body {
            ItemBody::Handshake { message, .. } => message.typ().to_string(),
            ItemBody::Alert(alert) => alert.to_string(),
            ItemBody::Ssl2 { message, .. } => format!("ssl2:{}", message.typ()),
            ItemBody::ChangeCipherSpec => "ccs".to_owned(),
            ItemBody::Opaque {
                content_type, length, ..
            } => format!("{content_type}:{length}"),
            other => format!("{other:?}"),
        };
        whole(bytes).into_iter().map(name).collect()
    };
    let [server, client, ssl2] = streams();
    let expected = [
        "server_hello",
        "certificate",
        "certificate_status",
        "server_key_exchange",
        "certificate_request",
        "server_hello_done",
        "new_session_ticket",
        "ccs",
        "handshake:40",
        "application_data:60",
        "alert:26",
    ];
    assert_eq!(kinds(&server), expected);
    let expected = [
        "client_hello",
        "ccs",
        "client_hello",
        "application_data:53",
        "fatal unknown_ca",
    ];
    assert_eq!(kinds(&client), expected);
    let expected = [
        "ssl2:1",
        "client_key_exchange",
        "ccs",
        "handshake:40",
        "alert:26",
        "client_hello",
        "warning user_canceled",
        "fatal unknown_ca",
    ];
    assert_eq!(kinds(&ssl2), expected);
}

#[test]
fn every_prefix_gives_a_prefix_of_the_items() {
    for bytes in streams() {
        let items = whole(&bytes);
        let mut count = 0;
        for end in 0..=bytes.len() {
            let read = read(&bytes, [(0, end)]);
            assert_eq!(read, items[..read.len()], "the first {end} bytes");
            assert!(read.len() >= count);
            count = read.len();
        }
        assert_eq!(count, items.len());
    }
}

#[test]
fn every_split_into_two_gives_the_same() {
    for bytes in streams() {
        let items = whole(&bytes);
        let end = bytes.len();
        for at in 1..end {
            assert_eq!(read(&bytes, [(0, at), (at, end)]), items, "split at {at}");
            assert_eq!(
                read(&bytes, [(at, end), (0, at)]),
                items,
                "split at {at}, swapped"
            );
        }
    }
}

#[test]
fn one_byte_a_piece_gives_the_same() {
    for bytes in streams() {
        assert_eq!(
            read(&bytes, (0..bytes.len()).map(|at| (at, at + 1))),
            whole(&bytes)
        );
    }
}

#[test]
fn shuffled_repeated_and_overlapping_pieces_give_the_same() {
    for bytes in streams() {
        let items = whole(&bytes);
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let mut pieces = Vec::new();
            let mut at = 0;
            while at < bytes.len() {
                let end = (at + 1 + random.below(400)).min(bytes.len());
                // Reach back into what came before, sometimes.
                pieces.push((at - random.below(30).min(at), end));
                if random.below(4) == 0 {
                    pieces.push((at, end));
                }
                at = end;
            }
            random.shuffle(&mut pieces);
            assert_eq!(read(&bytes, pieces), items, "seed {seed}");
        }
    }
}

#[test]
fn times_are_those_of_the_first_byte() {
    let bytes = server_flights_tls12();
    let mut stream = Stream::new();
    let mut out = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        stream.push(at as u32, &[*byte], 1, at as u64, &mut out);
    }
    // The first message begins after the record header; the last record with its header.
    assert_eq!(out.first().unwrap().time_ns, 5);
    assert_eq!(out.last().unwrap().time_ns, (bytes.len() - 31) as u64);
    assert!(out.is_sorted_by_key(|item| item.time_ns));
}

#[test]
fn arbitrary_bytes_do_no_harm() {
    for seed in 0..2000 {
        let mut random = Random::new(seed);
        let mut bytes = streams()[seed as usize % 3].clone();
        for _ in 0..1 + random.below(20) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        let mut stream = Stream::new();
        let mut out = Vec::new();
        for _ in 0..20 {
            let from = random.below(bytes.len());
            let to = from + random.below(bytes.len() - from) + 1;
            let seq = random.below(bytes.len()) as u32;
            match random.below(8) {
                0 => stream.skip_to(seq, &mut out),
                1 => stream.lost_before(seq, &mut out),
                2 => stream.push(
                    seq,
                    &bytes[from..to],
                    (to - from + random.below(3000)) as u32,
                    0,
                    &mut out,
                ),
                _ => stream.push(from as u32, &bytes[from..to], (to - from) as u32, 0, &mut out),
            }
        }
        stream.finish(&mut out);
        assert_eq!(stream.buffered(), 0);
    }
}
