//! IPv4 (RFC 791) and IPv6 (RFC 8200). Checksums are not looked at: where the network card computes them, captures of
//! sent packets have none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::PassedOver;
use super::view::View;

/// Extension headers in one packet at most; RFC 8200, section 4.1 knows of seven.
const MAX_EXTENSIONS: usize = 16;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
pub(super) const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// One IP packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// The number of what the payload is, in a fragment that is not the first one too.
    pub protocol: u8,
    pub payload: View<'a>,
    pub fragment: Option<Fragment>,
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub id: u32,
    /// Of the payload's first byte in the whole datagram's.
    pub offset: u32,
    /// More follow.
    pub more: bool,
}

/// Reads an IP header and what extends it.
#[inline]
pub(super) fn datagram(view: View<'_>) -> Result<Datagram<'_>, PassedOver> {
    match view.u8(0)? >> 4 {
        4 => version4(view),
        6 => version6(view),
        _ => Err(PassedOver::NotIp),
    }
}

#[inline]
fn version4(view: View<'_>) -> Result<Datagram<'_>, PassedOver> {
    let header = view.head::<20>()?;
    let [
        first,
        _,
        total_high,
        total_low,
        id_high,
        id_low,
        flags,
        offset_low,
        _,
        protocol,
        _,
        _,
        addresses @ ..,
    ] = *header;
    let header_bytes = usize::from(first & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([total_high, total_low]));
    // A sender that leaves the cutting to its network card does not know the length.
    let whole = if total == 0 { view } else { view.cut(total) };
    if header_bytes < header.len() || header_bytes > whole.wire {
        return Err(PassedOver::Malformed);
    }
    let [s0, s1, s2, s3, d0, d1, d2, d3] = addresses;
    let offset = u32::from(u16::from_be_bytes([flags & 0x1f, offset_low])) * 8;
    let more = flags & 0x20 != 0;
    Ok(Datagram {
        source: Ipv4Addr::new(s0, s1, s2, s3).into(),
        destination: Ipv4Addr::new(d0, d1, d2, d3).into(),
        protocol,
        payload: whole.skip(header_bytes)?,
        fragment: (more || offset != 0).then(|| Fragment {
            id: u32::from(u16::from_be_bytes([id_high, id_low])),
            offset,
            more,
        }),
    })
}

#[inline]
fn version6(view: View<'_>) -> Result<Datagram<'_>, PassedOver> {
    let header = view.head::<40>()?;
    let [_, _, _, _, length_high, length_low, protocol, _, addresses @ ..] = *header;
    let (source, destination) = addresses.split_at(16);
    let address = |bytes: &[u8]| IpAddr::V6(Ipv6Addr::from(*bytes.first_chunk().unwrap_or(&[0; 16])));
    let payload = view.skip(header.len())?;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let mut datagram = Datagram {
        source: address(source),
        destination: address(destination),
        protocol,
        // 0: longer than the field can tell (RFC 2675), or left to the network card.
        payload: if length == 0 { payload } else { payload.cut(length) },
        fragment: None,
    };
    if is_extension(protocol) {
        datagram.pass_extensions()?;
    }
    Ok(datagram)
}

fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        HOP_BY_HOP
            | ROUTING
            | FRAGMENT
            | AUTHENTICATION
            | DESTINATION_OPTIONS
            | MOBILITY
            | HOST_IDENTITY
            | SHIM6
    )
}

impl Datagram<'_> {
    /// Passes over extension headers up to the payload, or to that of a fragment.
    fn pass_extensions(&mut self) -> Result<(), PassedOver> {
        for _ in 0..MAX_EXTENSIONS {
            if !is_extension(self.protocol) {
                return Ok(());
            }
            let [next, length, high, low] = *self.payload.head::<4>()?;
            let bytes = match self.protocol {
                FRAGMENT => 8,
                AUTHENTICATION => (usize::from(length) + 2) * 4,
                _ => (usize::from(length) + 1) * 8,
            };
            if self.protocol == FRAGMENT {
                let offset = u16::from_be_bytes([high, low]);
                // An atomic fragment (RFC 6946) is whole.
                if offset & 0xfff9 != 0 {
                    self.fragment = Some(Fragment {
                        id: self.payload.u32(4)?,
                        offset: u32::from(offset & 0xfff8),
                        more: offset & 1 != 0,
                    });
                }
            }
            self.protocol = next;
            self.payload = self.payload.skip(bytes)?;
            if self.fragment.is_some() {
                return Ok(());
            }
        }
        Err(PassedOver::Nesting)
    }
}

/// The payload behind an authentication header (RFC 4302).
pub(super) fn authenticated(view: View<'_>) -> Result<(u8, View<'_>), PassedOver> {
    let [next, length] = *view.head::<2>()?;
    Ok((next, view.skip((usize::from(length) + 2) * 4)?))
}
