//! Handshakes that succeed in less usual ways, and connections that are easily mistaken for one another.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;
use observer_tests::agent::{Agent, Attach};
use observer_tests::cgroup::Cgroup;
use observer_tests::events::{assert_event, at};
use observer_tests::expect::Expected;
use observer_tests::netns::{Namespace, VETH, Veth, VethOptions};
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Place, Stack, Version, openssl, rustls};
use observer_tests::pki::SERVER_NAME;
use observer_tests::world::{Mode, World};
use serde_json::json;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SERVER: SocketAddr = SocketAddr::new(IP, 4433);

const fn cipher(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        Version::Tls13 => "TLS_AES_256_GCM_SHA384",
    }
}

/// A full handshake that succeeds and in which the server asks for no certificate.
fn full(world: &World, stack: Stack, version: Version) -> Expected {
    let seen = Expected::hello(IP, SERVER)
        .offering(version, version == Version::Tls13 || stack == Stack::Rustls)
        .answered(version, cipher(version), Some("x25519"))
        .client_certificate("not_requested")
        .established(version);
    match version {
        Version::Tls12 => seen.certificate("server", &world.pki.server),
        Version::Tls13 => seen,
    }
}

/// The same, resumed: no certificate passes, and in TLS 1.2 no key exchange either. There the certificate of the first
/// handshake is known by the session's name.
fn resumed(world: &World, stack: Stack, version: Version, by: &str) -> Expected {
    let seen = full(world, stack, version)
        .set("tls.resumed", true)
        .set("handshake.resumption", by)
        .client_certificate("unknown");
    match version {
        Version::Tls12 => seen
            .set("handshake.certificate_source", "resumption")
            .without("tls.curve")
            .without("handshake.post_quantum"),
        Version::Tls13 => seen,
    }
}

#[test]
#[ignore = "needs root"]
fn openssl_resumes_by_ticket_by_session_id_and_by_psk() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &[])?;
    let trusted = world.pki.server_ca.files.certificate.clone();
    let session = world.pki.directory().join("session");
    for (version, options, by) in [
        (Version::Tls12, &[][..], "ticket"),
        (Version::Tls12, &["-no_ticket"], "session_id"),
        (Version::Tls13, &[], "psk"),
    ] {
        let mut server = openssl::server(&world.pki, SERVER, Some(version), ClientAuth::None);
        let _server = world.place().serve(server.args(options), SERVER)?;
        for flag in ["-sess_out", "-sess_in"] {
            let mut client = openssl::client(&trusted, SERVER, Some(version), SERVER_NAME, None);
            client.args(options).arg(flag).arg(&session);
            assert!(openssl::converse(world.place(), &mut client)?.answered);
            let expected = match flag {
                "-sess_out" => full(&world, Stack::OpenSsl, version),
                _ => resumed(&world, Stack::OpenSsl, version, by),
            };
            expected.assert(&world.next_event()?, &format!("{version:?} {options:?} {flag}"));
        }
    }
    world.finish()?;
    Ok(())
}

