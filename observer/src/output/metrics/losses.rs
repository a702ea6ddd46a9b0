//! What can be lost where: the series of `tls_observer_events_dropped_total`.

/// A place and a cause of loss.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// The `stage` label.
    pub stage: &'static str,
    /// The `reason` label.
    pub reason: &'static str,
    /// What one count is.
    pub meaning: &'static str,
}

const fn loss(stage: &'static str, reason: &'static str, meaning: &'static str) -> Loss {
    Loss {
        stage,
        reason,
        meaning,
    }
}

/// Every loss, from the wire to the outputs.
pub const LOSSES: &[Loss] = &[
    loss(
        "kernel_packet",
        "load_failed",
        "a packet whose bytes the kernel would not give to the probe",
    ),
    loss(
        "kernel_packet",
        "bad_headers",
        "a packet with IP or TCP headers that do not hold together",
    ),
    loss(
        "kernel_packet",
        "ip_fragment",
        "an IP fragment; fragmented TCP is not followed",
    ),
    loss(
        "kernel_flows",
        "insert_failed",
        "a connection that could not be entered into the kernel's flow map",
    ),
    loss(
        "kernel_stash",
        "insert_failed",
        "an out-of-order segment that could not be set aside",
    ),
    loss(
        "kernel_records",
        "sync_lost",
        "a direction of a connection whose record boundaries were lost",
    ),
    loss(
        "kernel_records",
        "walk_limit",
        "a packet with more records than are visited; the rest was left unread",
    ),
    loss(
        "kernel_records",
        "handshake_too_long",
        "handshake bytes beyond the limit for one direction",
    ),
    loss(
        "kernel_maps",
        "lookup_failed",
        "scratch space that was missing; should never happen",
    ),
    loss(
        "ring",
        "full",
        "a piece of a handshake that found no room in the ring buffer; make ring_bytes larger",
    ),
    loss(
        "ring",
        "handshake_lost",
        "a handshake whose first piece found no room, so that no event tells of it",
    ),
    loss(
        "decode",
        "undecodable",
        "a ring buffer record that the agent does not understand",
    ),
    loss(
        "decode",
        "undecodable_hit",
        "a record of the library probes that the agent does not understand",
    ),
    loss(
        "flows",
        "too_many_connections",
        "a handshake reported as incomplete for want of room; see max_connections",
    ),
    loss(
        "flows",
        "too_many_bytes",
        "a handshake reported as incomplete because too many bytes were held",
    ),
    loss(
        "flows",
        "late_alerts_forgotten",
        "a reported connection whose later alerts would be missed",
    ),
    loss(
        "library_probes",
        "refused",
        "a library probe that the kernel refused; see the log, and tls-observer check",
    ),
    loss(
        "library_probes",
        "too_many",
        "a file, process or probe beyond a limit; exclude some with libraries_exclude",
    ),
    loss(
        "library_probes",
        "unreadable",
        "a program or library that could not be read or understood, so that no probe is in it",
    ),
    loss(
        "library_ring",
        "full",
        "a hit of a library probe that found no room in the ring buffer; make ring_bytes larger",
    ),
    loss(
        "library_hits",
        "unreadable",
        "a hit at which the memory of the process could not be read",
    ),
    loss(
        "library_hits",
        "too_long",
        "a hit with more bytes than are copied, as a certificate of more than 16 KiB",
    ),
    loss(
        "library_hits",
        "no_scratch",
        "a hit without space to put it together in: several tasks preempted each other in probes",
    ),
    loss(
        "library_hits",
        "unknown_kind",
        "a hit that the agent does not know",
    ),
    loss(
        "library_hits",
        "too_many_threads",
        "a thread whose hits were given up because too many were in handshakes at once",
    ),
    loss(
        "library_hits",
        "does_not_fit",
        "hits that do not belong together; what they tell is not believed of any connection",
    ),
    loss(
        "join",
        "contradicted",
        "what a TLS library told, and was not believed; see tls_library_contradictions_total",
    ),
    loss(
        "join",
        "without_socket",
        "what a TLS library told of a connection that is not known",
    ),
    loss(
        "join",
        "without_handshake",
        "what a TLS library told that belongs to no handshake seen, and makes none",
    ),
    loss(
        "join",
        "too_late",
        "what a TLS library told of a handshake after its event",
    ),
    loss(
        "join",
        "too_many_facts",
        "what a TLS library told and for which there was no room",
    ),
    loss(
        "join",
        "too_many_observations",
        "an event that did not wait for what libraries tell, because too many did",
    ),
    loss(
        "judge",
        "too_many_chains",
        "a certificate that was not checked because too many unknown ones came at once; its status is not_checked",
    ),
    loss(
        "output",
        "queue_full",
        "an event that found an output's queue full; its reader is too slow",
    ),
    loss(
        "output",
        "write_failed",
        "an event that an output did not take: disk full, pipe closed",
    ),
    loss(
        "output",
        "shutdown",
        "an event that was not written in time when the agent ended",
    ),
];

#[cfg(test)]
mod tests {
    use observer_common::Counter;
    use observer_common::hit::counters::LibraryCounter;

    use super::*;
    use crate::facts::readers::Readers;
    use crate::flows::FlowStats;
    use crate::libraries::attach::AttachCounters;

    #[test]
    fn every_stages_losses_are_listed() {
        let kernel = Counter::ALL
            .iter()
            .map(|counter| (counter.stage(), counter.reason()));
        let flows = FlowStats::default()
            .losses()
            .map(|(stage, reason, _)| (stage, reason));
        let libraries = LibraryCounter::ALL
            .iter()
            .map(|counter| (counter.stage(), counter.reason()));
        let readers = Readers::default()
            .losses()
            .map(|(stage, reason, _)| (stage, reason));
        let attach = AttachCounters::default()
            .losses()
            .map(|(stage, reason, _)| (stage, reason));
        let kernel = kernel.chain(libraries).filter(|(stage, _)| !stage.is_empty());
        for (stage, reason) in kernel.chain(flows).chain(readers).chain(attach) {
            let known = |loss: &Loss| loss.stage == stage && loss.reason == reason;
            assert!(LOSSES.iter().any(known), "{stage}, {reason}");
        }
    }
}
