//! One TCP connection: two streams, one tracker, and the places from which it is seen.

mod packets;

use observer_tls::codepoints::{ContentType, HandshakeType};
use observer_tls::stream::{Item, ItemBody, Stream};

use super::course::{Course, First, is_before};
use super::sockets::Sockets;
use super::tuple::Tuple;
use crate::observation::MessageSeen;
use crate::segment::Segment;
use crate::tracker::{Direction, Phase, Surroundings, Tracker};

/// Places remembered from which a connection is seen. Two ends make two; more come about when one end is seen again after
/// the kernel had forgotten it.
const MAX_SIGHTINGS: usize = 8;

/// A place from which a connection is seen: each end's network namespace, or each end's socket.
#[derive(Debug)]
struct Sighting {
    scope: u64,
    born: u64,
    /// Pieces of it were dropped.
    lossy: bool,
    /// By direction: from here, nothing before this sequence number will be seen any more.
    blind_before: [Option<u32>; 2],
}

/// A connection in the table.
#[derive(Debug)]
pub(super) struct Connection {
    pub tuple: Tuple,
    pub born: u64,
    /// Time of the last piece, nanoseconds since the Unix epoch.
    pub touched_ns: u64,
    /// How many pieces the source had dropped when the last one came, as far as was known.
    pub dropped_before: u64,
    /// Slot of the next connection with the same tuple.
    pub next_of_tuple: Option<u32>,
    /// Bytes held when they were counted last.
    pub counted_bytes: usize,
    pub sockets: Sockets,
    sightings: Vec<Sighting>,
    streams: [Stream; 2],
    courses: [Course; 2],
    tracker: Tracker,
    /// Both directions are closed; nothing can follow.
    closed: bool,
    /// Nothing is read any more.
    muted: bool,
}

impl Connection {
    /// The connection that begins with `segment`.
    pub fn new(tuple: Tuple, segment: &Segment<'_>) -> Self {
        let mut connection = Self {
            tuple,
            born: segment.born,
            touched_ns: segment.time_ns,
            dropped_before: 0,
            next_of_tuple: None,
            counted_bytes: 0,
            sockets: Sockets::default(),
            sightings: Vec::with_capacity(1),
            streams: Default::default(),
            courses: Default::default(),
            tracker: Tracker::new(),
            closed: false,
            muted: false,
        };
        connection.join(segment);
        connection
    }

    /// Whether `segment` was seen from a known place: `Some(false)` when that place now follows another connection with
    /// the same tuple.
    pub fn knows(&self, direction: Direction, segment: &Segment<'_>) -> Option<bool> {
        let sighting = self
            .sightings
            .iter()
            .find(|sighting| sighting.scope == segment.scope)?;
        let packets_tell = segment.born == 0 && sighting.born == 0;
        Some(match packets_tell {
            true => self.goes_on_with(direction, segment),
            false => sighting.born == segment.born,
        })
    }

    /// Whether `segment`, seen from an unknown place, begins a direction of this connection.
    pub fn begins_like(&self, direction: Direction, segment: &Segment<'_>) -> bool {
        let first = &self.courses[direction.index()].first;
        first.as_ref().is_some_and(|first| first.is_beginning_of(segment))
    }

    /// From now on the connection is seen from the place of `segment`, too.
    pub fn join(&mut self, segment: &Segment<'_>) {
        if self.sightings.len() >= MAX_SIGHTINGS {
            self.sightings.remove(0);
        }
        self.sightings.push(Sighting {
            scope: segment.scope,
            born: segment.born,
            lossy: false,
            blind_before: [None; 2],
        });
    }

    /// Bytes held, in the streams and in the state of the handshake.
    pub fn held_bytes(&self) -> usize {
        self.streams.iter().map(Stream::buffered).sum::<usize>() + self.tracker.weight()
    }

    /// Pieces that contradicted an earlier copy of the same bytes.
    pub fn contradictions(&self) -> u64 {
        self.streams
            .iter()
            .map(|stream| u64::from(stream.conflicts()))
            .sum()
    }

    /// Both directions are closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Where its handshake stands.
    pub fn phase(&self) -> Phase {
        self.tracker.phase()
    }

    /// Whether a handshake waits for its outcome.
    pub fn is_waiting(&self) -> bool {
        self.tracker.is_waiting()
    }

    /// Pieces were lost in all places from which it is seen, so that some of its bytes may be missing.
    pub fn is_lossy(&self) -> bool {
        self.sightings.iter().all(|sighting| sighting.lossy)
    }

