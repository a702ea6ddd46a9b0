//! Ring buffer bytes to [`Hit`], field by field.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use observer_common::hit::{FLAG_TOO_LONG, FLAG_UNREADABLE, HIT_HEADER_LEN, MAX_HIT_BYTES};

use super::Socket;
use crate::kernel::clock::WallClock;

/// A function of a TLS library that was entered or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit<'a> {
    /// Which: a constant of `observer_common::hit`'s module for the library.
    pub kind: u16,
    /// The library's memory could not be read.
    pub is_unreadable: bool,
    /// There was more to copy than a hit may carry.
    pub is_too_long: bool,
    /// When, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The goroutine, 0 for other languages.
    pub coroutine: u64,
    /// cgroup v2 id of the thread.
    pub cgroup_id: u64,
    /// Which file the probe is in; 0 if unknown.
    pub target: u64,
    /// What the kind says.
    pub values: [u64; 4],
    /// The connection that the thread or goroutine received from last, and when, nanoseconds since the Unix epoch.
    pub socket: Option<(Socket, u64)>,
    /// The thread's name, padded with 0.
    pub name: [u8; 16],
    /// What the kind says.
    pub bytes: &'a [u8],
}

#[cfg(test)]
impl<'a> Hit<'a> {
    /// A hit of a thread that received from the socket with this cookie.
    pub(super) fn sample(cookie: u64, kind: u16, values: [u64; 4], bytes: &'a [u8]) -> Self {
        let socket = Socket {
            cookie,
            addresses: None,
        };
        Self {
            kind,
            is_unreadable: false,
            is_too_long: false,
            time_ns: 1,
            pid: 1,
            tid: 1,
            coroutine: 0,
            cgroup_id: 0,
            target: 0,
            values,
            socket: Some((socket, 0)),
            name: *b"server\0\0\0\0\0\0\0\0\0\0",
            bytes,
        }
    }
}

/// Why a record is no hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HitError {
    /// Shorter than its header.
    #[error("{0} bytes are too few for a hit's header")]
    Short(usize),
    /// Fewer bytes than it says, or more than a hit may carry.
    #[error("{captured} bytes captured, but {available} in the record")]
    Length {
        /// As the record says.
        captured: u32,
        /// As the record is.
        available: usize,
    },
}

/// Decodes one ring buffer record.
///
/// # Errors
/// See [`HitError`].
pub fn decode<'a>(record: &'a [u8], clock: &WallClock) -> Result<Hit<'a>, HitError> {
    let (header, bytes) = record
        .split_first_chunk::<HIT_HEADER_LEN>()
        .ok_or(HitError::Short(record.len()))?;
    let u16_at = |at| u16::from_ne_bytes(field(header, at));
    let u32_at = |at| u32::from_ne_bytes(field(header, at));
    let u64_at = |at| u64::from_ne_bytes(field(header, at));
    let captured = u32_at(4);
    let bytes = bytes
        .get(..captured as usize)
        .filter(|bytes| bytes.len() <= MAX_HIT_BYTES)
        .ok_or(HitError::Length {
            captured,
            available: bytes.len(),
        })?;
    let flags = u16_at(2);
    let cookie = u64_at(80);
    let local: [u8; 16] = field(header, 96);
    let remote: [u8; 16] = field(header, 112);
    let addresses = (local != [0; 16]).then(|| (address(local, u16_at(128)), address(remote, u16_at(130))));
    let socket = Socket { cookie, addresses };
    Ok(Hit {
        kind: u16_at(0),
        is_unreadable: flags & FLAG_UNREADABLE != 0,
        is_too_long: flags & FLAG_TOO_LONG != 0,
        time_ns: clock.wall(u64_at(8)),
        pid: u32_at(16),
        tid: u32_at(20),
        coroutine: u64_at(24),
        cgroup_id: u64_at(32),
        target: u64_at(40),
        values: [u64_at(48), u64_at(56), u64_at(64), u64_at(72)],
        socket: (cookie != 0).then(|| (socket, clock.wall(u64_at(88)))),
        name: field(header, 136),
        bytes,
    })
}

/// `N` bytes of the header from `at` on; the offsets are constants of the tests below and lie inside.
fn field<const N: usize>(header: &[u8; HIT_HEADER_LEN], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&header[at..at + N]);
    field
}

