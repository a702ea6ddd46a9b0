//! What the agent makes of certificates beside what real peers do with them: disagreements in both directions, what a
//! verdict adds to a reason, and trust files that change under a running agent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use observer_tests::agent;
use observer_tests::events::assert_event;
use observer_tests::expect::{Alert, Expected};
use observer_tests::netns::Namespace;
use observer_tests::peers::{ClientAuth, Stack, Version, openssl};
use observer_tests::pki::{Leaf, Pki, SERVER_NAME};
use observer_tests::process::Process;
use observer_tests::world::World;
use serde_json::json;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SERVER: SocketAddr = SocketAddr::new(IP, 4433);
const CIPHER: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";

const CERTIFICATE_REVOKED: Alert = Alert {
    sender: "server",
    code: 44,
    description: "certificate_revoked",
};
const UNKNOWN_CA: Alert = Alert {
    sender: "server",
    code: 48,
    description: "unknown_ca",
};
const BAD_CERTIFICATE: Alert = Alert {
    sender: "client",
    code: 42,
    description: "bad_certificate",
};

/// Where the revocation list of the clients' authority is.
fn list(pki: &Pki) -> PathBuf {
    pki.directory().join("clients.crl")
}

/// An agent that trusts what the peers of the tests trust, and knows the list of the clients' authority.
fn world(revoked: impl Fn(&Pki) -> Vec<&Leaf>) -> Result<World> {
    World::trusting(|pki| {
        pki.client_ca.write_revocation_list(&list(pki), &revoked(pki))?;
        let clients = pki.client_ca.files.certificate.display();
        let servers = pki.server_ca.files.certificate.display();
        Ok(vec![
            "--trust".into(),
            format!("clients={clients};crl={};side=client", list(pki).display()),
            "--trust".into(),
            format!("servers={servers};side=server"),
        ])
    })
}

/// A mutual handshake of TLS 1.2 with this certificate, both certificates seen; the server's is as it should be.
fn mutual(world: &World, leaf: &Leaf) -> Expected {
    Expected::hello(IP, SERVER)
        .offering(Version::Tls12, false)
        .answered(Version::Tls12, CIPHER, Some("x25519"))
        .client_flight()
        .certificate("server", &world.pki.server)
        .judged("server", "servers", "valid", "not_checked")
        .certificate("client", leaf)
        .client_certificate("sent")
        .set(
            "handshake.certificate_authorities",
            vec![world.pki.client_ca.name.text()],
        )
}

/// An OpenSSL server that speaks TLS 1.2.
fn serve(world: &World, auth: ClientAuth) -> Result<Process> {
    Stack::OpenSsl.serve(world.place(), &world.pki, SERVER, Version::Tls12, auth)
}

/// Whether a client with this certificate is served.
fn call(world: &World, leaf: &Leaf) -> Result<bool> {
    let trusted = &world.pki.server_ca.files.certificate;
    Stack::OpenSsl.call(world.place(), trusted, SERVER, Version::Tls12, Some(leaf))
}

