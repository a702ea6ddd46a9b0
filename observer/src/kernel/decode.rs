//! Ring buffer bytes to [`Segment`], field by field: nothing the kernel object writes is trusted to be a Rust value.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use observer_common::flow::CLIENT_UNKNOWN;
use observer_common::limits::{MAX_CAPTURE, MAX_RECORD_PAYLOAD};
use observer_common::wire;
use observer_common::{HI_TO_LO, LO_TO_HI, RECORD_HEADER_LEN};

use super::clock::WallClock;
use crate::segment::{Segment, SegmentFlags};

/// Bytes that one piece can account for: a full capture, and a record behind it that is left out.
const MAX_WIRE_LEN: u32 = MAX_CAPTURE as u32 + MAX_RECORD_PAYLOAD;

/// `hook_side` of a packet that leaves the host or cgroup.
const LEAVES: u32 = 2;

/// Why a record is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than its header.
    #[error("{0} bytes are too few for a record header")]
    Short(usize),
    /// A kind of record that this agent does not know.
    #[error("unknown record kind {0}")]
    Kind(u8),
    /// A direction that is none.
    #[error("unknown direction {0}")]
    Direction(u8),
    /// Fewer captured bytes than it says, or fewer bytes on the wire than captured ones, or more than a piece can have.
    #[error("{captured} captured of {wire} bytes, but {available} in the record")]
    Length {
        /// As the record says.
        captured: u32,
        /// As the record says.
        wire: u32,
        /// As the record is.
        available: usize,
    },
}

/// Decodes one ring buffer record.
///
/// # Errors
/// See [`DecodeError`].
pub fn segment<'a>(record: &'a [u8], clock: &WallClock) -> Result<Segment<'a>, DecodeError> {
    let (header, data) = record
        .split_first_chunk::<RECORD_HEADER_LEN>()
        .ok_or(DecodeError::Short(record.len()))?;
    let [kind, direction, client, flags] = bytes(header, 0);
    if kind != wire::KIND_SEGMENT {
        return Err(DecodeError::Kind(kind));
    }
    if direction != LO_TO_HI && direction != HI_TO_LO {
        return Err(DecodeError::Direction(direction));
    }
    let wire_len = u32::from_ne_bytes(bytes(header, 8));
    let captured = u32::from_ne_bytes(bytes(header, 12));
    let data = data
        .get(..captured as usize)
        .filter(|_| captured <= wire_len && wire_len <= MAX_WIRE_LEN)
        .ok_or(DecodeError::Length {
            captured,
            wire: wire_len,
            available: data.len(),
        })?;
    let lo = SocketAddr::new(address(bytes(header, 40)), u16::from_ne_bytes(bytes(header, 72)));
    let hi = SocketAddr::new(address(bytes(header, 56)), u16::from_ne_bytes(bytes(header, 74)));
    let (source, destination) = if direction == LO_TO_HI { (lo, hi) } else { (hi, lo) };
    // The hook knows the socket of one end: on the way out the sender's, on the way in the receiver's.
    let cookie = u64::from_ne_bytes(bytes(header, 80));
    let (source_socket, destination_socket) = match u32::from_ne_bytes(bytes(header, 100)) {
        LEAVES => (cookie, 0),
        _ => (0, cookie),
    };
    let flag = |bit| flags & bit != 0;
    Ok(Segment {
        scope: u64::from_ne_bytes(bytes(header, 32)),
        source,
        destination,
        from_client: (client != CLIENT_UNKNOWN).then_some(client == direction),
        seq: u32::from_ne_bytes(bytes(header, 4)),
        ack: None,
        data,
        wire_len,
        time_ns: clock.wall(u64::from_ne_bytes(bytes(header, 16))),
        born: u64::from_ne_bytes(bytes(header, 24)),
        flags: SegmentFlags {
            syn_seen: flag(wire::FLAG_SYN_SEEN),
            syn: false,
            skipped: flag(wire::FLAG_SKIPPED),
            gap: flag(wire::FLAG_GAP),
            pieces_lost: flag(wire::FLAG_PIECES_LOST),
            not_tls: flag(wire::FLAG_NOT_TLS),
            fin: flag(wire::FLAG_FIN),
            rst: flag(wire::FLAG_RST),
            truncated: flag(wire::FLAG_TRUNCATED),
        },
        source_socket,
        destination_socket,
        cgroup_id: u64::from_ne_bytes(bytes(header, 88)),
    })
}

/// `N` bytes of the header from `at` on; the offsets are constants of the tests below and lie inside.
fn bytes<const N: usize>(header: &[u8; RECORD_HEADER_LEN], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&header[at..at + N]);
    field
}

