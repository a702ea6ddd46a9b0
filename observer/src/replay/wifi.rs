//! IEEE 802.11 and the headers that capture programs put in front of its frames.

use super::layers::{Protocol, Step};
use super::view::View;
use super::{ByteOrder, PassedOver};

/// Type and subtype bits of the first byte of a frame (IEEE 802.11-2020, section 9.2.4.1.3).
const TYPE_MASK: u8 = 0x0c;
const TYPE_DATA: u8 = 0x08;
const SUBTYPE_QOS: u8 = 0x80;
const SUBTYPE_NO_DATA: u8 = 0x40;
/// Flags of the second byte.
const TO_AND_FROM_DS: u8 = 0x03;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// In the QoS control field: several frames in one.
const AGGREGATE: u8 = 0x80;

/// Message code of a Prism header, and of an AVS header where Prism's is expected.
const PRISM_MESSAGE: u32 = 0x44;

/// A frame on the air: data frames that are not encrypted carry LLC.
pub(super) fn ieee80211(frame: View<'_>) -> Step<'_> {
    header(frame, 1)
}

/// `align`: to what multiple the header is padded.
fn header(frame: View<'_>, align: usize) -> Step<'_> {
    let [control, flags] = *frame.head::<2>()?;
    if control & TYPE_MASK != TYPE_DATA || control & SUBTYPE_NO_DATA != 0 || flags & PROTECTED != 0 {
        return Err(PassedOver::NotIp);
    }
    let mut length = 24;
    if flags & TO_AND_FROM_DS == TO_AND_FROM_DS {
        length += 6;
    }
    let mut protocol = Protocol::Llc;
    if control & SUBTYPE_QOS != 0 {
        if frame.u8(length)? & AGGREGATE != 0 {
            protocol = Protocol::AggregatedMsdus;
        }
        length += 2;
        if flags & ORDER != 0 {
            length += 4;
        }
    }
    Ok((protocol, frame.skip(length.next_multiple_of(align))?))
}

/// Radiotap (<https://www.radiotap.org>): its length, what fields there are, the fields. One flag among them tells of
/// padding behind the frame's header.
pub(super) fn radiotap(frame: View<'_>) -> Step<'_> {
    const TIME: u32 = 1 << 0;
    const FLAGS: u32 = 1 << 1;
    const MORE: u32 = 1 << 31;
    const DATA_PADDED: u8 = 0x20;

    let order = ByteOrder::Little;
    let fixed = frame.head::<8>()?;
    let length = usize::from(order.u16_at(fixed, 2));
    let present = order.u32_at(fixed, 4);
    let fields = frame.cut(length);
    let mut at = 8;
    let mut word = present;
    while word & MORE != 0 {
        word = order.u32(*fields.skip(at)?.head()?);
        at += 4;
    }
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let padded = present & FLAGS != 0 && fields.u8(at)? & DATA_PADDED != 0;
    header(frame.skip(length)?, if padded { 4 } else { 1 })
}

/// Prism: message code and length in the byte order of the host. Some drivers write AVS where Prism is announced.
pub(super) fn prism(frame: View<'_>) -> Step<'_> {
    let fixed = frame.head::<8>()?;
    let order = ByteOrder::BOTH
        .into_iter()
        .find(|order| order.u32_at(fixed, 0) == PRISM_MESSAGE);
    match order {
        Some(order) => ieee80211(frame.skip(order.u32_at(fixed, 4) as usize)?),
        None => avs(frame),
    }
}

/// AVS: a version and the header's length.
pub(super) fn avs(frame: View<'_>) -> Step<'_> {
    ieee80211(frame.skip(frame.u32(4)? as usize)?)
}
