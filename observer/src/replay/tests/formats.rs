//! pcap and pcapng: every form of them, and every way to be damaged.

use std::io::{self, Read, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::build::*;
use crate::replay::{Cause, MAX_PACKET_BYTES, Packet, ReadError, read};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;
const ORDERS: [Order; 2] = [Order::Little, Order::Big];

/// Time, link type, data, length on the wire.
type Seen = (u64, u16, Vec<u8>, u32);

fn packets(capture: impl Read) -> (Vec<Seen>, Result<(), ReadError>) {
    let mut seen = Vec::new();
    let end = read(capture, |packet: Packet<'_>| {
        seen.push((
            packet.time_ns,
            packet.link_type,
            packet.data.to_vec(),
            packet.wire_len,
        ));
    });
    (seen, end)
}

fn whole(capture: &[u8]) -> Vec<Seen> {
    let (seen, end) = packets(capture);
    end.unwrap();
    seen
}

fn error(capture: &[u8]) -> (usize, u64, Cause) {
    let (seen, end) = packets(capture);
    let error = end.unwrap_err();
    (seen.len(), error.offset, error.cause)
}

fn pcap(order: Order) -> Vec<u8> {
    join(&[
        &pcap_header(order, MICROSECONDS, 1),
        &pcap_packet(order, 5, 7, b"one", 60),
        &pcap_packet(order, 6, 8, b"", 0),
        &pcap_packet(order, 7, 9, b"three", 5),
    ])
}

fn pcapng(order: Order) -> Vec<u8> {
    join(&[
        &section(order),
        &interface(order, 1, 0, &[]),
        &enhanced_packet(order, 0, 5_000_007, b"one", 60),
        &block(order, 0x0bad, &[1; 40]),
        &enhanced_packet(order, 0, 6_000_008, b"", 0),
        &enhanced_packet(order, 0, 7_000_009, b"three", 5),
    ])
}

fn three() -> Vec<Seen> {
    vec![
        (5_000_007_000, 1, b"one".to_vec(), 60),
        (6_000_008_000, 1, vec![], 0),
        (7_000_009_000, 1, b"three".to_vec(), 5),
    ]
}

#[test]
fn both_formats_in_both_byte_orders() {
    for order in ORDERS {
        assert_eq!(whole(&pcap(order)), three(), "{order:?}");
        assert_eq!(whole(&pcapng(order)), three(), "{order:?}");
    }
}

#[test]
fn pcap_with_nanoseconds_and_with_longer_packet_headers() {
    for order in ORDERS {
        let nanoseconds = join(&[
            &pcap_header(order, NANOSECONDS, 101),
            &pcap_packet(order, 5, 7, b"one", 3),
        ]);
        assert_eq!(whole(&nanoseconds), [(5_000_000_007, 101, b"one".to_vec(), 3)]);

        let mut packet = pcap_packet(order, 5, 7, b"one", 3);
        packet.splice(16..16, [0; 8]);
        let modified = join(&[&pcap_header(order, MODIFIED, 1), &packet, &packet]);
        assert_eq!(whole(&modified), vec![(5_000_007_000, 1, b"one".to_vec(), 3); 2]);
    }
}

#[test]
fn the_upper_half_of_a_link_type_is_none_of_it() {
    let capture = join(&[
        &pcap_header(Order::Little, MICROSECONDS, 0x1400_0001),
        &pcap_packet(Order::Little, 1, 0, b"x", 1),
    ]);
    assert_eq!(whole(&capture)[0].1, 1);
}

#[test]
fn pcap_of_before_version_2_3_has_the_lengths_in_the_other_order() {
    let order = Order::Big;
    let mut header = pcap_header(order, MICROSECONDS, 1);
    header[6..8].copy_from_slice(&order.u16(2));
    let numbers = [5, 7, 60, 3].map(|number| order.u32(number)).concat();
    let capture = join(&[&header, &numbers, b"one"]);
    assert_eq!(whole(&capture), [(5_000_007_000, 1, b"one".to_vec(), 60)]);
}

