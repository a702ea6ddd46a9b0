//! No byte of application data leaves the kernel. Everything that comes out of the ring buffer is written to a file and
//! searched: for the plaintext that peers sent in the clear beside TLS, and for each eight bytes in a row of what they
//! sent encrypted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Result, ensure};
use observer_tests::agent::{Agent, Attach, Ended};
use observer_tests::cgroup::Cgroup;
use observer_tests::conversation::{self, Flight, encrypted_payloads};
use observer_tests::inject::Injector;
use observer_tests::leaks::Leaks;
use observer_tests::netns::{Namespace, VETH};
use observer_tests::packets::connection;
use observer_tests::peers::tls::Offer;
use observer_tests::peers::wire::Record;
use observer_tests::peers::{ClientAuth, Version, openssl, rustls, smtp};
use observer_tests::pki::{Pki, SERVER_NAME};
use observer_tests::poll::PATIENCE;
use observer_tests::world::{Mode, World};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// Stands in every payload.
const CANARY: &str = "canary-of-application-data";

/// Fails if a text is in anything the agent got or gave.
fn assert_nowhere(text: &str, leaks: &Leaks, ended: &Ended, metrics: &str) {
    assert!(!leaks.contain(text.as_bytes()), "{text:?} left the kernel");
    assert!(
        !ended.log.contains(text) && !metrics.contains(text),
        "{text:?} is in the log or the metrics"
    );
    assert!(
        !ended.stdout.iter().any(|line| line.contains(text)),
        "{text:?} is in an event"
    );
}

/// A world whose agent copies each ring record to the file that is given back, with certificates.
fn dumping(mode: Mode) -> Result<(World, Pki, PathBuf)> {
    let (namespace, cgroup, pki) = (Namespace::new()?, Cgroup::new()?, Pki::new()?);
    let dump = pki.directory().join("ring");
    let attach = match mode {
        Mode::Cgroup => Attach::Cgroup(&cgroup),
        Mode::Interface => Attach::Interface(&namespace, "lo"),
    };
    let agent = Agent::start_dumping(attach, &[], &dump)?;
    Ok((World::with(namespace, cgroup, agent)?, pki, dump))
}

