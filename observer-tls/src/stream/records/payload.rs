//! Payloads: which are plaintext, and whom they are for.

use super::super::alerts::MAX_ALERTS_BYTES;
use super::super::plausible::{HEADER_LEN, JUDGED_BYTES, begins_hello_message, begins_message};
use super::super::prefix::Likeness;
use super::super::{Item, ItemBody};
use super::{Header, Phase, Records, Trust};
use crate::codepoints::{ContentType, HandshakeType, ProtocolVersion};

/// Bytes of a handshake record by which it is told whether it is plaintext though encryption has begun.
const HELLO_BYTES: u16 = 6;

impl Records {
    pub(super) fn begin_payload(&mut self, header: [u8; HEADER_LEN], out: &mut Vec<Item>) {
        let [content_type, major, minor, high, low] = header;
        self.header = Header {
            content_type: ContentType(content_type),
            version: ProtocolVersion(u16::from_be_bytes([major, minor])),
            length: u16::from_be_bytes([high, low]),
        };
        let length = self.header.length;
        let remaining = usize::from(length);
        self.phase = Phase::PassOver { remaining };
        if std::mem::take(&mut self.found_by_header) {
            self.unproven = Some(self.opaque());
            return;
        }
        if length > 0 && self.header.content_type != ContentType::ALERT && self.alerts.abandon() {
            self.report_gap(0, out);
        }
        match self.header.content_type {
            ContentType::HANDSHAKE | ContentType::ALERT | ContentType::CHANGE_CIPHER_SPEC if length == 0 => {}
            ContentType::CHANGE_CIPHER_SPEC if length == 1 => {
                self.messages.abandon(self.time_ns, out);
                self.encrypted = true;
                self.emit(ItemBody::ChangeCipherSpec, out);
            }
            ContentType::ALERT if length <= MAX_ALERTS_BYTES => {
                self.phase = Phase::Deciding { need: remaining };
            }
            ContentType::HANDSHAKE if self.messages.in_progress() => {
                self.phase = Phase::Handshake { remaining };
            }
            ContentType::HANDSHAKE => match (self.encrypted, self.trust) {
                (true, _) if length < HELLO_BYTES => self.emit_opaque(out),
                (true, _) => {
                    let need = usize::from(HELLO_BYTES);
                    self.phase = Phase::Deciding { need };
                }
                (false, Trust::None) => {
                    let need = remaining.min(JUDGED_BYTES);
                    self.phase = Phase::Deciding { need };
                }
                (false, Trust::First | Trust::Sure) => self.phase = Phase::Deciding { need: 1 },
            },
            ContentType::APPLICATION_DATA => {
                self.messages.abandon(self.time_ns, out);
                self.encrypted |= length > 0;
                self.emit_opaque(out);
            }
            _ => self.emit_opaque(out),
        }
        self.end_record_if_over();
    }

    /// Decides by the first payload bytes what the record is, and has them read.
    pub(super) fn decide<'a>(&mut self, need: usize, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
        if self.probe.is_empty() {
            if let Some(first) = data.get(..need) {
                self.decide_by(first, out);
                return data;
            }
            self.probe_time_ns = self.time_ns;
        }
        let rest = self.probe.fill(data, need);
        if self.probe.len() == need {
            let probe = std::mem::take(&mut self.probe);
            self.decide_by(probe.as_slice(), out);
            self.read_payload(probe.as_slice(), self.probe_time_ns, out);
        }
        rest
    }

    fn decide_by(&mut self, first: &[u8], out: &mut Vec<Item>) {
        let length = self.header.length;
        let remaining = usize::from(length);
        self.phase = Phase::PassOver { remaining };
        if self.header.content_type == ContentType::ALERT {
            let each = |time_ns, alert| {
                let body = ItemBody::Alert(alert);
                out.push(Item { time_ns, body });
            };
            if !self.alerts.read(first, self.encrypted, self.record_time_ns, each) {
                self.emit_opaque(out);
            }
            return;
        }
        let plaintext = match (self.encrypted, self.trust) {
            (true, _) => begins_hello_message(first, length),
            (false, Trust::None) => begins_message(first, length) == Likeness::Yes,
            (false, Trust::First) => first
                .first()
                .is_some_and(|typ| HandshakeType(*typ).name().is_some()),
            (false, Trust::Sure) => true,
        };
        if plaintext {
            self.trust = Trust::Sure;
            // A hello begins a handshake in plaintext.
            self.encrypted = false;
            self.phase = Phase::Handshake { remaining };
        } else {
            self.emit_opaque(out);
        }
    }

    /// Reads payload bytes of a record that was decided on.
    pub(super) fn read_payload<'a>(&mut self, data: &'a [u8], time_ns: u64, out: &mut Vec<Item>) -> &'a [u8] {
        let (Phase::PassOver { remaining } | Phase::Handshake { remaining }) = self.phase else {
            return data;
        };
        let (payload, rest) = data.split_at_checked(remaining).unwrap_or((data, &[]));
        let remaining = remaining - payload.len();
        if matches!(self.phase, Phase::Handshake { .. }) {
            self.messages.push(payload, time_ns, out);
            self.phase = Phase::Handshake { remaining };
        } else {
            self.phase = Phase::PassOver { remaining };
        }
        self.end_record_if_over();
        rest
    }

    pub(super) fn end_record_if_over(&mut self) {
        match self.phase {
            Phase::Handshake { remaining: 0 } => {
                if !self.messages.end_record() {
                    self.trust = Trust::None;
                }
                self.phase = Phase::Header;
            }
            Phase::PassOver { remaining: 0 } => self.phase = Phase::Header,
            _ => {}
        }
    }
}
