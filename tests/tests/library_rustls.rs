//! rustls: what its probes tell, and that of all the records that pass through those on AWS-LC no application data and no
//! keys leave the kernel.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use observer_tests::agent::{Agent, Attach};
use observer_tests::cgroup::Cgroup;
use observer_tests::copies::Copies;
use observer_tests::events::at;
use observer_tests::lab::stacks::program::built;
use observer_tests::memory::changed_code;
use observer_tests::netns::Namespace;
use observer_tests::peers::rustls;
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Version};
use observer_tests::pki::{Leaf, SERVER_NAME};
use observer_tests::poll;
use observer_tests::world::{Mode, World};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// All application data are this, over and over.
const MARK: &str = "cAnArY8!";
/// For thousands of records in a build without optimisation.
const CANARY_PATIENCE: Duration = Duration::from_secs(120);

/// How long no further probe must have come: they are attached one by one, each after the kernel has verified its program.
const SETTLED: Duration = Duration::from_secs(3);

/// Waits until a process has all probes in the code of a program.
fn until_probed(pid: u32, program: &Path) -> Result<()> {
    let (mut before, mut since) = (0, Instant::now());
    poll::until("probes in a program", poll::PATIENCE * 2, || {
        let changed = changed_code(pid, program, None)?;
        if changed != before {
            (before, since) = (changed, Instant::now());
        }
        Ok((changed > 0 && since.elapsed() > SETTLED).then_some(()))
    })
}

/// Each string of as many bytes as the mark has that is in what came out of the kernel.
fn windows(dump: &Path) -> Result<HashSet<[u8; MARK.len()]>> {
    let dump = std::fs::read(dump).context("the rings' dump")?;
    Ok(dump
        .windows(MARK.len())
        .filter_map(|window| window.try_into().ok())
        .collect())
}

/// Whether any part of these bytes is among them.
fn leaks(windows: &HashSet<[u8; MARK.len()]>, secret: &[u8]) -> bool {
    let mut parts = secret.windows(MARK.len()).filter_map(|part| part.try_into().ok());
    parts.any(|part: [u8; MARK.len()]| windows.contains(&part))
}

#[test]
#[ignore = "needs root"]
fn no_application_data_and_no_keys_leave_the_kernel() -> Result<()> {
    let built = built("rustls-aws-lc-peer").context("cargo xtask setup --lab builds it")?;
    let copies = Copies::new()?;
    let program = copies.program(Path::new(built.get_program()))?;
    let dump = copies.directory().join("rings");
    let (namespace, cgroup) = (Namespace::new()?, Cgroup::new()?);
    let agent = Agent::start_dumping(Attach::Cgroup(&cgroup), &["--libraries", "aws-lc"], &dump)?;
    let mut world = World::with(namespace, cgroup, agent)?;
    let pki = &world.pki;
    let mut command = Command::new(&program);
    command
        .arg("canaries")
        .args([&pki.server.files.certificate, &pki.server.files.key])
        .arg(&pki.server_ca.files.certificate)
        .arg(MARK);
    let mut peer = world.place().spawn(&mut command)?;
    until_probed(peer.pid(), &program)?;
    peer.write(b"\n")?;
    let status = peer.wait(CANARY_PATIENCE)?;
    ensure!(status.success(), "{}", peer.transcript());
    let lines = peer.stdout();
    let secrets = lines.iter().filter_map(|line| line.strip_prefix("secret "));
    let secrets = secrets
        .map(|hex| HEXLOWER.decode(hex.as_bytes()))
        .collect::<Result<Vec<_>, _>>()?;
    let server = pki_certificate(&world.pki.server)?;
    let ended = world.stop_agent()?;

    let windows = windows(&dump)?;
    ensure!(leaks(&windows, &server), "not even the certificate was found");
    ensure!(
        !leaks(&windows, &MARK.repeat(2).into_bytes()),
        "application data left the kernel"
    );
    ensure!(secrets.len() > 10, "{} secrets", secrets.len());
    for secret in &secrets {
        ensure!(!leaks(&windows, secret), "a secret left the kernel");
    }
    // Records that were not taken for what they are show in what is told of the connections.
    let both = ended
        .events
        .iter()
        .filter(|event| at(event, "handshake.source") == "both");
    let mut connections = 0;
    for event in both {
        connections += 1;
        ensure!(at(event, "handshake.outcome") == "established", "{event:#}");
    }
    // Three cipher suites without padding and with as much as is stepped over; each is resumed once.
    ensure!(connections >= 24, "{connections} connections");
    Ok(())
}

/// The certificate in DER.
fn pki_certificate(leaf: &Leaf) -> Result<Vec<u8>> {
    use ::rustls::pki_types::CertificateDer;
    use ::rustls::pki_types::pem::PemObject as _;
    Ok(CertificateDer::from_pem_file(&leaf.files.certificate)?.to_vec())
}

#[test]
#[ignore = "needs root"]
fn rustls_on_ring_shows_whose_certificate_it_judged() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &["--libraries", "rustls"])?;
    let copies = Copies::new()?;
    for version in Version::ALL {
        let offer = Offer::only(version);
        let peer = rustls::server(&world.pki, SERVER, &offer, ClientAuth::Required)?;
        let program = copies.program(Path::new(peer.get_program()))?;
        let mut command = Command::new(&program);
        command.args(peer.get_args());
        let server = world.place().serve(&mut command, SERVER)?;
        until_probed(server.pid(), &program)?;
        let pki = &world.pki;
        let clients = [
            (pki.good.clone(), "established"),
            (pki.unknown_ca.clone(), "rejected"),
            (pki.expired.clone(), "rejected"),
        ];
        for (leaf, outcome) in clients {
            let trusted = &world.pki.server_ca.files.certificate;
            let mut client = rustls::client(trusted, SERVER, &offer, SERVER_NAME, Some(&leaf))?;
            rustls::converse(world.place(), &mut client)?;
            let event = world.next_event()?;
            ensure!(
                at(&event, "handshake.source") == "both"
                    && at(&event, "handshake.outcome") == outcome
                    && at(&event, "tls.client.x509.serial_number") == leaf.serial.as_str(),
                "{version:?}, {outcome}:\n{event:#}"
            );
        }
    }
    world.finish()?;
    Ok(())
}
