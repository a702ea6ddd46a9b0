//! Link types (<https://www.tcpdump.org/linktypes.html>): from the first byte of a frame to the network layer.

use super::layers::{self, Protocol, Step};
use super::view::View;
use super::{ByteOrder, PassedOver, wifi};

/// Protocol number of Linux's cooked captures for frames that begin with an LLC header (`ETH_P_802_2`).
const LINUX_LLC: u16 = 4;
/// Address families of IP in the headers that carry one: `AF_INET` everywhere, `AF_INET6` of Linux, Windows, NetBSD and
/// OpenBSD, FreeBSD, and macOS.
const IP_FAMILIES: [u32; 6] = [2, 10, 23, 24, 28, 30];
/// Address and control of PPP in HDLC-like framing (RFC 1662, section 3.1).
const PPP_HDLC: [u8; 2] = [0xff, 0x03];
/// Address bytes of Cisco's HDLC: unicast and broadcast.
const CISCO_HDLC: [u8; 2] = [0x0f, 0x8f];
/// Attribute of a netlink log message with the packet itself (`NFULA_PAYLOAD`).
const NFLOG_PAYLOAD: u16 = 9;

/// Passes over the frame's own header; `None` for a link type that is not known.
#[inline]
pub(super) fn decode(link_type: u16, frame: View<'_>) -> Option<Step<'_>> {
    Some(match link_type {
        1 => layers::ethernet(frame),
        // BSD's loopback, in the byte order of its host or the network's.
        0 | 108 => loopback(frame),
        6 => token_ring(frame),
        9 | 50 => ppp(frame),
        // FDDI: frame control and two addresses.
        10 => frame.skip(13).map(|rest| (Protocol::Llc, rest)),
        12 | 14 | 101 | 228 | 229 => Ok((Protocol::Ip, frame)),
        51 => Ok((Protocol::PppoeSession, frame)),
        // LLC over ATM (RFC 2684).
        100 => Ok((Protocol::Llc, frame)),
        104 => frame.skip(2).map(|rest| (Protocol::EtherType, rest)),
        105 => wifi::ieee80211(frame),
        113 => cooked(frame, 14, 16),
        // Packet filter log of OpenBSD: its length comes first, without padding.
        117 => frame
            .u8(0)
            .and_then(|length| frame.skip(usize::from(length).next_multiple_of(4)))
            .map(|rest| (Protocol::Ip, rest)),
        119 => wifi::prism(frame),
        127 => wifi::radiotap(frame),
        // IP over FireWire as macOS sees it: two addresses of 8 bytes.
        138 => frame.skip(16).map(|rest| (Protocol::EtherType, rest)),
        163 => wifi::avs(frame),
        192 => per_packet_information(frame)?,
        // PPP with a byte for the direction.
        204 => frame.skip(1).and_then(ppp),
        239 => netlink_log(frame),
        // IP over InfiniBand: two addresses of 20 bytes, the EtherType and two bytes more (RFC 4391, section 6).
        242 => cooked(frame, 40, 44),
        // Ethernet with its preamble.
        274 => frame.skip(8).map(|rest| (Protocol::Ethernet, rest)),
        276 => cooked(frame, 0, 20),
        _ => return None,
    })
}

/// Whether frames of a link type can be read.
pub(super) fn is_supported(link_type: u16) -> bool {
    decode(link_type, View::new(&[], 0)).is_some()
}

/// The name of a link type, without its prefix `LINKTYPE_`.
pub(super) fn name(link_type: u16) -> Option<&'static str> {
    Some(match link_type {
        3 => "AX25",
        7 => "ARCNET_BSD",
        8 => "SLIP",
        99 => "SYMANTEC_FIREWALL",
        107 => "FRELAY",
        114 => "LTALK",
        122 => "IP_OVER_FC",
        123 => "SUNATM",
        129 => "ARCNET_LINUX",
        140 => "MTP2",
        141 => "MTP3",
        142 => "SCCP",
        143 => "DOCSIS",
        144 => "LINUX_IRDA",
        147..=162 => "USER",
        165 => "BACNET_MS_TP",
        166 => "PPP_PPPD",
        177 => "LINUX_LAPD",
        187 => "BLUETOOTH_HCI_H4",
        189 => "USB_LINUX",
        195 => "IEEE802_15_4_WITHFCS",
        201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
        215 => "IEEE802_15_4_NONASK_PHY",
        220 => "USB_LINUX_MMAPPED",
        227 => "CAN_SOCKETCAN",
        230 => "IEEE802_15_4_NOFCS",
        231 => "DBUS",
        240 => "NETANALYZER",
        247 => "INFINIBAND",
        248 => "SCTP",
        249 => "USBPCAP",
        251 => "BLUETOOTH_LE_LL",
        252 => "WIRESHARK_UPPER_PDU",
        253 => "NETLINK",
        254 => "BLUETOOTH_LINUX_MONITOR",
        271 => "VSOCK",
        272 => "NORDIC_BLE",
        _ => return None,
    })
}

