//! Message by message against what other tools read: the captures of others, where there are any, and our own, whose
//! peers tell in the manifest what they sent.
//!
//! `TLS_OBSERVER_CAPTURES` names a folder with an `INDEX.tsv` of captures (columns `path` and `reference`, among others)
//! and a list of messages for each. Where such a list is wrong, a row of `references-exceptions.tsv` says why.

mod references {
    pub mod compare;
    pub mod exceptions;
    pub mod lists;
    pub mod observed;
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use observer_tests::fixtures;
use references::compare::{Tally, differences};
use references::exceptions::Exceptions;
use references::{lists, observed};

/// Names the folder of captures.
const CAPTURES: &str = "TLS_OBSERVER_CAPTURES";
/// Differences that are shown.
const SHOWN: usize = 40;

#[test]
fn captures_of_others_read_as_their_reference_lists_say() {
    let Some(folder) = std::env::var_os(CAPTURES).map(PathBuf::from) else {
        println!("{CAPTURES} is not set: only the captures of this project are compared");
        return;
    };
    let index = lists::index(&folder).unwrap();
    let exceptions = Exceptions::load().unwrap();
    let next = AtomicUsize::new(0);
    let results = Mutex::new((Tally::default(), Vec::new()));
    let work = || {
        while let Some(entry) = index.get(next.fetch_add(1, Ordering::Relaxed)) {
            let wanted = lists::messages(&folder.join(&entry.reference)).unwrap();
            let found = observed::messages(&folder.join(&entry.path)).unwrap();
            let (tally, mut differences) = differences(&wanted, &found);
            differences.retain(|difference| !exceptions.covers(&entry.path, difference));
            let mut results = results.lock().unwrap();
            results.0 += tally;
            results.1.extend(
                differences
                    .iter()
                    .map(|difference| format!("{}: {difference}", entry.path)),
            );
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (tally, mut faults) = results.into_inner().unwrap();
    println!("{} captures; {tally}", index.len());
    faults.extend(exceptions.stale().map(|row| format!("no longer so: {row}")));
    faults.sort_unstable();
    let shown = faults.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} differences:\n{shown}", faults.len());
}

#[test]
fn our_own_captures_read_as_their_peers_say() {
    let mut faults = Vec::new();
    for fixture in fixtures::load().unwrap() {
        let Some(told) = &fixture.messages else { continue };
        let found = observed::messages(&fixtures::directory().join(&fixture.file)).unwrap();
        for from_client in [true, false] {
            let sent = found
                .iter()
                .filter(|(direction, _)| (direction.destination.1 == fixture.port) == from_client);
            let sent: Vec<String> = in_order(sent.flat_map(|(_, messages)| messages));
            let side = told.iter().filter(|told| told.from_client == from_client);
            let expected: Vec<String> = side.map(|told| lists::kind_of(&told.what)).collect();
            if sent != expected {
                faults.push(format!("{}: {sent:?}, expected {expected:?}", fixture.file));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The kinds of messages, in the order in which they passed.
fn in_order<'a>(messages: impl Iterator<Item = &'a lists::Message>) -> Vec<String> {
    let sorted: BTreeMap<usize, String> = messages
        .map(|message| (message.place, message.kind.clone()))
        .collect();
    sorted.into_values().collect()
}

/// The list of exceptions, in the source tree.
pub fn exceptions_file() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/references-exceptions.tsv"))
}