#[test]
#[ignore = "needs root"]
fn application_data_stays_in_the_kernel() -> Result<()> {
    // Payload and bytes a record: tiny ones, odd ones, and as large as TLS has them.
    let sizes = [(500, "1"), (20_000, "999"), (4_000_000, "16384")];
    for mode in Mode::ALL {
        let (mut world, pki, dump) = dumping(mode)?;
        let (mut secrets, mut handshakes) = (Vec::new(), 0);
        for version in Version::ALL {
            let offer = Offer::only(version);
            let mut server = rustls::server(&pki, SERVER, &offer, ClientAuth::Required)?;
            let _server = world.place().serve(&mut server, SERVER)?;
            for (payload, chunk) in sizes {
                let trusted = &pki.server_ca.files.certificate;
                let mut client = rustls::client(trusted, SERVER, &offer, SERVER_NAME, Some(&pki.good))?;
                let record = pki
                    .directory()
                    .join(format!("{}-{chunk}", version.text().replace('.', "")));
                client.args([
                    "--canary",
                    CANARY,
                    "--payload",
                    &payload.to_string(),
                    "--chunk",
                    chunk,
                ]);
                let reports = rustls::converse(world.place(), client.arg("--record").arg(&record))?;
                ensure!(reports[0]["ok"] == true, "{reports:?}");
                for file in Record::files(&record) {
                    secrets.extend(encrypted_payloads(&std::fs::read(file)?));
                }
                handshakes += 1;
                world.next_event()?;
            }
        }
        let sum: usize = secrets.iter().map(Vec::len).sum();
        assert!(
            sum > 2 * 2 * 4_000_000,
            "only {sum} encrypted bytes were recorded"
        );
        let (_, metrics) = world.agent()?.get("/metrics")?;
        let ended = world.finish()?;
        assert_eq!(ended.events.len(), handshakes);
        let leaks = Leaks::read(&dump)?;
        assert!(
            leaks.contain(&pki.server.files.der),
            "the dump must hold what may leave the kernel"
        );
        leaks.assert_free_of(&secrets, &format!("{mode:?}"));
        assert_nowhere(CANARY, &leaks, &ended, &metrics);
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn plaintext_beside_tls_stays_in_the_kernel() -> Result<()> {
    const EHLO: &str = "canary-in-the-ehlo";
    const REQUEST: &str = "canary-in-a-plain-request";
    for mode in Mode::ALL {
        let (mut world, pki, dump) = dumping(mode)?;
        let trusted = &pki.server_ca.files.certificate;

        let smtp_server = SocketAddr::new(SERVER.ip(), 2525);
        let mut server = rustls::server(&pki, smtp_server, &Offer::default(), ClientAuth::None)?;
        let _smtp = world.place().serve(server.arg("--smtp"), smtp_server)?;
        let mut client = openssl::client(trusted, smtp_server, Some(Version::Tls12), SERVER_NAME, None);
        ensure!(
            openssl::converse(world.place(), client.args(["-starttls", "smtp", "-name", EHLO]))?.answered
        );
        world.next_event()?;

        let mut server = openssl::server(&pki, SERVER, None, ClientAuth::None);
        let _server = world.place().serve(&mut server, SERVER)?;
        let mut client = openssl::client(trusted, SERVER, None, SERVER_NAME, None);
        ensure!(openssl::converse(world.place(), &mut client)?.answered);
        world.next_event()?;
        let mut request = world.place().spawn(&mut rustls::peer("send", SERVER)?)?;
        request.write(format!("POST /{REQUEST} HTTP/1.1\r\nHost: {REQUEST}\r\n\r\n").as_bytes())?;
        request.close_stdin();
        request.wait(PATIENCE)?;
        world.next_event()?;

        let (_, metrics) = world.agent()?.get("/metrics")?;
        let ended = world.finish()?;
        let leaks = Leaks::read(&dump)?;
        assert!(
            leaks.contain(&pki.server.files.der),
            "the dump must hold what may leave the kernel"
        );
        for canary in [EHLO, REQUEST, smtp::GREETING_CANARY] {
            assert_nowhere(canary, &leaks, &ended, &metrics);
        }
    }
    Ok(())
}

/// Application data whose ciphertext looks like a handshake record, at the start of a segment: position, not looks, says
/// what a record is.
#[test]
#[ignore = "needs root"]
fn application_data_that_looks_like_a_handshake_stays_in_the_kernel() -> Result<()> {
    let (pki, injector) = (Pki::new()?, Injector::new()?);
    let dump = pki.directory().join("ring");
    let agent = Agent::start_dumping(Attach::Interface(&injector.veth.left, VETH), &[], &dump)?;
    let mut seen = 0;
    for version in Version::ALL {
        for from_client in [true, false] {
            let mut flights = conversation::mutual(&pki, version, Some(&pki.good), b"data")?;
            // Before the two closing alerts: a record header in one flight, its payload in the next ones.
            let fake = [
                &[22, 3, 3, 0, 60, 1, 0, 0, 56, 3, 3][..],
                CANARY.as_bytes(),
                &[0; 28],
            ]
            .concat();
            let header = [23, 3, 3, 0, u8::try_from(fake.len() * 2)?].to_vec();
            let before_close = flights.len() - 2;
            let pieces = [header, fake.clone(), fake].map(|bytes| Flight { from_client, bytes });
            flights.splice(before_close..before_close, pieces);
            let mut headers = Injector::headers(false)?;
            headers.client.set_port(22_000 + u16::try_from(seen)?);
            injector.send(&headers, &connection(&flights, 1400, 1, 1))?;
            agent.event_after(seen)?;
            seen += 1;
        }
    }
    let (_, metrics) = agent.get("/metrics")?;
    let ended = agent.stop()?;
    assert_eq!(ended.events.len(), seen);
    let leaks = Leaks::read(&dump)?;
    assert!(
        leaks.contain(&pki.server.files.der),
        "the dump must hold what may leave the kernel"
    );
    assert_nowhere(CANARY, &leaks, &ended, &metrics);
    Ok(())
}