#[test]
fn pcapng_sections_interfaces_and_kinds_of_packets() {
    let (little, big) = (Order::Little, Order::Big);
    let obsolete = join(&[
        &big.u16(1),
        &big.u16(0),
        &[0; 4],
        &big.u32(3),
        &big.u32(2),
        &big.u32(9),
        b"ob",
    ]);
    let capture = join(&[
        &section(little),
        &interface(little, 113, 4, &[]),
        &enhanced_packet(little, 0, 1, b"a", 1),
        &section(big),
        &interface(big, 101, 4, &[]),
        &interface(big, 9, 0, &option(big, 9, &[9])),
        &block(big, 3, &join(&[&big.u32(6), b"simp"])),
        &block(big, 2, &obsolete),
        &enhanced_packet(big, 0, 2, b"b", 1),
    ]);
    let wanted = [
        (1000, 113, b"a".to_vec(), 1),
        // The time of the one before, for want of its own; cut off by the interface's snap length.
        (1000, 101, b"simp".to_vec(), 6),
        (3, 9, b"ob".to_vec(), 9),
        (2000, 101, b"b".to_vec(), 1),
    ];
    assert_eq!(whole(&capture), wanted);
}

#[test]
fn pcapng_clocks() {
    let order = Order::Little;
    let offset = |seconds: i64| option(order, 14, &seconds.to_le_bytes());
    let resolution = |value: u8| option(order, 9, &[value]);
    for (options, stamp, nanoseconds) in [
        (resolution(0), 3, 3_000_000_000),
        (resolution(3), 3, 3_000_000),
        (resolution(9), 3, 3),
        (resolution(12), 3_999, 3),
        (resolution(0x7f), u64::MAX, 1),
        (resolution(0x80), 3, 3_000_000_000),
        (resolution(0x8a), 1024 + 512, 1_500_000_000),
        (resolution(0xff), u64::MAX, 0),
        (resolution(0), u64::MAX, u64::MAX),
        (
            join(&[&option(order, 2, b"eth0"), &resolution(9), &offset(2)]),
            3,
            2_000_000_003,
        ),
        (offset(-1), 3_000_000, 2_000_000_000),
        (offset(-9), 3_000_000, 0),
        (join(&[&option(order, 0, b""), &resolution(9)]), 3, 3000),
    ] {
        let capture = join(&[
            &section(order),
            &interface(order, 1, 0, &options),
            &enhanced_packet(order, 0, stamp, b"x", 1),
        ]);
        assert_eq!(whole(&capture)[0].0, nanoseconds, "{options:?}");
    }
}

