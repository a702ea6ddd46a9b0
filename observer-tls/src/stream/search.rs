//! Finds where TLS begins, or goes on, among bytes that are not TLS or of which the record boundaries are unknown.
//!
//! Foreign bytes are looked at where a piece begins, and nowhere else: whoever changes over to TLS waits for the peer or
//! at least sends anew, while a search within pieces would find the handshakes that someone downloads. Of a piece only the
//! first bytes are looked at, so that bulk data costs next to nothing.

mod carry;

use carry::{Carry, ENOUGH};

use super::head::Head;
use super::plausible::{
    HEADER_LEN, begins_hello_record, begins_plain_record, may_begin_encrypted, may_begin_header,
};
use super::prefix::Likeness;
use super::prologue::{self, Prologue};
use super::ssl2::{begins_master_key, begins_ssl2_hello};

/// How much of a connection's beginning is looked through for lines of text with a hello right behind them: clients that
/// ask for TLS and do not wait for the answer.
const TALK_BYTES: usize = 4096;

/// How far a record is looked for at each byte, once the boundaries are lost: the end of the record that was lost, and
/// some more.
const LOST_BYTES: u64 = 64 * 1024;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The next byte begins a record, a hello of SSL 2, or something foreign.
    Anything,
    /// Where a piece begins: a hello.
    Hello,
    /// Where a piece begins: any record in plaintext.
    Record,
    /// Anywhere: a record in plaintext, or a likely header of an encrypted one; `left` bytes more.
    Anywhere { left: u64 },
}

/// What begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A record.
    Record,
    /// A record, if another one follows it.
    Encrypted,
    /// A message of SSL 2.
    Ssl2,
}

/// What bytes at a place are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guess {
    Nothing,
    /// More bytes are needed.
    Open,
    Found(Found),
    Prologue(Prologue),
}

/// Where it begins: with bytes of earlier pieces, if any, and the rest of this one.
#[derive(Debug)]
pub(super) struct Hit<'a> {
    pub(super) found: Found,
    pub(super) carried: Option<Box<Carry>>,
    pub(super) rest: &'a [u8],
}

/// The search in one direction.
#[derive(Debug)]
pub(super) struct Search {
    wanted: Wanted,
    carry: Option<Box<Carry>>,
    /// Bytes in front of the next place where something may begin.
    skip: u32,
    /// Bytes that may still hold lines of text with a hello behind them.
    talk: usize,
    /// Not only hellos count: the connection is TLS, or its beginning was not seen.
    records: bool,
    /// A hello of SSL 2 passed in this direction.
    ssl2: bool,
    /// It was told that the bytes are not TLS, or need not be.
    told: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            wanted: Wanted::Anything,
            carry: None,
            skip: 0,
            talk: TALK_BYTES,
            records: true,
            ssl2: false,
            told: false,
        }
    }
}

impl Search {
    /// Nothing was looked at before: it begins here, and was not missed.
    pub(super) fn begins_here(&mut self) {
        self.records = false;
    }

    /// Whether it is not known yet how the stream begins.
    pub(super) fn is_at_start(&self) -> bool {
        self.wanted == Wanted::Anything && !self.told
    }

