//! Any bytes as a capture file, through the same road as `replay`: what it tells does not depend on how the file comes in,
//! nor on the run; and the flow table keeps its limits.
#![no_main]

use std::io::{self, Read};
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use observer_fuzz::events;
use tls_observer::config::values::Format;
use tls_observer::flows::FlowLimits;
use tls_observer::observation::{MessageSeen, Observation, Sink};
use tls_observer::output::messages::MessageLines;
use tls_observer::output::summary::Summary;
use tls_observer::replay::{Capture, ReadError, Replay};

const LIMITS: FlowLimits = FlowLimits {
    max_connections: 64,
    max_buffered_bytes: 1 << 16,
    handshake_timeout_ns: 10_000_000_000,
    settle_timeout_ns: 2_000_000_000,
    late_alerts_all: true,
};
/// Packets that are read of one input: a gzip'ed one can hold a million times its own length.
const MAX_PACKETS: u64 = 10_000;

fuzz_target!(|file: &[u8]| {
    let whole = replay(file);
    assert_eq!(whole, replay(file), "the same file told otherwise");
    assert_eq!(whole, replay(Pieces(file)), "told otherwise in pieces");
});

/// All that a file told, in each form of output.
#[derive(Debug, PartialEq)]
struct Told {
    events: Vec<String>,
    messages: String,
    summary: String,
    error: Option<String>,
}

/// Where it goes at first.
struct Outputs {
    observations: Vec<Observation>,
    lines: MessageLines,
    messages: Vec<u8>,
    summary: Summary,
}

impl Sink for Outputs {
    fn observation(&mut self, seen: Observation) {
        self.summary.add(&seen);
        self.observations.push(seen);
    }

    fn message(&mut self, seen: &MessageSeen<'_>) {
        self.lines.line(seen, &mut self.messages);
    }
}

fn replay(file: impl Read) -> Told {
    let mut outputs = Outputs {
        observations: Vec::new(),
        lines: MessageLines::json(),
        messages: Vec::new(),
        summary: Summary::default(),
    };
    let error = read(file, &mut outputs).err().map(|error| error.to_string());
    let mut summary = Vec::new();
    outputs.summary.write(Format::Text, false, &mut summary);
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Told {
        events: events(&outputs.observations),
        messages: text(outputs.messages),
        summary: text(summary),
        error,
    }
}

fn read(file: impl Read, outputs: &mut Outputs) -> Result<(), ReadError> {
    let mut replay = Replay::new(LIMITS);
    let result = Capture::new(file).and_then(|mut capture| {
        replay.capture(&mut capture, outputs, |_, replay| {
            let stats = replay.stats();
            assert!(stats.connections <= LIMITS.max_connections, "{stats:?}");
            assert!(stats.buffered_bytes <= LIMITS.max_buffered_bytes, "{stats:?}");
            match replay.counts().packets < MAX_PACKETS {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })
    });
    replay.finish(outputs);
    let stats = replay.stats();
    assert_eq!((stats.connections, stats.buffered_bytes), (0, 0));
    result
}

/// A file that comes in pieces of odd sizes, as from a pipe.
struct Pieces<'a>(&'a [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (1 + self.0.len() % 97).min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}
