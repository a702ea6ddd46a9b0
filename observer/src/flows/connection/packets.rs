//! What a source that follows connections tells by itself, where nothing but packets tell.

use observer_tls::handshake::Message;
use observer_tls::stream::{Item, ItemBody};

use super::Connection;
use crate::flows::course::is_near;
use crate::segment::Segment;
use crate::tracker::{Direction, Surroundings};

impl Connection {
    /// Whether a packet belongs to this connection and not to a later one of the same tuple.
    pub(super) fn goes_on_with(&self, direction: Direction, packet: &Segment<'_>) -> bool {
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

    /// Whether the receiver of this RST takes it for one of the connection (RFC 9293, section 3.10.7.4). A source that
    /// follows connections has checked that.
    pub(super) fn is_reset_by(&self, direction: Direction, rst: &Segment<'_>) -> bool {
        rst.born != 0 || self.next_seq(direction).is_none_or(|next| is_near(next, rst.seq))
    }

    /// Whether the direction was seen from its first byte on.
    pub(super) fn is_seen_from_start(&self, direction: Direction) -> bool {
        let start = self.courses[direction.index()].start;
        start.is_some() && !self.streams[direction.index()].has_lost()
    }

    /// What a source that follows connections tells by itself: that the client of a TLS listener does not speak TLS. Where
    /// nothing but packets tell, it is seen here.
    pub(super) fn recognise(&mut self, direction: Direction, item: &Item, around: &mut Surroundings<'_>) {
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
}