/// IPv4 addresses come IPv4-mapped.
fn address(bytes: [u8; 16]) -> IpAddr {
    let address = Ipv6Addr::from(bytes);
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use observer_common::{FlowKey, RecordHeader};

    use super::*;

    fn record(header: RecordHeader, data: &[u8]) -> Vec<u8> {
        // SAFETY: the header has no padding (its size is asserted where it is defined), so all its bytes are set.
        let bytes: [u8; RECORD_HEADER_LEN] = unsafe { std::mem::transmute(header) };
        [&bytes, data].concat()
    }

    fn header() -> RecordHeader {
        let mut lo_addr = [0; 16];
        lo_addr[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
        let mut hi_addr = [0; 16];
        hi_addr[..2].copy_from_slice(&[0x20, 0x01]);
        RecordHeader {
            kind: wire::KIND_SEGMENT,
            direction: HI_TO_LO,
            client_direction: HI_TO_LO,
            flags: wire::FLAG_SYN_SEEN | wire::FLAG_RST,
            seq: 0xfeed_beef,
            wire_len: 9,
            captured: 3,
            time_ns: 1_000,
            born_ns: 77,
            flow: FlowKey {
                scope: 5,
                lo_addr,
                hi_addr,
                lo_port: 443,
                hi_port: 40_000,
                pad: 0,
            },
            socket_cookie: 11,
            cgroup_id: 12,
            ifindex: 13,
            hook_side: 1,
        }
    }

    const CLOCK: WallClock = WallClock::with_offset(500);

    #[test]
    fn every_field_arrives() {
        // A record may be longer than what it holds: the ring rounds up.
        let bytes = record(header(), &[1, 2, 3, 0, 0]);
        let segment = segment(&bytes, &CLOCK).unwrap();
        assert_eq!(segment.source, "[2001::]:40000".parse().unwrap());
        assert_eq!(segment.destination, "192.0.2.1:443".parse().unwrap());
        assert_eq!((segment.scope, segment.born, segment.time_ns), (5, 77, 1_500));
        assert_eq!(
            (segment.seq, segment.wire_len, segment.data),
            (0xfeed_beef, 9, &[1, 2, 3][..])
        );
        assert_eq!((segment.source_socket, segment.destination_socket), (0, 11));
        assert_eq!(segment.cgroup_id, 12);
        assert_eq!(segment.from_client, Some(true));
        assert_eq!(
            segment.flags,
            SegmentFlags {
                syn_seen: true,
                rst: true,
                ..SegmentFlags::default()
            }
        );
    }

    #[test]
    fn on_its_way_out_a_packet_has_the_socket_of_its_sender() {
        let leaving = RecordHeader {
            hook_side: LEAVES,
            ..header()
        };
        let bytes = record(leaving, &[1, 2, 3]);
        let segment = segment(&bytes, &CLOCK).unwrap();
        assert_eq!((segment.source_socket, segment.destination_socket), (11, 0));
    }

    #[test]
    fn the_offsets_are_those_of_the_shared_header() {
        assert_eq!(offset_of!(RecordHeader, seq), 4);
        assert_eq!(offset_of!(RecordHeader, wire_len), 8);
        assert_eq!(offset_of!(RecordHeader, captured), 12);
        assert_eq!(offset_of!(RecordHeader, time_ns), 16);
        assert_eq!(offset_of!(RecordHeader, born_ns), 24);
        assert_eq!(offset_of!(RecordHeader, flow) + offset_of!(FlowKey, scope), 32);
        assert_eq!(offset_of!(RecordHeader, flow) + offset_of!(FlowKey, lo_addr), 40);
        assert_eq!(offset_of!(RecordHeader, flow) + offset_of!(FlowKey, hi_addr), 56);
        assert_eq!(offset_of!(RecordHeader, flow) + offset_of!(FlowKey, lo_port), 72);
        assert_eq!(offset_of!(RecordHeader, flow) + offset_of!(FlowKey, hi_port), 74);
        assert_eq!(offset_of!(RecordHeader, socket_cookie), 80);
        assert_eq!(offset_of!(RecordHeader, cgroup_id), 88);
        assert_eq!(offset_of!(RecordHeader, hook_side), 100);
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        let whole = record(header(), &[1, 2, 3]);
        for len in 0..RECORD_HEADER_LEN {
            assert_eq!(
                segment(&whole[..len], &CLOCK).unwrap_err(),
                DecodeError::Short(len)
            );
        }
        let error = segment(&whole[..RECORD_HEADER_LEN + 2], &CLOCK).unwrap_err();
        assert_eq!(
            error,
            DecodeError::Length {
                captured: 3,
                wire: 9,
                available: 2
            }
        );
        let more = record(
            RecordHeader {
                wire_len: 2,
                ..header()
            },
            &[1, 2, 3],
        );
        assert!(matches!(
            segment(&more, &CLOCK),
            Err(DecodeError::Length { wire: 2, .. })
        ));
        let huge = record(
            RecordHeader {
                wire_len: 1 << 20,
                ..header()
            },
            &[1, 2, 3],
        );
        assert!(matches!(segment(&huge, &CLOCK), Err(DecodeError::Length { .. })));
        let kind = record(RecordHeader { kind: 9, ..header() }, &[1, 2, 3]);
        assert_eq!(segment(&kind, &CLOCK).unwrap_err(), DecodeError::Kind(9));
        let direction = record(
            RecordHeader {
                direction: 2,
                ..header()
            },
            &[1, 2, 3],
        );
        assert_eq!(
            segment(&direction, &CLOCK).unwrap_err(),
            DecodeError::Direction(2)
        );
    }
}
