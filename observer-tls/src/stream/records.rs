//! Walks the record layer (RFC 8446, section 5.1; RFC 5246, section 6.2) and decides what of it is plaintext.

use super::head::Head;
use super::messages::{Messages, gap};
use super::plausible::{begins_hello_message, begins_message, may_begin_header, may_resume_at};
use super::{Item, ItemBody};
use crate::alert::Alert;
use crate::codepoints::{ContentType, ProtocolVersion};

/// The header of a record.
#[derive(Clone, Copy, Debug, Default)]
struct Header {
    content_type: ContentType,
    version: ProtocolVersion,
    length: u16,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    /// A record header.
    #[default]
    Header,
    /// The payload of a record that may be plaintext: its first `need` bytes will tell.
    Deciding { need: usize },
    /// Payload that is not read.
    PassOver { remaining: usize },
    /// Payload with handshake messages in plaintext.
    Handshake { remaining: usize },
    /// Record boundaries are lost: the next bytes that look like a header count as one.
    Lost,
    /// The stream is not TLS.
    NotTls,
}

/// The record layer of one direction.
#[derive(Debug, Default)]
pub(super) struct Records {
    phase: Phase,
    /// The header being read.
    head: Head<5>,
    /// First payload bytes of a record in [`Phase::Deciding`].
    probe: Head<6>,
    header: Header,
    messages: Messages,
    /// A record header was read before.
    begun: bool,
    /// ChangeCipherSpec or application data passed: handshake records are encrypted, unless they begin with a hello.
    encrypted: bool,
    /// A message was read, and no boundaries were lost since: what comes next need not prove that it is plaintext.
    sure: bool,
    /// Times of the latest piece, the record's first byte and the first byte in `probe`.
    time_ns: u64,
    record_time_ns: u64,
    probe_time_ns: u64,
}

impl Records {
    /// Takes the next bytes of the stream.
    pub(super) fn captured(&mut self, mut data: &[u8], time_ns: u64, out: &mut Vec<Item>) {
        self.time_ns = time_ns;
        while !data.is_empty() {
            data = match self.phase {
                Phase::NotTls => return,
                Phase::Header => self.read_header(data, out),
                Phase::Lost => self.find_header(data, out),
                Phase::Deciding { need } => self.decide(need, data, out),
                Phase::PassOver { .. } | Phase::Handshake { .. } => self.read_payload(data, time_ns, out),
            };
        }
    }

    /// The next `count` bytes of the stream were not captured.
    pub(super) fn elided(&mut self, count: u64, out: &mut Vec<Item>) {
        self.pass_over(count, false, out);
    }

    /// The next `count` bytes of the stream never came; 0 when nobody knows how many.
    pub(super) fn missing(&mut self, count: u64, out: &mut Vec<Item>) {
        if matches!(self.phase, Phase::NotTls) {
            return;
        }
        out.push(Item {
            time_ns: self.time_ns,
            body: gap(clamp(count)),
        });
        if count == 0 {
            self.lose();
        }
        self.pass_over(count, true, out);
    }

    /// A record begins with the next byte, wherever we were.
    pub(super) fn begin_record(&mut self, out: &mut Vec<Item>) {
        match self.phase {
            Phase::NotTls => return,
            // A message may go on in the next record.
            Phase::Header if self.head.is_empty() => return,
            _ => {}
        }
        self.messages.abandon(self.time_ns, out);
        self.phase = Phase::Header;
        self.head.clear();
        self.probe.clear();
    }

