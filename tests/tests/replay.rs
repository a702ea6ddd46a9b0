//! The project's own captures through the library's own road for captures: whole they give what the peers said; cut up in
//! any way they give the same, or less, but never anything else.

mod replay {
    pub mod mangle;
    pub mod play;
    pub mod rules;

    use observer_tests::fixtures::{Captured, Fixture};
    use serde_json::Value;

    /// A capture with all that its cuts are compared with.
    pub struct Whole {
        pub fixture: Fixture,
        pub segments: Vec<Captured>,
        pub heard: play::Heard,
    }

    impl Whole {
        /// Whether the peers said so of some handshake.
        pub fn says(&self, path: &str, value: &Value) -> bool {
            self.fixture
                .events
                .iter()
                .any(|event| event.get(path) == Some(value))
        }
    }
}

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use observer_tests::fixtures::{self, Captured, Packet, Told, segments};
use replay::mangle::{Random, bytewise, mangle};
use replay::play::{play, play_file, play_snapped};
use replay::{Whole, rules};

/// Gives the random cuts their seed, to see a failure again.
const SEED: &str = "TLS_OBSERVER_SEED";
/// Splits of one capture that are tried at most; more are spread evenly.
const SPLITS: usize = 150;
/// How long the random cuts may take.
const RANDOM: Duration = Duration::from_secs(12);
/// Captures of which every split is tried, and every byte of the file as its end.
const THOROUGH: [&str; 4] = [
    "tls12-mutual-missing.pcapng",
    "tls13-hello-retry.pcapng",
    "tls12-psk.pcapng",
    "starttls-postgres.pcapng",
];

/// Faults of one capture that are shown.
const SHOWN: usize = 3;

/// Calls `test` for each capture, on all processors. It gives what is wrong with each cut.
///
/// # Panics
/// With the first faults of each capture that has any.
#[track_caller]
fn each(test: impl Fn(&Whole, &mut Faults) + Sync) {
    let fixtures = fixtures::load().unwrap();
    assert!(!fixtures.is_empty());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut all = Vec::new();
        while let Some(fixture) = fixtures.get(next.fetch_add(1, Ordering::Relaxed)) {
            let packets = fixture.packets().unwrap();
            let whole = Whole {
                segments: segments(&packets, fixture.port).unwrap(),
                heard: play(&packets),
                fixture: fixture.clone(),
            };
            let mut faults = Faults::default();
            test(&whole, &mut faults);
            let shown = faults
                .0
                .iter()
                .take(SHOWN)
                .map(|fault| format!("{}{fault}", fixture.file));
            all.extend(shown);
            if faults.0.len() > SHOWN {
                all.push(format!("{}: and {} more", fixture.file, faults.0.len() - SHOWN));
            }
        }
        all
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    all.sort_unstable();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// What is wrong with the cuts of a capture.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, cut: &str, found: &[String]) {
        if !found.is_empty() {
            self.0.push(format!(", {cut}: {}", found.join("; ")));
        }
    }
}

fn packets(segments: &[Captured]) -> Vec<Packet> {
    segments.iter().map(Captured::packet).collect()
}

#[test]
fn whole_captures_give_what_the_peers_said() {
    each(|whole, faults| {
        let Whole { fixture, heard, .. } = whole;
        faults.add("whole", &rules::said(&fixture.events, &heard.events));
        let Some(messages) = &fixture.messages else { return };
        for from_client in [true, false] {
            let side = |told: &&Told| told.from_client == from_client;
            let expected: Vec<String> = messages.iter().filter(side).map(Told::to_string).collect();
            let sent = heard
                .messages
                .iter()
                .filter(|sent| (sent.to.port() == fixture.port) == from_client);
            let found: Vec<String> = sent
                .map(|message| message.told(from_client).to_string())
                .collect();
            if found != expected {
                faults.add("whole", &[format!("messages {found:?}, expected {expected:?}")]);
            }
        }
    });
}

#[test]
fn files_that_end_early_give_what_was_in_them() {
    each(|whole, faults| {
        let packets = packets(&whole.segments);
        for end in 0..packets.len() {
            let found = rules::beginning(whole, &play(&packets[..end]));
            faults.add(&format!("after {end} packets"), &found);
        }
        if !THOROUGH.contains(&whole.fixture.file.as_str()) {
            return;
        }
        let bytes = whole.fixture.bytes().unwrap();
        for end in 0..bytes.len() {
            let found = rules::beginning(whole, &play_file(&bytes[..end]));
            faults.add(&format!("after {end} bytes"), &found);
        }
    });
}

