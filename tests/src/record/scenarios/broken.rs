//! Connections that end early or are not what they seem, and other stacks than OpenSSL's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use ::rustls::client::Resumption;
use ::rustls::pki_types::ServerName;
use ::rustls::{CipherSuite, ClientConnection};
use anyhow::{Context, Result, ensure};
use nix::sys::socket::{setsockopt, sockopt};
use serde_json::{Map, Value, json};

use super::RUSTLS;
use crate::fixtures::{Told, What};
use crate::peers::tls::{self, Offer};
use crate::peers::{ClientAuth, Version, rustls};
use crate::pki::SERVER_NAME;
use crate::record::openssl;
use crate::record::stage::{Stage, local};
use crate::record::{Account, Scenario};

const HTTPS: u16 = 443;
const PATIENCE: Duration = Duration::from_secs(20);

/// All of them.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        scenario(
            "client-resets-after-hello",
            "the client resets the connection after its hello",
            |stage| client_leaves(stage, true),
        ),
        scenario(
            "client-closes-after-hello",
            "the client closes the connection after its hello",
            |stage| client_leaves(stage, false),
        ),
        scenario(
            "server-resets-on-hello",
            "the server resets the connection on the client's hello",
            |stage| hello_answered(stage, None),
        ),
        scenario(
            "http-answer-to-hello",
            "a plain HTTP server answers the client's hello",
            |stage| {
                hello_answered(
                    stage,
                    Some(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
                )
            },
        ),
        scenario(
            "http-to-tls-server",
            "a client speaks plain HTTP to a TLS server",
            http_to_tls,
        ),
        scenario(
            "reused-tuple",
            "three handshakes from one client port, each connection reset",
            reused_tuple,
        ),
        scenario(
            "tiny-segments",
            "the client sends its flights in segments of 7 bytes",
            tiny_segments,
        ),
    ]
}

fn scenario(name: &str, about: &str, play: fn(&Stage<'_>) -> Result<Account>) -> Scenario {
    Scenario {
        name: name.into(),
        about: about.into(),
        play: Box::new(play),
    }
}

/// A ClientHello of rustls, as a record.
fn hello(stage: &Stage<'_>) -> Result<Vec<u8>> {
    let config = tls::client(&Offer::default(), &stage.pki().server_ca.files.certificate, None)?;
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(SERVER_NAME)?)?;
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes)?;
    Ok(bytes)
}

/// The one message in such a record.
fn told(record: &[u8]) -> Result<Told> {
    const HEADERS: usize = 5 + 4;
    let typ = *record.get(5).context("no hello")?;
    Ok(Told {
        from_client: true,
        what: What::Handshake(typ, u32::try_from(record.len() - HEADERS)?),
    })
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) -> Result<()> {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&stream, sockopt::Linger, &linger)?;
    drop(stream);
    Ok(())
}

fn event(outcome: &str, reason: &str, server_name: Option<&str>) -> Map<String, Value> {
    let mut event = Map::new();
    event.insert("handshake.outcome".into(), outcome.into());
    event.insert("handshake.reason".into(), reason.into());
    event.insert("tls.established".into(), false.into());
    event.insert("handshake.client_certificate".into(), "unknown".into());
    if let Some(name) = server_name {
        event.insert("tls.client.server_name".into(), name.into());
    }
    event
}

/// The client ends the connection when its hello has arrived.
fn client_leaves(stage: &Stage<'_>, by_reset: bool) -> Result<Account> {
    let hello = hello(stage)?;
    stage.namespace.run(|| {
        let listener = TcpListener::bind(local(HTTPS))?;
        let mut client = TcpStream::connect(local(HTTPS))?;
        let (mut server, _) = listener.accept()?;
        server.set_read_timeout(Some(PATIENCE))?;
        client.write_all(&hello)?;
        server.read_exact(&mut vec![0; hello.len()])?;
        if by_reset {
            reset(client)?;
        } else {
            drop(client);
            ensure!(server.read(&mut [0])? == 0, "the client has closed");
        }
        Ok(())
    })?;
    Ok(Account {
        peers: format!("hello of {RUSTLS}, TCP listener"),
        port: HTTPS,
        events: vec![event(
            "aborted",
            if by_reset { "reset" } else { "closed" },
            Some(SERVER_NAME),
        )],
        messages: Some(vec![told(&hello)?]),
    })
}