/// Gives few bytes at a time, as a pipe may.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(7);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn however_the_bytes_come() {
    for capture in [pcap(Order::Little), pcapng(Order::Big)] {
        let (seen, end) = packets(Dripping(&capture));
        end.unwrap();
        assert_eq!(seen, three());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_in_one_member_and_in_several() {
    let capture = pcapng(Order::Little);
    assert_eq!(whole(&gzip(&capture)), three());
    let (first, second) = capture.split_at(100);
    assert_eq!(whole(&join(&[&gzip(first), &gzip(second)])), three());
}

#[test]
fn broken_gzip_gives_what_came_before() {
    let order = Order::Little;
    let mut capture = pcap_header(order, MICROSECONDS, 1);
    let mut noise = 1_u32;
    for _ in 0..3000 {
        let data: Vec<u8> = (0..100)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        capture.extend(pcap_packet(order, 1, 0, &data, 100));
    }
    let good = gzip(&capture);
    let half = good.len() / 2;

    let (count, offset, cause) = error(&good[..half]);
    assert!(matches!(cause, Cause::CutOff), "{cause}");
    assert!((1400..1600).contains(&count), "{count}");
    assert!((24 + count as u64 * 116..=24 + (count as u64 + 1) * 116).contains(&offset));

    let mut checksum = good.clone();
    let last = checksum.len() - 6;
    checksum[last] ^= 1;
    let (count, _, cause) = error(&checksum);
    assert!(matches!(cause, Cause::Gzip(_)), "{cause}");
    assert_eq!(count, 3000);
}

#[test]
fn what_is_cut_off_gives_all_packets_before_and_the_place() {
    for (capture, ends) in [
        (pcap(Order::Little), vec![24, 43, 59, 80]),
        (pcapng(Order::Big), vec![28, 48, 104, 156, 208, 268]),
    ] {
        assert_eq!(ends.last(), Some(&capture.len()));
        for length in 1..capture.len() {
            let (seen, end) = packets(&capture[..length]);
            assert_eq!(seen, three()[..seen.len()], "{length}");
            if ends.contains(&length) {
                end.unwrap();
                continue;
            }
            let error = end.unwrap_err();
            match error.cause {
                Cause::CutOff => assert_eq!(error.offset, length as u64),
                Cause::NotACapture => assert!(length < 4),
                cause => panic!("{length}: {cause}"),
            }
        }
    }
}

#[test]
fn lengths_that_lie_are_told_with_their_place() {
    let order = Order::Little;
    let mut long = pcap(order);
    long[43 + 8..43 + 12].copy_from_slice(&order.u32(MAX_PACKET_BYTES as u32 + 1));
    let (count, offset, cause) = error(&long);
    assert!(matches!(cause, Cause::PacketLength(262_145)), "{cause}");
    assert_eq!((count, offset), (1, 43));

    let begin = join(&[&section(order), &interface(order, 1, 0, &[])]);
    let packet = enhanced_packet(order, 0, 1, b"data", 4);
    let with = |at: usize, value: u32| {
        let mut broken = packet.clone();
        broken[at..at + 4].copy_from_slice(&order.u32(value));
        error(&join(&[&begin, &packet, &broken, &packet]))
    };
    let start = (begin.len() + packet.len()) as u64;
    for length in [0, 8, 13, 28] {
        let (count, offset, cause) = with(4, length);
        assert!(matches!(cause, Cause::BlockLength(_)), "{cause}");
        assert!((start..start + 12).contains(&offset), "{offset}");
        assert_eq!(count, 1);
    }
    // Longer than the block; longer than the file, which needs no memory to find out.
    assert!(matches!(with(20, 100), (1, _, Cause::BlockLength(_))));
    assert!(matches!(with(4, 0xffff_fff0), (2, _, Cause::CutOff)));
    let end = packet.len() - 4;
    assert!(matches!(
        with(end, 60),
        (2, _, Cause::BlockEnd { first: 56, last: 60 })
    ));
    assert!(matches!(with(8, 1), (1, _, Cause::Interface(1))));
}

#[test]
fn blocks_larger_than_any_buffer_are_passed_over() {
    let order = Order::Big;
    let huge = vec![7; 5 * MAX_PACKET_BYTES];
    let comment = option(order, 1, &[b'x'; 60_000]);
    let options = [comment.clone(), comment, option(order, 9, &[9])].concat();
    let capture = join(&[
        &section(order),
        &block(order, 10, &huge),
        &interface(order, 1, 0, &options),
        &enhanced_packet(order, 0, 1, &huge[..MAX_PACKET_BYTES], u32::MAX),
        &enhanced_packet(order, 0, 2, b"x", 1),
    ]);
    let seen = whole(&capture);
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].2.len(), seen[0].3), (MAX_PACKET_BYTES, u32::MAX));
}

#[test]
fn what_is_no_capture_is_called_so() {
    assert!(matches!(error(b""), (0, 0, Cause::Empty)));
    assert!(matches!(error(b"GET / HTTP/1.1"), (0, 0, Cause::NotACapture)));
    assert!(matches!(
        error(&[0x28, 0xb5, 0x2f, 0xfd, 0]),
        (0, 0, Cause::Zstandard)
    ));
    let mut no_order = section(Order::Little);
    no_order[8] = 0;
    assert!(matches!(error(&no_order), (0, 8, Cause::ByteOrder)));
}

/// Fails when it should go on.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is on fire")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_failing_source_gives_what_came_before() {
    let capture = pcap(Order::Little);
    let (seen, end) = packets(Failing(&capture));
    assert_eq!(seen, three());
    let error = end.unwrap_err();
    assert_eq!(error.to_string(), "the disk is on fire (at byte 80)");
}

#[test]
fn wrong_bytes_anywhere_give_an_error_or_packets_and_nothing_worse() {
    for capture in [
        pcap(Order::Little),
        pcapng(Order::Big),
        gzip(&pcapng(Order::Little)),
    ] {
        for at in 0..capture.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut broken = capture.clone();
                broken[at] = value;
                let (seen, _) = packets(&broken[..]);
                assert!(seen.len() <= capture.len() / 12);
            }
        }
    }
}
