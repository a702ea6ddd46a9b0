//! What the tests of the watching share, and the stage as a whole.

use std::time::Duration;

use super::*;
use crate::config::watching::Rate;
use crate::output::samples;

const SECOND: u64 = 1_000_000_000;

/// The stage with a burst at three refusals in ten seconds, and a learning time of one.
fn watch() -> Watch {
    Watch::new(&Watching {
        burst: Some(Rate {
            count: 3,
            window: Duration::from_secs(10),
        }),
        learning: Some(Duration::from_secs(1)),
        ..Watching::default()
    })
}

/// What follows from `seen`, ended at `second`.
fn at(watch: &mut Watch, second: u64, seen: &Observation) -> Vec<Report> {
    let seen = Observation {
        time_ns: second * SECOND - seen.duration_ns,
        ..seen.clone()
    };
    let mut reports = Vec::new();
    watch.observe(&seen, &mut reports);
    reports
}

#[test]
fn one_handshake_may_have_several_consequences() {
    let mut watch = watch();
    let seen = samples::refused_client();
    for second in [1_000, 1_001] {
        assert!(at(&mut watch, second, &seen).is_empty());
    }
    let mut renewed = seen;
    let mut leaf = (*renewed.server_chain[0]).clone();
    (leaf.sha256, leaf.serial_number) = ([1; 32], "77".to_owned());
    renewed.server_chain = vec![leaf.into()];
    let reports = at(&mut watch, 1_002, &renewed);
    let [
        Report::RefusalBurst(source),
        Report::RefusalBurst(certificate),
        Report::NewCertificate(new),
    ] = reports.as_slice()
    else {
        panic!("{reports:#?}")
    };
    assert_eq!(
        (source.time_ns, certificate.time_ns, new.time_ns),
        (1_002 * SECOND, 1_002 * SECOND, 1_002 * SECOND)
    );
    assert_eq!(watch.inventory().unwrap().lock().entries().count(), 3);
    assert!(watch.forgotten().iter().all(|(_, count)| *count == 0));
}

#[test]
fn late_alerts_are_about_handshakes_that_were_counted() {
    let mut watch = watch();
    let late = Observation {
        action: Action::LateAlert,
        ..samples::refused_client()
    };
    for second in 1_000..1_010 {
        assert!(at(&mut watch, second, &late).is_empty());
    }
    assert_eq!(watch.inventory().unwrap().lock().entries().count(), 0);
}

#[test]
fn when_time_falls_back_by_far_it_begins_anew() {
    let mut watch = watch();
    let seen = samples::refused_client();
    for second in [100_000, 100_001] {
        assert!(at(&mut watch, second, &seen).is_empty());
    }
    // One capture, or one packet, from a far future.
    assert!(at(&mut watch, 4_000_000_000, &seen).is_empty());
    for second in [100_002, 100_003] {
        assert!(
            at(&mut watch, second, &seen).is_empty(),
            "counted from the start again"
        );
    }
    assert_eq!(
        at(&mut watch, 100_004, &seen).len(),
        2,
        "by source and by certificate"
    );
    assert!(
        at(&mut watch, 100_000, &seen).is_empty(),
        "a little late is no other time"
    );
    assert!(at(&mut watch, 100_005, &seen).is_empty(), "still the same burst");
}

#[test]
fn each_part_can_be_off() {
    let mut watch = Watch::new(&Watching {
        burst: None,
        learning: None,
        inventory: 0,
        metric: 0,
    });
    for second in 0..100 {
        assert!(at(&mut watch, 1_000 + second, &samples::refused_client()).is_empty());
    }
    assert!(watch.inventory().is_none());
}

/// Pseudorandom numbers, the same for the same seed (xorshift64*).
pub struct Random(u64);

impl Random {
    /// Every seed has a stream of its own.
    pub fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}
