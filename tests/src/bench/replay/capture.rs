//! Captures made with real peers: tcpdump on the loopback interface of a namespace of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;

use super::chains::Chains;
use crate::bench::{ADDRESS, Ground, load};
use crate::peers::Version;
use crate::poll::PATIENCE;
use crate::process::Process;

/// What tcpdump may be behind by, in KiB: more than most captures here are long.
const BUFFER_KIB: &str = "524288";
/// How long a file must not grow until everything counts as written.
const SETTLED: Duration = Duration::from_millis(500);
/// How long one client may take.
const LIMIT: Duration = Duration::from_secs(300);

/// What is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// For people.
    pub name: &'static str,
    /// The only TLS version.
    pub version: Version,
    /// Connections, each with a full mutual handshake.
    pub connections: u32,
    /// Bytes that the server sends on each; 0 is one short line.
    pub bytes: u64,
    /// Whether packets are as on Ethernet, 1,500 bytes at most; else as loopback has them, up to 64 KiB.
    pub ethernet: bool,
}

/// A capture file.
#[derive(Debug)]
pub struct Capture {
    /// What it holds.
    pub plan: Plan,
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
}

impl Capture {
    /// Records one.
    ///
    /// # Errors
    /// When a connection fails or tcpdump missed a packet.
    pub fn record(plan: Plan, chains: &Chains, path: PathBuf) -> Result<Self> {
        let ground = Ground::new()?;
        if plan.ethernet {
            let link = ["link", "set", "lo", "mtu", "1500", "gso_max_segs", "1"];
            ground.namespace.ip(&link)?;
        }
        let recorder = Recorder::start(&ground, &path)?;
        make_traffic(&ground, plan, chains)?;
        recorder.finish(&path)?;
        let length = fs::metadata(&path)?.len();
        ensure!(
            length > u64::from(plan.connections) * plan.bytes,
            "{} holds {length} bytes only",
            path.display()
        );
        Ok(Self { plan, path, length })
    }

    /// A capture without a packet, for the cost of starting a program.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_empty(path: &Path) -> Result<()> {
        // Magic number, version 2.4, two unused fields, snap length, Ethernet.
        let words = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1_u32];
        let header: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        fs::write(path, header).context("empty capture")
    }
}

/// The connections, spread over the clients.
fn make_traffic(ground: &Ground, plan: Plan, chains: &Chains) -> Result<()> {
    let mut server = load::server(chains.server(), plan.version)?;
    let server = ground.place().serve(&mut server, ADDRESS)?;
    let clients = chains.clients();
    let share = plan.connections.div_ceil(u32::try_from(clients.len())?);
    let mut left = plan.connections;
    for credentials in clients {
        let connections = share.min(left);
        if connections == 0 {
            break;
        }
        left -= connections;
        let mut client = load::client(credentials, plan.version, connections, plan.bytes)?;
        let mut client = ground.place().spawn(&mut client)?;
        let status = client.wait(LIMIT)?;
        ensure!(
            status.success(),
            "{}\n{}",
            client.transcript(),
            server.transcript()
        );
    }
    Ok(())
}

/// A running tcpdump.
struct Recorder(Process);

impl Recorder {
    fn start(ground: &Ground, path: &Path) -> Result<Self> {
        let mut command = Command::new("tcpdump");
        command
            .args(["-n", "-i", "lo", "-s", "0", "-B", BUFFER_KIB, "-Z", "root", "-w"])
            .arg(path)
            .args(["tcp", "port", &ADDRESS.port().to_string()]);
        let process = ground.place().spawn(&mut command).context("tcpdump")?;
        process.wait_stderr("tcpdump's start", PATIENCE, |lines| {
            lines
                .iter()
                .any(|line| line.contains("listening on"))
                .then_some(())
        })?;
        Ok(Self(process))
    }

    /// Waits until all is written, and ends it.
    fn finish(mut self, path: &Path) -> Result<()> {
        let mut length = 0;
        loop {
            std::thread::sleep(SETTLED);
            let now = fs::metadata(path)?.len();
            if now == length {
                break;
            }
            length = now;
        }
        self.0.signal(Signal::SIGINT)?;
        self.0.wait(PATIENCE)?;
        let told = self.0.stderr();
        let lost = told
            .lines()
            .find_map(|line| line.strip_suffix(" packets dropped by kernel"));
        match lost {
            Some("0") => Ok(()),
            _ => {
                bail!("tcpdump lost packets; on a busy machine try again, or with fewer handshakes:\n{told}")
            }
        }
    }
}
