//! Pairs the two directions of a connection: what each side sent becomes one handshake, and the handshake an
//! [`Observation`](crate::observation::Observation).

pub mod authorities;
pub mod certificates;
pub mod habits;
mod handshake;
mod late;
mod observe;
mod offer;
pub mod offers;
mod surroundings;

use observer_tls::alert::Alert;
use observer_tls::codepoints::HandshakeType;
use observer_tls::handshake::Message;
use observer_tls::ssl2;
use observer_tls::stream::ItemBody;

use handshake::{Close, Decision, Handshake};
use late::Reported;
use observe::Ends;
pub use surroundings::{Caches, Direction, Surroundings};

use crate::observation::{Reason, Side, Sockets};
use crate::outcome::Conclusion;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No handshake, or one without an outcome.
    Pending,
    /// One that needs only the proof that nothing more comes.
    Settling,
    /// Its handshake was reported.
    Reported,
}

/// The handshakes of one connection, one after the other.
#[derive(Debug, Default)]
pub struct Tracker {
    client: Option<Direction>,
    state: State,
    /// A server's alert, with its direction and time, that came before the ClientHello was complete: captures do not always
    /// have the packets of two directions in the order of the network, and some servers do not wait for the rest.
    overtaking: Option<(Direction, u64, Alert)>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// The client has begun to send what the source took for a ClientHello.
    Begun(Begun),
    Pending(Box<Handshake>),
    Reported(Reported),
}

