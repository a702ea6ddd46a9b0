//! The whole road behind the decoder: pieces of a few connections, seen from a few places, through the flow table to JSON
//! events. The first byte chooses the source, and what is proved.
//!
//! - With small limits: they hold, and a flush leaves nothing behind.
//! - With ample limits: pieces that come twice from the same place change no event.
#![no_main]

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use libfuzzer_sys::fuzz_target;
use observer_fuzz::{Script, events};
use tls_observer::flows::{FlowLimits, FlowTable};
use tls_observer::observation::{Action, Evidence, Observation, Outcome};
use tls_observer::segment::{Segment, SegmentFlags};

const SECOND_NS: u64 = 1_000_000_000;
const START_NS: u64 = 1_700_000_000 * SECOND_NS;
/// More than any input can fill.
const AMPLE: FlowLimits = FlowLimits {
    max_connections: 1 << 20,
    max_buffered_bytes: 1 << 30,
    handshake_timeout_ns: 10 * SECOND_NS,
    settle_timeout_ns: 2 * SECOND_NS,
    late_alerts_all: false,
};

/// Where pieces come from. Each source leaves to the other what it cannot know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It follows connections and chooses what it tells of them.
    Kernel,
    /// Capture files: all packets, and nothing else is known.
    Packets,
}

/// What happens next.
enum Step<'a> {
    Piece(Segment<'a>),
    /// Time passes, and the source has dropped so many pieces in all.
    Tick {
        now_ns: u64,
        dropped_total: u64,
    },
}

fuzz_target!(|input: &[u8]| {
    let Some((mode, input)) = input.split_first() else {
        return;
    };
    let source = match mode & 0x40 {
        0 => Source::Kernel,
        _ => Source::Packets,
    };
    let steps = steps(source, Script(input));
    if mode & 0x80 == 0 {
        within_limits(
            &steps,
            FlowLimits {
                max_connections: usize::from(mode & 3) + 1,
                max_buffered_bytes: 64 << (mode >> 2 & 7),
                late_alerts_all: mode & 0x20 != 0,
                ..AMPLE
            },
        );
    } else {
        let once = events(&run(&steps, 1));
        let twice = events(&run(&steps, 2));
        assert_eq!(once, twice);
    }
});

