//! Link types, tags and tunnels: each way that a packet can be wrapped leads to the same segment.

use super::build::*;
use super::wrapped::{PAYLOAD, SEQ, frames, v4};
use crate::replay::Decoder;

#[test]
fn every_wrapping_leads_to_the_segment() {
    for (name, link_type, version, frame) in frames() {
        let mut decoder = Decoder::default();
        let told = told(&mut decoder, link_type, &frame, frame.len());
        assert_eq!(
            told,
            [expected(version, SEQ, PAYLOAD)],
            "{name}: {:?}",
            decoder.counts()
        );
    }
}

/// A snap length may cut anywhere: what is told is right, and only less.
#[test]
fn a_snap_length_takes_bytes_from_the_end_alone() {
    for (name, link_type, version, frame) in frames() {
        let whole = expected(version, SEQ, PAYLOAD);
        for captured in 0..frame.len() {
            let mut decoder = Decoder::default();
            let told = told(&mut decoder, link_type, &frame[..captured], frame.len());
            for one in &told {
                let cut = &whole.data[..one.data.len()];
                assert_eq!(one.data, cut, "{name}, {captured} bytes");
                assert_eq!(
                    (one.source, one.seq, one.wire_len),
                    (whole.source, whole.seq, whole.wire_len),
                    "{name}, {captured} bytes"
                );
            }
            let passed_over: u64 = decoder
                .counts()
                .passed_over()
                .iter()
                .map(|(_, count)| count)
                .sum();
            assert_eq!(told.len() as u64 + passed_over, 1, "{name}, {captured} bytes");
        }
    }
}

/// Frames that end early on the wire, and frames with wrong bytes: anything may be told but nothing breaks.
#[test]
fn broken_frames_break_nothing() {
    let mut state = 0x9e37_79b9_u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize
    };
    for (_, link_type, _, frame) in frames() {
        let mut decoder = Decoder::default();
        for captured in 0..frame.len() {
            told(&mut decoder, link_type, &frame[..captured], captured);
        }
        for _ in 0..2000 {
            let mut broken = frame.clone();
            for _ in 0..=random() % 4 {
                let at = random() % broken.len();
                broken[at] = random() as u8;
            }
            told(&mut decoder, link_type, &broken, broken.len());
        }
    }
}

#[test]
fn what_opens_and_closes_is_told_and_bare_acknowledgments_are_not() {
    let one = |flags, payload: &[u8]| {
        let frame = ipv4(TCP, &tcp(flags, u32::MAX, payload));
        told(&mut Decoder::default(), 101, &frame, frame.len())
    };
    assert_eq!(one(ACK, b""), []);

    let syn = one(SYN, b"early").remove(0);
    assert_eq!((syn.from_client, syn.seq, syn.wire_len), (Some(true), 0, 5));
    assert!(syn.flags.syn && syn.data == b"early");
    let answer = one(SYN | ACK, b"").remove(0);
    assert_eq!((answer.from_client, answer.seq), (Some(false), 0));

    let fin = one(FIN | ACK, b"last").remove(0);
    assert!(fin.flags.fin && fin.data == b"last");
    let reset = one(RST, b"go away").remove(0);
    assert!(reset.flags.rst && reset.data.is_empty());
    assert_eq!(reset.wire_len, 0);
}

#[test]
fn an_ip_length_beyond_the_frame_counts_as_on_the_wire() {
    let whole = v4();
    let frame = &whole[..whole.len() - 4];
    let told = told(&mut Decoder::default(), 101, frame, frame.len());
    let wire_len = PAYLOAD.len() as u32;
    assert_eq!(
        (told[0].data.len() as u32, told[0].wire_len),
        (wire_len - 4, wire_len)
    );
}

#[test]
fn what_is_passed_over_is_counted_by_reason() {
    let mut decoder = Decoder::default();
    let mut nested = v4();
    for _ in 0..40 {
        nested = ipv4(4, &nested);
    }
    let encrypted = join(&[&[0x08, 0x42], &[0; 40]]);
    for (link_type, frame) in [
        (1, ethernet(0x0806, &[0; 28])),
        (105, encrypted),
        (0, vec![7, 7, 7, 7, 0x45]),
        (101, ipv4(UDP, &udp(53, &[0; 12]))),
        (101, ipv4(UDP, &udp(4789, &[0; 12]))),
        (101, ipv4(1, &[8, 0, 0, 0])),
        (101, ipv4(TCP, &[0; 20])),
        (101, nested),
        (249, vec![0; 30]),
    ] {
        assert_eq!(told(&mut decoder, link_type, &frame, frame.len()), []);
    }
    let counts = decoder.counts();
    assert_eq!(counts.packets, 9);
    assert_eq!((counts.not_ip, counts.not_tcp, counts.malformed), (3, 3, 1));
    assert_eq!((counts.nesting, counts.link_type), (1, 1));
}
