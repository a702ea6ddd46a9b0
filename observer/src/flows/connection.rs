//! One TCP connection: two streams, one tracker, and the places from which it is seen.

use std::net::{IpAddr, SocketAddr};

use observer_tls::codepoints::{ContentType, HandshakeType};
use observer_tls::handshake::Message;
use observer_tls::ssl2;
use observer_tls::stream::{Item, ItemBody, Stream};

use crate::observation::MessageSeen;
use crate::segment::Segment;
use crate::tracker::{Direction, Phase, Surroundings, Tracker};

/// First bytes kept of each direction, to recognise the same connection from another place: a record header, a message
/// header, version and random.
const FIRST_BYTES: usize = 48;

/// How far from the expected sequence number a packet may be and still belong to the connection, where nothing but packets
/// tells: more than any window in use, little enough that a new connection's random number seldom comes so near.
const SAME_CONNECTION_BYTES: u32 = 1 << 24;

/// Places remembered from which a connection is seen. Two ends make two; more come about when one end is seen again after
/// the kernel had forgotten it.
const MAX_SIGHTINGS: usize = 8;

/// The two ends of a connection, in the order of address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tuple {
    low: (IpAddr, u16),
    high: (IpAddr, u16),
}

impl Tuple {
    /// The tuple of the connection that `segment` belongs to, and the direction it travels.
    pub fn of(segment: &Segment<'_>) -> (Self, Direction) {
        let source = (segment.source.ip(), segment.source.port());
        let destination = (segment.destination.ip(), segment.destination.port());
        match source <= destination {
            true => (
                Self {
                    low: source,
                    high: destination,
                },
                Direction::Up,
            ),
            false => (
                Self {
                    low: destination,
                    high: source,
                },
                Direction::Down,
            ),
        }
    }

    /// Sender of each direction.
    pub fn senders(&self) -> [SocketAddr; 2] {
        [self.low.into(), self.high.into()]
    }
}

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

/// How a direction began.
#[derive(Debug)]
struct First {
    seq: u32,
    time_ns: u64,
    bytes: [u8; FIRST_BYTES],
    len: usize,
    not_tls: bool,
}

impl First {
    fn of(segment: &Segment<'_>) -> Self {
        let len = segment.data.len().min(FIRST_BYTES);
        let mut bytes = [0; FIRST_BYTES];
        bytes[..len].copy_from_slice(&segment.data[..len]);
        Self {
            seq: segment.seq,
            time_ns: segment.time_ns,
            bytes,
            len,
            not_tls: segment.flags.not_tls,
        }
    }

    /// Whether `segment` begins the same. It may have been cut shorter or longer.
    fn is_beginning_of(&self, segment: &Segment<'_>) -> bool {
        let len = self.len.min(segment.data.len());
        let same_kind = if len == 0 {
            self.not_tls && segment.flags.not_tls
        } else {
            true
        };
        self.seq == segment.seq && same_kind && self.bytes[..len] == segment.data[..len]
    }
}

/// One direction's beginning and end.
#[derive(Debug, Default)]
struct Course {
    /// The SYN's word on where the direction begins.
    start: Option<u32>,
    first: Option<First>,
    /// The other side has had all before this.
    acknowledged: Option<u32>,
    /// It began with bytes that are not TLS.
    foreign: bool,
    /// Sequence number and time of the FIN.
    fin: Option<(u32, u64)>,
    closed: bool,
}

impl Course {
    /// Whether the other side has had bytes that were not seen. `next`: those before it were.
    fn misses_acknowledged(&self, next: Option<u32>) -> bool {
        let (Some(next), Some(acknowledged)) = (next, self.acknowledged) else {
            return false;
        };
        // A FIN has a number of its own.
        let end = match self.fin {
            Some((fin, _)) if fin == next => next.wrapping_add(1),
            _ => next,
        };
        is_before(end, acknowledged)
    }
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

