//! Child processes inside a namespace and a cgroup, with their output collected and their end guaranteed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cgroup::Cgroup;
use crate::netns::Namespace;

/// Starts a command inside a namespace and a cgroup.
pub trait Confine {
    /// Makes the command enter both before it begins, and die with the thread that started it.
    ///
    /// # Errors
    /// When the namespace or cgroup cannot be opened.
    fn confine(&mut self, namespace: Option<&Namespace>, cgroup: Option<&Cgroup>) -> Result<&mut Self>;
}

impl Confine for Command {
    fn confine(&mut self, namespace: Option<&Namespace>, cgroup: Option<&Cgroup>) -> Result<&mut Self> {
        let namespace = namespace
            .map(|namespace| namespace.handle().try_clone())
            .transpose()?;
        let members = cgroup
            .map(|cgroup| {
                OpenOptions::new()
                    .write(true)
                    .open(cgroup.path().join("cgroup.procs"))
            })
            .transpose()
            .context("cgroup.procs")?;
        let enter = move || enter(namespace.as_ref(), members.as_ref());
        // SAFETY: `enter` runs between fork and exec and makes system calls only: no allocation, no lock.
        unsafe { self.pre_exec(enter) };
        Ok(self)
    }
}

/// Moves the calling process into the cgroup and namespace. Allocates nothing on success.
fn enter(namespace: Option<&File>, mut members: Option<&File>) -> std::io::Result<()> {
    if let Some(members) = &mut members {
        members.write_all(b"0")?;
    }
    if let Some(namespace) = namespace {
        // SAFETY: the descriptor is open, and setns takes no pointers.
        if unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    // The mask is inherited, and a parent that waits for signals on one thread has blocked them.
    // SAFETY: an all-zero signal set is valid, and sigprocmask reads it during the call.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
    // SAFETY: prctl with PR_SET_PDEATHSIG takes a signal number and no pointers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

/// Lines of a stream, with a bell that rings for each new one and at the end.
#[derive(Default)]
struct Lines {
    state: Mutex<(Vec<String>, bool)>,
    bell: Condvar,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, (Vec<String>, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: &Arc<Self>, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = Arc::clone(self);
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { break };
                lines.lock().0.push(String::from_utf8_lossy(&line).into_owned());
                lines.bell.notify_all();
            }
            lines.lock().1 = true;
            lines.bell.notify_all();
        })
    }

    /// Waits until `look` finds something in the lines, the stream has ended, or `limit` has passed.
    fn wait<T>(&self, limit: Duration, mut look: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&state.0) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return None;
            }
            state = self
                .bell
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// A running child. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Arc<Lines>,
    stderr: Arc<Lines>,
    readers: Vec<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` (see [`Confine`]) with its three streams in our hands.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let name = format!("{command:?}");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("start {name}"))?;
        let (stdout, stderr) = (Arc::<Lines>::default(), Arc::<Lines>::default());
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|stream| stdout.follow(stream)));
        readers.extend(child.stderr.take().map(|stream| stderr.follow(stream)));
        let stdin = child.stdin.take();
        Ok(Self {
            name,
            child,
            stdin,
            stdout,
            stderr,
            readers,
            status: None,
        })
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// When it has closed it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let stdin = self.stdin.as_mut().context("standard input is closed")?;
        stdin.write_all(bytes)?;
        stdin.flush().context("standard input")
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The lines of standard output so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lock().0.clone()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().0.join("\n")
    }

    /// Waits until `look` finds something in the lines of standard output.
    ///
    /// # Errors
    /// When the output ends or `limit` passes first; it tells `what` was missed and shows the output.
    pub fn wait_stdout<T>(
        &self,
        what: &str,
        limit: Duration,
        look: impl FnMut(&[String]) -> Option<T>,
    ) -> Result<T> {
        self.stdout
            .wait(limit, look)
            .with_context(|| format!("{what}: not within {limit:?}\n{}", self.transcript()))
    }

    /// Waits until `look` finds something in the lines of standard error; errors like [`Process::wait_stdout`].
    ///
    /// # Errors
    /// See above.
    pub fn wait_stderr<T>(
        &self,
        what: &str,
        limit: Duration,
        look: impl FnMut(&[String]) -> Option<T>,
    ) -> Result<T> {
        self.stderr
            .wait(limit, look)
            .with_context(|| format!("{what}: not within {limit:?}\n{}", self.transcript()))
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process has been waited for.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if self.status.is_some() {
            bail!("{} has ended", self.name);
        }
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).context("kill")
    }

    /// Waits for its end, with all of its output read.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let what = format!("end of {}", self.name);
        let status = crate::poll::until(&what, limit, || Ok(self.child.try_wait()?))
            .with_context(|| self.transcript())?;
        self.status = Some(status);
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        Ok(status)
    }

    /// Everything it has said, for failure messages.
    pub fn transcript(&self) -> String {
        let stdout = self.stdout.lock().0.join("\n");
        format!(
            "--- {}\n--- stdout\n{stdout}\n--- stderr\n{}\n---",
            self.name,
            self.stderr()
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
