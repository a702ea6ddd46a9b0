//! Plays packets into the library and keeps all that it tells.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use observer_tests::events::leaves;
use observer_tests::fixtures::{Packet, Told, What};
use observer_tls::stream::ItemBody;
use serde_json::Value;
use tls_observer::flows::FlowLimits;
use tls_observer::observation::{MessageSeen, Observation, Sink};
use tls_observer::output::event::{Event, EventOptions};
use tls_observer::replay::{self, Capture, Replay};

/// LINKTYPE_ETHERNET.
const ETHERNET: u16 = 1;
const SECOND: u64 = 1_000_000_000;

/// An event, as leaves by their dotted paths.
pub type Leaves = BTreeMap<String, Value>;

/// A handshake or alert message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub body: ItemBody,
}

impl Message {
    /// In the short form of the manifest.
    pub fn told(&self, from_client: bool) -> Told {
        let what = match &self.body {
            ItemBody::Handshake { length, message } => What::Handshake(message.typ().0, *length),
            ItemBody::Alert(alert) => What::Alert(alert.level.0, alert.description.0),
            other => panic!("no message: {other:?}"),
        };
        Told { from_client, what }
    }

    /// The description of an alert.
    pub fn alert_code(&self) -> Option<u64> {
        match &self.body {
            ItemBody::Alert(alert) => Some(u64::from(alert.description.0)),
            _ => None,
        }
    }
}

/// All that was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    pub events: Vec<Leaves>,
    pub messages: Vec<Message>,
    /// Encrypted records: sender, receiver, content type and length.
    pub records: Vec<(SocketAddr, SocketAddr, u8, u16)>,
}

impl Sink for Heard {
    fn observation(&mut self, seen: Observation) {
        let event = serde_json::to_value(Event::new(&seen, EventOptions::default())).unwrap();
        self.events.push(leaves(&event));
    }

    fn message(&mut self, seen: &MessageSeen<'_>) {
        let (from, to) = (seen.source, seen.destination);
        match seen.body {
            ItemBody::Handshake { .. } | ItemBody::Alert(_) => self.messages.push(Message {
                from,
                to,
                body: seen.body.clone(),
            }),
            ItemBody::Opaque {
                content_type, length, ..
            } => self.records.push((from, to, content_type.0, *length)),
            _ => {}
        }
    }
}

fn limits() -> FlowLimits {
    FlowLimits {
        max_connections: 100,
        max_buffered_bytes: 1 << 20,
        handshake_timeout_ns: 10 * SECOND,
        settle_timeout_ns: 2 * SECOND,
        late_alerts_all: false,
    }
}

/// Plays whole packets.
pub fn play(packets: &[Packet]) -> Heard {
    play_snapped(packets, usize::MAX)
}

/// Plays packets of which only the first `snap` bytes were captured.
pub fn play_snapped(packets: &[Packet], snap: usize) -> Heard {
    let (mut replay, mut heard) = (Replay::new(limits()), Heard::default());
    for packet in packets {
        let packet = replay::Packet {
            time_ns: packet.time_ns,
            link_type: ETHERNET,
            data: &packet.frame[..snap.min(packet.frame.len())],
            wire_len: packet.frame.len().try_into().unwrap(),
        };
        replay.packet(&packet, &mut heard);
    }
    replay.finish(&mut heard);
    heard
}

/// Plays a file, which may be cut off.
pub fn play_file(bytes: &[u8]) -> Heard {
    let (mut replay, mut heard) = (Replay::new(limits()), Heard::default());
    if let Ok(mut capture) = Capture::new(bytes) {
        let go_on = |_: &mut Heard, _: &Replay| std::ops::ControlFlow::Continue(());
        // What is cut off is an error, after all that came before.
        let _ = replay.capture(&mut capture, &mut heard, go_on);
    }
    replay.finish(&mut heard);
    heard
}
