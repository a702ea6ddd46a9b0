//! When library probes come and go, and whose libraries they leave alone.
//!
//! Their presence is read from the code of the processes, and from what the agent's metrics say. All of them are in copies of
//! libraries that nothing else uses.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use observer_tests::agent::{Agent, Attach};
use observer_tests::cgroup::Cgroup;
use observer_tests::copies::Copies;
use observer_tests::events::at;
use observer_tests::memory::changed_code;
use observer_tests::netns::Namespace;
use observer_tests::peers::libssl::{self, Worker};
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{Place, Version, rustls};
use observer_tests::pki::{Pki, SERVER_NAME};
use observer_tests::poll::{self, PATIENCE};
use observer_tests::process::Process;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// After its last user has gone, a library keeps its probes for so long.
const LINGER: Duration = Duration::from_secs(15);

/// Where the processes run that are watched.
struct Stage {
    namespace: Namespace,
    cgroup: Cgroup,
}

impl Stage {
    fn new() -> Result<Self> {
        Ok(Self {
            namespace: Namespace::new()?,
            cgroup: Cgroup::new()?,
        })
    }

    fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }

    fn agent(&self, flags: &[&str]) -> Result<Agent> {
        Agent::start(Attach::Cgroup(&self.cgroup), flags)
    }

    /// A program that uses the copied libraries and waits for input.
    fn user(&self, copies: &Copies) -> Result<Process> {
        let mut command = Command::new("openssl");
        copies.lend(command.args(["enc", "-base64"]));
        let process = self.place().spawn(&mut command)?;
        let library = libcrypto(copies);
        // It has mapped nothing yet when it has only just begun.
        poll::until("a library in use", PATIENCE, || {
            Ok(changed_code(process.pid(), &library, None).ok())
        })?;
        Ok(process)
    }
}

fn openssl() -> Result<Copies> {
    let copies = Copies::new()?;
    copies.openssl()?;
    Ok(copies)
}

fn libcrypto(copies: &Copies) -> PathBuf {
    copies.directory().join("libcrypto.so.3")
}

fn is_probed(process: &Process, library: &Path) -> Result<bool> {
    Ok(changed_code(process.pid(), library, None)? > 0)
}

fn until_probed(process: &Process, library: &Path) -> Result<()> {
    poll::until("probes in a library", PATIENCE, || {
        Ok(is_probed(process, library)?.then_some(()))
    })
}

/// Whether the metrics say that a file is probed.
fn is_told(agent: &Agent, target: &str) -> Result<bool> {
    let labels = [("hook", "uprobe:openssl"), ("target", target)];
    Ok(agent.metrics()?.sum("tls_observer_probe_attached", &labels) == Some(1.0))
}

fn until_told(agent: &Agent, library: &Path, wanted: bool) -> Result<Duration> {
    let (target, begun) = (library.to_string_lossy(), Instant::now());
    poll::until("what the metrics say of a probe", PATIENCE, || {
        Ok((is_told(agent, &target)? == wanted).then(|| begun.elapsed()))
    })
}

