//! How the agent starts, ends and fails, and that the services it watches do not notice.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use observer_tests::agent::{self, Agent, Attach};
use observer_tests::attachments;
use observer_tests::cgroup::Cgroup;
use observer_tests::events::assert_event;
use observer_tests::netns::Namespace;
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Place, Stack, Version, rustls};
use observer_tests::pki::{Pki, SERVER_NAME};
use observer_tests::poll::{self, PATIENCE};
use observer_tests::world::{Mode, World};
use serde_json::{Value, json};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// The user `nobody`.
const NOBODY: u32 = 65_534;

/// How many programs are attached to what `mode` watches.
fn attached(mode: Mode, namespace: &Namespace, cgroup: &Cgroup) -> Result<u32> {
    match mode {
        Mode::Cgroup => attachments::of_cgroup(cgroup),
        Mode::Interface => attachments::of_interface(namespace, "lo"),
    }
}

#[test]
#[ignore = "needs root"]
fn killed_in_mid_traffic_it_leaves_nothing_attached_and_clients_go_on() -> Result<()> {
    const CLIENTS: usize = 400;
    for mode in Mode::ALL {
        let (namespace, cgroup, pki) = (Namespace::new()?, Cgroup::new()?, Pki::new()?);
        let place = Place {
            namespace: &namespace,
            cgroup: &cgroup,
        };
        let attach = match mode {
            Mode::Cgroup => Attach::Cgroup(&cgroup),
            Mode::Interface => Attach::Interface(&namespace, "lo"),
        };
        let mut agent = Agent::start(attach, &[])?;
        assert_eq!(
            attached(mode, &namespace, &cgroup)?,
            2,
            "one program for each direction"
        );

        let offer = Offer::default();
        let mut server = rustls::server(&pki, SERVER, &offer, ClientAuth::Required)?;
        let _server = place.serve(&mut server, SERVER)?;
        let trusted = &pki.server_ca.files.certificate;
        let mut client = rustls::client(trusted, SERVER, &offer, SERVER_NAME, Some(&pki.good))?;
        let mut client = place.spawn(client.args(["--count", &CLIENTS.to_string(), "--payload", "10000"]))?;
        agent.wait_events(20)?;
        agent.signal(Signal::SIGKILL)?;
        let served = client.stdout().len();
        assert!(
            served < CLIENTS,
            "the clients were done before the agent was killed"
        );
        agent.wait()?;

        assert!(client.wait(PATIENCE)?.success(), "{}", client.transcript());
        assert_eq!(client.stdout().len(), CLIENTS);
        poll::until("detached programs", PATIENCE, || {
            Ok((attached(mode, &namespace, &cgroup)? == 0).then_some(()))
        })?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn sigterm_detaches_and_reports_a_pending_handshake_as_incomplete() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let _server = world
            .place()
            .serve(&mut rustls::peer("silent-server", SERVER)?, SERVER)?;
        let trusted = &world.pki.server_ca.files.certificate;
        let mut client = rustls::client(trusted, SERVER, &Offer::default(), SERVER_NAME, None)?;
        let _client = world.place().spawn(&mut client)?;
        poll::until("a followed connection", PATIENCE, || {
            let flows = world.agent()?.metrics()?.sum("tls_observer_flows", &[]);
            Ok(flows.is_some_and(|flows| flows >= 1.0).then_some(()))
        })?;
        let ended = world.stop_agent()?;
        assert_eq!(ended.events.len(), 1, "{:#?}", ended.events);
        assert_event(
            &ended.events[0],
            &[
                ("handshake.outcome", json!("incomplete")),
                ("handshake.reason", Value::Null),
                ("handshake.completeness", json!("complete")),
                ("event.outcome", json!("unknown")),
                ("tls.established", Value::Null),
                ("tls.client.server_name", json!(SERVER_NAME)),
            ],
        );
        assert_eq!(attached(mode, &world.namespace, &world.cgroup)?, 0);
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_file_output_is_opened_again_on_sighup() -> Result<()> {
    let (namespace, cgroup, pki) = (Namespace::new()?, Cgroup::new()?, Pki::new()?);
    let place = Place {
        namespace: &namespace,
        cgroup: &cgroup,
    };
    let file = pki.directory().join("events.json");
    let output = format!("file:{}", file.display());
    let agent = Agent::start(Attach::Cgroup(&cgroup), &["--output", &output])?;
    let _server = Stack::OpenSsl.serve(place, &pki, SERVER, Version::Tls12, ClientAuth::None)?;
    let lines = |path: &Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    let call = || {
        Stack::OpenSsl.call(
            place,
            &pki.server_ca.files.certificate,
            SERVER,
            Version::Tls12,
            None,
        )
    };
    let wait = |count| {
        poll::until("a line in the file", PATIENCE, || {
            Ok((lines(&file) == count).then_some(()))
        })
    };

    assert!(call()?);
    wait(1)?;
    let rotated = file.with_extension("1");
    std::fs::rename(&file, &rotated)?;
    agent.signal(Signal::SIGHUP)?;
    poll::until("the file to be there again", PATIENCE, || {
        Ok(file.exists().then_some(()))
    })?;
    assert!(call()?);
    wait(1)?;
    assert_eq!(lines(&rotated), 1);
    assert!(
        agent.stop()?.stdout.is_empty(),
        "nothing goes to standard output when it is no output"
    );
    Ok(())
}

/// Runs the agent with arguments that must fail; gives the exit status and the one line it says.
fn failure(arguments: &[&str], namespace: &Namespace, uid: Option<u32>) -> Result<(i32, String)> {
    let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
    let (status, said) = agent::run_to_end(&arguments, namespace, uid)?;
    assert_eq!(said.trim().lines().count(), 1, "one line, with a remedy: {said}");
    Ok((status.code().context("killed")?, said))
}

#[test]
#[ignore = "needs root"]
fn each_way_to_fail_has_its_status_and_one_line_that_helps() -> Result<()> {
    let (namespace, cgroup) = (Namespace::new()?, Cgroup::new()?);
    let path = cgroup.path().to_str().context("path")?;
    let directory = tempfile::tempdir()?;
    let config = |text: &str| -> Result<String> {
        let file = directory.path().join("tls-observer.toml");
        std::fs::write(&file, text)?;
        Ok(file.display().to_string())
    };

    let (status, said) = failure(&["run", "--cgroup", path], &namespace, Some(NOBODY))?;
    assert_eq!(status, 77, "not root: {said}");
    assert!(said.contains("root") || said.contains("CAP_BPF"), "{said}");

    let taken = agent::occupy_port(&namespace)?;
    let (status, said) = failure(&["run", "--cgroup", path], &namespace, None)?;
    assert_eq!(status, 1, "port taken: {said}");
    assert!(said.contains("9465") && said.contains("--listen"), "{said}");
    drop(taken);

    let (status, said) = failure(
        &[
            "run",
            "--cgroup",
            path,
            "--output",
            "file:/no/such/directory/events",
        ],
        &namespace,
        None,
    )?;
    assert_eq!(status, 1, "unwritable output: {said}");
    assert!(said.contains("/no/such/directory/events"), "{said}");

    let file = config("ring_bytes = 5000\n")?;
    let (status, said) = failure(&["run", "--cgroup", path, "--config", &file], &namespace, None)?;
    assert_eq!(status, 2, "bad value: {said}");
    assert!(said.contains("ring_bytes") && said.contains(&file), "{said}");

    let file = config("ring_size = 4096\n")?;
    let (status, said) = failure(&["run", "--cgroup", path, "--config", &file], &namespace, None)?;
    assert_eq!(status, 2, "unknown key: {said}");
    assert!(said.contains("ring_size") && said.contains(&file), "{said}");

    let (status, said) = failure(&["run", "--cgroup", "/no/such/cgroup"], &namespace, None)?;
    assert_ne!(status, 0);
    assert!(said.contains("/no/such/cgroup"), "{said}");

    let (status, said) = failure(&["run", "--interface", "nosuch0"], &namespace, None)?;
    assert_ne!(status, 0);
    assert!(said.contains("nosuch0"), "{said}");
    assert_eq!(
        attachments::of_cgroup(&cgroup)?,
        0,
        "failures leave nothing attached"
    );
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn check_tells_what_this_host_can_do() -> Result<()> {
    let checked = Command::new(agent::binary()?).arg("check").output()?;
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{}\n{said}", checked.status);
    for word in ["kernel", "cgroup_skb", "cgroup v2", "tcx"] {
        assert!(said.to_lowercase().contains(word), "{word} is not in:\n{said}");
    }
    Ok(())
}
