//! Walks the record layer (RFC 8446, section 5.1; RFC 5246, section 6.2) and decides what of it is plaintext.

use super::alerts::{Alerts, MAX_ALERTS_BYTES};
use super::head::Head;
use super::messages::{Messages, gap};
use super::plausible::{
    HEADER_LEN, JUDGED_BYTES, begins_hello_message, begins_message, confirms, may_continue_header,
};
use super::prefix::Likeness;
use super::search::{Found, Hit, Search};
use super::ssl2::Join;
use super::{Item, ItemBody};
use crate::codepoints::{ContentType, HandshakeType, ProtocolVersion};
use crate::ssl2;

/// Bytes of a handshake record by which it is told whether it is plaintext though encryption has begun.
const HELLO_BYTES: u16 = 6;

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
    /// Something among which a record is searched for.
    #[default]
    Search,
    /// A record of SSL 2.
    Ssl2,
    /// A record header.
    Header,
    /// The payload of a record that may be plaintext: its first `need` bytes will tell.
    Deciding { need: usize },
    /// Payload that is not read.
    PassOver { remaining: usize },
    /// Payload with handshake messages in plaintext.
    Handshake { remaining: usize },
}

/// How much a handshake record must prove before its payload is read, as long as nothing is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Trust {
    /// It may be a record from the middle of a connection.
    #[default]
    None,
    /// It is the stream's first.
    First,
    /// A message was read, and no boundaries were lost since.
    Sure,
}

/// The record layer of one direction.
#[derive(Debug, Default)]
pub(super) struct Records {
    phase: Phase,
    search: Search,
    /// The header being read.
    head: Head<HEADER_LEN>,
    /// First payload bytes of a record in [`Phase::Deciding`].
    probe: Head<JUDGED_BYTES>,
    header: Header,
    messages: Messages,
    alerts: Alerts,
    ssl2: Join,
    /// ChangeCipherSpec or application data passed: handshake records are encrypted, unless they begin with a hello.
    encrypted: bool,
    trust: Trust,
    /// The next header was found among other bytes, and nothing but itself says that it is one.
    found_by_header: bool,
    /// The record with such a header: it is told of when another one follows.
    unproven: Option<Item>,
    /// Times of the latest piece, the record's first byte and the first byte in `probe`.
    time_ns: u64,
    record_time_ns: u64,
    probe_time_ns: u64,
}

impl Records {
    /// Takes the next bytes of the stream: a piece, or what is new of it.
    pub(super) fn captured(&mut self, mut data: &[u8], time_ns: u64, out: &mut Vec<Item>) {
        self.time_ns = time_ns;
        while !data.is_empty() {
            data = match self.phase {
                Phase::Search => self.search(data, out),
                Phase::Ssl2 => self.read_ssl2(data, out),
                Phase::Header => self.read_header(data, out),
                Phase::Deciding { need } => self.decide(need, data, out),
                Phase::PassOver { .. } | Phase::Handshake { .. } => self.read_payload(data, time_ns, out),
            };
        }
    }

    /// The next `count` bytes of the stream were not captured.
    pub(super) fn elided(&mut self, count: u64, out: &mut Vec<Item>) {
        if count > 0 && self.search.is_untouched() && matches!(self.phase, Phase::Search) {
            self.report_gap(clamp(count), out);
            self.lose();
        }
        self.pass_over(count, false, out);
    }

    /// The next `count` bytes of the stream never came; 0 when nobody knows how many.
    pub(super) fn missing(&mut self, count: u64, out: &mut Vec<Item>) {
        if self.is_foreign() {
            self.search.pass_over(count);
            return;
        }
        self.report_gap(clamp(count), out);
        if count == 0 {
            self.lose();
        }
        self.pass_over(count, true, out);
    }

    /// A record begins with the next byte, wherever we were: at the beginning of the stream, maybe something else.
    pub(super) fn begin_record(&mut self, out: &mut Vec<Item>) {
        match self.phase {
            Phase::Search if self.search.is_untouched() => {
                self.search.begins_here();
                self.trust = Trust::First;
                return;
            }
            Phase::Search if self.is_foreign() => return,
            // A message may go on in the next record.
            Phase::Header if self.head.is_empty() => return,
            _ => {}
        }
        self.messages.abandon(self.time_ns, out);
        self.free();
        self.phase = Phase::Header;
        self.found_by_header = false;
        self.unproven = None;
        self.head.clear();
        self.probe.clear();
    }

    /// Other records than hellos may be found among foreign bytes.
    pub(super) fn expect_records(&mut self) {
        self.search.expect_records();
    }

