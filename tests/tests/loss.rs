//! Nothing is silently lost: handshakes told plus handshakes counted as lost are the handshakes made.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use observer_tests::agent::Agent;
use observer_tests::metrics::Metrics;
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Version, rustls};
use observer_tests::pki::{Pki, SERVER_NAME};
use observer_tests::poll::{self, PATIENCE};
use observer_tests::world::{Mode, World};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// Handshakes of a flood.
const FLOOD: usize = 500;

fn lost(metrics: &Metrics) -> usize {
    let labels = [("stage", "ring"), ("reason", "handshake_lost")];
    metrics
        .sum("tls_observer_events_dropped_total", &labels)
        .unwrap_or_default() as usize
}

/// Makes [`FLOOD`] handshakes in `world`.
fn flood(world: &World, pki: &Pki, version: Version) -> Result<()> {
    let offer = Offer::only(version);
    let mut server = rustls::server(pki, SERVER, &offer, ClientAuth::Required)?;
    let _server = world.place().serve(&mut server, SERVER)?;
    let mut client = rustls::client(
        &pki.server_ca.files.certificate,
        SERVER,
        &offer,
        SERVER_NAME,
        Some(&pki.good),
    )?;
    client.args(["--count", &FLOOD.to_string(), "--threads", "4"]);
    let reports = rustls::converse(world.place(), &mut client)?;
    ensure!(
        reports.len() == FLOOD && reports.iter().all(|report| report["ok"] == true),
        "the flood failed"
    );
    Ok(())
}

/// Events of handshakes, once they and the losses add up or time is over, and the losses.
fn accounts(agent: &Agent) -> Result<(usize, usize)> {
    let mut last = (0, 0);
    let settled = poll::until("all handshakes accounted for", PATIENCE, || {
        last = (agent.stdout().len(), lost(&agent.metrics()?));
        Ok((last.0 + last.1 >= FLOOD).then_some(last))
    });
    // What is missing here is the caller's to show.
    Ok(settled.unwrap_or(last))
}

fn add_up(version: Version, ring: &str, stopped: bool) -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &["--ring-bytes", ring])?;
    let pki = Pki::new()?;
    if stopped {
        world.agent()?.signal(Signal::SIGSTOP)?;
    }
    let flooded = flood(&world, &pki, version);
    if stopped {
        world.agent()?.signal(Signal::SIGCONT)?;
    }
    flooded?;
    let (seen, lost) = accounts(world.agent()?)?;
    let ended = world.stop_agent()?;
    println!(
        "{version:?}, ring of {ring}, agent stopped: {stopped}: {} events, {lost} lost",
        ended.events.len()
    );
    assert_eq!(seen, ended.events.len(), "events came late: {seen}");
    assert_eq!(
        ended.events.len() + lost,
        FLOOD,
        "{version:?}, ring of {ring} bytes, agent stopped: {stopped}"
    );
    assert!(!stopped || lost > 0, "the ring was too large to lose anything");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_flood_while_the_agent_is_stopped() -> Result<()> {
    Version::ALL
        .into_iter()
        .try_for_each(|version| add_up(version, "4096", true))
}

#[test]
#[ignore = "needs root"]
fn a_flood_through_a_tiny_ring() -> Result<()> {
    add_up(Version::Tls12, "4096", false)
}

#[test]
#[ignore = "needs root"]
fn a_flood_through_an_ordinary_ring_loses_nothing() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &[])?;
    let pki = Pki::new()?;
    flood(&world, &pki, Version::Tls12)?;
    let (seen, lost) = accounts(world.agent()?)?;
    assert_eq!((seen, lost), (FLOOD, 0));
    assert_eq!(world.stop_agent()?.events.len(), FLOOD);
    Ok(())
}
