//! What carries packets in IP packets: IP itself, GRE, and what is recognised by its UDP port.

use super::PassedOver;
use super::ip;
use super::layers::{self, ETHERTYPE_PPP, Protocol, Step};
use super::view::View;

const IPV4: u8 = 4;
const UDP: u8 = 17;
const IPV6: u8 = 41;
const GRE: u8 = 47;
/// Ethernet within IP (RFC 3378): 2 bytes, then the frame.
const ETHER_IP: u8 = 97;
const MPLS: u8 = 137;
const ETHERNET: u8 = 143;

const ETHERTYPE_WCCP: u16 = 0x883e;
const ETHERTYPE_ERSPAN: u16 = 0x88be;
const ETHERTYPE_ERSPAN_3: u16 = 0x22eb;

const UDP_HEADER_BYTES: usize = 8;

/// What a protocol number of IP announces, TCP aside.
#[inline]
pub(super) fn transport(number: u8, view: View<'_>) -> Step<'_> {
    match number {
        UDP => udp(view),
        IPV4 | IPV6 => Ok((Protocol::Ip, view)),
        GRE => gre(view),
        ip::AUTHENTICATION => {
            let (next, payload) = ip::authenticated(view)?;
            Ok((Protocol::Transport(next), payload))
        }
        ETHER_IP => Ok((Protocol::Ethernet, view.skip(2)?)),
        ETHERNET => Ok((Protocol::Ethernet, view)),
        MPLS => Ok((Protocol::Mpls, view)),
        _ => Err(PassedOver::NotTcp),
    }
}

/// Generic routing encapsulation: RFC 2784 with the fields of RFC 1701 and 2890, and PPTP's form (RFC 2637).
fn gre(view: View<'_>) -> Step<'_> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    const VERSION: u16 = 0x0007;

    let (flags, protocol) = (view.u16(0)?, view.u16(2)?);
    let has = |flag| usize::from(flags & flag != 0) * 4;
    match (flags & VERSION, protocol) {
        (0, _) => {}
        (1, ETHERTYPE_PPP) => {
            let payload = view.skip(8 + has(SEQUENCE) + has(ACKNOWLEDGMENT))?;
            return Ok((Protocol::Ppp, after_address_and_control(payload)));
        }
        _ => return Err(PassedOver::NotTcp),
    }
    let mut payload = view.skip(4 + has(CHECKSUM | ROUTING) + has(KEY) + has(SEQUENCE))?;
    if flags & ROUTING != 0 {
        payload = after_routes(payload)?;
    }
    Ok(match protocol {
        // Version I of ERSPAN has neither a sequence number nor a header of its own.
        ETHERTYPE_ERSPAN if flags & SEQUENCE == 0 => (Protocol::Ethernet, payload),
        ETHERTYPE_ERSPAN => (Protocol::Ethernet, payload.skip(8)?),
        ETHERTYPE_ERSPAN_3 => return erspan3(payload),
        // The second version has 4 bytes of its own.
        ETHERTYPE_WCCP if payload.u8(0)? >> 4 == 4 => (Protocol::Ip, payload),
        ETHERTYPE_WCCP => (Protocol::Ip, payload.skip(4)?),
        protocol => return layers::ether_payload(protocol, payload),
    })
}

/// Source routes of RFC 1701: address family, offset, length, and so many bytes; a length of 0 ends them.
fn after_routes(mut view: View<'_>) -> Result<View<'_>, PassedOver> {
    loop {
        let [_, _, _, length] = *view.head::<4>()?;
        view = view.skip(4 + usize::from(length))?;
        if length == 0 {
            return Ok(view);
        }
    }
}

/// PPP in PPTP may or may not have the address and control fields.
fn after_address_and_control(view: View<'_>) -> View<'_> {
    match view.head::<2>() {
        Ok([0xff, 0x03]) => view.skip(2).unwrap_or(view),
        _ => view,
    }
}

/// Version III of ERSPAN (draft-foschiano-erspan, section 4.3): 12 bytes, 8 more where the last bit says so.
fn erspan3(view: View<'_>) -> Step<'_> {
    const IP_FRAME: u8 = 2;
    let [.., kind, options] = *view.head::<12>()?;
    let payload = view.skip(if options & 1 == 0 { 12 } else { 20 })?;
    match (kind >> 2) & 0x1f {
        IP_FRAME => Ok((Protocol::Ip, payload)),
        _ => Ok((Protocol::Ethernet, payload)),
    }
}

/// Tunnels have ports of their own; what is on one and does not look like the tunnel is none.
fn udp(view: View<'_>) -> Step<'_> {
    let (source, destination) = (view.u16(0)?, view.u16(2)?);
    let payload = view.skip(UDP_HEADER_BYTES)?;
    for port in [destination, source] {
        let step = match port {
            // 8472 is Linux's older default.
            4789 | 8472 => vxlan(payload),
            4790 => vxlan_generic(payload),
            6081 => geneve(payload),
            2152 => gtp_user(payload),
            3544 => teredo(payload),
            5072 => ayiya(payload),
            6635 => Ok((Protocol::Mpls, payload)),
            1701 => l2tp(payload),
            _ => continue,
        };
        if !matches!(step, Err(PassedOver::NotTcp)) {
            return step;
        }
    }
    NOT_TUNNEL
}

/// UDP with something else in it.
const NOT_TUNNEL: Step<'static> = Err(PassedOver::NotTcp);

/// RFC 7348, section 5: only one flag is ever set; group policies (draft-smith-vxlan-group-policy) add others.
fn vxlan(view: View<'_>) -> Step<'_> {
    match *view.head::<8>()? {
        [flags, ..] if flags & 0x08 != 0 => Ok((Protocol::Ethernet, view.skip(8)?)),
        _ => NOT_TUNNEL,
    }
}

/// VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe): the next protocol is told.
fn vxlan_generic(view: View<'_>) -> Step<'_> {
    const NEXT_PROTOCOL: u8 = 0x04;
    let [flags, _, _, next, ..] = *view.head::<8>()?;
    let payload = view.skip(8)?;
    match next {
        _ if flags & NEXT_PROTOCOL == 0 => Ok((Protocol::Ethernet, payload)),
        1 | 2 => Ok((Protocol::Ip, payload)),
        3 => Ok((Protocol::Ethernet, payload)),
        4 => Ok((Protocol::ServiceHeader, payload)),
        5 => Ok((Protocol::Mpls, payload)),
        _ => NOT_TUNNEL,
    }
}

/// RFC 8926, section 3.4: version 0, options in words, an EtherType.
fn geneve(view: View<'_>) -> Step<'_> {
    let [first, _, protocol @ .., _, _, _, _] = *view.head::<8>()?;
    if first >> 6 != 0 {
        return NOT_TUNNEL;
    }
    let payload = view.skip(8 + usize::from(first & 0x3f) * 4)?;
    layers::ether_payload(u16::from_be_bytes(protocol), payload)
}

/// The user plane of GTP (3GPP TS 29.281, section 5): version 1, message 255, extension headers.
fn gtp_user(view: View<'_>) -> Step<'_> {
    const VERSION_1: u8 = 0x30;
    const VERSION_MASK: u8 = 0xf0;
    const EXTENSION: u8 = 0x04;
    const OPTIONAL_FIELDS: u8 = 0x07;
    const G_PDU: u8 = 255;

    let [flags, kind, ..] = *view.head::<8>()?;
    if flags & VERSION_MASK != VERSION_1 || kind != G_PDU {
        return NOT_TUNNEL;
    }
    if flags & OPTIONAL_FIELDS == 0 {
        return Ok((Protocol::Ip, view.skip(8)?));
    }
    let mut next = if flags & EXTENSION == 0 { 0 } else { view.u8(11)? };
    let mut payload = view.skip(12)?;
    while next != 0 {
        let bytes = usize::from(payload.u8(0)?) * 4;
        if bytes == 0 {
            return Err(PassedOver::Malformed);
        }
        next = payload.u8(bytes - 1)?;
        payload = payload.skip(bytes)?;
    }
    Ok((Protocol::Ip, payload))
}

/// IPv6 through address translators (RFC 4380, section 5.1.1): authentication and origin may come first.
fn teredo(view: View<'_>) -> Step<'_> {
    let mut payload = view;
    if let [0, 1, id, authentication] = *payload.head::<4>()? {
        payload = payload.skip(4 + usize::from(id) + usize::from(authentication) + 9)?;
    }
    if let [0, 0, ..] = *payload.head::<8>()? {
        payload = payload.skip(8)?;
    }
    match payload.u8(0)? >> 4 {
        6 => Ok((Protocol::Ip, payload)),
        _ => NOT_TUNNEL,
    }
}

/// AYIYA (draft-massar-v6ops-ayiya, section 3): lengths of identity and signature in words.
fn ayiya(view: View<'_>) -> Step<'_> {
    const FORWARD: u8 = 1;
    let [identity, signature, operation, next, ..] = *view.head::<8>()?;
    if operation & 0x0f != FORWARD {
        return NOT_TUNNEL;
    }
    let identity = 1_usize << (identity >> 4);
    let signature = usize::from(signature >> 4) * 4;
    match next {
        IPV4 | IPV6 => Ok((Protocol::Ip, view.skip(8 + identity + signature)?)),
        _ => NOT_TUNNEL,
    }
}

/// Data messages of L2TP (RFC 2661, section 3.1): PPP.
fn l2tp(view: View<'_>) -> Step<'_> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const VERSION: u16 = 0x000f;

    let flags = view.u16(0)?;
    if flags & CONTROL != 0 || flags & VERSION != 2 {
        return NOT_TUNNEL;
    }
    let mut bytes = 6;
    if flags & LENGTH != 0 {
        bytes += 2;
    }
    if flags & SEQUENCE != 0 {
        bytes += 4;
    }
    if flags & OFFSET != 0 {
        bytes += 2 + usize::from(view.u16(bytes)?);
    }
    Ok((Protocol::Ppp, after_address_and_control(view.skip(bytes)?)))
}
