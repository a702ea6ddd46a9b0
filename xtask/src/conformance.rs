//! `cargo xtask conformance`: what tshark and the observer read in a folder of captures, message by message, and where
//! they differ. `docs/conformance.md` says how to read it.

mod compare;
mod message;
mod observer;
mod tshark;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};

use crate::build::{self, Profile};
use crate::{packages, process, setup};
use compare::Tally;

/// What the captures' names end in; each may be followed by `.gz`.
const ENDINGS: [&str; 3] = ["pcap", "pcapng", "cap"];

/// What to compare.
#[derive(clap::Args)]
pub struct Options {
    /// Folder of captures, with all below it
    directory: PathBuf,
    /// Show every difference, not one for each capture
    #[arg(long)]
    verbose: bool,
    /// The observer to use instead of building it
    #[arg(long)]
    observer: Option<PathBuf>,
}

/// The verb: success when nothing differs.
pub fn run(options: &Options) -> Result<ExitCode> {
    let captures = captures(&options.directory)?;
    ensure!(
        !captures.is_empty(),
        "no captures below {}",
        options.directory.display()
    );
    provide_tshark()?;
    let observer = match &options.observer {
        Some(path) => path.clone(),
        None => {
            setup::run(&setup::Options::default())?;
            build::agent(Profile::Release)?
        }
    };
    eprintln!("{}", tshark::version()?);
    let mut total = Tally::default();
    for capture in &captures {
        let name = capture
            .strip_prefix(&options.directory)
            .unwrap_or(capture)
            .display();
        let mut tally = match both(&observer, capture) {
            Ok(tally) => tally,
            Err(error) => Tally::failed(format!("{error:#}")),
        };
        if let Some(first) = tally.differences.first() {
            println!("{name}: {} differ: {first}", tally.differences.len());
        }
        for further in tally.differences.iter().skip(1).filter(|_| options.verbose) {
            println!("    {further}");
        }
        tally.differences.clear();
        total += tally;
    }
    println!("{total}");
    Ok(if total.differing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What either reads in a capture, compared.
fn both(observer: &Path, capture: &Path) -> Result<Tally> {
    let theirs = tshark::messages(capture)?;
    let (ours, complaint) = observer::messages(observer, capture)?;
    let mut tally = compare::compare(&theirs, &ours);
    if let Some(complaint) = complaint {
        // A damaged file is an error for the observer, not a difference; what it says helps to read one.
        eprintln!("{}: {complaint}", capture.display());
    }
    tally.captures = 1;
    Ok(tally)
}

/// The captures below a folder, in the order of their names.
fn captures(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if is_capture(&entry.file_name().to_string_lossy()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_capture(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// Installs Debian's tshark where there is none.
fn provide_tshark() -> Result<()> {
    if process::has_program("tshark") {
        return Ok(());
    }
    if packages::is_debian() && process::is_root() {
        return packages::install(&["tshark"]);
    }
    bail!(
        "tshark is missing; as root: {}",
        packages::command_line(&["tshark"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_known_by_their_names() {
        for name in ["a.pcap", "b.PCAPNG", "c.cap.gz", "d.pcapng.gz"] {
            assert!(is_capture(name), "{name}");
        }
        for name in ["a.pcap.txt", "pcap", "b.gz", "c.pcapx"] {
            assert!(!is_capture(name), "{name}");
        }
    }
}