#[test]
#[ignore = "needs root"]
fn a_server_that_looks_at_no_list_takes_a_revoked_certificate() -> Result<()> {
    let mut world = world(|pki| vec![&pki.good])?;
    let mut careless = openssl::server(&world.pki, SERVER, Some(Version::Tls12), ClientAuth::Required);
    let server = world.place().serve(&mut careless, SERVER)?;
    assert!(call(&world, &world.pki.good)?);
    let seen = mutual(&world, &world.pki.good).judged("client", "clients", "revoked", "revoked");
    let expected = seen
        .clone()
        .established(Version::Tls12)
        .disagreement("accepted_but_invalid");
    expected.assert(&world.next_event()?, "no list");
    drop(server);

    let mut careful = openssl::server(&world.pki, SERVER, Some(Version::Tls12), ClientAuth::Required);
    careful.arg("-crl_check").arg("-CRL").arg(list(&world.pki));
    let _server = world.place().serve(&mut careful, SERVER)?;
    assert!(!call(&world, &world.pki.good)?);
    let expected = seen
        .rejected("server", "client_certificate_revoked", "observed")
        .alert(CERTIFICATE_REVOKED);
    expected.assert(&world.next_event()?, "with the list");

    let metrics = world.agent()?.metrics()?;
    for (name, labels, count) in [
        (
            "tls_certificate_verdicts_total",
            vec![("side", "client"), ("status", "revoked")],
            2.0,
        ),
        (
            "tls_certificate_verdicts_total",
            vec![("side", "server"), ("status", "valid")],
            2.0,
        ),
        (
            "tls_verdict_disagreements_total",
            vec![("kind", "accepted_but_invalid")],
            1.0,
        ),
        (
            "tls_verdict_disagreements_total",
            vec![("kind", "rejected_but_valid")],
            0.0,
        ),
    ] {
        assert_eq!(metrics.sum(name, &labels), Some(count), "{name} {labels:?}");
    }
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_server_that_trusts_another_authority_refuses_a_valid_certificate() -> Result<()> {
    let mut world = World::trusting(|pki| {
        let others = pki.other_ca.files.certificate.display();
        // These certificates name no URL, so nothing comes of it.
        let fetch = "revocation_fetch=both;revocation_allow=127.0.0.1";
        Ok(vec![
            "--trust".into(),
            format!("others={others};port=4433;side=client;{fetch}"),
        ])
    })?;
    let _server = serve(&world, ClientAuth::Required)?;
    assert!(!call(&world, &world.pki.unknown_ca)?);
    let expected = Expected::hello(IP, SERVER)
        .offering(Version::Tls12, false)
        .answered(Version::Tls12, CIPHER, Some("x25519"))
        .client_flight()
        .certificate("server", &world.pki.server)
        .certificate("client", &world.pki.unknown_ca)
        .judged("client", "others", "valid", "not_checked")
        .client_certificate("sent")
        .set(
            "handshake.certificate_authorities",
            vec![world.pki.client_ca.name.text()],
        )
        .rejected("server", "client_certificate_unknown_ca", "observed")
        .alert(UNKNOWN_CA)
        .disagreement("rejected_but_valid");
    expected.assert(&world.next_event()?, "another authority");
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_vague_alert_about_a_certificate_with_another_name_is_about_the_name() -> Result<()> {
    const OTHER_NAME: &str = "other.observer.test";
    let mut world = world(|_| Vec::new())?;
    let _server = serve(&world, ClientAuth::None)?;
    let trusted = &world.pki.server_ca.files.certificate;
    let mut client = openssl::client(trusted, SERVER, Some(Version::Tls12), OTHER_NAME, None);
    client.args(["-verify_hostname", OTHER_NAME]);
    assert!(!openssl::converse(world.place(), &mut client)?.answered);
    let expected = Expected::hello(IP, SERVER)
        .offering(Version::Tls12, false)
        .set("tls.client.server_name", OTHER_NAME)
        .answered(Version::Tls12, CIPHER, Some("x25519"))
        .certificate("server", &world.pki.server)
        .judged("server", "servers", "name_mismatch", "not_checked")
        .client_certificate("not_requested")
        .rejected("client", "server_certificate_name_mismatch", "derived")
        .set("handshake.rule", "refused_certificate_has_another_name")
        .alert(BAD_CERTIFICATE);
    expected.assert(&world.next_event()?, SERVER_NAME);
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn an_expired_certificate_is_one_by_both_accounts() -> Result<()> {
    let mut world = world(|_| Vec::new())?;
    let _server = serve(&world, ClientAuth::Required)?;
    assert!(!call(&world, &world.pki.expired)?);
    let event = world.next_event()?;
    assert_event(
        &event,
        &[
            ("handshake.reason", json!("client_certificate_expired")),
            ("handshake.evidence", json!("observed")),
            ("verdict.client.status", json!("expired")),
            ("verdict.client.trust_bundle", json!("clients")),
            ("verdict.disagreement", json!(null)),
        ],
    );
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_new_list_counts_at_once_and_a_bad_one_not_at_all() -> Result<()> {
    let mut world = world(|_| Vec::new())?;
    let _server = serve(&world, ClientAuth::Required)?;
    let file = list(&world.pki);
    let statuses = |world: &mut World, status: &str, disagreement: serde_json::Value| -> Result<()> {
        anyhow::ensure!(call(world, &world.pki.good)?);
        assert_event(
            &world.next_event()?,
            &[
                ("verdict.client.status", json!(status)),
                ("verdict.disagreement", disagreement),
            ],
        );
        Ok(())
    };
    statuses(&mut world, "valid", json!(null))?;

    world
        .pki
        .client_ca
        .write_revocation_list(&file, &[&world.pki.good])?;
    world.agent()?.wait_log("trust bundles were read again")?;
    statuses(&mut world, "revoked", json!("accepted_but_invalid"))?;

    std::fs::write(&file, "rubbish")?;
    world.agent()?.wait_log("the trust bundles stay as they were")?;
    world.agent()?.wait_log(&file.display().to_string())?;
    statuses(&mut world, "revoked", json!("accepted_but_invalid"))?;
    let reloads = |world: &World, result| -> Result<Option<f64>> {
        Ok(world
            .agent()?
            .metrics()?
            .sum("tls_observer_trust_reloads_total", &[("result", result)]))
    };
    assert_eq!(reloads(&world, "success")?, Some(1.0));
    assert_eq!(reloads(&world, "failure")?, Some(1.0));

    world.pki.client_ca.write_revocation_list(&file, &[])?;
    world.agent()?.signal(Signal::SIGHUP)?;
    observer_tests::poll::until("the list of before", observer_tests::poll::PATIENCE, || {
        Ok((reloads(&world, "success")? >= Some(2.0)).then_some(()))
    })?;
    statuses(&mut world, "valid", json!(null))?;
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_bad_file_keeps_the_agent_from_starting() -> Result<()> {
    let namespace = Namespace::new()?;
    let pki = Pki::new()?;
    let missing: &Path = &pki.directory().join("missing.pem");
    let trust = format!("mesh={}", missing.display());
    let arguments = ["run", "--interface", "lo", "--trust", &trust].map(Into::into);
    let (status, stderr) = agent::run_to_end(&arguments, &namespace, None)?;
    assert_eq!(status.code().context("a signal")?, 2, "{stderr}");
    assert!(
        stderr.contains(&format!(
            "trust \"mesh\": ca: {}: No such file",
            missing.display()
        )),
        "{stderr}"
    );
    Ok(())
}
