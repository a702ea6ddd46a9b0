//! The agent under test, run as its users run it: the binary, its standard output, its metrics port.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::events::{self, Schema};
use crate::http;
use crate::metrics::Metrics;
use crate::netns::Namespace;
use crate::poll::PATIENCE;
use crate::process::{Confine, Process};

/// Where the agent serves its metrics; it always runs in a namespace of the tests, so the port is free.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9465);

/// What the agent is to watch.
#[derive(Clone, Copy)]
pub enum Attach<'a> {
    /// The processes in a cgroup. The agent itself runs in a namespace where none of them is.
    Cgroup(&'a Cgroup),
    /// Interfaces of a namespace; the agent runs in it.
    Interface(&'a Namespace, &'a str),
}

/// A running agent. Dropping it kills it.
pub struct Agent {
    process: Process,
    namespace: Namespace,
    schema: Schema,
}

/// What an agent that ended has left.
pub struct Ended {
    /// Every event it wrote.
    pub events: Vec<Value>,
    /// The counts of its closing summary, by name.
    pub summary: BTreeMap<String, usize>,
    /// Its log.
    pub log: String,
    /// Its standard output as written.
    pub stdout: Vec<String>,
}

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// Makes [`binary`] give this path from now on; only the first call counts.
pub fn use_binary(path: PathBuf) {
    BINARY.get_or_init(|| path);
}

/// Path of the agent's binary: that of [`use_binary`], else `TLS_OBSERVER_BIN`, else the release build, else the debug build beside the tests.
///
/// # Errors
/// When there is none.
pub fn binary() -> Result<PathBuf> {
    let told = BINARY
        .get()
        .cloned()
        .or_else(|| std::env::var_os("TLS_OBSERVER_BIN").map(PathBuf::from));
    if let Some(path) = told {
        return Ok(path);
    }
    let own = std::env::current_exe().context("own path")?;
    let candidates = own.ancestors().flat_map(|directory| {
        ["release", "debug"].map(|profile| directory.join(profile).join("tls-observer"))
    });
    candidates
        .into_iter()
        .find(|path| path.exists())
        .context("no tls-observer: build it, or set TLS_OBSERVER_BIN to its path")
}

/// `tls-observer run` with these flags after those that every test has.
///
/// # Errors
/// When the binary is missing.
pub fn run_command(attach: Attach<'_>, flags: &[&str]) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.arg("run").args(["--listen", &LISTEN.to_string()]);
    match attach {
        Attach::Cgroup(cgroup) => command.arg("--cgroup").arg(cgroup.path()),
        Attach::Interface(_, name) => command.args(["--interface", name]),
    };
    if !flags.contains(&"--format") {
        command.args(["--format", "json"]);
    }
    command.args(flags);
    // Most peers use the machine's own libraries, and a probe in them would be met by every process that does. Tests of library
    // probes have copies.
    if !flags.iter().any(|flag| flag.starts_with("--libraries")) {
        command.args(["--libraries", "off"]);
    }
    Ok(command)
}

impl Agent {
    /// Starts the agent and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time, with what it said.
    pub fn start(attach: Attach<'_>, flags: &[&str]) -> Result<Self> {
        Self::launch(attach, &mut run_command(attach, flags)?)
    }

    /// Like [`Agent::start`]; the kernel's raw records are also appended to `dump`.
    ///
    /// # Errors
    /// Like [`Agent::start`].
    pub fn start_dumping(attach: Attach<'_>, flags: &[&str], dump: &Path) -> Result<Self> {
        Self::launch(
            attach,
            run_command(attach, flags)?.env("TLS_OBSERVER_DUMP_RING", dump),
        )
    }

    fn launch(attach: Attach<'_>, command: &mut Command) -> Result<Self> {
        let namespace = match attach {
            Attach::Cgroup(_) => Namespace::new()?,
            Attach::Interface(namespace, _) => namespace.share()?,
        };
        let mut process = Process::spawn(command.confine(Some(&namespace), None)?)?;
        let schema = Schema::of_agent()?;
        http::wait(&mut process, &namespace, LISTEN, "/readyz")?;
        Ok(Self {
            process,
            namespace,
            schema,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Standard output and error so far.
    pub fn transcript(&self) -> String {
        self.process.transcript()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.stderr()
    }

    /// Lines of standard output so far.
    pub fn stdout(&self) -> Vec<String> {
        self.process.stdout()
    }

    /// HTTP GET from the agent: status and body.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        http::get(&self.namespace, LISTEN, path)
    }

    /// Where it runs: its metrics are at [`LISTEN`] there.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The metrics as of now.
    ///
    /// # Errors
    /// When they cannot be had or read.
    pub fn metrics(&self) -> Result<Metrics> {
        let (status, body) = self.get("/metrics")?;
        ensure!(status == 200, "/metrics: {status}");
        Metrics::parse(&body)
    }

    /// The events so far, each one checked against the schema.
    ///
    /// # Errors
    /// When a line is no event.
    pub fn events(&self) -> Result<Vec<Value>> {
        self.parse(&self.process.stdout())
    }

    fn parse(&self, lines: &[String]) -> Result<Vec<Value>> {
        lines
            .iter()
            .map(|line| events::parse(line, &self.schema))
            .collect()
    }

    /// Waits for the event number `count` and gives the first `count` events.
    ///
    /// # Errors
    /// When they do not come in time, with what came.
    pub fn wait_events(&self, count: usize) -> Result<Vec<Value>> {
        let enough = |lines: &[String]| lines.get(..count).map(<[String]>::to_vec);
        self.parse(
            &self
                .process
                .wait_stdout(&format!("event {count}"), PATIENCE, enough)?,
        )
    }

    /// Waits for `count` lines of standard output, in whatever format, and gives all there are then.
    ///
    /// # Errors
    /// When they do not come in time.
    pub fn wait_stdout(&self, count: usize, limit: Duration) -> Result<Vec<String>> {
        let enough = |lines: &[String]| (lines.len() >= count).then(|| lines.to_vec());
        self.process.wait_stdout(&format!("line {count}"), limit, enough)
    }

    /// Waits for the next event after the first `seen`.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn event_after(&self, seen: usize) -> Result<Value> {
        self.wait_events(seen + 1)?.pop().context("no event")
    }

    /// Waits for an event for which `wanted` holds.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        self.wait_for_marked(what, "", wanted)
    }

