//! What lies between a frame and IP: Ethernet, its tags, LLC, PPP, MPLS and headers of service chains.

use super::PassedOver;
use super::view::View;

/// What the bytes at hand begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Two addresses, then an EtherType.
    Ethernet,
    /// An EtherType or a length.
    EtherType,
    /// IEEE 802.2.
    Llc,
    /// Several frames of IEEE 802.11 in one.
    AggregatedMsdus,
    /// A protocol field of PPP.
    Ppp,
    /// PPPoE (RFC 2516).
    PppoeSession,
    /// A label stack (RFC 3032).
    Mpls,
    /// A network service header (RFC 8300).
    ServiceHeader,
    /// IP of the version that its first bits tell.
    Ip,
    /// What this number of IP's protocol field stands for.
    Transport(u8),
}

/// Passing over one header: what follows, and where.
pub(super) type Step<'a> = Result<(Protocol, View<'a>), PassedOver>;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_MPLS: u16 = 0x8847;
pub(super) const ETHERTYPE_PPP: u16 = 0x880b;
const ETHERTYPE_SERVICE_HEADER: u16 = 0x894f;
/// Ethernet within Ethernet's payload (RFC 1701: transparent Ethernet bridging).
const ETHERTYPE_BRIDGED: u16 = 0x6558;
const ETHERTYPE_MPLS_MULTICAST: u16 = 0x8848;
const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
/// Cisco metadata: version, length, one option with the security group tag, the next EtherType.
const ETHERTYPE_CISCO_METADATA: u16 = 0x8909;
/// Cisco's tag of virtual interfaces, and the standard that came of it (IEEE 802.1BR).
const ETHERTYPE_VN_TAG: u16 = 0x8926;
const ETHERTYPE_E_TAG: u16 = 0x893f;
/// Tag of redundant frames (IEEE 802.1CB).
const ETHERTYPE_R_TAG: u16 = 0xf1c1;
/// Service instance tag of a provider's backbone bridge (IEEE 802.1Q, section 9.7): the customer's frame follows.
const ETHERTYPE_SERVICE_TAG: u16 = 0x88e7;
/// Values below are lengths, of frames with LLC (IEEE 802.3, section 3.2.6).
const MIN_ETHERTYPE: u16 = 0x0600;

const ETHERNET_ADDRESSES: usize = 12;
/// Bottom of a label stack.
const MPLS_BOTTOM: u8 = 0x01;
const MPLS_LABEL_BYTES: usize = 4;
/// What stands before Ethernet on some pseudowires (RFC 4448, section 4.6).
const CONTROL_WORD_BYTES: usize = 4;

