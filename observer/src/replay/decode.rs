//! From packets to pieces of TCP streams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::fragments::Fragments;
use super::layers::{self, Protocol, Step};
use super::view::View;
use super::{Packet, PassedOver, ip, link, tunnel};
use crate::segment::{Segment, SegmentFlags};

/// Headers in one packet at most, from the frame to TCP. A packet in three tunnels with two tags has some thirty.
const MAX_LAYERS: usize = 64;
/// Datagrams put together within one another at most.
const MAX_FRAGMENTED: usize = 4;

const TCP: u8 = 6;
const TCP_HEADER_BYTES: usize = 20;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Numbers of packets, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub packets: u64,
    /// Bytes that were captured of them.
    pub bytes: u64,
    /// Pieces of TCP streams that were handed on.
    pub segments: u64,
    /// Something else than IP.
    pub not_ip: u64,
    /// Something else than TCP.
    pub not_tcp: u64,
    /// Headers that the snap length has cut off.
    pub truncated: u64,
    /// Headers that cannot be.
    pub malformed: u64,
    /// More headers within each other than are followed.
    pub nesting: u64,
    /// Link types that are not known.
    pub link_type: u64,
    /// Fragments of datagrams that were not complete.
    pub fragments: u64,
}

impl Counts {
    /// Packets that were passed over, by reason.
    pub fn passed_over(&self) -> [(&'static str, u64); 7] {
        [
            ("not_ip", self.not_ip),
            ("not_tcp", self.not_tcp),
            ("truncated", self.truncated),
            ("malformed", self.malformed),
            ("nesting", self.nesting),
            ("link_type", self.link_type),
            ("fragments", self.fragments),
        ]
    }
}

/// Reads packets. It holds the fragments of datagrams that are not complete, within limits.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    counts: Counts,
    latest_ns: u64,
}

impl Decoder {
    /// Hands the TCP segments in `packet` on: all with data, and all that open or close a connection.
    #[inline]
    pub fn packet<F: FnMut(&Segment<'_>)>(&mut self, packet: &Packet<'_>, mut emit: F) {
        self.counts.packets += 1;
        self.counts.bytes += packet.data.len() as u64;
        self.latest_ns = self.latest_ns.max(packet.time_ns);
        let frame = View::new(packet.data, packet.wire_len as usize);
        let outcome = match link::decode(packet.link_type, frame) {
            Some(begin) => {
                let mut walk = Walk {
                    fragments: &mut self.fragments,
                    latest_ns: self.latest_ns,
                    time_ns: packet.time_ns,
                    segments: &mut self.counts.segments,
                    emit: &mut emit,
                };
                walk.follow(begin, UNKNOWN, MAX_FRAGMENTED)
            }
            None => Err(PassedOver::LinkType),
        };
        if let Err(reason) = outcome {
            self.pass_over(reason);
        }
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> Counts {
        Counts {
            fragments: self.fragments.lost,
            ..self.counts
        }
    }

    /// Gives up the datagrams that are not complete. What comes next may be of any time.
    pub fn finish(&mut self) {
        self.fragments.clear();
        self.latest_ns = 0;
    }

    fn pass_over(&mut self, reason: PassedOver) {
        let counts = &mut self.counts;
        *match reason {
            PassedOver::NotIp => &mut counts.not_ip,
            PassedOver::NotTcp => &mut counts.not_tcp,
            PassedOver::Truncated => &mut counts.truncated,
            PassedOver::Malformed => &mut counts.malformed,
            PassedOver::Nesting => &mut counts.nesting,
            PassedOver::LinkType => &mut counts.link_type,
        } += 1;
    }
}

/// Source and destination.
type Addresses = (IpAddr, IpAddr);
const UNKNOWN: Addresses = (
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
);

/// The way through one packet.
struct Walk<'d, F> {
    fragments: &'d mut Fragments,
    latest_ns: u64,
    time_ns: u64,
    segments: &'d mut u64,
    emit: &'d mut F,
}