/// The beginning of a ClientHello that may never be there as a whole.
#[derive(Clone, Copy, Debug)]
struct Begun {
    time_ns: u64,
    /// Bytes of it are missing.
    gap: bool,
    /// A limit left bytes of it out.
    truncated: bool,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the connection stands.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Idle | State::Begun(_) => Phase::Pending,
            State::Pending(handshake) if handshake.is_settling() => Phase::Settling,
            State::Pending(_) => Phase::Pending,
            State::Reported(_) => Phase::Reported,
        }
    }

    /// Whether a handshake waits for its outcome.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Begun(_) | State::Pending(_))
    }

    /// Heap bytes that peers' messages made the state hold, about.
    pub fn weight(&self) -> usize {
        match &self.state {
            State::Pending(handshake) => handshake.weight,
            State::Idle | State::Begun(_) | State::Reported(_) => 0,
        }
    }

    /// The source says which direction is the client's. A ClientHello knows better.
    pub fn set_client(&mut self, direction: Direction) {
        self.client.get_or_insert(direction);
    }

    /// Whether nothing was seen of a handshake yet.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether `direction` is known to be the client's.
    pub fn is_client(&self, direction: Direction) -> bool {
        self.client == Some(direction)
    }

    /// Takes one thing that was read in `direction`.
    pub fn take(
        &mut self,
        direction: Direction,
        time_ns: u64,
        body: &ItemBody,
        around: &mut Surroundings<'_>,
    ) {
        let side = self.side(direction);
        if let State::Reported(reported) = &self.state
            && reported.is_renegotiated(side, body)
        {
            let handshake = Handshake::renegotiation(time_ns, reported.version);
            self.state = State::Pending(Box::new(handshake));
        }
        self.begin(direction, time_ns, body, around);
        let side = self.side(direction);
        match &mut self.state {
            State::Idle => {
                if let ItemBody::Alert(alert) = body {
                    self.overtaking = Some((direction, time_ns, *alert));
                }
            }
            State::Begun(begun) => {
                begun.gap |= matches!(body, ItemBody::Gap { .. });
                begun.truncated |= matches!(body, ItemBody::Truncated);
                if let ItemBody::Alert(alert) = body {
                    self.overtaking = Some((direction, time_ns, *alert));
                }
            }
            State::Pending(handshake) => {
                handshake.gap |= around.lossy;
                handshake.partial = around.partial;
                let decision = handshake.take(side, time_ns, body, around.caches);
                if let Some(decision) = decision.or_else(|| self.overtaking(around)) {
                    self.report(decision, around);
                }
            }
            State::Reported(reported) => {
                // With pieces lost, nobody knows that no application data came before.
                reported.application_data |= around.lossy;
                if let Some(alert) = reported.take(side, time_ns, body, around.late_alerts_all) {
                    let ends = ends(self.client, around);
                    around.sink.observation(reported.observation(&ends, alert));
                }
            }
        }
    }

    /// Begins a handshake if `body` does: with a ClientHello, or with a ServerHello when the beginning was missed.
    fn begin(&mut self, direction: Direction, time_ns: u64, body: &ItemBody, around: &mut Surroundings<'_>) {
        if let ItemBody::Ssl2 {
            message: ssl2::Message::ClientHello(_),
            ..
        } = body
        {
            return self.begin_handshake(direction, time_ns, around);
        }
        let ItemBody::Handshake { message, .. } = body else {
            return;
        };
        let client = match (message, &self.state) {
            (Message::ClientHello(hello), State::Pending(handshake)) if handshake.continues_with(hello) => {
                return;
            }
            (Message::ClientHello(_), _)
            | (
                Message::Malformed {
                    typ: HandshakeType::CLIENT_HELLO,
                    ..
                },
                State::Idle | State::Begun(_),
            ) => direction,
            (Message::ServerHello(_), State::Idle | State::Begun(_)) => direction.reverse(),
            _ => return,
        };
        self.begin_handshake(client, time_ns, around);
    }

    fn begin_handshake(&mut self, client: Direction, time_ns: u64, around: &mut Surroundings<'_>) {
        self.client = Some(client);
        // What came before, in the clear, was not finished: STARTTLS talk, or a handshake given up.
        if matches!(&self.state, State::Pending(handshake) if !handshake.not_tls) {
            self.report((Conclusion::INCOMPLETE, time_ns), around);
        }
        let mut handshake = Handshake::new(time_ns);
        handshake.habits = around.caches.habits.of(around.senders[client.reverse().index()]);
        self.state = State::Pending(Box::new(handshake));
    }

    /// The first bytes of a client whose ClientHello the source has recognised.
    pub fn begun(&mut self, time_ns: u64) {
        if matches!(self.state, State::Idle) {
            self.state = State::Begun(Begun {
                time_ns,
                gap: false,
                truncated: false,
            });
        }
    }

    /// What the alert decides that came before the ClientHello was complete.
    fn overtaking(&mut self, around: &mut Surroundings<'_>) -> Option<Decision> {
        let (direction, time_ns, alert) = self.overtaking.take()?;
        let side = self.side(direction);
        match &mut self.state {
            State::Pending(handshake) if side == Side::Server => {
                handshake.take(side, time_ns, &ItemBody::Alert(alert), around.caches)
            }
            _ => None,
        }
    }

    /// No more will come of a ClientHello that was begun: a handshake all the same, of which little is known.
    fn end_begun(&mut self, around: &mut Surroundings<'_>) {
        if let State::Begun(begun) = self.state {
            let mut handshake = Handshake::new(begun.time_ns);
            handshake.cut_short = true;
            handshake.gap = begun.gap;
            handshake.truncated = begun.truncated;
            self.state = State::Pending(Box::new(handshake));
            if let Some(decision) = self.overtaking(around) {
                self.report(decision, around);
            }
        }
    }

    /// The first bytes in `direction`, that of the client, are not TLS.
    pub fn not_tls(&mut self, direction: Direction, time_ns: u64) {
        if matches!(self.state, State::Idle) {
            self.client = Some(direction);
            let mut handshake = Handshake::new(time_ns);
            handshake.not_tls = true;
            self.state = State::Pending(Box::new(handshake));
        }
    }

    /// A limit of the source left out handshake bytes.
    pub fn truncated(&mut self) {
        match &mut self.state {
            State::Begun(begun) => begun.truncated = true,
            State::Pending(handshake) => handshake.truncated = true,
            State::Idle | State::Reported(_) => {}
        }
    }

    /// The source left out records on purpose: application data passed.
    pub fn skipped(&mut self) {
        if let State::Reported(reported) = &mut self.state {
            reported.application_data = true;
        }
    }

    /// `direction` was closed at `time_ns`, by RST or by FIN; `both`: the other one is closed, too. Nothing comes in a
    /// closed direction.
    pub fn closed(
        &mut self,
        direction: Direction,
        reset: bool,
        both: bool,
        time_ns: u64,
        around: &mut Surroundings<'_>,
    ) {
        let side = self.side(direction);
        self.end_begun(around);
        match &mut self.state {
            State::Idle | State::Begun(_) => {}
            State::Pending(handshake) => {
                let reason = if reset { Reason::Reset } else { Reason::Closed };
                handshake.close.get_or_insert(Close {
                    side,
                    reason,
                    time_ns,
                });
                handshake.gap |= around.lossy;
                handshake.partial = around.partial;
                // One FIN leaves the other side time for its alert.
                if let Some(decision) = handshake.at_close().filter(|_| reset || both) {
                    self.report(decision, around);
                }
            }
            State::Reported(reported) => {
                if let Some(alert) = reported.closed(side, reset) {
                    let ends = ends(self.client, around);
                    around.sink.observation(reported.observation(&ends, alert));
                }
            }
        }
    }

    /// Nothing more came until `now_ns`. `may_have_lost`: the source dropped pieces since, whose nobody knows.
    pub fn timed_out(&mut self, now_ns: u64, may_have_lost: bool, around: &mut Surroundings<'_>) {
        self.end_begun(around);
        if let State::Pending(handshake) = &mut self.state {
            handshake.gap |= may_have_lost || around.lossy;
            handshake.partial = around.partial;
            let decision = handshake.at_timeout(now_ns);
            self.report(decision, around);
        }
    }

    /// The connection will not be followed any more: a handshake without outcome is reported as incomplete.
    pub fn give_up(&mut self, now_ns: u64, truncated: bool, around: &mut Surroundings<'_>) {
        self.end_begun(around);
        if let State::Pending(handshake) = &mut self.state {
            handshake.truncated |= truncated;
            self.report((Conclusion::INCOMPLETE, now_ns), around);
        }
    }

    fn report(&mut self, decision: Decision, around: &mut Surroundings<'_>) {
        let State::Pending(mut handshake) = std::mem::take(&mut self.state) else {
            return;
        };
        handshake.gap |= around.lossy || around.partial;
        let ends = ends(self.client, around);
        if let Some((kind, greeted)) = handshake.habit_shown(&decision.0) {
            around.caches.habits.learn(ends.server, kind, greeted);
        }
        let id = observe::id(&ends, &handshake, around.born);
        let application_data = handshake.has_application_data();
        let hidden_alert = handshake.hidden_alert(&decision.0);
        let observation = observe::handshake(id, &ends, *handshake, decision);
        self.state = State::Reported(Reported {
            id,
            start_ns: observation.time_ns,
            outcome: observation.outcome,
            completeness: observation.completeness,
            version: observation.version,
            cipher: observation.cipher,
            resumed: observation.resumed,
            resumption: observation.resumption,
            application_data,
            hidden_alert,
            alerted: false,
            held: None,
        });
        around.sink.observation(observation);
    }

    fn side(&self, direction: Direction) -> Side {
        if self.client == Some(direction) {
            Side::Client
        } else {
            Side::Server
        }
    }
}

fn ends(client: Option<Direction>, around: &Surroundings<'_>) -> Ends {
    let client = client.unwrap_or(Direction::Up);
    Ends {
        client: around.senders[client.index()],
        server: around.senders[client.reverse().index()],
        sockets: Sockets {
            client: around.sockets[client.index()],
            server: around.sockets[client.reverse().index()],
        },
    }
}