#[test]
fn segments_may_be_cut_anywhere() {
    each(|whole, faults| {
        let lengths = whole
            .segments
            .iter()
            .map(|captured| captured.segment.payload.len());
        let cuts: Vec<(usize, usize)> = lengths
            .enumerate()
            .flat_map(|(index, length)| (1..length).map(move |at| (index, at)))
            .collect();
        let step = match THOROUGH.contains(&whole.fixture.file.as_str()) {
            true => 1,
            false => cuts.len().div_ceil(SPLITS).max(1),
        };
        // Another offset for each capture: together they meet every position of the messages that they share.
        let offset = usize::from(whole.heard.messages.len() > 1) * (whole.fixture.file.len() * 7 % step);
        for (index, at) in cuts.iter().copied().skip(offset).step_by(step) {
            let mut cut = whole.segments.clone();
            cut.splice(index..=index, whole.segments[index].split(at));
            let found = rules::same(&whole.heard, &play(&packets(&cut)));
            faults.add(&format!("segment {index} cut at {at}"), &found);
        }
    });
}

#[test]
fn segments_may_be_of_one_byte() {
    each(|whole, faults| {
        let cut: Vec<Captured> = whole.segments.iter().flat_map(bytewise).collect();
        faults.add("byte by byte", &rules::same(&whole.heard, &play(&packets(&cut))));
    });
}

#[test]
fn segments_may_come_twice() {
    each(|whole, faults| {
        // A copy right behind, and one behind the next segment.
        for distance in [0, 1] {
            let mut cut = Vec::new();
            for (index, captured) in whole.segments.iter().enumerate() {
                cut.push(captured.clone());
                let copied = index.checked_sub(distance).and_then(|at| whole.segments.get(at));
                if let Some(copied) = copied.filter(|copied| !copied.segment.payload.is_empty()) {
                    cut.push(Captured {
                        time_ns: captured.time_ns,
                        ..copied.clone()
                    });
                }
            }
            let found = rules::same(&whole.heard, &play(&packets(&cut)));
            faults.add(&format!("copies {distance} segments later"), &found);
        }
    });
}

#[test]
fn snap_lengths_leave_less_and_nothing_wrong() {
    each(|whole, faults| {
        let packets = packets(&whole.segments);
        for snap in [60, 80, 120, 150, 200, 300, 500, 1000] {
            let found = rules::less(whole, &play_snapped(&packets, snap));
            faults.add(&format!("snap length {snap}"), &found);
        }
    });
}

#[test]
fn one_lost_segment_leaves_less_and_nothing_wrong() {
    each(|whole, faults| {
        for index in 0..whole.segments.len() {
            let mut cut = whole.segments.clone();
            cut.remove(index);
            let found = rules::less(whole, &play(&packets(&cut)));
            faults.add(&format!("without segment {index}"), &found);
        }
    });
}

#[test]
fn captures_that_begin_late_leave_less_and_nothing_wrong() {
    each(|whole, faults| {
        for begin in 1..whole.segments.len() {
            let found = rules::less(whole, &play(&packets(&whole.segments[begin..])));
            faults.add(&format!("from segment {begin} on"), &found);
        }
    });
}

#[test]
fn one_direction_alone_leaves_less_and_nothing_wrong() {
    each(|whole, faults| {
        for (from_client, side) in [(true, "client"), (false, "server")] {
            let mut cut = whole.segments.clone();
            cut.retain(|captured| captured.segment.from_client == from_client);
            let found = rules::less(whole, &play(&packets(&cut)));
            faults.add(&format!("the {side} alone"), &found);
        }
    });
}

#[test]
fn random_cuts_with_loss_copies_and_disorder_leave_less_and_nothing_wrong() {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    };
    println!("{SEED}={seed}");
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < RANDOM {
        each(|whole, faults| {
            let mut random = Random::new(seed, &whole.fixture.file, round);
            let cut = mangle(&whole.segments, &mut random);
            let found = rules::less(whole, &play(&packets(&cut)));
            faults.add(&format!("{SEED}={seed}, round {round}"), &found);
        });
        round += 1;
    }
}