fn within_limits(steps: &[Step<'_>], limits: FlowLimits) {
    let mut table = FlowTable::new(limits);
    let mut sink = Vec::new();
    let mut pieces = 0;
    let mut bytes = 0;
    for step in steps {
        if let Step::Piece(segment) = step {
            pieces += 1;
            bytes += segment.data.len();
        }
        take(&mut table, step, &mut sink);
        let stats = table.stats();
        assert!(stats.connections <= limits.max_connections, "{stats:?}");
        assert!(stats.buffered_bytes <= limits.max_buffered_bytes, "{stats:?}");
    }
    table.flush(&mut sink);
    let stats = table.stats();
    assert_eq!((stats.connections, stats.buffered_bytes), (0, 0));

    let mut told = HashSet::new();
    let mut handshakes = 0;
    for seen in &sink {
        check(seen);
        match seen.action {
            Action::Handshake => {
                told.insert(seen.id);
                handshakes += 1;
            }
            Action::LateAlert => assert!(told.contains(&seen.id), "an alert of an unknown handshake"),
        }
    }
    // Each begins with a connection's first piece or with a message of its own, which has a header.
    assert!(
        handshakes <= pieces + bytes / 4,
        "{handshakes} handshakes in {pieces} pieces"
    );
    events(&sink);
}

/// What holds of each observation, whatever was seen.
fn check(seen: &Observation) {
    assert_eq!(
        seen.outcome == Outcome::Rejected && seen.action == Action::Handshake,
        seen.rejected_by.is_some()
    );
    let reasonless = matches!(seen.outcome, Outcome::Established | Outcome::Incomplete);
    assert_eq!(
        reasonless || seen.action == Action::LateAlert,
        seen.reason.is_none()
    );
    // An observed close has a rule, too: it tells where the handshake stood.
    assert!(seen.evidence == Evidence::Observed || seen.rule.is_some());
    assert!(seen.opaque.len() <= 64 && seen.alerts.len() <= 16);
}

fn run(steps: &[Step<'_>], times: usize) -> Vec<Observation> {
    let mut table = FlowTable::new(AMPLE);
    let mut sink = Vec::new();
    for step in steps {
        for _ in 0..times {
            take(&mut table, step, &mut sink);
        }
    }
    table.flush(&mut sink);
    sink
}

fn take(table: &mut FlowTable, step: &Step<'_>, sink: &mut Vec<Observation>) {
    match step {
        Step::Piece(segment) => table.push(segment, sink),
        Step::Tick {
            now_ns,
            dropped_total,
        } => table.tick(*now_ns, *dropped_total, sink),
    }
}

/// Reads a script: of each step a byte tells the connection, direction, place and what the source knows of the client;
/// then come the flags and the piece; a packet is a SYN if its action is odd. A byte of all ones above is a tick.
fn steps(source: Source, mut script: Script<'_>) -> Vec<Step<'_>> {
    let mut now_ns = START_NS;
    let mut dropped_total = 0;
    let mut next = [[0_u32; 2]; 4];
    let mut steps = Vec::new();
    let mut step = || {
        let who = script.u8()?;
        now_ns += SECOND_NS / 1000;
        if who >> 6 == 3 {
            now_ns += u64::from(script.u16()?) * (SECOND_NS / 100);
            dropped_total += u64::from(who & 1);
            return Some(Step::Tick {
                now_ns,
                dropped_total,
            });
        }
        let flags = script.u8()?;
        let mut piece = script.piece()?;
        let packets = source == Source::Packets;
        if packets {
            // What an IP packet can hold.
            piece.elided &= 0xffff;
        }
        let syn = packets && piece.action & 1 != 0;
        let sent = |bit: u8| flags & (1 << bit) != 0;
        let known = |bit: u8| !packets && sent(bit);
        if known(4) {
            // The source keeps bytes that are not TLS to itself.
            piece.data = &[];
        }
        let (connection, back) = (usize::from(who & 3), who & 4 != 0);
        let [own, other] = if back { [1, 0] } else { [0, 1] };
        let next = &mut next[connection];
        let seq = piece.start.seq(next[own]);
        next[own] = seq.wrapping_add(piece.wire_len());
        // The sender has had all that was seen, or more than that.
        let ahead = if sent(2) { 1000 } else { 0 };
        let ack = (packets && sent(1)).then(|| next[other].wrapping_add(ahead));
        let (client, server) = ends(connection);
        let (sender, destination) = if back { (server, client) } else { (client, server) };
        Some(Step::Piece(Segment {
            scope: match source {
                Source::Kernel => u64::from(who >> 3 & 1),
                Source::Packets => 0,
            },
            source: sender,
            destination,
            from_client: match who >> 6 {
                0 => None,
                _ if packets && !syn => None,
                known => Some((known == 1) != back),
            },
            seq,
            ack,
            data: piece.data,
            wire_len: piece.wire_len(),
            time_ns: now_ns,
            born: match source {
                Source::Kernel => 1 + u64::from(who >> 4 & 3),
                Source::Packets => 0,
            },
            flags: SegmentFlags {
                syn_seen: known(0),
                syn,
                skipped: known(1),
                gap: known(2),
                pieces_lost: known(3),
                not_tls: known(4),
                fin: sent(5),
                rst: sent(6) && !syn,
                truncated: known(7),
            },
            source_socket: 0,
            destination_socket: 0,
            cgroup_id: 0,
        }))
    };
    while let Some(step) = step() {
        steps.push(step);
    }
    steps
}

/// Client and server of a connection: the order of addresses is either way, and one is over IPv6.
fn ends(connection: usize) -> (SocketAddr, SocketAddr) {
    let host = |last: u8| SocketAddr::from((Ipv4Addr::new(192, 0, 2, last), 443));
    match connection {
        0 => (host(1), host(2)),
        1 => (host(3), host(2)),
        2 => (host(1), host(3)),
        _ => (
            (Ipv6Addr::LOCALHOST, 40_000).into(),
            (Ipv6Addr::LOCALHOST, 443).into(),
        ),
    }
}
