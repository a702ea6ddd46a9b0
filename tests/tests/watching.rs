//! What many handshakes together amount to: bursts of refusals, the certificate inventory, certificates that are new.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use observer_tests::agent;
use observer_tests::events::at;
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Stack, Version, rustls};
use observer_tests::pki::{Leaf, SERVER_NAME};
use observer_tests::poll::PATIENCE;
use observer_tests::process::{Confine, Process};
use observer_tests::world::{Mode, World};
use serde_json::{Value, json};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);

/// Runs `count` clients, one after the other.
fn call(world: &World, version: Version, certificate: Option<&Leaf>, count: u32) -> Result<()> {
    let trusted = &world.pki.server_ca.files.certificate;
    let mut command = rustls::client(trusted, SERVER, &Offer::only(version), SERVER_NAME, certificate)?;
    rustls::converse(world.place(), command.args(["--count", &count.to_string()]))?;
    Ok(())
}

/// The events with this action.
fn with_action<'a>(events: &'a [Value], action: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| at(event, "event.action") == action)
        .collect()
}

/// What `tls-observer certificates` prints beside the agent.
fn listing(world: &World, format: &str) -> Result<Vec<String>> {
    let mut command = Command::new(agent::binary()?);
    command.args(["certificates", "--format", format]);
    let mut process = Process::spawn(command.confine(Some(&world.namespace), None)?)?;
    anyhow::ensure!(process.wait(PATIENCE)?.success(), process.transcript());
    Ok(process.stdout())
}

#[test]
#[ignore = "needs root"]
fn thirty_refused_clients_are_one_burst_and_in_the_inventory() -> Result<()> {
    let mut world = World::new(Mode::Interface, &["--refusal-burst", "20/10s"])?;
    for version in Version::ALL {
        let _server =
            Stack::Rustls.serve(world.place(), &world.pki, SERVER, version, ClientAuth::Required)?;
        call(&world, version, Some(&world.pki.expired), 15)?;
    }
    world.agent()?.wait_events(31)?;

    let (status, body) = world.agent()?.get("/certificates")?;
    assert_eq!(status, 200);
    let inventory: Value = serde_json::from_str(&body)?;
    let listed = inventory["certificates"].as_array().context("a list")?;
    // TLS 1.3 shows none.
    let found: Vec<Value> = listed
        .iter()
        .map(|one| {
            json!([
                one["side"],
                one["x509"]["serial_number"],
                one["handshakes"],
                one["refusals"]
            ])
        })
        .collect();
    let (expired, server) = (&world.pki.expired, &world.pki.server);
    assert_eq!(
        found,
        [
            json!(["client", expired.serial, 15, 15]),
            json!(["server", server.serial, 15, 0]),
        ]
    );
    for one in listed {
        let place = &one["places"][0];
        assert_eq!(
            (&place["ip"], &place["port"], &place["server_name"]),
            (&json!("127.0.0.1"), &json!(4433), &json!(SERVER_NAME))
        );
    }

    let table = listing(&world, "text")?;
    assert_eq!(table.len(), 4, "{table:#?}");
    assert!(table[1].contains(" expired   client CN=client expired,") && table[1].contains(" 15      15 "));
    assert!(
        table[2].contains(" server CN=observer test server,"),
        "{table:#?}"
    );
    assert_eq!(table[3], "2 certificates");
    let printed: Value = serde_json::from_str(&listing(&world, "json")?.join("\n"))?;
    assert_eq!(printed["certificates"], inventory["certificates"]);

    let metrics = world.agent()?.metrics()?;
    let by = |by| metrics.sum("tls_refusal_bursts_total", &[("by", by)]);
    assert_eq!((by("source"), by("certificate")), (Some(1.0), Some(0.0)));

    let events = world.stop_agent()?.events;
    assert_eq!(with_action(&events, "tls-handshake").len(), 30);
    let bursts = with_action(&events, "tls-refusal-burst");
    let [burst] = bursts.as_slice() else {
        panic!("{bursts:#?}")
    };
    for (path, wanted) in [
        ("event.kind", json!("alert")),
        ("source.ip", json!("127.0.0.1")),
        ("refusals.by", json!("source")),
        ("refusals.count", json!(20)),
        ("refusals.total", json!(20)),
        ("refusals.threshold", json!(20)),
        ("refusals.window", json!(10_000_000_000_u64)),
        ("refusals.reason", json!("client_certificate_expired")),
        ("refusals.servers", json!([{ "ip": "127.0.0.1", "port": 4433 }])),
    ] {
        assert_eq!(at(burst, path), &wanted, "{path}");
    }
    let passed = with_action(&events, "tls-handshake")
        .into_iter()
        .position(|event| at(event, "event.id") == at(burst, "event.id"));
    assert_eq!(passed, Some(19), "the handshake that passed the rate");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_server_that_changes_its_certificate_is_told_after_the_learning_time() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &["--certificate-learning", "1s"])?;
    let (before, after) = (&world.pki.server, &world.pki.wrong_purpose);
    for leaf in [before, after] {
        let mut command = rustls::peer("server", SERVER)?;
        command.arg("--cert").arg(&leaf.files.certificate);
        command.arg("--key").arg(&leaf.files.key);
        let _server = world.place().serve(&mut command, SERVER)?;
        call(&world, Version::Tls12, None, 2)?;
        sleep(Duration::from_millis(1_100));
    }
    world.agent()?.wait_events(5)?;
    let metrics = world.agent()?.metrics()?;
    let (before, after) = (before.clone(), after.clone());
    let new = |what| metrics.sum("tls_certificates_new_total", &[("what", what)]);
    assert_eq!((new("issuer"), new("serial")), (Some(1.0), Some(1.0)));

    let events = world.stop_agent()?.events;
    assert_eq!(with_action(&events, "tls-handshake").len(), 4);
    let news = with_action(&events, "tls-certificate-new");
    let [new] = news.as_slice() else {
        panic!("{news:#?}")
    };
    for (path, wanted) in [
        ("certificate.side", json!("server")),
        ("certificate.name", json!(SERVER_NAME)),
        ("certificate.new", json!(["issuer", "serial"])),
        ("certificate.previous.issuer", json!(before.issuer.text())),
        ("certificate.previous.serial_number", json!(before.serial)),
        ("tls.server.issuer", json!(after.issuer.text())),
        ("tls.server.x509.serial_number", json!(after.serial)),
        ("tls.server.hash.sha256", json!(after.sha256)),
        ("server.port", json!(4433)),
    ] {
        assert_eq!(at(new, path), &wanted, "{path}");
    }
    Ok(())
}
