//! Ethernet frames made by hand: TCP segments in IPv4 or IPv6, with what real networks add to them.

use std::net::{IpAddr, SocketAddr};

use crate::conversation::Flight;

/// TCP flags.
pub mod flag {
    /// No more data.
    pub const FIN: u8 = 0x01;
    /// Opens.
    pub const SYN: u8 = 0x02;
    /// Ends at once.
    pub const RST: u8 = 0x04;
    /// Deliver now.
    pub const PSH: u8 = 0x08;
    /// Acknowledges.
    pub const ACK: u8 = 0x10;
}

const PROTOCOL_TCP: u8 = 6;

/// The headers around a conversation's segments.
#[derive(Clone, Debug)]
pub struct Headers {
    /// The client's end.
    pub client: SocketAddr,
    /// The server's end, of the same family.
    pub server: SocketAddr,
    /// 802.1Q tag.
    pub vlan: Option<u16>,
    /// IPv4 options; a multiple of 4 bytes, at most 40.
    pub ipv4_options: Vec<u8>,
    /// IPv6 extension headers between the fixed header and TCP.
    pub ipv6_extensions: bool,
    /// TCP options: a multiple of 4 bytes, at most 40.
    pub tcp_options: Vec<u8>,
}

impl Headers {
    /// Plain headers.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            client,
            server,
            vlan: None,
            ipv4_options: Vec::new(),
            ipv6_extensions: false,
            tcp_options: Vec::new(),
        }
    }

    /// The frame that carries `segment`.
    pub fn frame(&self, segment: &Segment) -> Vec<u8> {
        let (source, destination) = if segment.from_client {
            (self.client, self.server)
        } else {
            (self.server, self.client)
        };
        let mut tcp = Vec::with_capacity(20 + self.tcp_options.len() + segment.payload.len());
        tcp.extend(source.port().to_be_bytes());
        tcp.extend(destination.port().to_be_bytes());
        tcp.extend(segment.seq.to_be_bytes());
        tcp.extend(segment.ack.to_be_bytes());
        tcp.push(words(20 + self.tcp_options.len()) << 4);
        tcp.push(segment.flags);
        tcp.extend([0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(&self.tcp_options);
        tcp.extend(&segment.payload);
        let sum = checksum(&[&pseudo_header(source.ip(), destination.ip(), tcp.len()), &tcp]);
        if let Some(slot) = tcp.get_mut(16..18) {
            slot.copy_from_slice(&sum.to_be_bytes());
        }
        let mut frame = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x01];
        if let Some(tag) = self.vlan {
            frame.extend(0x8100u16.to_be_bytes());
            frame.extend(tag.to_be_bytes());
        }
        self.internet(source.ip(), destination.ip(), &tcp, &mut frame);
        frame
    }

    /// Appends the EtherType, the IP header and the TCP bytes.
    fn internet(&self, source: IpAddr, destination: IpAddr, tcp: &[u8], frame: &mut Vec<u8>) {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                frame.extend(0x0800u16.to_be_bytes());
                let length = 20 + self.ipv4_options.len();
                let mut header = vec![0x40 | words(length), 0];
                header.extend(total(length + tcp.len()));
                header.extend([0, 1, 0x40, 0, 64, PROTOCOL_TCP, 0, 0]);
                header.extend(source.octets());
                header.extend(destination.octets());
                header.extend(&self.ipv4_options);
                let sum = checksum(&[&header]);
                if let Some(slot) = header.get_mut(10..12) {
                    slot.copy_from_slice(&sum.to_be_bytes());
                }
                frame.extend(header);
            }
            (source, destination) => {
                frame.extend(0x86ddu16.to_be_bytes());
                // Hop-by-hop options, then destination options of 16 bytes, both padding only.
                let extensions: &[u8] = if self.ipv6_extensions {
                    &[
                        60,
                        0,
                        1,
                        4,
                        0,
                        0,
                        0,
                        0,
                        PROTOCOL_TCP,
                        1,
                        1,
                        12,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                    ]
                } else {
                    &[]
                };
                frame.extend([0x60, 0, 0, 0]);
                frame.extend(total(extensions.len() + tcp.len()));
                frame.extend([if extensions.is_empty() { PROTOCOL_TCP } else { 0 }, 64]);
                frame.extend(octets(source));
                frame.extend(octets(destination));
                frame.extend(extensions);
            }
        }
        frame.extend(tcp);
    }
}

