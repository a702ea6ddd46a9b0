//! Fragments in every order, overlapping, in tunnels, and too many of them.

use super::build::*;
use crate::replay::{Decoder, Packet};

const SEQ: u32 = 77;

/// The payload's bytes tell their place.
fn payload() -> Vec<u8> {
    (0..100).collect()
}

/// The segment in fragments of `size` bytes, with the offsets at which they begin.
fn parts(size: usize) -> Vec<(usize, bool, Vec<u8>)> {
    let whole = tcp(ACK, SEQ, &payload());
    let count = whole.len().div_ceil(size);
    let part = |(at, bytes): (usize, &[u8])| (at * size, at + 1 < count, bytes.to_vec());
    whole.chunks(size).enumerate().map(part).collect()
}

fn fragment4(id: u16, (offset, more, bytes): &(usize, bool, Vec<u8>)) -> Vec<u8> {
    ipv4_part(TCP, id, (*offset / 8) as u16 | u16::from(*more) << 13, bytes)
}

fn fragment6(id: u8, (offset, more, bytes): &(usize, bool, Vec<u8>)) -> Vec<u8> {
    let place = (*offset as u16 | u16::from(*more)).to_be_bytes();
    ipv6(44, &join(&[&[TCP, 0], &place, &[0, 0, 0, id], bytes]))
}

fn all(decoder: &mut Decoder, packets: &[Vec<u8>]) -> Vec<Told> {
    packets
        .iter()
        .flat_map(|packet| told(decoder, 101, packet, packet.len()))
        .collect()
}

#[test]
fn any_order_of_the_fragments_gives_the_segment() {
    let parts = parts(32);
    assert_eq!(parts.len(), 4);
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]];
    for order in orders {
        let mut decoder = Decoder::default();
        let four: Vec<_> = order.iter().map(|at| fragment4(9, &parts[*at])).collect();
        let six: Vec<_> = order.iter().map(|at| fragment6(9, &parts[*at])).collect();
        let tunnelled: Vec<_> = six.iter().map(|packet| ipv4(41, packet)).collect();
        assert_eq!(
            all(&mut decoder, &four),
            [expected(4, SEQ, &payload())],
            "{order:?}"
        );
        assert_eq!(
            all(&mut decoder, &six),
            [expected(6, SEQ, &payload())],
            "{order:?}"
        );
        assert_eq!(all(&mut decoder, &tunnelled), [expected(6, SEQ, &payload())]);
        decoder.finish();
        assert_eq!(decoder.counts().fragments, 0);
    }
}

#[test]
fn a_fragmented_tunnel_of_fragments() {
    let inner = parts(64);
    let outer: Vec<Vec<u8>> = inner
        .iter()
        .enumerate()
        .flat_map(|(id, part)| {
            let packet = fragment4(5, part);
            let (first, last) = packet.split_at(40);
            let first = ipv4_part(4, 100 + id as u16, 0x2000, first);
            [first, ipv4_part(4, 100 + id as u16, 5, last)]
        })
        .collect();
    assert_eq!(
        all(&mut Decoder::default(), &outer),
        [expected(4, SEQ, &payload())]
    );
}

#[test]
fn of_overlapping_fragments_the_first_copy_stays() {
    let mut parts = parts(40);
    // The second one again, longer to both sides and with other bytes.
    let again = (32, true, vec![0xee; 56]);
    parts.insert(2, again);
    let packets: Vec<_> = parts.iter().map(|part| fragment4(1, part)).collect();
    let told = all(&mut Decoder::default(), &packets);
    // 80..88 came first with the false bytes: 60..68 of the payload.
    let mut wanted = payload();
    wanted[60..68].fill(0xee);
    assert_eq!(told, [expected(4, SEQ, &wanted)]);
}

#[test]
fn datagrams_are_told_apart() {
    let parts = parts(64);
    let mut decoder = Decoder::default();
    let mixed = [fragment4(1, &parts[0]), fragment4(2, &parts[1])];
    assert_eq!(all(&mut decoder, &mixed), []);
    decoder.finish();
    assert_eq!(decoder.counts().fragments, 2);
}

#[test]
fn what_stays_incomplete_is_given_up_with_time_and_number() {
    let part = parts(64).remove(0);
    let mut decoder = Decoder::default();
    let mut push = |seconds: u64, id: u16| {
        let data = fragment4(id, &part);
        let packet = Packet {
            time_ns: seconds * 1_000_000_000,
            link_type: 101,
            wire_len: data.len() as u32,
            data: &data,
        };
        decoder.packet(&packet, |_| panic!("nothing is complete"));
        decoder.counts().fragments
    };
    assert_eq!(push(100, 1), 0);
    // Time may run backwards.
    assert_eq!(push(50, 2), 0);
    assert_eq!(push(161, 3), 2);
    for id in 10..2000 {
        push(161, id);
    }
    assert_eq!(push(161, 2001), 2 + 1990 + 2 - 1024);
}

#[test]
fn many_complete_datagrams_behind_one_that_is_not_leave_nothing_behind() {
    let parts = parts(64);
    let mut decoder = Decoder::default();
    told(&mut decoder, 101, &fragment4(0, &parts[0]), 84);
    for id in 1..20_000_u16 {
        let packets = [fragment4(id, &parts[0]), fragment4(id, &parts[1])];
        assert_eq!(all(&mut decoder, &packets).len(), 1);
    }
    decoder.finish();
    assert_eq!(decoder.counts().fragments, 1);
}

#[test]
fn fragments_that_were_cut_or_are_too_long_are_lost() {
    let parts = parts(64);
    let mut decoder = Decoder::default();
    let packet = fragment4(1, &parts[0]);
    told(&mut decoder, 101, &packet[..50], packet.len());
    let beyond = fragment4(2, &(65_528, false, vec![0; 64]));
    told(&mut decoder, 101, &beyond, beyond.len());
    assert_eq!(decoder.counts().fragments, 2);
}