    /// Whether nothing more will ever be given.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.phase, Phase::NotTls)
    }

    pub(super) fn free(&mut self) {
        self.messages.forget();
    }

    pub(super) fn buffered(&self) -> usize {
        self.messages.buffered()
    }

    fn pass_over(&mut self, mut count: u64, reported: bool, out: &mut Vec<Item>) {
        while count > 0 {
            match self.phase {
                Phase::NotTls | Phase::Lost => return,
                Phase::Header => {
                    if !reported {
                        out.push(Item {
                            time_ns: self.time_ns,
                            body: gap(clamp(count)),
                        });
                    }
                    self.lose();
                }
                Phase::Deciding { .. } => self.decide_unseen(reported, out),
                Phase::PassOver { remaining } => {
                    let passed = remaining.min(clamp(count));
                    count -= passed as u64;
                    self.phase = Phase::PassOver {
                        remaining: remaining - passed,
                    };
                    self.end_record_if_over();
                }
                Phase::Handshake { remaining } => {
                    let passed = remaining.min(clamp(count));
                    count -= passed as u64;
                    self.messages.pass_over(passed, self.time_ns, reported, out);
                    self.phase = Phase::Handshake {
                        remaining: remaining - passed,
                    };
                    self.end_record_if_over();
                }
            }
        }
    }

    fn read_header<'a>(&mut self, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
        if self.head.is_empty() {
            self.record_time_ns = self.time_ns;
        }
        let rest = self.head.fill(data, 5);
        if !may_begin_header(self.head.as_slice()) {
            if self.begun {
                out.push(Item {
                    time_ns: self.time_ns,
                    body: gap(0),
                });
                let head = std::mem::take(&mut self.head);
                self.lose();
                self.find_header(head.as_slice(), out);
            } else {
                out.push(Item {
                    time_ns: self.record_time_ns,
                    body: ItemBody::NotTls,
                });
                self.phase = Phase::NotTls;
            }
            return rest;
        }
        self.begin_payload_if_complete(out);
        rest
    }

    /// Looks for a header byte by byte.
    fn find_header<'a>(&mut self, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
        let mut rest = data;
        while matches!(self.phase, Phase::Lost) && !rest.is_empty() {
            let before = self.head.len();
            rest = self.head.fill(rest, before + 1);
            if before == 0 {
                self.record_time_ns = self.time_ns;
            }
            while !self.head.is_empty() && !may_resume_at(self.head.as_slice()) {
                self.head.shift();
                self.record_time_ns = self.time_ns;
            }
            self.begin_payload_if_complete(out);
        }
        rest
    }

    fn begin_payload_if_complete(&mut self, out: &mut Vec<Item>) {
        let Some([content_type, major, minor, high, low]) = self.head.complete() else {
            return;
        };
        self.head.clear();
        self.begun = true;
        self.header = Header {
            content_type: ContentType(content_type),
            version: ProtocolVersion(u16::from_be_bytes([major, minor])),
            length: u16::from_be_bytes([high, low]),
        };
        self.begin_payload(out);
    }

    fn begin_payload(&mut self, out: &mut Vec<Item>) {
        let length = usize::from(self.header.length);
        self.phase = Phase::PassOver { remaining: length };
        match self.header.content_type {
            ContentType::CHANGE_CIPHER_SPEC if length <= 1 => {
                self.messages.abandon(self.time_ns, out);
                if length == 1 {
                    self.encrypted = true;
                    self.emit(ItemBody::ChangeCipherSpec, out);
                }
            }
            ContentType::ALERT if length == 2 => self.phase = Phase::Deciding { need: 2 },
            ContentType::HANDSHAKE if length == 0 => {}
            ContentType::HANDSHAKE if self.messages.in_progress() => {
                self.phase = Phase::Handshake { remaining: length };
            }
            ContentType::HANDSHAKE => match (self.encrypted, self.sure) {
                (true, _) if length < 6 => self.emit_opaque(out),
                (true, _) => self.phase = Phase::Deciding { need: 6 },
                (false, false) => self.phase = Phase::Deciding { need: length.min(4) },
                (false, true) => self.phase = Phase::Deciding { need: 1 },
            },
            ContentType::APPLICATION_DATA => {
                self.messages.abandon(self.time_ns, out);
                self.encrypted = true;
                self.emit_opaque(out);
            }
            _ => self.emit_opaque(out),
        }
        self.end_record_if_over();
    }

    /// Decides by the first payload bytes what the record is, and has them read.
    fn decide<'a>(&mut self, need: usize, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
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
        let remaining = usize::from(self.header.length);
        self.phase = Phase::PassOver { remaining };
        if self.header.content_type == ContentType::ALERT {
            match Alert::parse(first) {
                Ok(alert) if alert.is_plausible() => self.emit(ItemBody::Alert(alert), out),
                _ => self.emit_opaque(out),
            }
            return;
        }
        let plaintext = match (self.encrypted, self.sure) {
            (true, _) => begins_hello_message(first),
            (false, false) => begins_message(first, self.header.length),
            (false, true) => true,
        };
        if plaintext {
            self.sure = true;
            self.phase = Phase::Handshake { remaining };
        } else {
            self.emit_opaque(out);
        }
    }

    /// Decides for a record of which the deciding bytes are not there.
    fn decide_unseen(&mut self, missing: bool, out: &mut Vec<Item>) {
        let length = usize::from(self.header.length);
        let seen = self.probe.len();
        self.probe.clear();
        self.phase = Phase::PassOver {
            remaining: length - seen,
        };
        // Whoever leaves out a payload says that it is encrypted; bytes that never came say nothing.
        let may_be_plaintext = self.header.content_type == ContentType::HANDSHAKE && !self.encrypted;
        if missing && may_be_plaintext {
            self.sure = false;
        } else if seen > 0 && may_be_plaintext {
            self.sure = false;
            out.push(Item {
                time_ns: self.record_time_ns,
                body: gap(length - seen),
            });
        } else {
            self.emit_opaque(out);
        }
    }

    /// Reads payload bytes of a record that was decided on.
    fn read_payload<'a>(&mut self, data: &'a [u8], time_ns: u64, out: &mut Vec<Item>) -> &'a [u8] {
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

    fn end_record_if_over(&mut self) {
        match self.phase {
            Phase::Handshake { remaining: 0 } => {
                self.sure &= self.messages.end_record();
                self.phase = Phase::Header;
            }
            Phase::PassOver { remaining: 0 } => self.phase = Phase::Header,
            _ => {}
        }
    }

    /// Record boundaries are lost, and with them the message being joined.
    fn lose(&mut self) {
        self.phase = Phase::Lost;
        self.head.clear();
        self.probe.clear();
        self.messages.forget();
        self.sure = false;
        self.begun = true;
    }

    fn emit(&self, body: ItemBody, out: &mut Vec<Item>) {
        out.push(Item {
            time_ns: self.record_time_ns,
            body,
        });
    }

    fn emit_opaque(&self, out: &mut Vec<Item>) {
        let Header {
            content_type,
            version,
            length,
        } = self.header;
        self.emit(
            ItemBody::Opaque {
                content_type,
                version,
                length,
            },
            out,
        );
    }
}

fn clamp(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
