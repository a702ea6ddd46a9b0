//! Waiting until the agent's probes are in the TLS library of a process.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::agent::Agent;
use crate::poll;

/// How long probes may take: the agent looks at all processes every two seconds, and finds some only then, and on a busy
/// machine the kernel takes seconds to put in a few.
pub const PROBE_PATIENCE: Duration = Duration::from_secs(20);
/// The same while a connection waits, so that neither end nor the agent takes it for dead.
pub const CONNECTED_PATIENCE: Duration = Duration::from_secs(4);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// Beginnings of the names of shared libraries that have probes. Programs without any of these have theirs in themselves.
const LIBRARIES: [&str; 3] = ["libssl.", "libcrypto.", "libgnutls."];

/// Flags with which an agent says when probes are in.
pub const FLAGS: [&str; 2] = ["--log-level", "debug"];

/// Waits for as long as [`PROBE_PATIENCE`]; see [`wait_for`].
pub fn wait(agent: &Agent, pid: u32) -> bool {
    wait_for(agent, pid, PROBE_PATIENCE)
}

/// Waits until all of these files have probes, by the log of an agent with [`FLAGS`].
///
/// # Errors
/// When that takes longer than [`PROBE_PATIENCE`].
pub fn wait_files(agent: &Agent, files: &[PathBuf]) -> Result<()> {
    poll::until("probes", PROBE_PATIENCE, || {
        let log = agent.log();
        Ok(files.iter().all(|file| is_attached(&log, file)).then_some(()))
    })
    .with_context(|| format!("{files:?}\n{}", agent.log()))
}

/// Waits until each TLS library of a process has probes, by the log of an agent with [`FLAGS`]. Tells whether that came
/// about within `patience`.
pub fn wait_for(agent: &Agent, pid: u32, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        let files = libraries(pid);
        let log = agent.log();
        if !files.is_empty() && files.iter().all(|file| is_attached(&log, file)) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether the agent has said that all probes of a file are in.
fn is_attached(log: &str, file: &Path) -> bool {
    let file = file.to_string_lossy();
    log.lines()
        .any(|line| line.contains("probes put in") && line.contains(&*file))
}

/// The files in which a process has TLS, none if it has ended.
fn libraries(pid: u32) -> BTreeSet<PathBuf> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let is_library = |path: &&str| {
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        LIBRARIES.iter().any(|beginning| name.starts_with(beginning))
    };
    let paths = maps
        .lines()
        .filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
    let found: BTreeSet<PathBuf> = paths.filter(is_library).map(PathBuf::from).collect();
    if found.is_empty() {
        return std::fs::read_link(format!("/proc/{pid}/exe"))
            .into_iter()
            .collect();
    }
    found
}
