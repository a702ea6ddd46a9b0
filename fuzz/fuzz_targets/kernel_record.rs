//! Any bytes as a record of the ring buffer: refused, or a piece that keeps within the record.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tls_observer::kernel::clock::WallClock;
use tls_observer::kernel::decode::segment;

static CLOCK: LazyLock<WallClock> = LazyLock::new(|| WallClock::now().expect("the clocks can be read"));

fuzz_target!(|record: &[u8]| {
    if let Ok(segment) = segment(record, &CLOCK) {
        assert!(segment.data.len() <= segment.wire_len as usize);
        assert!(record.as_ptr_range().contains(&segment.data.as_ptr()) || segment.data.is_empty());
    }
});
