//! Connections that begin in another protocol: however their segments are cut once more and delivered, they say the same.

mod support;

use observer_tls::stream::{Item, ItemBody, Stream};
use support::*;

const START: u32 = u32::MAX - 300;

/// What a client sends, segment by segment.
fn connections() -> Vec<Vec<Vec<u8>>> {
    let flights = [
        records(HANDSHAKE, &client_hello(), 600),
        records(HANDSHAKE, &message(16, &[7; 130]), 100),
        [record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, &[0x99; 40])].concat(),
    ];
    let proxy = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &[0xc0; 12]].concat();
    let talks = [
        vec![b"EHLO client.example\r\n".to_vec(), b"STARTTLS\r\n".to_vec()],
        vec![vec![0x80; 77], b"\x05\x01\0".to_vec(), vec![0x16, 3, 1]],
        vec![proxy],
        vec![b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\n".to_vec()],
    ];
    talks
        .into_iter()
        .map(|mut talk| {
            talk.extend(flights.iter().cloned());
            talk
        })
        .collect()
}

/// The pieces with their offsets, in the order they come in.
type Pieces = Vec<(usize, Vec<u8>)>;

fn pieces_of(segments: &[Vec<u8>]) -> Pieces {
    let mut at = 0;
    let mut place = |segment: &Vec<u8>| {
        let from = at;
        at += segment.len();
        (from, segment.clone())
    };
    segments.iter().map(&mut place).collect()
}

fn read(pieces: &Pieces) -> Vec<ItemBody> {
    let mut stream = Stream::new();
    let mut out = Vec::new();
    stream.skip_to(START, &mut out);
    for (at, data) in pieces {
        let seq = START.wrapping_add(*at as u32);
        stream.push(seq, data, data.len() as u32, 1, &mut out);
    }
    stream.finish(&mut out);
    assert_eq!(stream.buffered(), 0);
    out.into_iter().map(|Item { body, .. }| body).collect()
}

#[test]
fn the_handshake_is_read() {
    for connection in connections() {
        let items = read(&pieces_of(&connection));
        let [
            ItemBody::NotTls,
            ItemBody::Handshake { message: hello, .. },
            ItemBody::Handshake {
                message: key_exchange,
                ..
            },
            ItemBody::ChangeCipherSpec,
            ItemBody::Opaque { length: 40, .. },
        ] = &items[..]
        else {
            panic!("{items:?}")
        };
        assert_eq!((hello.typ().0, key_exchange.typ().0), (1, 16));
    }
}

#[test]
fn each_segment_cut_into_two_gives_the_same() {
    for connection in connections() {
        let whole = pieces_of(&connection);
        let items = read(&whole);
        for index in 0..whole.len() {
            let (from, data) = &whole[index];
            for at in 1..data.len() {
                let (front, back) = data.split_at(at);
                let halves = [(*from, front.to_vec()), (from + at, back.to_vec())];
                let mut pieces = whole.clone();
                pieces.splice(index..=index, halves.clone());
                assert_eq!(read(&pieces), items, "segment {index} cut at {at}");
                pieces.swap(index, index + 1);
                assert_eq!(read(&pieces), items, "segment {index} cut at {at}, swapped");
            }
        }
    }
}

#[test]
fn cut_shuffled_and_repeated_segments_give_the_same() {
    for connection in connections() {
        let whole = pieces_of(&connection);
        let items = read(&whole);
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let mut pieces = Vec::new();
            for (from, data) in &whole {
                let mut at = 0;
                while at < data.len() {
                    let end = (at + 1 + random.below(300)).min(data.len());
                    // Reach back into the same segment, sometimes.
                    let back = random.below(30).min(at);
                    pieces.push((from + at - back, data[at - back..end].to_vec()));
                    if random.below(4) == 0 {
                        pieces.push((from + at, data[at..end].to_vec()));
                    }
                    at = end;
                }
            }
            random.shuffle(&mut pieces);
            assert_eq!(read(&pieces), items, "seed {seed}");
        }
    }
}

#[test]
fn any_piece_lost_only_leaves_out() {
    for connection in connections() {
        let whole = pieces_of(&connection);
        let handshakes = |items: Vec<ItemBody>| -> Vec<ItemBody> {
            let is_handshake = |body: &ItemBody| matches!(body, ItemBody::Handshake { .. });
            items.into_iter().filter(is_handshake).collect()
        };
        let all = handshakes(read(&whole));
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let mut pieces = Vec::new();
            for (from, data) in &whole {
                let mut at = *from;
                for part in data.chunks(1 + random.below(200)) {
                    if random.below(6) > 0 {
                        pieces.push((at, part.to_vec()));
                    }
                    at += part.len();
                }
            }
            let read = handshakes(read(&pieces));
            assert!(read.iter().all(|body| all.contains(body)), "seed {seed}");
        }
    }
}
