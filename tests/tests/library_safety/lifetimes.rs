//! Processes and libraries that end, change or multiply while they are probed, and an agent that is killed.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use observer_tests::agent::{Agent, Attach};
use observer_tests::copies::Copies;
use observer_tests::events::at;
use observer_tests::memory::changed_code;
use observer_tests::peers::libssl::{Mishap, Worker};
use observer_tests::poll::{self, PATIENCE};
use serde_json::Value;

use crate::stage::{
    FLAGS, SERVER, Stage, assert_joined, assert_no_other, client_serial, crowd, libcrypto, until_probed,
    until_untouched,
};

#[test]
#[ignore = "needs root"]
fn services_go_on_while_agents_are_killed_again_and_again() -> Result<()> {
    const CONNECTIONS: usize = 4000;
    /// How long each agent lives once it is ready: some die before their probes are in place.
    const LIVES: [u64; 4] = [0, 30, 200, 600];
    let mut stage = Stage::new()?;
    let server = stage.serve(&mut stage.server(Worker::Thread)?)?;
    let library = libcrypto(&stage.copies)?;
    stage.world.stop_agent()?;
    until_untouched(server.pid(), &library)?;

    let mut command = stage.client(&stage.world.pki.good, SERVER)?;
    command.args([
        "--count",
        &CONNECTIONS.to_string(),
        "--threads",
        "2",
        "--payload",
        "3000",
    ]);
    let mut client = stage.world.place().spawn(&mut command)?;
    let (mut killed_at_work, mut lives) = (0, LIVES.iter().cycle());
    while client.wait(Duration::ZERO).is_err() {
        let mut agent = Agent::start(Attach::Cgroup(&stage.world.cgroup), &FLAGS)?;
        std::thread::sleep(Duration::from_millis(*lives.next().unwrap_or(&0)));
        killed_at_work += u32::from(changed_code(server.pid(), &library, None)? > 0);
        agent.signal(Signal::SIGKILL)?;
        agent.wait()?;
    }
    ensure!(
        killed_at_work > 0,
        "no agent was killed while its probes were in place"
    );
    ensure!(client.wait(PATIENCE)?.success(), "{}", client.transcript());
    // The client demands back what it sent.
    let lines = client.stdout();
    let good = lines.iter().filter(|line| line.contains("\"ok\":true")).count();
    ensure!(
        good == CONNECTIONS,
        "{good} of {CONNECTIONS}\n{}",
        server.transcript()
    );
    until_untouched(server.pid(), &library)
}

