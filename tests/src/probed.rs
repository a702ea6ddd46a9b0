//! Waiting until the agent's probes are in the TLS library of a process.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::agent::Agent;

/// How long probes may take. The agent looks at all processes every two seconds, and finds some only then.
pub const PROBE_PATIENCE: Duration = Duration::from_secs(4);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// Beginnings of the names of shared libraries that have probes. Programs without any of these have theirs in themselves.
const LIBRARIES: [&str; 3] = ["libssl.", "libcrypto.", "libgnutls."];

/// Waits until each TLS library of a process has probes. Tells whether that came about within [`PROBE_PATIENCE`].
///
/// # Errors
/// When the agent does not give its metrics.
pub fn wait(agent: &Agent, pid: u32) -> Result<bool> {
    let deadline = Instant::now() + PROBE_PATIENCE;
    loop {
        let files = libraries(pid);
        if !files.is_empty() && files.is_subset(&attached(agent)?) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The files that have probes.
fn attached(agent: &Agent) -> Result<BTreeSet<PathBuf>> {
    let metrics = agent.metrics()?;
    let probes = metrics.0.iter().filter(|sample| {
        let hook = sample.labels.get("hook");
        sample.name == "tls_observer_probe_attached"
            && sample.value == 1.0
            && hook.is_some_and(|hook| hook.starts_with("uprobe"))
    });
    Ok(probes
        .filter_map(|sample| sample.labels.get("target").map(PathBuf::from))
        .collect())
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