/// IPv4 addresses come IPv4-mapped.
fn address(bytes: [u8; 16], port: u16) -> SocketAddr {
    let address = Ipv6Addr::from(bytes);
    SocketAddr::new(
        address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        port,
    )
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use observer_common::{HitHeader, SocketSeen};

    use super::*;

    const CLOCK: WallClock = WallClock::with_offset(500);

    fn record(header: HitHeader, bytes: &[u8]) -> Vec<u8> {
        // SAFETY: the header has no padding (its size is asserted where it is defined), so all its bytes are set.
        let encoded: [u8; HIT_HEADER_LEN] = unsafe { std::mem::transmute(header) };
        [&encoded, bytes].concat()
    }

    fn header() -> HitHeader {
        let mut local_addr = [0; 16];
        local_addr[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
        let mut remote_addr = [0; 16];
        remote_addr[..2].copy_from_slice(&[0x20, 0x01]);
        HitHeader {
            kind: 0x101,
            flags: FLAG_UNREADABLE,
            captured: 3,
            time_ns: 1_000,
            pid: 7,
            tid: 8,
            coroutine: 9,
            cgroup_id: 10,
            target: 11,
            values: [12, 13, 14, 15],
            socket: SocketSeen {
                cookie: 16,
                received_ns: 900,
                local_addr,
                remote_addr,
                local_port: 443,
                remote_port: 40_000,
                pad: 0,
            },
            name: *b"nginx\0\0\0\0\0\0\0\0\0\0\0",
        }
    }

    #[test]
    fn every_field_arrives() {
        // A record may be longer than what it holds: the ring rounds up.
        let bytes = record(header(), &[1, 2, 3, 0, 0]);
        let hit = decode(&bytes, &CLOCK).unwrap();
        assert_eq!(
            (hit.kind, hit.is_unreadable, hit.is_too_long),
            (0x101, true, false)
        );
        assert_eq!((hit.time_ns, hit.pid, hit.tid, hit.coroutine), (1_500, 7, 8, 9));
        assert_eq!(
            (hit.cgroup_id, hit.target, hit.values),
            (10, 11, [12, 13, 14, 15])
        );
        let addresses = (
            "192.0.2.1:443".parse().unwrap(),
            "[2001::]:40000".parse().unwrap(),
        );
        let socket = Socket {
            cookie: 16,
            addresses: Some(addresses),
        };
        assert_eq!(hit.socket, Some((socket, 1_400)));
        assert_eq!((&hit.name[..6], hit.bytes), (&b"nginx\0"[..], &[1, 2, 3][..]));
    }

    #[test]
    fn a_socket_may_be_unknown_or_without_addresses() {
        let mut unknown = header();
        unknown.socket = SocketSeen::default();
        assert_eq!(decode(&record(unknown, &[0; 3]), &CLOCK).unwrap().socket, None);
        let mut nameless = header();
        nameless.socket.local_addr = [0; 16];
        let bytes = record(nameless, &[0; 3]);
        let (socket, _) = decode(&bytes, &CLOCK).unwrap().socket.unwrap();
        assert_eq!((socket.cookie, socket.addresses), (16, None));
    }

    #[test]
    fn the_offsets_are_those_of_the_shared_header() {
        assert_eq!(offset_of!(HitHeader, captured), 4);
        assert_eq!(offset_of!(HitHeader, time_ns), 8);
        assert_eq!(offset_of!(HitHeader, pid), 16);
        assert_eq!(offset_of!(HitHeader, coroutine), 24);
        assert_eq!(offset_of!(HitHeader, cgroup_id), 32);
        assert_eq!(offset_of!(HitHeader, target), 40);
        assert_eq!(offset_of!(HitHeader, values), 48);
        let socket = offset_of!(HitHeader, socket);
        assert_eq!(socket + offset_of!(SocketSeen, cookie), 80);
        assert_eq!(socket + offset_of!(SocketSeen, received_ns), 88);
        assert_eq!(socket + offset_of!(SocketSeen, local_addr), 96);
        assert_eq!(socket + offset_of!(SocketSeen, remote_addr), 112);
        assert_eq!(socket + offset_of!(SocketSeen, local_port), 128);
        assert_eq!(socket + offset_of!(SocketSeen, remote_port), 130);
        assert_eq!(offset_of!(HitHeader, name), 136);
    }

    #[test]
    fn what_is_no_hit_is_an_error() {
        let whole = record(header(), &[1, 2, 3]);
        for len in 0..HIT_HEADER_LEN {
            assert_eq!(decode(&whole[..len], &CLOCK), Err(HitError::Short(len)));
        }
        assert_eq!(
            decode(&whole[..HIT_HEADER_LEN + 2], &CLOCK),
            Err(HitError::Length {
                captured: 3,
                available: 2
            })
        );
        let mut long = header();
        long.captured = MAX_HIT_BYTES as u32 + 1;
        let long = record(long, &[0; MAX_HIT_BYTES + 1]);
        assert!(matches!(decode(&long, &CLOCK), Err(HitError::Length { .. })));
    }
}