/// A TCP segment of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Who sends it.
    pub from_client: bool,
    /// Sequence number of the first payload byte (or of SYN, FIN).
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Bits of [`flag`].
    pub flags: u8,
    /// Data.
    pub payload: Vec<u8>,
}

/// The segments of a whole connection in order: handshake, flights cut at `mss` bytes, FIN from both sides. The initial
/// sequence numbers may lie just below 2^32 to make them wrap.
pub fn connection(flights: &[Flight], mss: usize, client_isn: u32, server_isn: u32) -> Vec<Segment> {
    let (mut client, mut server) = (client_isn, server_isn);
    let mut segments = Vec::new();
    let mut push = |from_client: bool, flags: u8, payload: &[u8]| {
        let (seq, ack) = if from_client {
            (&mut client, server)
        } else {
            (&mut server, client)
        };
        let ack = if flags & flag::ACK == 0 { 0 } else { ack };
        segments.push(Segment {
            from_client,
            seq: *seq,
            ack,
            flags,
            payload: payload.to_vec(),
        });
        let counted = payload.len() + usize::from(flags & (flag::SYN | flag::FIN) != 0);
        *seq = seq.wrapping_add(u32::try_from(counted).unwrap_or(u32::MAX));
    };
    push(true, flag::SYN, &[]);
    push(false, flag::SYN | flag::ACK, &[]);
    push(true, flag::ACK, &[]);
    for flight in flights {
        for piece in flight.bytes.chunks(mss) {
            push(flight.from_client, flag::ACK | flag::PSH, piece);
        }
    }
    push(true, flag::FIN | flag::ACK, &[]);
    push(false, flag::FIN | flag::ACK, &[]);
    push(true, flag::ACK, &[]);
    segments
}

/// A length in bytes as a count of 32-bit words.
fn words(length: usize) -> u8 {
    u8::try_from(length / 4).unwrap_or(15)
}

/// A length for an IP header.
fn total(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// What TCP's checksum covers beside the segment (RFC 9293, section 3.1; RFC 8200, section 8.1).
fn pseudo_header(source: IpAddr, destination: IpAddr, length: usize) -> Vec<u8> {
    let mut header = octets(source);
    header.extend(octets(destination));
    header.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    header.extend([0, 0, 0, PROTOCOL_TCP]);
    header
}

/// The Internet checksum (RFC 1071) over parts of even length; only the last may be odd.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let [high, low] = [
            pair.first().copied().unwrap_or(0),
            pair.get(1).copied().unwrap_or(0),
        ];
        sum += u64::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_a_known_header() {
        // The example of RFC 1071, section 3: 0001 f203 f4f5 f6f7 sums to ddf2.
        assert_eq!(
            checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]),
            !0xddf2
        );
    }

    #[test]
    fn a_connection_counts_its_sequence_numbers_across_the_wrap() {
        let flights = [
            Flight {
                from_client: true,
                bytes: vec![1; 10],
            },
            Flight {
                from_client: false,
                bytes: vec![2; 3],
            },
        ];
        let segments = connection(&flights, 4, u32::MAX - 3, 100);
        let data: Vec<_> = segments
            .iter()
            .filter(|segment| !segment.payload.is_empty())
            .collect();
        assert_eq!(
            data.iter().map(|segment| segment.seq).collect::<Vec<_>>(),
            [u32::MAX - 2, 1, 5, 101]
        );
        assert_eq!(data.last().map(|segment| segment.ack), Some(7));
        assert_eq!(segments.len(), 3 + 4 + 3);
    }
}