impl<F: FnMut(&Segment<'_>)> Walk<'_, F> {
    /// Goes from header to header until TCP. `depth`: how many datagrams may still be put together on the way.
    #[inline]
    fn follow(&mut self, begin: Step<'_>, mut addresses: Addresses, depth: usize) -> Result<(), PassedOver> {
        let (mut protocol, mut view) = begin?;
        for _ in 0..MAX_LAYERS {
            (protocol, view) = match protocol {
                Protocol::Ethernet => layers::ethernet(view),
                Protocol::EtherType => layers::ether_type(view),
                Protocol::Ip => {
                    let datagram = ip::datagram(view)?;
                    addresses = (datagram.source, datagram.destination);
                    if let Some(fragment) = datagram.fragment {
                        return self.fragment(&datagram, fragment, addresses, depth);
                    }
                    Ok((Protocol::Transport(datagram.protocol), datagram.payload))
                }
                Protocol::Transport(TCP) => return self.tcp(view, addresses),
                Protocol::Transport(number) => tunnel::transport(number, view),
                Protocol::Llc => layers::llc(view),
                Protocol::Ppp => layers::ppp(view),
                Protocol::PppoeSession => layers::pppoe_session(view),
                Protocol::Mpls => layers::mpls(view),
                Protocol::ServiceHeader => layers::service_header(view),
                Protocol::AggregatedMsdus => return self.aggregated(view, depth),
            }?;
        }
        Err(PassedOver::Nesting)
    }

    fn fragment(
        &mut self,
        datagram: &ip::Datagram<'_>,
        fragment: ip::Fragment,
        addresses: Addresses,
        depth: usize,
    ) -> Result<(), PassedOver> {
        let depth = depth.checked_sub(1).ok_or(PassedOver::Nesting)?;
        match self.fragments.add(datagram, fragment, self.latest_ns) {
            Some((protocol, payload)) => {
                let view = View::new(&payload, payload.len());
                self.follow(Ok((Protocol::Transport(protocol), view)), addresses, depth)
            }
            None => Ok(()),
        }
    }

    /// Frames one after the other, each with two addresses, its length, and LLC; padded to words.
    fn aggregated(&mut self, mut view: View<'_>, depth: usize) -> Result<(), PassedOver> {
        const HEADER_BYTES: usize = 14;
        let depth = depth.checked_sub(1).ok_or(PassedOver::Nesting)?;
        loop {
            let length = usize::from(view.u16(HEADER_BYTES - 2)?);
            let frame = view.skip(HEADER_BYTES)?.cut(length);
            self.follow(Ok((Protocol::Llc, frame)), UNKNOWN, depth)?;
            let next = (HEADER_BYTES + length).next_multiple_of(4);
            // What is left may be a check sequence.
            if next + HEADER_BYTES > view.wire {
                return Ok(());
            }
            view = view.skip(next)?;
        }
    }

    /// RFC 9293, section 3.1.
    #[inline]
    fn tcp(&mut self, view: View<'_>, (source, destination): Addresses) -> Result<(), PassedOver> {
        // The first 14 bytes tell all that is used of the header.
        let [s0, s1, d0, d1, n0, n1, n2, n3, a0, a1, a2, a3, offset, flags] = *view.head::<14>()?;
        let header_bytes = usize::from(offset >> 4) * 4;
        if header_bytes < TCP_HEADER_BYTES || header_bytes > view.wire {
            return Err(PassedOver::Malformed);
        }
        let (syn, rst) = (flags & SYN != 0, flags & RST != 0);
        let seq = u32::from_be_bytes([n0, n1, n2, n3]);
        let (data, wire_len) = if rst {
            // What a reset carries explains it (RFC 9293, section 3.5.3) and is not part of the stream.
            (&[][..], 0)
        } else {
            (
                view.data.get(header_bytes..).unwrap_or_default(),
                view.wire - header_bytes,
            )
        };
        if wire_len == 0 && flags & (FIN | SYN | RST) == 0 {
            return Ok(());
        }
        *self.segments += 1;
        (self.emit)(&Segment {
            scope: 0,
            source: SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
            destination: SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
            from_client: syn.then_some(flags & ACK == 0),
            // A SYN has a number of its own, before that of the first byte.
            seq: seq.wrapping_add(u32::from(syn)),
            ack: (flags & ACK != 0).then(|| u32::from_be_bytes([a0, a1, a2, a3])),
            data,
            wire_len: u32::try_from(wire_len).unwrap_or(u32::MAX),
            time_ns: self.time_ns,
            born: 0,
            flags: SegmentFlags {
                syn,
                fin: flags & FIN != 0,
                rst,
                ..SegmentFlags::default()
            },
            source_socket: 0,
            destination_socket: 0,
            cgroup_id: 0,
        });
        Ok(())
    }
}
