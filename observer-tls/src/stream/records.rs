//! Walks the record layer (RFC 8446, section 5.1; RFC 5246, section 6.2) and decides what of it is plaintext.

mod payload;
mod unseen;

use super::alerts::Alerts;
use super::head::Head;
use super::messages::{Messages, gap};
use super::plausible::{HEADER_LEN, JUDGED_BYTES, confirms, may_continue_header};
use super::search::{Found, Hit, Search};
use super::ssl2::Join;
use super::{Item, ItemBody};
use crate::codepoints::{ContentType, ProtocolVersion};
use crate::ssl2;

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
