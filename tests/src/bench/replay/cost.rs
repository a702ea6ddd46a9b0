//! What one run of a program costs, by the kernel's own account.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};

/// CPU and memory of one run.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU seconds, the program's own and the kernel's for it.
    pub cpu: f64,
    /// Resident memory at its highest, in bytes.
    pub peak: u64,
}

/// What the measuring process is told.
///
/// It is a process of its own, for a child's peak is at least what its parent holds when it starts it: the benchmark
/// itself would hide a small program's.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// Where the program's standard output goes.
    #[arg(long)]
    output: PathBuf,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

/// Runs `command` with its standard output in the file `output`, and gives what it cost.
///
/// # Errors
/// When it fails; with what it said.
pub fn of(command: &Command, output: &Path) -> Result<Cost> {
    let own = std::env::current_exe().context("own path")?;
    let done = Command::new(own)
        .arg("measure")
        .arg("--output")
        .arg(output)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args())
        .output()?;
    ensure!(
        done.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    let report: Value = serde_json::from_slice(&done.stdout)?;
    Ok(Cost {
        cpu: report["cpu_us"].as_f64().context("no CPU time")? / 1e6,
        peak: report["peak_kib"].as_u64().context("no peak")? * 1024,
    })
}

/// What the measuring process does: runs the program and prints one JSON object, `cpu_us` and `peak_kib`.
///
/// # Errors
/// When the program fails.
pub fn measure(flags: &Flags) -> Result<()> {
    let (program, arguments) = flags.command.split_first().context("no program")?;
    let output = File::create(&flags.output).context("output")?;
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .status()
        .with_context(|| program.display().to_string())?;
    ensure!(status.success(), "{status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?;
    let cpu = usage.user_time() + usage.system_time();
    println!(
        "{}",
        json!({ "cpu_us": cpu.num_microseconds(), "peak_kib": usage.max_rss() })
    );
    Ok(())
}
