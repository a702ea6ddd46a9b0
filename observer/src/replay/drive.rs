//! Drives the flow table with captures: their packets, and their time.

use std::io::Read;
use std::ops::ControlFlow;

use super::capture::Capture;
use super::decode::{Counts, Decoder};
use super::error::{Cause, ReadError};
use super::{Packet, link};
use crate::flows::{FlowLimits, FlowStats, FlowTable};
use crate::observation::Sink;

/// How often, in time of the capture, timeouts are looked for: as often as with live traffic.
const TICK_NS: u64 = 250_000_000;
/// A file that begins so much before the end of the last one is no continuation of it.
const OVERLAP_NS: u64 = 1_000_000_000;

/// Captures on their way through the flow table. Files in the order of their time, such as the parts of a long capture,
/// are one stream; otherwise each stands for itself.
#[derive(Debug)]
pub struct Replay {
    flows: FlowTable,
    decoder: Decoder,
    /// The largest time seen.
    latest_ns: u64,
    /// The time of the last tick.
    ticked_ns: u64,
    /// Ticks after which a silence has ended all that waits.
    silence_ticks: u64,
}

impl Replay {
    /// Nothing seen yet.
    pub fn new(limits: FlowLimits) -> Self {
        let timeouts_ns = limits
            .handshake_timeout_ns
            .saturating_add(limits.settle_timeout_ns);
        Self {
            flows: FlowTable::new(limits),
            decoder: Decoder::default(),
            latest_ns: 0,
            ticked_ns: 0,
            // What has timed out may wait for both timeouts once more.
            silence_ticks: timeouts_ns.saturating_mul(2) / TICK_NS + 2,
        }
    }

    /// Replays one capture. `between` is called after each packet, and may end it.
    ///
    /// # Errors
    /// When the capture cannot be read to its end, or nothing in it has a link type that is known. All that came before is
    /// replayed.
    pub fn capture<S: Sink>(
        &mut self,
        capture: &mut Capture<impl Read>,
        sink: &mut S,
        mut between: impl FnMut(&mut S, &Self) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        if let Some(link_type) = capture.link_type()
            && !link::is_supported(link_type)
        {
            return Err(ReadError::new(capture.offset(), Cause::LinkType(link_type)));
        }
        let before = self.decoder.counts();
        let mut unknown = None;
        let mut begun = false;
        while let Some(packet) = capture.next_packet()? {
            if !begun {
                begun = true;
                self.begin(packet.time_ns, sink);
            }
            if unknown.is_none() && !link::is_supported(packet.link_type) {
                unknown = Some(packet.link_type);
            }
            self.packet(&packet, sink);
            if between(sink, self).is_break() {
                return Ok(());
            }
        }
        let Some(link_type) = unknown else {
            return Ok(());
        };
        let counts = self.decoder.counts();
        let passed_over = counts.link_type - before.link_type;
        let cause = Cause::LinkType(link_type);
        if passed_over == counts.packets - before.packets {
            return Err(ReadError::new(capture.offset(), cause));
        }
        tracing::warn!(packets = passed_over, "passed over: {cause}");
        Ok(())
    }

    /// Replays one packet.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, sink: &mut dyn Sink) {
        if packet.time_ns > self.latest_ns {
            self.pass_time(packet.time_ns, sink);
        }
        let flows = &mut self.flows;
        self.decoder.packet(packet, |segment| flows.push(segment, sink));
    }

    /// Tells the outcome of all that has none yet.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        self.decoder.finish();
        self.flows.flush(sink);
    }

    /// What became of the packets.
    pub fn counts(&self) -> Counts {
        self.decoder.counts()
    }

    /// What became of the connections.
    pub fn stats(&self) -> FlowStats {
        self.flows.stats()
    }

    fn begin(&mut self, time_ns: u64, sink: &mut dyn Sink) {
        if time_ns.saturating_add(OVERLAP_NS) < self.latest_ns {
            self.finish(sink);
            self.latest_ns = 0;
        }
        if self.latest_ns == 0 {
            self.ticked_ns = time_ns;
        }
    }

    /// Lets time pass in the steps that live traffic would have seen it pass in. A long silence is cut short once nothing
    /// can wait any more.
    #[inline]
    fn pass_time(&mut self, time_ns: u64, sink: &mut dyn Sink) {
        self.latest_ns = time_ns;
        let mut ticks = time_ns.saturating_sub(self.ticked_ns) / TICK_NS;
        if ticks == 0 {
            return;
        }
        let small = ticks.min(self.silence_ticks);
        for _ in 0..small {
            self.tick(1, sink);
        }
        ticks -= small;
        if ticks > 0 {
            self.tick(ticks, sink);
        }
    }

    fn tick(&mut self, ticks: u64, sink: &mut dyn Sink) {
        self.ticked_ns += ticks * TICK_NS;
        self.flows.tick(self.ticked_ns, 0, sink);
    }
}
