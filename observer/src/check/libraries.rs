//! `check --libraries`: the TLS libraries that the host's processes use now, and what can be learned in each.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use crate::config::libraries::DEFAULT_FAMILIES;
use crate::libraries::identity::Library;
use crate::libraries::processes::{Appeared, Filter, Scanner};

/// A library in a file.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The file, as the first process found sees it.
    path: String,
    /// Whether it has been deleted or replaced since it was mapped.
    deleted: bool,
    /// The linker's id of it.
    build_id: Option<String>,
    /// Processes that use it.
    processes: usize,
    /// The library.
    library: &'static str,
    /// Which part and generation of it.
    part: &'static str,
    /// Its version, if the file tells.
    version: Option<String>,
    /// How it can be probed.
    probes: Probes,
    /// Functions that can be probed.
    functions: Vec<String>,
    /// Functions that cannot, and why.
    missing: Vec<Missing>,
}

/// How a library can be probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Probes {
    /// By default.
    Default,
    /// If it is named in the setting `libraries`.
    OptIn,
    /// Not enough of its functions are there.
    Incomplete,
    /// Nothing is known of its functions.
    None,
}

impl Probes {
    fn of(library: &Library) -> Self {
        if library.component.hooks.is_empty() {
            Self::None
        } else if !library.is_complete() {
            Self::Incomplete
        } else if DEFAULT_FAMILIES.contains(&library.family) {
            Self::Default
        } else {
            Self::OptIn
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Default => "probed by default",
            Self::OptIn => "probed if named in --libraries",
            Self::Incomplete => "incomplete",
            Self::None => "not probed: the wire tells what it can",
        }
    }
}

/// A function that cannot be probed.
#[derive(Debug, Serialize)]
struct Missing {
    function: String,
    why: String,
}

/// Looks at all processes once.
///
/// # Errors
/// If they cannot be listed.
pub fn find() -> io::Result<Vec<Found>> {
    let mut scanner = Scanner::new("/proc".into(), Filter::default());
    let mut files = scanner.scan()?.appeared;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let found = files.iter().flat_map(|file| {
        let processes = scanner.users(&file.key);
        let libraries = file.examination.libraries.iter();
        libraries.map(move |library| of(file, processes, library))
    });
    Ok(found.collect())
}

fn of(file: &Appeared, processes: usize, library: &Library) -> Found {
    let missing = library.missing.iter().map(|(hook, why)| Missing {
        function: hook.name.to_string(),
        why: why.clone(),
    });
    Found {
        path: file.path.display().to_string(),
        deleted: file.deleted,
        build_id: file.examination.build_id.as_ref().map(ToString::to_string),
        processes,
        library: library.family.name(),
        part: library.component.part,
        version: library.version.clone(),
        probes: Probes::of(library),
        functions: library
            .targets
            .iter()
            .map(|target| target.symbol.to_string())
            .collect(),
        missing: missing.collect(),
    }
}

/// For people: a line for each library, and one for each function that it lacks.
pub fn text(found: &[Found]) -> String {
    let mut text = String::new();
    for library in found {
        let version = library.version.as_deref().unwrap_or("version unknown");
        let deleted = if library.deleted { " (deleted)" } else { "" };
        let processes = match library.processes {
            1 => "1 process".to_owned(),
            count => format!("{count} processes"),
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}{deleted}: {} ({}), {version}, {processes}: {}",
            library.path,
            library.library,
            library.part,
            library.probes.words()
        );
        for missing in &library.missing {
            let _ = writeln!(text, "    without {}: {}", missing.function, missing.why);
        }
    }
    if found.is_empty() {
        text.push_str("no process uses a TLS library that is known\n");
    }
    text
}
