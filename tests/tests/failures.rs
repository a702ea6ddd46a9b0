//! Handshakes that fail for other reasons than the client's certificate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use anyhow::Result;
use observer_tests::conversation;
use observer_tests::events::at;
use observer_tests::expect::{Alert, Expected};
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Stack, Version, openssl, rustls};
use observer_tests::pki::SERVER_NAME;
use observer_tests::poll::PATIENCE;
use observer_tests::world::{Mode, World};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SERVER: SocketAddr = SocketAddr::new(IP, 4433);
const CIPHER_12: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
const CIPHER_13: &str = "TLS_AES_256_GCM_SHA384";

/// What a client of `stack` that speaks `version` alone offers.
fn hello(stack: Stack, version: Version) -> Expected {
    Expected::hello(IP, SERVER).offering(version, version == Version::Tls13 || stack == Stack::Rustls)
}

/// Runs a command that sends its standard input, and waits for its end.
fn feed(world: &World, command: &mut Command, bytes: &[u8]) -> Result<()> {
    let mut process = world.place().spawn(command)?;
    process.write(bytes)?;
    process.close_stdin();
    anyhow::ensure!(process.wait(PATIENCE)?.success(), process.transcript());
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn the_client_does_not_know_the_servers_ca() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        for stack in Stack::ALL {
            for version in Version::ALL {
                let _server = stack.serve(world.place(), &world.pki, SERVER, version, ClientAuth::None)?;
                let trusted = &world.pki.other_ca.files.certificate;
                assert!(!stack.call(world.place(), trusted, SERVER, version, None)?);
                let seen = hello(stack, version);
                let unknown_ca = Alert {
                    sender: "client",
                    code: 48,
                    description: "unknown_ca",
                };
                let expected = match (version, stack) {
                    (Version::Tls12, _) => seen
                        .answered(version, CIPHER_12, Some("x25519"))
                        .certificate("server", &world.pki.server)
                        .client_certificate("not_requested")
                        .rejected("client", "server_certificate_unknown_ca", "observed")
                        .alert(unknown_ca),
                    // OpenSSL's client says it in the clear even in TLS 1.3.
                    (Version::Tls13, Stack::OpenSsl) => seen
                        .answered(version, CIPHER_13, Some("x25519"))
                        .client_certificate("unknown")
                        .rejected("client", "server_certificate_unknown_ca", "observed")
                        .alert(unknown_ca),
                    (Version::Tls13, Stack::Rustls) => seen
                        .answered(version, CIPHER_13, Some("x25519"))
                        .client_flight()
                        .client_certificate("unknown")
                        .rejected("client", "server_certificate_rejected", "inferred"),
                };
                expected.assert(&world.next_event()?, &format!("{mode:?} {stack:?} {version:?}"));
            }
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn no_shared_version() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &[])?;
    for stack in Stack::ALL {
        for (offered, spoken) in [(Version::Tls12, Version::Tls13), (Version::Tls13, Version::Tls12)] {
            let _server = stack.serve(world.place(), &world.pki, SERVER, spoken, ClientAuth::None)?;
            let trusted = &world.pki.server_ca.files.certificate;
            assert!(!stack.call(world.place(), trusted, SERVER, offered, None)?);
            let expected = hello(stack, offered)
                .client_certificate("unknown")
                .rejected("server", "no_shared_version", "observed")
                .alert(Alert {
                    sender: "server",
                    code: 70,
                    description: "protocol_version",
                });
            expected.assert(&world.next_event()?, &format!("{stack:?} {offered:?}"));
        }
    }
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn versions_that_nobody_may_accept_any_more() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &[])?;
    let trusted = world.pki.server_ca.files.certificate.clone();
    // rustls misses signature_algorithms first, OpenSSL says it outright.
    let refusals = [
        (Stack::Rustls, 40, "handshake_failure", "derived"),
        (Stack::OpenSsl, 70, "protocol_version", "observed"),
    ];
    for (stack, code, description, evidence) in refusals {
        for (old, version) in [("-tls1", "1.0"), ("-tls1_1", "1.1")] {
            let _server = stack.serve(
                world.place(),
                &world.pki,
                SERVER,
                Version::Tls12,
                ClientAuth::None,
            )?;
            let mut client = openssl::client(&trusted, SERVER, None, SERVER_NAME, None);
            client.args([old, "-cipher", "DEFAULT@SECLEVEL=0"]);
            assert!(!openssl::converse(world.place(), &mut client)?.answered);
            let expected = Expected::hello(IP, SERVER)
                .set("handshake.client.legacy_version", version)
                .without("handshake.client.signature_algorithms")
                .client_certificate("unknown")
                .rejected("server", "no_shared_version", evidence)
                .alert(Alert {
                    sender: "server",
                    code,
                    description,
                });
            expected.assert(&world.next_event()?, &format!("{stack:?} {old}"));
        }
    }
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn no_shared_cipher() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &[])?;
    let choices = [
        (
            Version::Tls12,
            "-cipher",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "derived",
        ),
        (
            Version::Tls13,
            "-ciphersuites",
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "inferred",
        ),
    ];
    for (version, flag, servers, clients, evidence) in choices {
        let mut server = openssl::server(&world.pki, SERVER, Some(version), ClientAuth::None);
        let _server = world.place().serve(server.args([flag, servers]), SERVER)?;
        let trusted = &world.pki.server_ca.files.certificate;
        let mut client = openssl::client(trusted, SERVER, Some(version), SERVER_NAME, None);
        assert!(!openssl::converse(world.place(), client.args([flag, clients]))?.answered);
        let event = world.next_event()?;
        let expected = hello(Stack::OpenSsl, version)
            .client_certificate("unknown")
            .rejected("server", "no_shared_cipher", evidence)
            .alert(Alert {
                sender: "server",
                code: 40,
                description: "handshake_failure",
            });
        expected.assert(&event, &format!("{version:?}"));
    }
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn plain_http_to_the_tls_port() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let peers = Stack::ALL
            .into_iter()
            .flat_map(|stack| Version::ALL.map(|version| (stack, version)));
        for ((stack, version), port) in peers.zip(4433..) {
            // A port of its own: what is known of it must come from this handshake.
            let server = SocketAddr::new(IP, port);
            let _server = stack.serve(world.place(), &world.pki, server, version, ClientAuth::None)?;
            // The port becomes known as a TLS listener by a handshake.
            let trusted = &world.pki.server_ca.files.certificate;
            assert!(stack.call(world.place(), trusted, server, version, None)?);
            assert_eq!(at(&world.next_event()?, "handshake.outcome"), "established");

            let request = b"GET / HTTP/1.1\r\nHost: observer.test\r\n\r\n";
            feed(&world, &mut rustls::peer("send", server)?, request)?;
            let seen = Expected::hello(IP, server)
                .without("network.protocol")
                .without("tls")
                .without("handshake.client")
                .without("handshake.ech")
                .without("handshake.grease")
                .client_certificate("unknown");
            let expected = match stack {
                // OpenSSL sees what it is, and closes without a word of TLS.
                Stack::OpenSsl => seen.failed("aborted", "not_tls"),
                Stack::Rustls => seen.rejected("server", "not_tls", "derived").alert(Alert {
                    sender: "server",
                    code: 50,
                    description: "decode_error",
                }),
            };
            expected.assert(&world.next_event()?, &format!("{mode:?} {stack:?} {version:?}"));
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_reset_in_the_middle_of_the_handshake() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        for version in Version::ALL {
            let flights = conversation::mutual(&world.pki, version, None, b"")?;
            let client_hello = &flights[0].bytes;

            let server =
                Stack::OpenSsl.serve(world.place(), &world.pki, SERVER, version, ClientAuth::None)?;
            feed(
                &world,
                rustls::peer("reset", SERVER)?.arg("--await-answer"),
                client_hello,
            )?;
            let answered = match version {
                Version::Tls12 => hello(Stack::Rustls, version)
                    .answered(version, CIPHER_12, Some("x25519"))
                    .certificate("server", &world.pki.server)
                    .client_certificate("not_requested"),
                Version::Tls13 => hello(Stack::Rustls, version)
                    .answered(version, CIPHER_13, Some("x25519"))
                    .client_certificate("unknown"),
            };
            let by_client = answered.failed("aborted", "reset");
            by_client.assert(
                &world.next_event()?,
                &format!("{mode:?} {version:?}, by the client"),
            );
            drop(server);

            let _server = world
                .place()
                .serve(&mut rustls::peer("reset-server", SERVER)?, SERVER)?;
            let trusted = &world.pki.server_ca.files.certificate;
            assert!(!Stack::Rustls.call(world.place(), trusted, SERVER, version, None)?);
            let by_server = hello(Stack::Rustls, version)
                .client_certificate("unknown")
                .failed("aborted", "reset");
            by_server.assert(
                &world.next_event()?,
                &format!("{mode:?} {version:?}, by the server"),
            );
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn tls_to_a_plain_http_port() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let _server = world
            .place()
            .serve(&mut rustls::peer("http-server", SERVER)?, SERVER)?;
        let trusted = world.pki.server_ca.files.certificate.clone();
        for version in Version::ALL {
            assert!(!Stack::Rustls.call(world.place(), &trusted, SERVER, version, None)?);
            let event = world.next_event()?;
            let expected = hello(Stack::Rustls, version).client_certificate("unknown");
            // rustls says in TLS what it thinks of the answer.
            let expected = expected
                .without("network.protocol")
                .rejected("client", "not_tls", "derived");
            let expected = expected.alert(Alert {
                sender: "client",
                code: 50,
                description: "decode_error",
            });
            expected.assert(&event, &format!("{mode:?} {version:?}"));
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_reset_within_the_client_hello() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let _server = world
            .place()
            .serve(&mut rustls::peer("silent-server", SERVER)?, SERVER)?;
        let flights = conversation::mutual(&world.pki, Version::Tls12, None, b"")?;
        for cut in [11, 12, 100] {
            feed(
                &world,
                &mut rustls::peer("reset", SERVER)?,
                &flights[0].bytes[..cut],
            )?;
            let expected = Expected::hello(IP, SERVER)
                .without("tls")
                .without("handshake.client")
                .without("handshake.ech")
                .without("handshake.grease")
                .client_certificate("unknown")
                .failed("aborted", "reset");
            expected.assert(&world.next_event()?, &format!("{mode:?}, after {cut} bytes"));
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_server_that_never_answers() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &["--handshake-timeout", "1s"])?;
    let _server = world
        .place()
        .serve(&mut rustls::peer("silent-server", SERVER)?, SERVER)?;
    let trusted = world.pki.server_ca.files.certificate.clone();
    for version in Version::ALL {
        let mut client = rustls::client(&trusted, SERVER, &Offer::only(version), SERVER_NAME, None)?;
        let _client = world.place().spawn(&mut client)?;
        let event = world.next_event()?;
        let expected = hello(Stack::Rustls, version)
            .client_certificate("unknown")
            .failed("timed_out", "timed_out")
            .rule("event.duration", |value| {
                value
                    .as_u64()
                    .is_some_and(|nanoseconds| (1_000_000_000..3_000_000_000).contains(&nanoseconds))
            });
        expected.assert(&event, &format!("{version:?}"));
    }
    world.finish()?;
    Ok(())
}