/// A client that changes its mind about the keys: none of the second handshake's messages is in plaintext.
#[test]
#[ignore = "needs root"]
fn a_renegotiation_is_an_event_of_its_own() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let trusted = world.pki.server_ca.files.certificate.clone();
        let mut server = openssl::server(&world.pki, SERVER, Some(Version::Tls12), ClientAuth::None);
        let _server = world.place().serve(server.arg("-client_renegotiation"), SERVER)?;
        let mut client = openssl::client(&trusted, SERVER, Some(Version::Tls12), SERVER_NAME, None);
        assert!(openssl::converse_twice(world.place(), &mut client)?);
        let (first, second) = (world.next_event()?, world.next_event()?);
        full(&world, Stack::OpenSsl, Version::Tls12).assert(&first, &format!("{mode:?}, first"));
        assert_event(
            &second,
            &[
                ("event.action", json!("tls-handshake")),
                ("handshake.outcome", json!("established")),
                ("handshake.completeness", json!("complete")),
                ("tls.version", json!("1.2")),
                ("handshake.renegotiation", json!(true)),
                ("client.port", at(&first, "client.port").clone()),
            ],
        );
        assert_ne!(at(&first, "event.id"), at(&second, "event.id"));
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn rustls_resumes() -> Result<()> {
    let mut world = World::new(Mode::Interface, &[])?;
    let trusted = world.pki.server_ca.files.certificate.clone();
    for (version, by) in [(Version::Tls12, "ticket"), (Version::Tls13, "psk")] {
        let offer = Offer::only(version);
        let mut server = rustls::server(&world.pki, SERVER, &offer, ClientAuth::None)?;
        let _server = world.place().serve(&mut server, SERVER)?;
        let mut client = rustls::client(&trusted, SERVER, &offer, SERVER_NAME, None)?;
        let reports = rustls::converse(world.place(), client.args(["--count", "2", "--resume"]))?;
        assert_eq!(reports[1]["resumed"], true, "{reports:?}");
        full(&world, Stack::Rustls, version).assert(&world.next_event()?, &format!("{version:?}, first"));
        resumed(&world, Stack::Rustls, version, by)
            .assert(&world.next_event()?, &format!("{version:?}, second"));
    }
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn smtp_with_starttls() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let trusted = world.pki.server_ca.files.certificate.clone();
        for version in Version::ALL {
            let mut server = rustls::server(&world.pki, SERVER, &Offer::only(version), ClientAuth::None)?;
            let _server = world.place().serve(server.arg("--smtp"), SERVER)?;
            let mut client = openssl::client(&trusted, SERVER, Some(version), SERVER_NAME, None);
            assert!(openssl::converse(world.place(), client.args(["-starttls", "smtp"]))?.answered);
            let event = world.next_event()?;
            full(&world, Stack::OpenSsl, version).assert(&event, &format!("{mode:?} {version:?}"));
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_client_hello_over_several_segments() -> Result<()> {
    for mode in Mode::ALL {
        let mut world = World::new(mode, &[])?;
        let trusted = world.pki.server_ca.files.certificate.clone();
        for version in Version::ALL {
            let offer = Offer::only(version);
            let mut server = rustls::server(&world.pki, SERVER, &offer, ClientAuth::None)?;
            let _server = world.place().serve(&mut server, SERVER)?;
            // Within the record header, within the body, and byte by byte.
            for size in ["3", "100", "1"] {
                let mut client = rustls::client(&trusted, SERVER, &offer, SERVER_NAME, None)?;
                let reports = rustls::converse(world.place(), client.args(["--split", size]))?;
                assert_eq!(reports[0]["ok"], true, "{reports:?}");
                let event = world.next_event()?;
                full(&world, Stack::Rustls, version)
                    .assert(&event, &format!("{mode:?} {version:?}, {size} bytes a segment"));
            }
        }
        world.finish()?;
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn alpn_is_shown_as_far_as_it_is_visible() -> Result<()> {
    let mut world = World::new(Mode::Cgroup, &[])?;
    let trusted = world.pki.server_ca.files.certificate.clone();
    for version in Version::ALL {
        let mut offer = Offer::only(version);
        offer.alpn = vec!["h2".to_owned(), "http/1.1".to_owned()];
        let mut server = rustls::server(&world.pki, SERVER, &offer, ClientAuth::None)?;
        let _server = world.place().serve(&mut server, SERVER)?;
        let mut client = rustls::client(&trusted, SERVER, &offer, SERVER_NAME, None)?;
        assert_eq!(rustls::converse(world.place(), &mut client)?[0]["ok"], true);
        let seen =
            full(&world, Stack::Rustls, version).set("handshake.client.alpn", json!(["h2", "http/1.1"]));
        let expected = match version {
            Version::Tls12 => seen.set("tls.next_protocol", "h2"),
            Version::Tls13 => seen,
        };
        expected.assert(&world.next_event()?, &format!("{version:?}"));
    }
    world.finish()?;
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn the_same_tuple_in_two_namespaces_is_two_connections() -> Result<()> {
    let world = World::new(Mode::Cgroup, &[])?;
    let other = Namespace::new()?;
    let trusted = world.pki.server_ca.files.certificate.clone();
    let places = [
        world.place(),
        Place {
            namespace: &other,
            cgroup: &world.cgroup,
        },
    ];
    for version in Version::ALL {
        let offer = Offer::only(version);
        let mut servers = Vec::new();
        let mut clients = Vec::new();
        for place in places {
            let mut server = rustls::server(&world.pki, SERVER, &offer, ClientAuth::None)?;
            servers.push(place.serve(&mut server, SERVER)?);
        }
        for place in places {
            let mut client = rustls::client(&trusted, SERVER, &offer, SERVER_NAME, None)?;
            clients.push(place.spawn(client.args(["--bind-port", "50000"]))?);
        }
        for mut client in clients {
            assert!(
                client.wait(observer_tests::poll::PATIENCE)?.success(),
                "{}",
                client.transcript()
            );
        }
    }
    let mut world = world;
    let mut ids = Vec::new();
    for version in [Version::Tls12, Version::Tls12, Version::Tls13, Version::Tls13] {
        let event = world.next_event()?;
        full(&world, Stack::Rustls, version)
            .set("client.port", 50_000)
            .assert(&event, &format!("{version:?}"));
        ids.push(at(&event, "event.id").to_string());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "ids must differ");
    world.finish()?;
    Ok(())
}

/// Both ends are on this host, in different namespaces: the packets pass the hooks of both, and it is one handshake.
#[test]
#[ignore = "needs root"]
fn a_cable_between_two_namespaces_gives_one_event() -> Result<()> {
    for mode in Mode::ALL {
        for offload in [true, false] {
            let veth = Veth::new(VethOptions { mtu: 1500, offload })?;
            let cgroup = Cgroup::new()?;
            let agent = match mode {
                Mode::Cgroup => Agent::start(Attach::Cgroup(&cgroup), &[])?,
                Mode::Interface => Agent::start(Attach::Interface(&veth.left, VETH), &[])?,
            };
            let mut world = World::with(veth.left.share()?, cgroup, agent)?;
            let trusted = world.pki.server_ca.files.certificate.clone();
            for (client_ip, server_ip) in [(Veth::LEFT_V4, Veth::RIGHT_V4), (Veth::LEFT_V6, Veth::RIGHT_V6)] {
                for version in Version::ALL {
                    let address = SocketAddr::new(server_ip, 4433);
                    let there = Place {
                        namespace: &veth.right,
                        cgroup: &world.cgroup,
                    };
                    let _server =
                        Stack::Rustls.serve(there, &world.pki, address, version, ClientAuth::Required)?;
                    let offer = Offer::only(version);
                    let mut client =
                        rustls::client(&trusted, address, &offer, SERVER_NAME, Some(&world.pki.good))?;
                    // Enough payload for segments far above the MTU.
                    client.args(["--payload", "300000", "--chunk", "60000"]);
                    assert_eq!(rustls::converse(world.place(), &mut client)?[0]["ok"], true);
                    let event = world.next_event()?;
                    assert_event(
                        &event,
                        &[
                            ("handshake.outcome", json!("established")),
                            ("handshake.completeness", json!("complete")),
                            ("handshake.client_certificate", json!("sent")),
                            ("tls.version", json!(version.text())),
                            ("client.ip", json!(client_ip)),
                            ("server.ip", json!(server_ip)),
                        ],
                    );
                }
            }
            world.finish()?;
        }
    }
    Ok(())
}