    /// Whether a packet belongs to this connection and not to a later one of the same tuple.
    fn goes_on_with(&self, direction: Direction, packet: &Segment<'_>) -> bool {
        let course = &self.courses[direction.index()];
        let next = self.next_seq(direction);
        if !packet.flags.syn {
            return next.is_none_or(|next| is_near(next, packet.seq));
        }
        match (course.start, next) {
            (Some(start), _) => start == packet.seq && !self.closed,
            // It was overtaken by the data behind it.
            (None, Some(next)) => !self.closed && is_near(next, packet.seq),
            (None, None) => {
                let answered = self.courses[direction.reverse().index()].first.is_some();
                !(self.closed || answered && packet.from_client == Some(true))
            }
        }
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
        let course = &mut self.courses[direction.index()];
        if let Some((fin, time_ns)) = course.fin
            && !course.closed
            && self.streams[direction.index()]
                .next_seq()
                .is_none_or(|next| !is_before(next, fin))
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
            around.partial |= segment.born == 0
                && self
                    .next_seq(direction)
                    .is_some_and(|next| is_before(next, segment.seq));
            self.tracker
                .closed(direction, true, true, segment.time_ns, around);
            self.closed = true;
        }
    }

    /// Whether the receiver of this RST takes it for one of the connection (RFC 9293, section 3.10.7.4). A source that
    /// follows connections has checked that.
    fn is_reset_by(&self, direction: Direction, rst: &Segment<'_>) -> bool {
        rst.born != 0 || self.next_seq(direction).is_none_or(|next| is_near(next, rst.seq))
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
        let [source, destination] = match direction {
            Direction::Up => around.senders,
            Direction::Down => [around.senders[1], around.senders[0]],
        };
        self.note_view(around);
        for item in items.drain(..) {
            around.sink.message(&MessageSeen {
                time_ns: self.touched_ns,
                source,
                destination,
                body: &item.body,
            });
            if begins_client(&item.body) {
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

    /// Whether the direction was seen from its first byte on.
    fn is_seen_from_start(&self, direction: Direction) -> bool {
        let start = self.courses[direction.index()].start;
        start.is_some() && !self.streams[direction.index()].has_lost()
    }

    /// What a source that follows connections tells by itself: that the client of a TLS listener does not speak TLS. Where
    /// nothing but packets tell, it is seen here.
    fn recognise(&mut self, direction: Direction, item: &Item, around: &mut Surroundings<'_>) {
        let reverse = direction.reverse();
        match &item.body {
            ItemBody::NotTls => {
                let seen_from_start = self.is_seen_from_start(direction);
                self.courses[direction.index()].foreign = true;
                let opens = seen_from_start && self.tracker.is_client(direction);
                // Where the server speaks first, another protocol leads over to TLS.
                let speaks_first = self.courses[reverse.index()].first.is_none();
                if opens && speaks_first && around.listeners.contains(around.senders[reverse.index()]) {
                    self.tracker.not_tls(direction, item.time_ns);
                }
            }
            // Nobody but a TLS server sends one as its first word.
            ItemBody::Alert(_) if self.tracker.is_idle() && self.tracker.is_client(reverse) => {
                let course = &self.courses[reverse.index()];
                if let Some(first) = &course.first
                    && course.foreign
                    && self.is_seen_from_start(reverse)
                {
                    self.tracker.not_tls(reverse, first.time_ns);
                }
            }
            ItemBody::Handshake {
                message: Message::ServerHello(_),
                ..
            } if !self.courses[reverse.index()].foreign => {
                around.listeners.remember(around.senders[direction.index()]);
            }
            _ => {}
        }
    }

    fn next_seq(&self, direction: Direction) -> Option<u32> {
        self.streams[direction.index()].next_seq()
    }
}

/// Whether a client sends this first.
fn begins_client(item: &ItemBody) -> bool {
    match item {
        ItemBody::Handshake { message, .. } => message.typ() == HandshakeType::CLIENT_HELLO,
        ItemBody::Ssl2 { message, .. } => matches!(message, ssl2::Message::ClientHello(_)),
        _ => false,
    }
}

/// Whether `data`, as far as it goes, is the beginning of a record with a ClientHello.
fn begins_client_hello(data: &[u8]) -> bool {
    let typ = data.get(RECORD_HEADER_LEN).copied();
    data.first() == Some(&ContentType::HANDSHAKE.0)
        && typ.is_none_or(|typ| typ == HandshakeType::CLIENT_HELLO.0)
}

/// Whether a packet with this sequence number can belong to a connection that expects `next`.
fn is_near(next: u32, seq: u32) -> bool {
    seq.wrapping_sub(next).min(next.wrapping_sub(seq)) < SAME_CONNECTION_BYTES
}

/// Length of a TLS record header (RFC 8446, section 5.1).
const RECORD_HEADER_LEN: usize = 5;

/// Whether sequence number `a` comes before `b` (RFC 9293, section 3.4: modulo 2^32).
fn is_before(a: u32, b: u32) -> bool {
    0 < b.wrapping_sub(a) && b.wrapping_sub(a) < 1 << 31
}
