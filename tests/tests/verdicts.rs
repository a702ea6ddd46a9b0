//! Verdicts against those of OpenSSL, chain by chain: accepted by both, or refused by both for a fault of the same kind.
//! Where not, a row of `verdicts-exceptions.tsv` says why.
//!
//! The chains are made for each run; where `TLS_OBSERVER_CAPTURES` names a folder with `x509/`, those of NIST's PKITS and of
//! others' tests in it are compared as well. Needs `openssl` (3.0 or later) and no root.

#[path = "../../observer/src/verify/tests/authorities.rs"]
#[allow(
    dead_code,
    reason = "shared with the unit tests of the agent, which use other parts of it"
)]
mod authorities;
mod verdicts {
    pub mod case;
    pub mod collections;
    pub mod exceptions;
    pub mod limits;
    pub mod names;
    pub mod odd;
    pub mod openssl;
    pub mod paths;
}

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tls_observer::output::words::Word;
use verdicts::case::Case;
use verdicts::exceptions::Exceptions;
use verdicts::{collections, limits, names, odd, openssl, paths};

/// Names the folder of captures.
const CAPTURES: &str = "TLS_OBSERVER_CAPTURES";
/// Differences that are shown.
const SHOWN: usize = 40;

#[test]
fn generated_chains_are_judged_as_by_openssl() {
    let cases = [
        paths::cases(),
        limits::cases(),
        names::cases().unwrap(),
        odd::cases().unwrap(),
    ]
    .concat();
    assert!(cases.len() >= 600, "only {} chains", cases.len());
    compare(&cases, "generated: ").unwrap();
}

#[test]
fn chains_of_others_are_judged_as_by_openssl() {
    let Some(folder) = std::env::var_os(CAPTURES).map(PathBuf::from) else {
        println!("{CAPTURES} is not set: 0 chains of others compared");
        return;
    };
    let cases = collections::cases(&folder.join("x509")).unwrap();
    assert!(cases.len() >= 500, "only {} chains", cases.len());
    compare(&cases, "others: ").unwrap();
}

/// Fails for each case that is judged otherwise and is not among the exceptions under `prefix`.
fn compare(cases: &[Case], prefix: &str) -> Result<()> {
    let exceptions = Exceptions::load(prefix)?;
    let next = AtomicUsize::new(0);
    let accepted = AtomicUsize::new(0);
    let excepted = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let folder = tempfile::tempdir()?;
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let kinds = openssl::judge(case, folder.path())?;
            let verdict = case.judge();
            let status = verdict.status.word();
            if kinds.is_empty() {
                accepted.fetch_add(1, Ordering::Relaxed);
            }
            let agreed = if kinds.is_empty() {
                status == "valid"
            } else {
                kinds.contains(status)
            };
            let said = if kinds.is_empty() {
                "valid".to_owned()
            } else {
                kinds.into_iter().collect::<Vec<_>>().join(" ")
            };
            if agreed {
                continue;
            }
            if exceptions.covers(&case.name, &said, status) {
                excepted.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let detail = verdict.detail.unwrap_or_default();
            let fault = format!("{prefix}{}\t{said}\t{status}\t({detail})", case.name);
            faults.lock().unwrap().push(fault);
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap())
    })?;
    println!(
        "{} chains, of which OpenSSL accepts {}; {} are listed as judged otherwise",
        cases.len(),
        accepted.into_inner(),
        excepted.into_inner()
    );
    let mut faults = faults.into_inner().unwrap();
    faults.extend(exceptions.stale().map(|row| format!("no longer so: {row}")));
    faults.sort_unstable();
    let shown = faults.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(faults.is_empty(), "{} differences:\n{shown}", faults.len());
    Ok(())
}
