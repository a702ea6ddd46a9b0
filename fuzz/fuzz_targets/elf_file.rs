//! Any bytes as a program or library: refused, or all places for probes are within the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tls_observer::libraries::file::MAX_READ;
use tls_observer::libraries::identity::examine;

fuzz_target!(|file: &[u8]| {
    if let Ok(seen) = examine(&file) {
        assert!(seen.read <= MAX_READ);
        for target in seen.libraries.iter().flat_map(|library| &library.targets) {
            assert!(!target.places.is_empty());
            assert!(target.places.iter().all(|place| place.offset < file.len() as u64));
        }
    }
});