    /// Whether nothing was looked at yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.is_at_start() && self.carry.is_none()
    }

    /// Whether the first bytes, or those that came after TLS, have turned out to be foreign.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.wanted, Wanted::Hello | Wanted::Record)
    }

    /// The other direction is TLS.
    pub(super) fn expect_records(&mut self) {
        self.records = true;
        if self.wanted == Wanted::Hello {
            self.wanted = Wanted::Record;
        }
    }

    /// Record boundaries were lost.
    pub(super) fn lost(&mut self) {
        self.wanted = Wanted::Anywhere { left: LOST_BYTES };
        self.records = true;
        self.told = true;
        self.talk = 0;
        self.clear();
    }

    /// A hello of SSL 2 is over; anything may follow.
    pub(super) fn behind_ssl2(&mut self) {
        self.wanted = Wanted::Anything;
        self.ssl2 = true;
        self.told = true;
        self.clear();
    }

    /// What follows is encrypted by SSL 2.
    pub(super) fn behind_master_key(&mut self) {
        self.wanted = Wanted::Hello;
        self.clear();
    }

    /// Frees all buffers.
    pub(super) fn clear(&mut self) {
        self.carry = None;
        self.skip = 0;
    }

    /// The next `count` bytes cannot be looked at.
    pub(super) fn pass_over(&mut self, count: u64) {
        self.carry = None;
        self.skip = self.skip.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        self.spend(count);
        if self.wanted == Wanted::Anything {
            self.wanted = Wanted::Record;
            self.told = true;
        }
    }

    /// Looks at a piece. Gives where something begins. `foreign` is called once, with the time of the first byte, when the
    /// stream turns out not to begin with TLS.
    pub(super) fn push<'a>(
        &mut self,
        data: &'a [u8],
        time_ns: u64,
        foreign: &mut impl FnMut(u64),
    ) -> Option<Hit<'a>> {
        let skipped = data.len().min(self.skip as usize);
        self.skip -= skipped as u32;
        let data = data.get(skipped..).unwrap_or_default();
        if data.is_empty() {
            return None;
        }
        match self.carry.take() {
            Some(carry) => self.look_behind(carry, data, time_ns, foreign),
            None => self.look(data, time_ns, foreign),
        }
    }

    /// Looks at bytes of earlier pieces together with the next one.
    fn look_behind<'a>(
        &mut self,
        mut carry: Box<Carry>,
        data: &'a [u8],
        time_ns: u64,
        foreign: &mut impl FnMut(u64),
    ) -> Option<Hit<'a>> {
        let carried = carry.bytes.len();
        let mut joined = Head::<{ 2 * ENOUGH }>::default();
        joined.fill(carry.bytes.as_slice(), carried);
        joined.fill(data, carried + ENOUGH);
        for at in (0..carried).filter(|at| carry.may_begin_at(*at)) {
            match self.guess(joined.as_slice().get(at..).unwrap_or_default()) {
                Guess::Nothing => {
                    let first_time_ns = carry.times.get(at).copied().unwrap_or(time_ns);
                    self.not_here(first_time_ns, foreign);
                }
                Guess::Open => {
                    carry.drop_first(at);
                    carry.add(data, time_ns, self.is_anywhere());
                    self.carry = Some(carry);
                    self.spend(data.len() as u64);
                    return None;
                }
                Guess::Found(found) => {
                    carry.drop_first(at);
                    return Some(Hit {
                        found,
                        carried: Some(carry),
                        rest: data,
                    });
                }
                Guess::Prologue(prologue) => {
                    let first_time_ns = carry.times.get(at).copied().unwrap_or(time_ns);
                    self.not_here(first_time_ns, foreign);
                    self.skip = prologue.length.saturating_sub((carried - at) as u32);
                    return self.push(data, time_ns, foreign);
                }
            }
        }
        self.look(data, time_ns, foreign)
    }

    /// Looks at a piece alone.
    fn look<'a>(&mut self, data: &'a [u8], time_ns: u64, foreign: &mut impl FnMut(u64)) -> Option<Hit<'a>> {
        if self.is_anywhere() {
            return self.look_everywhere(data, time_ns);
        }
        match self.guess(data) {
            Guess::Nothing => self.not_here(time_ns, foreign),
            Guess::Prologue(prologue) => {
                self.not_here(time_ns, foreign);
                self.skip = prologue.length;
                return self.push(data, time_ns, foreign);
            }
            guess => return self.settle(guess, data, time_ns),
        }
        let behind_text = prologue::behind_text(data.get(..self.talk).unwrap_or(data));
        self.spend(data.len() as u64);
        let candidate = data.get(behind_text?..).unwrap_or_default();
        let guess = match begins_hello_record(candidate) {
            Likeness::Yes => Guess::Found(Found::Record),
            Likeness::Maybe => Guess::Open,
            Likeness::No => Guess::Nothing,
        };
        self.settle(guess, candidate, time_ns)
    }

    /// Looks at each byte where a record may begin.
    fn look_everywhere<'a>(&mut self, data: &'a [u8], time_ns: u64) -> Option<Hit<'a>> {
        let mut rest = data;
        while let Some(at) = rest.iter().position(|byte| (20..=23).contains(byte)) {
            let candidate = rest.get(at..).unwrap_or_default();
            let guess = self.guess(candidate);
            if guess != Guess::Nothing {
                return self.settle(guess, candidate, time_ns);
            }
            rest = candidate.get(1..).unwrap_or_default();
        }
        self.spend(data.len() as u64);
        None
    }

    /// Acts on what was guessed of `data`.
    fn settle<'a>(&mut self, guess: Guess, data: &'a [u8], time_ns: u64) -> Option<Hit<'a>> {
        match guess {
            Guess::Found(found) => Some(Hit {
                found,
                carried: None,
                rest: data,
            }),
            Guess::Open => {
                let mut carry = Box::<Carry>::default();
                carry.add(data, time_ns, self.is_anywhere());
                self.carry = Some(carry);
                self.spend(data.len() as u64);
                None
            }
            Guess::Nothing | Guess::Prologue(_) => None,
        }
    }

    fn guess(&self, data: &[u8]) -> Guess {
        let Some(first) = data.first() else {
            return Guess::Open;
        };
        if !(20..=24).contains(first) {
            return match self.wanted {
                Wanted::Anywhere { .. } => Guess::Nothing,
                Wanted::Anything if !self.told => match prologue::begins(data) {
                    (Likeness::Yes, prologue) => Guess::Prologue(prologue),
                    (Likeness::Maybe, _) => Guess::Open,
                    (Likeness::No, _) => self.guess_ssl2(data),
                },
                _ => self.guess_ssl2(data),
            };
        }
        let likeness = match self.wanted {
            Wanted::Anything => match data.get(..HEADER_LEN) {
                _ if !may_begin_header(data) => Likeness::No,
                Some(_) => Likeness::Yes,
                None => Likeness::Maybe,
            },
            Wanted::Hello => begins_hello_record(data),
            Wanted::Record => begins_plain_record(data),
            Wanted::Anywhere { .. } => return guess_anywhere(data),
        };
        guess_of(likeness, Found::Record)
    }

    fn guess_ssl2(&self, data: &[u8]) -> Guess {
        let mut likeness = begins_ssl2_hello(data);
        if self.ssl2 && self.wanted == Wanted::Anything {
            likeness = likeness.or(begins_master_key(data));
        }
        guess_of(likeness, Found::Ssl2)
    }

    /// Nothing begins at a place.
    fn not_here(&mut self, time_ns: u64, foreign: &mut impl FnMut(u64)) {
        if self.wanted == Wanted::Anything {
            self.wanted = if self.records {
                Wanted::Record
            } else {
                Wanted::Hello
            };
            if !self.told {
                self.told = true;
                foreign(time_ns);
            }
        }
    }

    fn is_anywhere(&self) -> bool {
        matches!(self.wanted, Wanted::Anywhere { .. })
    }

    /// `count` bytes were looked at.
    fn spend(&mut self, count: u64) {
        self.talk = self
            .talk
            .saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        if let Wanted::Anywhere { left } = self.wanted {
            self.wanted = match left.checked_sub(count) {
                Some(left) => Wanted::Anywhere { left },
                None => Wanted::Record,
            };
        }
    }
}

fn guess_of(likeness: Likeness, found: Found) -> Guess {
    match likeness {
        Likeness::No => Guess::Nothing,
        Likeness::Maybe => Guess::Open,
        Likeness::Yes => Guess::Found(found),
    }
}

/// What `data` is, at any place in a stream of records. A record in plaintext goes first.
fn guess_anywhere(data: &[u8]) -> Guess {
    match begins_plain_record(data) {
        Likeness::Yes => Guess::Found(Found::Record),
        Likeness::Maybe => Guess::Open,
        Likeness::No => match data.first_chunk() {
            Some(header) if may_begin_encrypted(*header) => Guess::Found(Found::Encrypted),
            Some(_) => Guess::Nothing,
            None if may_begin_header(data) => Guess::Open,
            None => Guess::Nothing,
        },
    }
}