#[test]
#[ignore = "needs root"]
fn probes_come_with_a_process_and_stay_a_while_for_the_next() -> Result<()> {
    let (stage, copies) = (Stage::new()?, openssl()?);
    let library = libcrypto(&copies);
    let agent = stage.agent(&["--libraries", "openssl"])?;
    let first = stage.user(&copies)?;
    until_probed(&first, &library)?;
    until_told(&agent, &library, true)?;
    drop(first);
    // The next finds them there when it begins: what runs only for a moment is seen from its beginning.
    let second = stage.user(&copies)?;
    ensure!(is_probed(&second, &library)?, "they did not stay");
    drop(second);
    let after = until_told(&agent, &library, false)?;
    ensure!(after > LINGER / 2, "after {after:?}");

    // Of a file without a name nobody else can come.
    let third = stage.user(&copies)?;
    until_probed(&third, &library)?;
    until_told(&agent, &library, true)?;
    fs::remove_file(&library)?;
    drop(third);
    let after = until_told(&agent, &library, false)?;
    ensure!(after < LINGER / 2, "after {after:?}");
    agent.stop()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn probes_are_gone_from_the_code_when_the_agent_has_ended() -> Result<()> {
    let (stage, copies) = (Stage::new()?, openssl()?);
    let library = libcrypto(&copies);
    let user = stage.user(&copies)?;
    let agent = stage.agent(&["--libraries", "openssl"])?;
    until_probed(&user, &library)?;
    agent.stop()?;
    ensure!(!is_probed(&user, &library)?, "probes outlive the agent");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn without_libraries_the_wire_alone_tells() -> Result<()> {
    let (stage, copies, pki) = (Stage::new()?, openssl()?, Pki::new()?);
    let agent = stage.agent(&["--libraries", "off"])?;
    let server = stage.place().serve(
        &mut libssl::server(&pki, SERVER, &copies, Worker::Thread)?,
        SERVER,
    )?;
    let trusted = &pki.server_ca.files.certificate;
    let mut client = rustls::client(
        trusted,
        SERVER,
        &Offer::only(Version::Tls13),
        SERVER_NAME,
        Some(&pki.good),
    )?;
    rustls::converse(stage.place(), &mut client)?;
    let event = agent.event_after(0)?;
    ensure!(at(&event, "handshake.source") == "wire", "{event:#}");
    ensure!(!is_probed(&server, &libcrypto(&copies))?, "probed");
    ensure!(!agent.stop()?.log.contains("uprobe"), "it speaks of probes");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn what_is_excluded_or_not_of_the_cgroup_is_left_alone() -> Result<()> {
    let (stage, inner, outside) = (Stage::new()?, Stage::new()?, Stage::new()?);
    let copies = [openssl()?, openssl()?, openssl()?, openssl()?, openssl()?];
    let [wanted, by_path, by_pid, by_cgroup, not_below] = &copies;
    let user_by_pid = stage.user(by_pid)?;
    let below = stage.cgroup.path().join("below");
    fs::create_dir(&below)?;
    let user_by_cgroup = inner.user(by_cgroup)?;
    fs::write(below.join("cgroup.procs"), user_by_cgroup.pid().to_string())?;
    let user_by_path = stage.user(by_path)?;
    let user_outside = outside.user(not_below)?;

    let excluded = [
        format!("path:{}/*", by_path.directory().display()),
        format!("pid:{}", user_by_pid.pid()),
        format!("cgroup:{}", below.display()),
    ];
    let excluded = excluded.join(",");
    let agent = stage.agent(&[
        "--libraries",
        "auto,aws-lc,rustls",
        "--libraries-exclude",
        &excluded,
    ])?;
    // The last that a look at the processes comes to: when it is probed, the others could be.
    let user = stage.user(wanted)?;
    until_probed(&user, &libcrypto(wanted))?;
    for (process, copies) in [
        (&user_by_path, by_path),
        (&user_by_pid, by_pid),
        (&user_by_cgroup, by_cgroup),
        (&user_outside, not_below),
    ] {
        ensure!(!is_probed(process, &libcrypto(copies))?, "{copies:?} is probed");
    }
    let own = fs::read_link(format!("/proc/{}/exe", agent.pid()))?;
    ensure!(changed_code(agent.pid(), &own, None)? == 0, "it probes itself");
    agent.stop()?;
    drop(user_by_cgroup);
    poll::until("an empty cgroup", PATIENCE, || Ok(fs::remove_dir(&below).ok()))
}

#[test]
#[ignore = "needs root"]
fn a_shared_library_tells_of_the_processes_that_were_asked_for_alone() -> Result<()> {
    let (stage, outside, copies, pki) = (Stage::new()?, Stage::new()?, openssl()?, Pki::new()?);
    let address = |port| SocketAddr::new(SERVER.ip(), SERVER.port() + port);
    let serve = |place: Place<'_>, port| {
        let mut command = libssl::server(&pki, address(port), &copies, Worker::Thread)?;
        place.serve(&mut command, address(port))
    };
    let servers = [
        serve(stage.place(), 0)?,
        serve(stage.place(), 1)?,
        serve(stage.place(), 2)?,
    ];
    let [_wanted, by_pid, by_cgroup] = &servers;
    let _foreign = serve(outside.place(), 0)?;
    let below = stage.cgroup.path().join("below");
    fs::create_dir(&below)?;
    fs::write(below.join("cgroup.procs"), by_cgroup.pid().to_string())?;

    let excluded = format!("pid:{},cgroup:{}", by_pid.pid(), below.display());
    let agent = stage.agent(&["--libraries", "openssl", "--libraries-exclude", &excluded])?;
    for server in &servers {
        // The file has them, so that all meet them.
        until_probed(server, &libcrypto(&copies))?;
    }
    let call = |place: Place<'_>, port| {
        let trusted = &pki.server_ca.files.certificate;
        let offer = Offer::only(Version::Tls13);
        let mut client = rustls::client(trusted, address(port), &offer, SERVER_NAME, Some(&pki.good))?;
        rustls::converse(place, &mut client)
    };
    call(outside.place(), 0)?;
    for (seen, (port, source)) in [(1, "wire"), (2, "wire"), (0, "both")].into_iter().enumerate() {
        call(stage.place(), port)?;
        let event = agent.event_after(seen)?;
        ensure!(
            at(&event, "handshake.source") == source && at(&event, "server.port") == address(port).port(),
            "{source}: {event:#}"
        );
    }
    let events = agent.stop()?.events;
    ensure!(events.len() == 3, "{events:#?}");
    drop(servers);
    poll::until("an empty cgroup", PATIENCE, || Ok(fs::remove_dir(&below).ok()))
}

#[test]
#[ignore = "needs root"]
fn single_processes_are_probed_without_others_that_share_their_library() -> Result<()> {
    let (stage, copies) = (Stage::new()?, openssl()?);
    let library = libcrypto(&copies);
    let [wanted, other] = [stage.user(&copies)?, stage.user(&copies)?];
    let pid = format!("pid:{}", wanted.pid());
    let agent = stage.agent(&["--libraries", "openssl", "--libraries-include", &pid])?;
    until_probed(&wanted, &library)?;
    until_told(&agent, &library, true)?;
    ensure!(!is_probed(&other, &library)?, "the other is probed too");
    drop(wanted);
    until_told(&agent, &library, false)?;
    agent.stop()?;
    Ok(())
}
