//! IP and TCP headers to flow key, direction, sequence numbers and the place of the payload.

use core::mem::MaybeUninit;

use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;
use observer_common::{FlowKey, HI_TO_LO, LO_TO_HI};

use crate::maps::count;
use crate::source::load;

const IPPROTO_TCP: u8 = 6;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_QINQ: u16 = 0x88a8;

const NEXT_HOP_BY_HOP: u8 = 0;
const NEXT_ROUTING: u8 = 43;
const NEXT_FRAGMENT: u8 = 44;
const NEXT_AUTHENTICATION: u8 = 51;
const NEXT_DESTINATION: u8 = 60;
/// Extension headers that are followed before a packet is given up (RFC 8200, section 4.1 lists seven).
const MAX_EXTENSIONS: u32 = 7;

/// TCP flag FIN.
pub const FIN: u8 = 0x01;
/// TCP flag SYN.
pub const SYN: u8 = 0x02;
/// TCP flag RST.
pub const RST: u8 = 0x04;
/// TCP flag ACK.
pub const ACK: u8 = 0x10;

/// What the headers of one TCP packet say.
#[repr(C)]
pub struct Packet {
    /// Its connection.
    pub key: FlowKey,
    /// Its direction within `key`.
    pub direction: u8,
    /// TCP flags.
    pub flags: u8,
    /// Sequence number of the first payload byte.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Offset of the payload in the packet.
    pub payload: u32,
    /// Payload length.
    pub len: u32,
}

/// Strips link-layer and VLAN headers: the offset of the IP header, for packets that have one.
#[inline(always)]
pub fn network_offset(ctx: &SkBuffContext, link_header: u32) -> Option<u32> {
    let mut at = link_header;
    if link_header < 2 {
        return Some(at);
    }
    let mut ethertype = [0u8; 2];
    // Two tags at most: 802.1ad around 802.1Q. A tag that the card took off is not in the bytes.
    for _ in 0..3 {
        // SAFETY: `ethertype` is two writable bytes.
        if !unsafe { load(ctx, at - 2, ethertype.as_mut_ptr(), 2) } {
            return None;
        }
        match u16::from_be_bytes(ethertype) {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => return Some(at),
            ETHERTYPE_VLAN | ETHERTYPE_QINQ => at += 4,
            _ => return None,
        }
    }
    None
}

/// Words of a header, in network byte order: in the packet itself, or in a copy.
#[derive(Clone, Copy)]
struct Words(*const u32);

impl Words {
    /// Word `i`, which must be one that was asked for.
    #[inline(always)]
    fn at(self, i: usize) -> u32 {
        // SAFETY: `words` and `first_words` made sure of it. The verifier allows reads that are not aligned where the
        // machine does.
        unsafe { *self.0.add(i) }
    }

    /// The words from `i` on.
    #[inline(always)]
    fn behind(self, i: usize) -> Self {
        // SAFETY: as above.
        Self(unsafe { self.0.add(i) })
    }
}

/// The first ten words of an IP packet: the common case, IPv4 without options and TCP. Where they begin the data, as in
/// the cgroup hook, they can be read without a helper; at other offsets the verifier loses track of them.
#[inline(always)]
fn first_words(ctx: &SkBuffContext, ip: u32, copy: &mut MaybeUninit<[u32; 10]>) -> Option<Words> {
    if ip == 0 {
        // SAFETY: fields of the program's own context.
        let (data, end) = unsafe { ((*ctx.skb.skb).data as usize, (*ctx.skb.skb).data_end as usize) };
        if data + 40 <= end {
            return Some(Words(data as *const u32));
        }
    }
    words(ctx, ip, copy)
}

/// `N` words of the packet from offset `at` on.
#[inline(always)]
fn words<const N: usize>(ctx: &SkBuffContext, at: u32, copy: &mut MaybeUninit<[u32; N]>) -> Option<Words> {
    // SAFETY: `copy` has room for as many bytes; the helper fills them, or fails.
    unsafe { load(ctx, at, copy.as_mut_ptr().cast(), N as u32 * 4) }.then_some(Words(copy.as_ptr().cast()))
}