#[test]
#[ignore = "needs root"]
fn a_handshake_that_its_process_does_not_survive_leaves_nothing_to_the_next() -> Result<()> {
    for mishap in [Mishap::Kill, Mishap::Exec, Mishap::Fork] {
        let mut stage = Stage::new()?;
        let mut command = stage.server(Worker::Here)?;
        let name = format!("{mishap:?}").to_lowercase();
        let mut server = stage.serve(command.args(["--mishap", &name]))?;
        let (good, expired) = (stage.world.pki.good.clone(), stage.world.pki.expired.clone());
        let first = stage.call(&good, SERVER)?;
        assert_no_other(&first, &good).context(name)?;

        if mishap == Mishap::Kill {
            ensure!(!server.wait(PATIENCE)?.success(), "it survived");
            server = stage.serve(&mut stage.server(Worker::Here)?)?;
        }
        poll::until("a server that listens again", PATIENCE, || {
            Ok(stage.world.namespace.listens(SERVER.port())?.then_some(()))
        })?;
        let second = stage.call(&expired, SERVER)?;
        assert_joined(&second, &expired)?;
        ensure!(
            at(&second, "handshake.reason") == "client_certificate_expired",
            "{second:#}"
        );
        stage.world.finish()?;
        drop(server);
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn children_of_a_server_are_told_apart() -> Result<()> {
    let mut stage = Stage::new()?;
    let _server = stage.serve(&mut stage.server(Worker::Fork)?)?;
    for turn in 0..20 {
        let pki = &stage.world.pki;
        let leaf = if turn % 2 == 0 { &pki.good } else { &pki.unknown_ca }.clone();
        let event = stage.call(&leaf, SERVER)?;
        assert_joined(&event, &leaf)?;
    }
    stage.world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_storm_of_threads_shows_each_certificate_at_its_own_connection() -> Result<()> {
    const EACH: usize = 100;
    let stage = Stage::new()?;
    let _server = stage.serve(&mut stage.server(Worker::Thread)?)?;
    let pki = &stage.world.pki;
    let leaves = [&pki.good, &pki.expired, &pki.unknown_ca, &pki.wrong_purpose];
    let shown = crowd(&stage, &leaves, EACH)?;
    ensure!(shown.len() == EACH * leaves.len(), "{} ports", shown.len());
    let handshakes = |events: Vec<Value>| -> Vec<Value> {
        // Refusals in a burst make an event of their own.
        let is_handshake = |event: &Value| event.get("handshake").is_some();
        events.into_iter().filter(is_handshake).collect()
    };
    let events = poll::until("an event of each handshake", PATIENCE, || {
        let events = handshakes(stage.world.agent()?.events()?);
        Ok((events.len() >= shown.len()).then_some(events))
    })?;
    let mut joined = 0;
    for event in &events {
        let port = at(event, "client.port").as_u64().context("port")?;
        let serial = shown.get(&port).context("nobody's connection")?;
        let found = client_serial(event);
        ensure!(
            found.is_none_or(|found| found == serial),
            "port {port} showed {serial}:\n{event:#}"
        );
        joined += usize::from(found.is_some());
    }
    ensure!(
        joined == events.len(),
        "{joined} of {} events have a certificate",
        events.len()
    );
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_library_that_is_replaced_on_disk_is_probed_old_and_new() -> Result<()> {
    let mut stage = Stage::new()?;
    let old = stage.serve(&mut stage.server(Worker::Thread)?)?;
    let good = stage.world.pki.good.clone();
    assert_joined(&stage.call(&good, SERVER)?, &good)?;

    let newer = Copies::new()?;
    newer.openssl()?;
    for entry in fs::read_dir(newer.directory())? {
        let path = entry?.path();
        let name = path.file_name().context("name")?;
        // As a package manager does it: the new file beside the old one, then in its place.
        let beside = stage.copies.directory().join("new");
        fs::copy(&path, &beside)?;
        fs::rename(beside, stage.copies.directory().join(name))?;
    }
    // The process still runs the old one.
    assert_joined(&stage.call(&good, SERVER)?, &good).context("the old library")?;
    drop(old);
    let new = stage.serve(&mut stage.server(Worker::Thread)?)?;
    assert_joined(&stage.call(&good, SERVER)?, &good).context("the new library")?;

    let library = libcrypto(&stage.copies)?;
    stage.world.finish()?;
    until_untouched(new.pid(), &library)
}

#[test]
#[ignore = "needs root"]
fn a_library_that_was_replaced_before_the_agent_came_is_probed() -> Result<()> {
    let mut stage = Stage::new()?;
    stage.world.stop_agent()?;
    let library = libcrypto(&stage.copies)?;
    let server = stage
        .world
        .place()
        .serve(&mut stage.server(Worker::Thread)?, SERVER)?;
    let kept = library.with_extension("kept");
    fs::hard_link(&library, &kept)?;
    fs::copy(&kept, library.with_extension("new"))?;
    fs::rename(library.with_extension("new"), &library)?;

    let agent = Agent::start(Attach::Cgroup(&stage.world.cgroup), &FLAGS)?;
    let is_probed = || Ok((changed_code(server.pid(), &kept, Some(&library))? > 0).then_some(()));
    poll::until("probes in a file without its name", PATIENCE, is_probed)?;
    let mut client = stage.client(&stage.world.pki.good, SERVER)?;
    observer_tests::peers::rustls::converse(stage.world.place(), &mut client)?;
    assert_joined(&agent.event_after(0)?, &stage.world.pki.good)
}

#[test]
#[ignore = "needs root"]
fn two_copies_of_a_library_in_one_process_are_both_probed() -> Result<()> {
    let mut stage = Stage::new()?;
    let second = Copies::new()?;
    second.openssl()?;
    let address = std::net::SocketAddr::new(SERVER.ip(), SERVER.port() + 1);
    let mut command = stage.server(Worker::Thread)?;
    command
        .args(["--second-listen", &address.to_string(), "--second-libraries"])
        .arg(second.directory());
    let server = stage.serve(&mut command)?;
    until_probed(server.pid(), &libcrypto(&second)?)?;
    let (good, expired) = (stage.world.pki.good.clone(), stage.world.pki.expired.clone());
    for (leaf, address) in [
        (&good, SERVER),
        (&expired, address),
        (&good, address),
        (&expired, SERVER),
    ] {
        let event: Value = stage.call(leaf, address)?;
        assert_joined(&event, leaf)?;
    }
    stage.world.finish()?;
    Ok(())
}