/// An address family of 4 bytes, then IP.
fn loopback(frame: View<'_>) -> Step<'_> {
    let family = *frame.head::<4>()?;
    let known = |order: ByteOrder| IP_FAMILIES.contains(&order.u32(family));
    if ByteOrder::BOTH.into_iter().any(known) {
        Ok((Protocol::Ip, frame.skip(4)?))
    } else {
        Err(PassedOver::NotIp)
    }
}

/// Access and frame control, two addresses, the route where the source address announces one, then LLC.
fn token_ring(frame: View<'_>) -> Step<'_> {
    let route = match frame.u8(8)? & 0x80 {
        0 => 0,
        _ => usize::from(frame.u8(14)? & 0x1f),
    };
    Ok((Protocol::Llc, frame.skip(14 + route)?))
}

/// PPP on a serial line, or Cisco's HDLC, which the same link types stand for.
fn ppp(frame: View<'_>) -> Step<'_> {
    match *frame.head::<2>()? {
        PPP_HDLC => Ok((Protocol::Ppp, frame.skip(2)?)),
        [address, 0] if CISCO_HDLC.contains(&address) => Ok((Protocol::EtherType, frame.skip(2)?)),
        _ => Ok((Protocol::Ppp, frame)),
    }
}

/// A header of fixed length with an EtherType in it, or one of Linux's own numbers.
fn cooked(frame: View<'_>, protocol_at: usize, header: usize) -> Step<'_> {
    let payload = frame.skip(header)?;
    match frame.u16(protocol_at)? {
        LINUX_LLC => Ok((Protocol::Llc, payload)),
        protocol => layers::ether_payload(protocol, payload),
    }
}

/// Per-packet information: a header with its length and the link type of what follows, both little-endian.
fn per_packet_information(frame: View<'_>) -> Option<Step<'_>> {
    let order = ByteOrder::Little;
    let header = match frame.head::<8>() {
        Ok(header) => header,
        Err(reason) => return Some(Err(reason)),
    };
    let (length, link_type) = (order.u16_at(header, 2), order.u32_at(header, 4) as u16);
    // One within another would be without end.
    if link_type == 192 {
        return Some(Err(PassedOver::Nesting));
    }
    match frame.skip(usize::from(length)) {
        Ok(rest) => decode(link_type, rest),
        Err(reason) => Some(Err(reason)),
    }
}

/// Linux's netfilter log: the family, a version, the group, then attributes in the byte order of the host.
fn netlink_log(frame: View<'_>) -> Step<'_> {
    let mut rest = frame.skip(4)?;
    // Lengths are small, so the order in which the first one is below 256 is the host's.
    let order = match rest.head::<2>()? {
        [_, 0] => ByteOrder::Little,
        _ => ByteOrder::Big,
    };
    loop {
        let header = rest.head::<4>()?;
        let length = usize::from(order.u16_at(header, 0));
        if length < header.len() {
            return Err(PassedOver::Malformed);
        }
        if order.u16_at(header, 2) & 0x7fff == NFLOG_PAYLOAD {
            return Ok((Protocol::Ip, rest.skip(4)?));
        }
        rest = rest.skip(length.next_multiple_of(4))?;
    }
}