    /// Tells the tracker how much of the connection is seen.
    fn note_view(&self, around: &mut Surroundings<'_>) {
        around.sockets = self.sockets.cookies();
        around.lossy = self.is_lossy();
        // A source that follows connections follows both directions.
        let mut ways = self.courses.iter().zip(&self.streams);
        around.partial = ways.any(|(course, stream)| {
            let unseen = self.born == 0 && course.start.is_none() && stream.next_seq().is_none();
            unseen || stream.has_hole() || course.misses_acknowledged(stream.next_seq())
        });
    }

    /// Takes a piece. What was taken before, from here or from another place, changes nothing. `items` is scratch space,
    /// empty before and after.
    pub fn take(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        items: &mut Vec<Item>,
        around: &mut Surroundings<'_>,
    ) {
        self.touched_ns = self.touched_ns.max(segment.time_ns);
        let lossy_here = self.note_losses(segment);
        self.sockets.learn(direction, segment);
        if let Some(ack) = segment.ack {
            let acknowledged = &mut self.courses[direction.reverse().index()].acknowledged;
            if acknowledged.is_none_or(|before| is_before(before, ack)) {
                *acknowledged = Some(ack);
            }
        }
        self.note_view(around);
        if self.closed {
            return;
        }
        match segment.from_client {
            Some(true) => self.tracker.set_client(direction),
            Some(false) => self.tracker.set_client(direction.reverse()),
            None => {}
        }
        let course = &mut self.courses[direction.index()];
        if segment.flags.syn && course.start.replace(segment.seq).is_none() {
            let stream = &mut self.streams[direction.index()];
            if stream.next_seq().is_none() {
                stream.skip_to(segment.seq, items);
            }
        }
        if course.first.is_none() && (!segment.data.is_empty() || segment.flags.not_tls) {
            course.first = Some(First::of(segment));
            let is_client = segment.from_client.unwrap_or(self.tracker.is_client(direction));
            if is_client && begins_client_hello(segment.data) {
                self.tracker.begun(segment.time_ns);
            }
        }
        if segment.flags.not_tls && segment.from_client == Some(false) {
            // A server that answers a ClientHello in another protocol.
            self.tracker
                .take(direction, segment.time_ns, &ItemBody::NotTls, around);
        } else if segment.flags.not_tls {
            self.tracker.not_tls(direction, segment.time_ns);
        }
        // Foreign bytes are not for the streams: TLS may begin behind them.
        if !self.muted && !segment.flags.not_tls {
            self.read(direction, segment, lossy_here, items, around);
        }
        if segment.flags.truncated {
            self.tracker.truncated();
        }
        self.take_closes(direction, segment, items, around);
    }

    /// Whether pieces from the place of `segment` were dropped.
    fn note_losses(&mut self, segment: &Segment<'_>) -> bool {
        let sighting = self
            .sightings
            .iter_mut()
            .find(|sighting| sighting.scope == segment.scope);
        sighting.is_some_and(|sighting| {
            sighting.lossy |= segment.flags.pieces_lost;
            sighting.lossy
        })
    }

    /// Reads the bytes of a piece.
    fn read(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        lossy_here: bool,
        items: &mut Vec<Item>,
        around: &mut Surroundings<'_>,
    ) {
        let ahead = self
            .next_seq(direction)
            .is_some_and(|next| is_before(next, segment.seq));
        let nothing_read = self.next_seq(direction).is_none();
        if segment.flags.skipped && (ahead || nothing_read) {
            if ahead {
                self.tracker.skipped();
            }
            self.streams[direction.index()].skip_to(segment.seq, items);
        } else if ahead && (segment.flags.gap || lossy_here) {
            self.turn_blind(direction, segment, items);
        } else if nothing_read && segment.wire_len > 0 && (segment.flags.gap || lossy_here) {
            // The beginning may be what is missing.
            self.streams[direction.index()].lost_before(segment.seq, items);
        }
        let stream = &mut self.streams[direction.index()];
        stream.push(
            segment.seq,
            segment.data,
            segment.wire_len,
            segment.time_ns,
            items,
        );
        self.hand_over(direction, items, around);
    }

    /// The bytes before `segment` will not come from its place any more. They are given up when no other place can give
    /// them either.
    fn turn_blind(&mut self, direction: Direction, segment: &Segment<'_>, items: &mut Vec<Item>) {
        let Some(next) = self.next_seq(direction) else {
            return;
        };
        let mut missing_until = segment.seq;
        for sighting in &mut self.sightings {
            let blind_before = &mut sighting.blind_before[direction.index()];
            if sighting.scope == segment.scope {
                *blind_before = Some(segment.seq);
            }
            match *blind_before {
                Some(seq) if is_before(next, seq) => {
                    if is_before(seq, missing_until) {
                        missing_until = seq;
                    }
                }
                _ => return,
            }
        }
        self.streams[direction.index()].lost_before(missing_until, items);
    }

