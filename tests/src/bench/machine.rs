//! What the kernel says about the machine and about a process.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// CPU time that all threads of a process have used, ended ones included, with the scheduler's resolution.
///
/// # Errors
/// When the process has ended.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid.cast_signed())).context("CPU clock of a process")?;
    Ok(clock_gettime(clock).context("CPU clock of a process")?.into())
}

/// Resident memory of a process in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Resident {
    /// Now.
    pub now: u64,
    /// At its highest.
    pub peak: u64,
}

/// Reads a process's resident memory.
///
/// # Errors
/// When the process has ended.
pub fn resident(pid: u32) -> Result<Resident> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).context(path)?;
    let field = |name| field_kib(&text, name).with_context(|| format!("no {name} in a process's status"));
    Ok(Resident {
        now: field("VmRSS:")? * 1024,
        peak: field("VmHWM:")? * 1024,
    })
}

fn field_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Kernel, processor and load, without anything that names the machine.
pub fn description() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|pair| pair.1);
    let virtual_machine = processors
        .lines()
        .any(|line| line.starts_with("flags") && line.contains(" hypervisor"));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "Linux {} on {}, {cores} cores{}, load {}",
        read("/proc/sys/kernel/osrelease").trim(),
        model.unwrap_or(std::env::consts::ARCH),
        if virtual_machine {
            " of a virtual machine"
        } else {
            ""
        },
        load(),
    )
}

/// The load averages of 1, 5 and 15 minutes.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{cpu_time, resident};

    #[test]
    fn own_figures_can_be_read_and_grow() {
        let own = std::process::id();
        let before = cpu_time(own).unwrap();
        let sum = (0..2_000_000_u64).fold(1, |sum, n| std::hint::black_box(sum ^ n));
        assert!(cpu_time(own).unwrap() > before, "{sum}");
        let memory = resident(own).unwrap();
        assert!(memory.now > 0 && memory.peak >= memory.now);
    }
}
