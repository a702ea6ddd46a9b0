//! Bytes of the stream that cannot be read: left out of the capture, or lost.

use super::super::Item;
use super::super::messages::gap;
use super::{Phase, Records, Trust};
use crate::codepoints::ContentType;

impl Records {
    /// The next `count` bytes of the stream were not captured.
    pub(in super::super) fn elided(&mut self, count: u64, out: &mut Vec<Item>) {
        if count > 0 && self.search.is_at_start() && matches!(self.phase, Phase::Search) {
            self.report_gap(clamp(count), out);
            self.lose();
        }
        self.pass_over(count, false, out);
    }

    /// The next `count` bytes of the stream never came; 0 when nobody knows how many.
    pub(in super::super) fn missing(&mut self, count: u64, out: &mut Vec<Item>) {
        if !self.is_foreign() {
            self.report_gap(clamp(count), out);
            if count == 0 {
                self.lose();
            }
        }
        self.pass_over(count, true, out);
    }

    fn pass_over(&mut self, mut count: u64, reported: bool, out: &mut Vec<Item>) {
        while count > 0 {
            match self.phase {
                Phase::Search => {
                    self.search.pass_over(count);
                    self.trust = Trust::None;
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
}

fn clamp(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