    /// Whether what passes is not TLS.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.phase, Phase::Search) && self.search.is_foreign()
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self, out: &mut Vec<Item>) {
        // A record that ends where the stream ends was one.
        if matches!(self.phase, Phase::Header) && self.head.is_empty() {
            self.prove(out);
        }
        self.free();
    }

    /// Frees all buffers.
    fn free(&mut self) {
        self.messages.forget();
        self.search.clear();
        self.ssl2.forget();
    }

    pub(super) fn buffered(&self) -> usize {
        self.messages.buffered() + self.ssl2.buffered()
    }

    fn pass_over(&mut self, mut count: u64, reported: bool, out: &mut Vec<Item>) {
        while count > 0 {
            match self.phase {
                Phase::Search => {
                    self.search.pass_over(count);
                    return;
                }
                Phase::Header | Phase::Ssl2 => {
                    if !reported {
                        self.report_gap(clamp(count), out);
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

    /// Looks for the next record, and begins with it.
    fn search<'a>(&mut self, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
        let time_ns = self.time_ns;
        let hit = self.search.push(data, time_ns, &mut |time_ns| {
            out.push(Item {
                time_ns,
                body: ItemBody::NotTls,
            });
        });
        let Some(Hit { found, carried, rest }) = hit else {
            return &[];
        };
        self.phase = match found {
            Found::Record | Found::Encrypted => Phase::Header,
            Found::Ssl2 => Phase::Ssl2,
        };
        self.found_by_header = found == Found::Encrypted;
        for (byte, time_ns) in carried.iter().flat_map(|carry| carry.iter()) {
            self.captured(&[byte], time_ns, out);
        }
        self.time_ns = time_ns;
        rest
    }

    fn read_ssl2<'a>(&mut self, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
        if self.ssl2.buffered() == 0 {
            self.record_time_ns = self.time_ns;
        }
        let (rest, message) = self.ssl2.push(data);
        if let Some((length, message)) = message {
            match message {
                ssl2::Message::ClientMasterKey { .. } => self.search.behind_master_key(),
                _ => self.search.behind_ssl2(),
            }
            self.trust = Trust::Sure;
            self.phase = Phase::Search;
            self.emit(ItemBody::Ssl2 { length, message }, out);
        }
        rest
    }

    fn read_header<'a>(&mut self, data: &'a [u8], out: &mut Vec<Item>) -> &'a [u8] {
        if self.head.is_empty() {
            self.record_time_ns = self.time_ns;
            if let Some((header, rest)) = data.split_first_chunk()
                && self.begin_record_with(*header, out)
            {
                return rest;
            }
        }
        let rest = self.head.fill(data, HEADER_LEN);
        let is_header = match self.head.complete() {
            Some(header) => {
                let begun = self.begin_record_with(header, out);
                if begun {
                    self.head.clear();
                }
                begun
            }
            None => may_continue_header(self.head.as_slice()),
        };
        if !is_header {
            self.lose_at_header(out);
        }
        rest
    }

    /// Begins the record with this header, if it is one.
    fn begin_record_with(&mut self, header: [u8; HEADER_LEN], out: &mut Vec<Item>) -> bool {
        let follows = match self.unproven {
            Some(_) => confirms(header),
            None => may_continue_header(&header),
        };
        if follows {
            self.prove(out);
            self.begin_payload(header, out);
        }
        follows
    }

    /// Tells of the record that was found by its header alone.
    fn prove(&mut self, out: &mut Vec<Item>) {
        if let Some(item) = self.unproven.take() {
            self.encrypted |= self.header.content_type == ContentType::APPLICATION_DATA;
            out.push(item);
        }
    }

    /// What should be a header is none: record boundaries are lost.
    fn lose_at_header(&mut self, out: &mut Vec<Item>) {
        if self.unproven.is_none() {
            self.report_gap(0, out);
        }
        let head = std::mem::take(&mut self.head);
        let now_ns = std::mem::replace(&mut self.time_ns, self.record_time_ns);
        self.lose();
        // Too short for a record: these bytes are kept or passed over.
        self.search(head.as_slice(), out);
        self.time_ns = now_ns;
    }

    fn begin_payload(&mut self, header: [u8; HEADER_LEN], out: &mut Vec<Item>) {
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
            self.trust = Trust::None;
        } else if seen > 0 && may_be_plaintext {
            self.trust = Trust::None;
            self.emit(gap(length - seen), out);
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
                if !self.messages.end_record() {
                    self.trust = Trust::None;
                }
                self.phase = Phase::Header;
            }
            Phase::PassOver { remaining: 0 } => self.phase = Phase::Header,
            _ => {}
        }
    }

    /// Record boundaries are lost, and with them what was being joined.
    fn lose(&mut self) {
        self.phase = Phase::Search;
        self.search.lost();
        self.head.clear();
        self.probe.clear();
        self.messages.forget();
        self.alerts.abandon();
        self.ssl2.forget();
        self.found_by_header = false;
        self.unproven = None;
        self.trust = Trust::None;
    }

    fn report_gap(&self, bytes: usize, out: &mut Vec<Item>) {
        out.push(Item {
            time_ns: self.time_ns,
            body: gap(bytes),
        });
    }

    fn emit(&self, body: ItemBody, out: &mut Vec<Item>) {
        out.push(Item {
            time_ns: self.record_time_ns,
            body,
        });
    }

    fn emit_opaque(&self, out: &mut Vec<Item>) {
        out.push(self.opaque());
    }

    fn opaque(&self) -> Item {
        let Header {
            content_type,
            version,
            length,
        } = self.header;
        Item {
            time_ns: self.record_time_ns,
            body: ItemBody::Opaque {
                content_type,
                version,
                length,
            },
        }
    }
}

fn clamp(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
