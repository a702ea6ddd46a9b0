//! Packets and captures, byte by byte.

use std::net::{IpAddr, SocketAddr};

use crate::replay::{Decoder, Packet};
use crate::segment::{Segment, SegmentFlags};

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;

/// What a segment told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub from_client: Option<bool>,
    pub seq: u32,
    pub data: Vec<u8>,
    pub wire_len: u32,
    pub flags: SegmentFlags,
    pub time_ns: u64,
}

impl From<&Segment<'_>> for Told {
    fn from(segment: &Segment<'_>) -> Self {
        Self {
            source: segment.source,
            destination: segment.destination,
            from_client: segment.from_client,
            seq: segment.seq,
            data: segment.data.to_vec(),
            wire_len: segment.wire_len,
            flags: segment.flags,
            time_ns: segment.time_ns,
        }
    }
}

/// What the frames told, one after the other.
pub fn told(decoder: &mut Decoder, link_type: u16, frame: &[u8], wire_len: usize) -> Vec<Told> {
    let mut all = Vec::new();
    let packet = Packet {
        time_ns: 7,
        link_type,
        data: frame,
        wire_len: wire_len as u32,
    };
    decoder.packet(&packet, |segment| all.push(segment.into()));
    all
}

/// Parts one after the other.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A TCP segment from port 40000 to port 443.
pub fn tcp(flags: u8, seq: u32, payload: &[u8]) -> Vec<u8> {
    let [n0, n1, n2, n3] = seq.to_be_bytes();
    let header = [
        0x9c, 0x40, 0x01, 0xbb, n0, n1, n2, n3, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0,
    ];
    join(&[&header, payload])
}

pub fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() + 8) as u16;
    join(&[
        &[0xc0, 0x01],
        &port.to_be_bytes(),
        &length.to_be_bytes(),
        &[0, 0],
        payload,
    ])
}

/// From 10.0.0.1 to 10.0.0.2. `flags`: don't fragment, more fragments and the offset in units of 8 bytes.
pub fn ipv4_part(protocol: u8, id: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    join(&[
        &[0x45, 0],
        &total.to_be_bytes(),
        &id.to_be_bytes(),
        &flags.to_be_bytes(),
        &[64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
        payload,
    ])
}

pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_part(protocol, 1, 0x4000, payload)
}

/// From fd00::1 to fd00::2.
pub fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let address = |last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let length = (payload.len() as u16).to_be_bytes();
    join(&[
        &[0x60, 0, 0, 0],
        &length,
        &[next, 64],
        &address(1),
        &address(2),
        payload,
    ])
}

pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    join(&[
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2],
        &ether_type.to_be_bytes(),
        payload,
    ])
}

/// What a segment with `payload` from [`tcp`] tells, in IPv4 or IPv6.
pub fn expected(version: u8, seq: u32, payload: &[u8]) -> Told {
    let (source, destination): (IpAddr, IpAddr) = if version == 4 {
        ([10, 0, 0, 1].into(), [10, 0, 0, 2].into())
    } else {
        ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap())
    };
    Told {
        source: (source, 40_000).into(),
        destination: (destination, 443).into(),
        from_client: None,
        seq,
        data: payload.to_vec(),
        wire_len: payload.len() as u32,
        flags: SegmentFlags::default(),
        time_ns: 7,
    }
}

/// How numbers are written into a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// The header of a pcap file.
pub fn pcap_header(order: Order, magic: u32, link_type: u32) -> Vec<u8> {
    join(&[
        &order.u32(magic),
        &order.u16(2),
        &order.u16(4),
        &[0; 8],
        &order.u32(65_535),
        &order.u32(link_type),
    ])
}

pub fn pcap_packet(order: Order, seconds: u32, fraction: u32, data: &[u8], wire_len: u32) -> Vec<u8> {
    let numbers = [seconds, fraction, data.len() as u32, wire_len].map(|number| order.u32(number));
    join(&[&numbers.concat(), data])
}

/// A pcapng block, padded.
pub fn block(order: Order, kind: u32, contents: &[u8]) -> Vec<u8> {
    let padding = vec![0; contents.len().next_multiple_of(4) - contents.len()];
    let length = order.u32((12 + contents.len() + padding.len()) as u32);
    join(&[&order.u32(kind), &length, contents, &padding, &length])
}

pub fn section(order: Order) -> Vec<u8> {
    let contents = join(&[&order.u32(0x1a2b_3c4d), &order.u16(1), &order.u16(0), &[0xff; 8]]);
    block(order, 0x0a0d_0d0a, &contents)
}

/// `options` in their encoded form.
pub fn interface(order: Order, link_type: u16, snap_length: u32, options: &[u8]) -> Vec<u8> {
    let fixed = join(&[&order.u16(link_type), &[0, 0], &order.u32(snap_length)]);
    block(order, 1, &join(&[&fixed, options]))
}

pub fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    join(&[&order.u16(code), &order.u16(value.len() as u16), value, &padding])
}

pub fn enhanced_packet(order: Order, interface: u32, stamp: u64, data: &[u8], wire_len: u32) -> Vec<u8> {
    let numbers = [
        interface,
        (stamp >> 32) as u32,
        stamp as u32,
        data.len() as u32,
        wire_len,
    ];
    let fixed = numbers.map(|number| order.u32(number)).concat();
    let padding = vec![0; data.len().next_multiple_of(4) - data.len()];
    // A comment behind the data.
    let options = option(order, 1, b"some comment");
    block(order, 6, &join(&[&fixed, data, &padding, &options, &[0; 4]]))
}
