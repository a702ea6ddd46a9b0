//! What the watching costs a handshake whose certificates are known: no memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use tls_observer::config::values::LateAlerts;
use tls_observer::config::watching::Watching;
use tls_observer::flows::FlowLimits;
use tls_observer::observation::{Observation, Outcome};
use tls_observer::replay::{Capture, Replay};
use tls_observer::watch::Watch;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Not counted while a thread ends.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps what `alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `alloc` above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The handshakes of a capture of the tests.
fn observations(name: &str) -> Vec<Observation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name);
    let second = Duration::from_secs(1);
    let mut replay = Replay::new(FlowLimits::new(16, second, second, LateAlerts::Unexpected));
    let mut seen = Vec::new();
    let mut capture = Capture::new(File::open(path).unwrap()).unwrap();
    replay
        .capture(&mut capture, &mut seen, |_, _| ControlFlow::Continue(()))
        .unwrap();
    replay.finish(&mut seen);
    seen
}

#[test]
fn a_handshake_with_known_certificates_costs_no_memory() {
    for (name, outcome) in [
        ("tls12-mutual-accepted.pcapng", Outcome::Established),
        ("tls12-mutual-expired.pcapng", Outcome::Rejected),
    ] {
        let seen = observations(name);
        let [seen] = seen.as_slice() else {
            panic!("{name}: {seen:#?}")
        };
        assert_eq!((seen.outcome, seen.client_chain.len().min(1)), (outcome, 1));
        let (mut watch, mut reports) = (Watch::new(&Watching::default()), Vec::with_capacity(16));
        for _ in 0..100 {
            watch.observe(seen, &mut reports);
        }
        let before = ALLOCATIONS.get();
        for _ in 0..1_000 {
            watch.observe(seen, &mut reports);
        }
        assert_eq!(ALLOCATIONS.get() - before, 0, "{name}");
    }
}