    /// Like [`Agent::wait_for`], of lines that contain `mark`: the others are not read, which is quicker among many.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn wait_for_marked(&self, what: &str, mark: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let parse = |line: &String| serde_json::from_str::<Value>(line).ok();
        self.process.wait_stdout(what, PATIENCE, |lines| {
            let marked = lines.iter().filter(|line| line.contains(mark));
            marked.filter_map(parse).find(|event| wanted(event))
        })
    }

    /// Waits until a line of its log contains `text`.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn wait_log(&self, text: &str) -> Result<()> {
        self.process.wait_stderr(text, PATIENCE, |lines| {
            lines.iter().any(|l| l.contains(text)).then_some(())
        })
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.process.wait(PATIENCE)
    }

    /// Ends it with SIGTERM, demands exit status 0 and a summary, and gives all it wrote.
    ///
    /// # Errors
    /// When it ends otherwise.
    pub fn stop(mut self) -> Result<Ended> {
        let log = self.terminate()?;
        let stdout = self.process.stdout();
        let summary = summary(&log).with_context(|| self.transcript())?;
        Ok(Ended {
            events: self.parse(&stdout)?,
            summary,
            log,
            stdout,
        })
    }

    /// The same for an agent that does not write JSON; gives its log.
    ///
    /// # Errors
    /// When it ends otherwise.
    pub fn stop_text(mut self) -> Result<String> {
        self.terminate()
    }

    /// The same for an agent that wrote more than is worth holding against the schema; gives its events as they are.
    ///
    /// # Errors
    /// When it ends otherwise, or a line is not JSON.
    pub fn stop_unchecked(mut self) -> Result<Vec<Value>> {
        self.terminate()?;
        let stdout = self.process.stdout();
        let events = stdout
            .iter()
            .map(|line| serde_json::from_str(line).with_context(|| line.clone()));
        events.collect()
    }

    fn terminate(&mut self) -> Result<String> {
        self.signal(Signal::SIGTERM)?;
        let status = self.wait()?;
        ensure!(status.success(), "{status}\n{}", self.transcript());
        Ok(self.process.stderr())
    }
}

/// The counts in the last line of a log: words such as `established=3`.
fn summary(log: &str) -> Result<BTreeMap<String, usize>> {
    let line = log
        .lines()
        .rev()
        .find(|line| line.contains(" done "))
        .context("no summary at the end")?;
    let counts = line.split_whitespace().filter_map(|word| word.split_once('='));
    counts
        .map(|(name, count)| Ok((name.to_owned(), count.parse().context(name.to_owned())?)))
        .collect()
}

/// Runs the agent as a command that is expected to end by itself, in a namespace of its own. Gives its exit status and
/// standard error.
///
/// # Errors
/// When it does not end in time.
pub fn run_to_end(
    arguments: &[OsString],
    namespace: &Namespace,
    uid: Option<u32>,
) -> Result<(ExitStatus, String)> {
    use std::os::unix::process::CommandExt;
    let directory = tempfile::tempdir()?;
    let mut command = match uid {
        None => Command::new(binary()?),
        Some(uid) => {
            // The user may not be able to reach the build directory, so it gets a copy.
            use std::os::unix::fs::PermissionsExt;
            let copy = directory.path().join("tls-observer");
            std::fs::copy(binary()?, &copy)?;
            for path in [directory.path(), &copy] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
            }
            let mut command = Command::new("setpriv");
            command.args([
                format!("--reuid={uid}"),
                format!("--regid={uid}"),
                "--clear-groups".into(),
            ]);
            command.arg0("setpriv").arg(copy);
            command
        }
    };
    let mut process = Process::spawn(command.args(arguments).confine(Some(namespace), None)?)?;
    let status = process.wait(PATIENCE)?;
    Ok((status, process.stderr()))
}

/// Takes the agent's metrics port in `namespace`, until the listener is dropped.
///
/// # Errors
/// When it is taken already.
pub fn occupy_port(namespace: &Namespace) -> Result<TcpListener> {
    namespace.run(|| TcpListener::bind(LISTEN).context("bind"))
}