/// The server answers the hello with these bytes, or with a reset.
fn hello_answered(stage: &Stage<'_>, answer: Option<&[u8]>) -> Result<Account> {
    let hello = hello(stage)?;
    stage.namespace.run(|| {
        let listener = TcpListener::bind(local(HTTPS))?;
        let mut client = TcpStream::connect(local(HTTPS))?;
        let (mut server, _) = listener.accept()?;
        server.set_read_timeout(Some(PATIENCE))?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.write_all(&hello)?;
        server.read_exact(&mut vec![0; hello.len()])?;
        match answer {
            Some(bytes) => {
                server.write_all(bytes)?;
                drop(server);
                client.read_to_end(&mut Vec::new())?;
            }
            None => reset(server)?,
        }
        Ok(())
    })?;
    let reason = if answer.is_some() { "not_tls" } else { "reset" };
    Ok(Account {
        peers: format!("hello of {RUSTLS}, TCP server"),
        port: HTTPS,
        events: vec![event("aborted", reason, Some(SERVER_NAME))],
        messages: Some(vec![told(&hello)?]),
    })
}

/// OpenSSL's server recognises HTTP and closes without an alert.
fn http_to_tls(stage: &Stage<'_>) -> Result<Account> {
    let _server = openssl::serve(stage, local(HTTPS), ClientAuth::None, &[])?;
    stage.namespace.run(|| {
        let mut client = TcpStream::connect(local(HTTPS))?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.write_all(b"GET / HTTP/1.1\r\nHost: observer.test\r\n\r\n")?;
        // Closed with our bytes unread, it may also be reset.
        let _ = client.read_to_end(&mut Vec::new());
        Ok(())
    })?;
    Ok(Account {
        peers: format!("TCP client, openssl s_server {}", stage.materials.openssl),
        port: HTTPS,
        events: Vec::new(),
        messages: Some(openssl::plaintext(&openssl::server_log(stage)?)),
    })
}

/// Three connections from one port. Each ends with RST, so that the port is free at once.
fn reused_tuple(stage: &Stage<'_>) -> Result<Account> {
    const PORT: u16 = 50_000;
    let offer = Offer::only(Version::Tls12);
    let mut config = tls::client(&offer, &stage.pki().server_ca.files.certificate, None)?;
    config.resumption = Resumption::disabled();
    let config = Arc::new(config);
    let (mut events, mut messages) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let _server = openssl::serve(stage, local(HTTPS), ClientAuth::None, &["-tls1_2"])?;
        let suite = stage.namespace.run(|| {
            let mut stream = connect_from(PORT, local(HTTPS))?;
            let name = ServerName::try_from(SERVER_NAME)?;
            let mut client = ClientConnection::new(Arc::clone(&config), name)?;
            while client.is_handshaking() {
                client.complete_io(&mut stream)?;
            }
            reset(stream)?;
            Ok(client.negotiated_cipher_suite().context("no suite")?.suite())
        })?;
        events.push(established("1.2", suite));
        messages.extend(openssl::plaintext(&openssl::server_log(stage)?));
    }
    Ok(Account {
        peers: format!("{RUSTLS}, openssl s_server {}", stage.materials.openssl),
        port: HTTPS,
        events,
        messages: Some(messages),
    })
}

/// A client that writes a few bytes at a time.
fn tiny_segments(stage: &Stage<'_>) -> Result<Account> {
    let _server = openssl::serve(stage, local(HTTPS), ClientAuth::None, &["-tls1_3"])?;
    let trusted = &stage.pki().server_ca.files.certificate;
    let offer = Offer::only(Version::Tls13);
    let mut client = rustls::client(trusted, local(HTTPS), &offer, SERVER_NAME, None)?;
    // The server turns lines round; this one reads the same backwards.
    client.args([
        "--split",
        "7",
        "--canary",
        "racecar\n",
        "--payload",
        "8",
        "--chunk",
        "8",
    ]);
    let reports = rustls::converse(stage.place(), &mut client)?;
    ensure!(reports.iter().all(|report| report["ok"] == true), "{reports:?}");
    Ok(Account {
        peers: format!("{RUSTLS}, openssl s_server {}", stage.materials.openssl),
        port: HTTPS,
        events: vec![established("1.3", CipherSuite::TLS13_AES_256_GCM_SHA384)],
        messages: Some(openssl::plaintext(&openssl::server_log(stage)?)),
    })
}

/// A full handshake without client certificate.
fn established(version: &str, suite: CipherSuite) -> Map<String, Value> {
    // rustls names the suites of TLS 1.3 in a way of its own.
    let suite = format!("{suite:?}").replace("TLS13_", "TLS_");
    let event = json!({
        "handshake.outcome": "established",
        "tls.established": true,
        "tls.version": version,
        "tls.cipher": suite,
        "tls.resumed": false,
        "tls.client.server_name": SERVER_NAME,
        "handshake.client_certificate": "not_requested",
    });
    event.as_object().cloned().unwrap_or_default()
}

fn connect_from(port: u16, server: SocketAddr) -> Result<TcpStream> {
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};
    let socket = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(local(port))).context("bind")?;
    connect(socket.as_raw_fd(), &SockaddrStorage::from(server)).context("connect")?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