/// Two addresses, then the type.
#[inline]
pub(super) fn ethernet(view: View<'_>) -> Step<'_> {
    ether_type(view.skip(ETHERNET_ADDRESSES)?)
}

/// An EtherType, or the length of an LLC frame.
#[inline]
pub(super) fn ether_type(view: View<'_>) -> Step<'_> {
    let value = view.u16(0)?;
    let payload = view.skip(2)?;
    if value >= MIN_ETHERTYPE {
        ether_payload(value, payload)
    } else {
        Ok((Protocol::Llc, payload.cut(usize::from(value).min(payload.wire))))
    }
}

/// What an EtherType announces.
#[inline]
pub(super) fn ether_payload(value: u16, view: View<'_>) -> Step<'_> {
    Ok(match value {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => (Protocol::Ip, view),
        // 802.1Q, 802.1ad, and what came before it.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => (Protocol::EtherType, view.skip(2)?),
        ETHERTYPE_MPLS | ETHERTYPE_MPLS_MULTICAST => (Protocol::Mpls, view),
        ETHERTYPE_PPPOE_SESSION => (Protocol::PppoeSession, view),
        ETHERTYPE_PPP => (Protocol::Ppp, view),
        ETHERTYPE_SERVICE_HEADER => (Protocol::ServiceHeader, view),
        ETHERTYPE_BRIDGED => (Protocol::Ethernet, view),
        ETHERTYPE_SERVICE_TAG => (Protocol::Ethernet, view.skip(4)?),
        ETHERTYPE_VN_TAG | ETHERTYPE_R_TAG => (Protocol::EtherType, view.skip(4)?),
        ETHERTYPE_CISCO_METADATA | ETHERTYPE_E_TAG => (Protocol::EtherType, view.skip(6)?),
        _ => return Err(PassedOver::NotIp),
    })
}

/// IEEE 802.2: SNAP, IP under its own number, and OSI's way of naming IP.
pub(super) fn llc(view: View<'_>) -> Step<'_> {
    match view.head::<3>()? {
        [0xaa, 0xaa, 0x03] => snap(view.skip(3)?),
        [0x06, 0x06, 0x03] => Ok((Protocol::Ip, view.skip(3)?)),
        [0xfe, 0xfe, 0x03] if matches!(view.u8(3)?, 0xcc | 0x8e) => Ok((Protocol::Ip, view.skip(4)?)),
        _ => Err(PassedOver::NotIp),
    }
}

/// An organisation and a number of its own.
fn snap(view: View<'_>) -> Step<'_> {
    match *view.head::<5>()? {
        // EtherTypes, and bridge-tunnelled ones (IEEE 802.1H).
        [0, 0, 0 | 0xf8, high, low] => ether_payload(u16::from_be_bytes([high, low]), view.skip(5)?),
        // Bridged Ethernet with and without its check sequence (RFC 2684, appendix B); two bytes of padding on ATM.
        [0x00, 0x80, 0xc2, 0, 1 | 7] => Ok((Protocol::Ethernet, view.skip(7)?)),
        _ => Err(PassedOver::NotIp),
    }
}

/// The protocol field of PPP (RFC 1661, section 2), which may be compressed to one byte.
pub(super) fn ppp(view: View<'_>) -> Step<'_> {
    let first = view.u8(0)?;
    let (protocol, length) = if first & 1 == 1 {
        (u16::from(first), 1)
    } else {
        (view.u16(0)?, 2)
    };
    let payload = view.skip(length)?;
    match protocol {
        0x0021 | 0x0057 => Ok((Protocol::Ip, payload)),
        0x0281 | 0x0283 => Ok((Protocol::Mpls, payload)),
        _ => Err(PassedOver::NotIp),
    }
}

/// Version and type, code, session, length, then PPP.
pub(super) fn pppoe_session(view: View<'_>) -> Step<'_> {
    let [_, code, _, _, length @ ..] = *view.head::<6>()?;
    if code != 0 {
        return Err(PassedOver::NotIp);
    }
    let payload = view.skip(6)?;
    let length = usize::from(u16::from_be_bytes(length));
    Ok((Protocol::Ppp, payload.cut(length.min(payload.wire))))
}

/// A label stack. Nothing in it tells what follows: the first bits do for IP, and for Ethernet with a control word its
/// EtherType.
pub(super) fn mpls(mut view: View<'_>) -> Step<'_> {
    loop {
        let [_, _, bottom, _] = *view.head::<MPLS_LABEL_BYTES>()?;
        view = view.skip(MPLS_LABEL_BYTES)?;
        if bottom & MPLS_BOTTOM != 0 {
            break;
        }
    }
    let has_ethertype = |at| matches!(view.u16(at), Ok(value) if is_usual(value));
    let plain = ETHERNET_ADDRESSES;
    match view.u8(0)? >> 4 {
        4 | 6 if !has_ethertype(plain) => Ok((Protocol::Ip, view)),
        0 if has_ethertype(plain + CONTROL_WORD_BYTES) || !has_ethertype(plain) => {
            Ok((Protocol::Ethernet, view.skip(CONTROL_WORD_BYTES)?))
        }
        _ => Ok((Protocol::Ethernet, view)),
    }
}

/// EtherTypes that lead to IP.
fn is_usual(value: u16) -> bool {
    matches!(
        value,
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 | 0x8100 | 0x88a8 | ETHERTYPE_MPLS | ETHERTYPE_PPPOE_SESSION
    )
}

/// RFC 8300, section 2: its length in words, and the next protocol.
pub(super) fn service_header(view: View<'_>) -> Step<'_> {
    let [_, length, _, next] = *view.head::<4>()?;
    let words = usize::from(length & 0x3f);
    if words == 0 {
        return Err(PassedOver::Malformed);
    }
    let payload = view.skip(words * 4)?;
    match next {
        1 | 2 => Ok((Protocol::Ip, payload)),
        3 => Ok((Protocol::Ethernet, payload)),
        4 => Ok((Protocol::ServiceHeader, payload)),
        5 => Ok((Protocol::Mpls, payload)),
        _ => Err(PassedOver::NotIp),
    }
}