    /// Takes FIN and RST, when all before them is read.
    fn take_closes(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        items: &mut Vec<Item>,
        around: &mut Surroundings<'_>,
    ) {
        if segment.flags.fin {
            let fin = segment.seq.wrapping_add(segment.wire_len);
            self.courses[direction.index()]
                .fin
                .get_or_insert((fin, segment.time_ns));
        }
        // A source that follows connections keeps the beginning of a record header to itself until there is all of it.
        let kept = match self.born {
            0 => 0,
            _ => RECORD_HEADER_LEN as u32 - 1,
        };
        let course = &mut self.courses[direction.index()];
        if let Some((fin, time_ns)) = course.fin
            && !course.closed
            && self.streams[direction.index()]
                .next_seq()
                .is_none_or(|next| !is_before(next.wrapping_add(kept), fin))
        {
            course.closed = true;
            let both = self.courses[direction.reverse().index()].closed;
            if both {
                self.finish_streams(items, around);
            }
            self.tracker.closed(direction, false, both, time_ns, around);
            self.closed = both;
        }
        if segment.flags.rst && !self.closed && self.is_reset_by(direction, segment) {
            self.finish_streams(items, around);
            // Its number tells what its sender has sent, where no other piece does.
            let course = &self.courses[direction.index()];
            around.partial |= segment.born == 0
                && self
                    .next_seq(direction)
                    .is_some_and(|next| is_before(course.end(next), segment.seq));
            self.tracker
                .closed(direction, true, true, segment.time_ns, around);
            self.closed = true;
        }
    }

    /// Nothing came until `now_ns`; the source has dropped `dropped_total` pieces by now.
    pub fn time_out(
        &mut self,
        now_ns: u64,
        dropped_total: u64,
        items: &mut Vec<Item>,
        around: &mut Surroundings<'_>,
    ) {
        self.note_view(around);
        self.finish_streams(items, around);
        self.tracker
            .timed_out(now_ns, dropped_total != self.dropped_before, around);
    }

    /// Stops reading and frees all buffers. `truncated`: because of a limit.
    pub fn give_up(&mut self, truncated: bool, around: &mut Surroundings<'_>) {
        self.note_view(around);
        self.tracker.give_up(self.touched_ns, truncated, around);
        self.streams = Default::default();
        self.muted = true;
    }

    /// Reads what waits behind holes and frees the buffers.
    fn finish_streams(&mut self, items: &mut Vec<Item>, around: &mut Surroundings<'_>) {
        for direction in Direction::ALL {
            self.streams[direction.index()].finish(items);
            self.hand_over(direction, items, around);
        }
    }

    fn hand_over(&mut self, direction: Direction, items: &mut Vec<Item>, around: &mut Surroundings<'_>) {
        let source = around.senders[direction.index()];
        let destination = around.senders[direction.reverse().index()];
        self.note_view(around);
        for item in items.drain(..) {
            around.sink.message(&MessageSeen {
                time_ns: self.touched_ns,
                source,
                destination,
                body: &item.body,
            });
            if is_tls(&item.body) {
                self.streams[direction.reverse().index()].expect_records();
            }
            if self.born == 0 {
                self.recognise(direction, &item, around);
            }
            // Without the beginning, bytes that are not TLS may be the middle of TLS; and where the client began with others,
            // the server did, too.
            let unclear = self.born == 0
                && item.body == ItemBody::NotTls
                && (!self.is_seen_from_start(direction) || self.courses[direction.reverse().index()].foreign);
            let body = if unclear {
                &ItemBody::Gap { bytes: 0 }
            } else {
                &item.body
            };
            self.tracker.take(direction, item.time_ns, body, around);
        }
    }

    fn next_seq(&self, direction: Direction) -> Option<u32> {
        self.streams[direction.index()].next_seq()
    }
}

/// Whether nobody sends this but who speaks TLS, or is about to.
fn is_tls(item: &ItemBody) -> bool {
    matches!(
        item,
        ItemBody::Handshake { .. } | ItemBody::ChangeCipherSpec | ItemBody::Ssl2 { .. }
    )
}

/// Whether `data`, as far as it goes, is the beginning of a record with a ClientHello.
fn begins_client_hello(data: &[u8]) -> bool {
    let typ = data.get(RECORD_HEADER_LEN).copied();
    data.first() == Some(&ContentType::HANDSHAKE.0)
        && typ.is_none_or(|typ| typ == HandshakeType::CLIENT_HELLO.0)
}

/// Length of a TLS record header (RFC 8446, section 5.1).
const RECORD_HEADER_LEN: usize = 5;
