//! Running programs: where, as whom, and for how long.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The exit status for "this host cannot run it".
const CANNOT_RUN_HERE: u8 = 77;
/// Where Debian keeps programs for root, which may be missing in a user's `PATH`.
const ROOT_BIN: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Cargo, in the root of the workspace.
pub fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace());
    command
}

/// Shows the command line, runs it to its end, and fails if it fails.
pub fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command.status().with_context(|| line_of(command))?;
    if !status.success() {
        bail!("{} failed: {status}", line_of(command));
    }
    Ok(())
}

/// Shows the command line and becomes that program, so that signals and the terminal are its own.
pub fn become_program(command: &mut Command) -> Result<ExitCode> {
    show(command);
    Err(command.exec()).with_context(|| line_of(command))
}

/// What a successful command prints; `None` if it is not there or fails.
pub fn output_of(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a download that may hang: it must say `sign` on stderr within `first`, and end within `whole`.
pub fn run_bounded(
    command: &mut Command,
    sign: &'static str,
    first: Duration,
    whole: Duration,
) -> Result<()> {
    show(command);
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| line_of(command))?;
    let begun = Arc::new(AtomicBool::new(false));
    let stderr = child.stderr.take().context("stderr is not piped")?;
    let reader = thread::spawn({
        let begun = Arc::clone(&begun);
        move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                begun.fetch_or(line.contains(sign), Ordering::Relaxed);
                eprintln!("  {line}");
            }
        }
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let limit = if begun.load(Ordering::Relaxed) {
            whole
        } else {
            first
        };
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            // The reader is left alone: a grandchild may still hold the pipe open.
            bail!("no answer within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    };
    // It ends with the pipe, and has no result to lose.
    reader.join().ok();
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

/// Whether we are root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Says why this verb needs root, and how to give it.
pub fn needs_root(verb: &str, why: &str) -> ExitCode {
    eprintln!("xtask: {verb} needs root: {why}; run: sudo -E env \"PATH=$PATH\" cargo xtask {verb}");
    ExitCode::from(CANNOT_RUN_HERE)
}

/// Whether a program is in `PATH` or among root's programs.
pub fn has_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(ROOT_BIN.map(PathBuf::from))
        .any(|directory| directory.join(name).is_file())
}

fn show(command: &Command) {
    eprintln!("$ {}", line_of(command));
}

fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(program.to_string_lossy())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(script: &str) -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run_bounded(
            &mut command,
            "downloading",
            Duration::from_millis(500),
            Duration::from_secs(10),
        )
    }

    #[test]
    fn a_download_that_never_begins_is_ended() {
        let start = Instant::now();
        assert!(bounded("exec sleep 20").is_err());
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_download_that_has_begun_gets_its_time() {
        assert!(bounded("echo downloading >&2; sleep 1").is_ok());
    }

    #[test]
    fn a_download_that_fails_is_an_error() {
        assert!(bounded("exit 3").is_err());
    }
}
