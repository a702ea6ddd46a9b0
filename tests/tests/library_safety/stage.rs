//! Servers on copies of OpenSSL's libraries, clients, and the agent with probes in the copies.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use observer_tests::copies::Copies;
use observer_tests::events::at;
use observer_tests::memory::changed_code;
use observer_tests::peers::Version;
use observer_tests::peers::libssl::{self, Worker};
use observer_tests::peers::rustls;
use observer_tests::peers::tls::Offer;
use observer_tests::pki::{Leaf, SERVER_NAME};
use observer_tests::poll::{self, PATIENCE};
use observer_tests::process::Process;
use observer_tests::world::{Mode, World};
use serde_json::Value;

pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// The agent's flags.
pub const FLAGS: [&str; 2] = ["--libraries", "openssl"];

/// What a test stands on.
pub struct Stage {
    pub world: World,
    pub copies: Copies,
}

impl Stage {
    /// With the agent running.
    pub fn new() -> Result<Self> {
        let copies = Copies::new()?;
        copies.openssl()?;
        Ok(Self {
            world: World::new(Mode::Cgroup, &FLAGS)?,
            copies,
        })
    }

    /// A server on the copies; further flags may be appended.
    pub fn server(&self, worker: Worker) -> Result<Command> {
        libssl::server(&self.world.pki, SERVER, &self.copies, worker)
    }

    /// Starts a server and waits until probes are in its library.
    pub fn serve(&self, command: &mut Command) -> Result<Process> {
        let server = self.world.place().serve(command, SERVER)?;
        until_probed(server.pid(), &libcrypto(&self.copies)?)?;
        Ok(server)
    }

    /// A client that shows this certificate; further flags may be appended.
    pub fn client(&self, leaf: &Leaf, address: SocketAddr) -> Result<Command> {
        let trusted = &self.world.pki.server_ca.files.certificate;
        rustls::client(
            trusted,
            address,
            &Offer::only(Version::Tls13),
            SERVER_NAME,
            Some(leaf),
        )
    }

    /// Runs a client to its end, and gives the event of its connection.
    pub fn call(&mut self, leaf: &Leaf, address: SocketAddr) -> Result<Value> {
        let mut client = self.client(leaf, address)?;
        rustls::converse(self.world.place(), &mut client)?;
        self.world.next_event()
    }
}

/// The copy of `libcrypto`.
pub fn libcrypto(copies: &Copies) -> Result<PathBuf> {
    for entry in std::fs::read_dir(copies.directory())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("libcrypto.so") {
            return Ok(path);
        }
    }
    anyhow::bail!("no copy of libcrypto")
}

/// How long no further probe must have come: they are attached one by one.
const SETTLED: Duration = Duration::from_millis(500);

/// Waits until a process has all probes in the code of a file.
pub fn until_probed(pid: u32, file: &Path) -> Result<()> {
    let (mut before, mut since) = (0, Instant::now());
    poll::until("probes in a library", PATIENCE, || {
        let changed = changed_code(pid, file, None)?;
        if changed != before {
            (before, since) = (changed, Instant::now());
        }
        Ok((changed > 0 && since.elapsed() > SETTLED).then_some(()))
    })
}

/// Waits until it has none.
pub fn until_untouched(pid: u32, file: &Path) -> Result<()> {
    poll::until("a library without probes", PATIENCE, || {
        Ok((changed_code(pid, file, None)? == 0).then_some(()))
    })
}

/// The serial number of the client's certificate in an event.
pub fn client_serial(event: &Value) -> Option<&str> {
    at(event, "tls.client.x509.serial_number").as_str()
}

/// Demands that the wire and the library told of an event, and that it shows this client's certificate.
pub fn assert_joined(event: &Value, leaf: &Leaf) -> Result<()> {
    ensure!(
        at(event, "handshake.source") == "both" && client_serial(event) == Some(&leaf.serial),
        "not both, or not {}:\n{event:#}",
        leaf.serial
    );
    Ok(())
}

/// Demands that an event shows this client's certificate or none.
pub fn assert_no_other(event: &Value, leaf: &Leaf) -> Result<()> {
    let shown = client_serial(event);
    ensure!(
        shown.is_none_or(|serial| serial == leaf.serial),
        "{shown:?} is not {}:\n{event:#}",
        leaf.serial
    );
    Ok(())
}

/// Runs clients with these certificates at once, each making `count` connections, and gives the serial number that was
/// shown from each port.
pub fn crowd(stage: &Stage, leaves: &[&Leaf], count: usize) -> Result<BTreeMap<u64, String>> {
    let mut clients = Vec::new();
    for leaf in leaves {
        let mut command = stage.client(leaf, SERVER)?;
        command.args(["--count", &count.to_string(), "--threads", "4"]);
        clients.push((leaf, stage.world.place().spawn(&mut command)?));
    }
    let mut shown = BTreeMap::new();
    for (leaf, mut client) in clients {
        client.wait(PATIENCE * 2)?;
        for line in client.stdout() {
            let report: Value = serde_json::from_str(&line)?;
            let local: SocketAddr = report["local"].as_str().context(line)?.parse()?;
            shown.insert(u64::from(local.port()), leaf.serial.clone());
        }
    }
    Ok(shown)
}