impl Packet {
    /// Reads the headers of the packet whose IP header stands at `ip`. `None` for what is not TCP, and for pure
    /// acknowledgements, which carry nothing to follow.
    #[inline(always)]
    pub fn parse(ctx: &SkBuffContext, ip: u32) -> Option<Self> {
        let total = ctx.len();
        let mut copy = MaybeUninit::uninit();
        let head = first_words(ctx, ip, &mut copy)?;
        let first = head.at(0).to_ne_bytes();
        let (mut source, mut destination) = ([0u32; 4], [0u32; 4]);
        let (tcp, end);
        match first[0] >> 4 {
            4 => {
                let fragment = u16::from_be_bytes([head.at(1).to_ne_bytes()[2], head.at(1).to_ne_bytes()[3]]);
                if head.at(2).to_ne_bytes()[1] != IPPROTO_TCP {
                    return None;
                }
                if fragment & 0x3fff != 0 {
                    count(Counter::Fragments);
                    return None;
                }
                let length = u32::from(u16::from_be_bytes([first[2], first[3]]));
                // 0 is how the kernel writes a length beyond 64 KiB (BIG TCP).
                end = if length == 0 { total } else { ip + length };
                tcp = ip + u32::from(first[0] & 15) * 4;
                source[2] = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
                destination[2] = source[2];
                source[3] = head.at(3);
                destination[3] = head.at(4);
            }
            6 => {
                let length = u32::from(u16::from_be_bytes([
                    head.at(1).to_ne_bytes()[0],
                    head.at(1).to_ne_bytes()[1],
                ]));
                end = if length == 0 { total } else { ip + 40 + length };
                tcp = skip_extensions(ctx, head.at(1).to_ne_bytes()[2], ip + 40)?;
                for i in 0..4 {
                    source[i] = head.at(2 + i);
                    destination[i] = head.at(6 + i);
                }
            }
            _ => return None,
        }
        let mut tcp_copy = MaybeUninit::uninit();
        let tcp_head = if tcp == ip + 20 {
            head.behind(5)
        } else if let Some(tcp_head) = words::<5>(ctx, tcp, &mut tcp_copy) {
            tcp_head
        } else {
            count(Counter::BadHeaders);
            return None;
        };
        let ports = tcp_head.at(0).to_ne_bytes();
        let offset_flags = tcp_head.at(3).to_ne_bytes();
        let payload = tcp + u32::from(offset_flags[0] >> 4) * 4;
        if payload > end || end > total || payload < tcp + 20 {
            count(Counter::BadHeaders);
            return None;
        }
        let len = end - payload;
        let flags = offset_flags[1];
        if len == 0 && flags & (SYN | FIN | RST) == 0 {
            return None;
        }
        let source_port = u16::from_be_bytes([ports[0], ports[1]]);
        let destination_port = u16::from_be_bytes([ports[2], ports[3]]);
        let forward = is_lower(&source, source_port, &destination, destination_port);
        let (lo_addr, lo_port, hi_addr, hi_port) = if forward {
            (source, source_port, destination, destination_port)
        } else {
            (destination, destination_port, source, source_port)
        };
        Some(Self {
            key: FlowKey {
                scope: 0,
                lo_addr: bytes(lo_addr),
                hi_addr: bytes(hi_addr),
                lo_port,
                hi_port,
                pad: 0,
            },
            direction: if forward { LO_TO_HI } else { HI_TO_LO },
            flags,
            // SYN takes a sequence number of its own; payload on a SYN (TCP Fast Open) comes after it.
            seq: u32::from_be(tcp_head.at(1)).wrapping_add((flags & SYN != 0) as u32),
            ack: u32::from_be(tcp_head.at(2)),
            payload,
            len,
        })
    }
}

#[inline(always)]
fn bytes(words: [u32; 4]) -> [u8; 16] {
    // SAFETY: both are 16 bytes without padding, and any bytes are valid.
    unsafe { core::mem::transmute(words) }
}

/// The order of endpoints in a [`FlowKey`].
#[inline(always)]
fn is_lower(a: &[u32; 4], a_port: u16, b: &[u32; 4], b_port: u16) -> bool {
    for i in 0..4 {
        if a[i] != b[i] {
            return u32::from_be(a[i]) < u32::from_be(b[i]);
        }
    }
    a_port <= b_port
}

/// Walks IPv6 extension headers (RFC 8200, section 4) to TCP.
#[inline(always)]
fn skip_extensions(ctx: &SkBuffContext, first: u8, at: u32) -> Option<u32> {
    let (mut next, mut at) = (first, at);
    for _ in 0..MAX_EXTENSIONS {
        if next == IPPROTO_TCP {
            return Some(at);
        }
        let mut head = [0u8; 4];
        match next {
            NEXT_HOP_BY_HOP | NEXT_ROUTING | NEXT_DESTINATION | NEXT_AUTHENTICATION | NEXT_FRAGMENT => {}
            _ => return None,
        }
        // SAFETY: `head` is four writable bytes.
        if !unsafe { load(ctx, at, head.as_mut_ptr(), 4) } {
            count(Counter::BadHeaders);
            return None;
        }
        at += match next {
            NEXT_FRAGMENT => {
                // Offset and more-fragments both 0: an atomic fragment (RFC 6946), which is whole.
                if u16::from_be_bytes([head[2], head[3]]) & 0xfff9 != 0 {
                    count(Counter::Fragments);
                    return None;
                }
                8
            }
            NEXT_AUTHENTICATION => (u32::from(head[1]) + 2) * 4,
            _ => (u32::from(head[1]) + 1) * 8,
        };
        next = head[0];
    }
    None
}
