//! What the peer processes do.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use serde_json::{Value, json};

use super::super::tls::{self, Identity};
use super::super::wire::{Record, Wire};
use super::super::{ClientAuth, smtp};
use super::{ClientFlags, SOCKET_PATIENCE, ServerFlags};
use crate::bulk::Pattern;

/// What the `server` process does, until it is killed.
///
/// # Errors
/// Configuration that does not work, or no address.
pub fn run_server(flags: &ServerFlags) -> Result<()> {
    let auth = match (&flags.client_ca, flags.optional) {
        (None, _) => ClientAuth::None,
        (Some(_), true) => ClientAuth::Optional,
        (Some(_), false) => ClientAuth::Required,
    };
    let identity = Identity::read(&flags.cert, &flags.key)?;
    let config = Arc::new(tls::server(
        &flags.offer.parse()?,
        identity,
        auth,
        flags.client_ca.as_deref(),
    )?);
    for stream in TcpListener::bind(flags.listen).context("listen")?.incoming() {
        let (stream, config, smtp) = (stream?, Arc::clone(&config), flags.smtp);
        std::thread::spawn(move || {
            if let Err(error) = echo(stream, config, smtp) {
                println!("{}", json!({ "error": format!("{error:#}") }));
            }
        });
    }
    Ok(())
}

/// One connection of the server: handshake, then everything back until the client closes.
fn echo(mut stream: TcpStream, config: Arc<ServerConfig>, smtp: bool) -> Result<()> {
    stream.set_read_timeout(Some(SOCKET_PATIENCE))?;
    if smtp {
        smtp::until_starttls(&mut stream)?;
    }
    let mut wire = Wire::new(stream, None, None)?;
    let mut tls = ServerConnection::new(config)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut wire).context("handshake")?;
    }
    let mut stream = rustls::Stream::new(&mut tls, &mut wire);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => break,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            other => other?,
        };
        stream.write_all(buffer.get(..count).unwrap_or_default())?;
        stream.flush()?;
    }
    tls.send_close_notify();
    // The client may have gone already.
    let _ = tls.complete_io(&mut wire);
    Ok(())
}

/// What the `client` process does. Gives false when some connection failed.
///
/// # Errors
/// Configuration that does not work.
pub fn run_client(flags: &ClientFlags) -> Result<bool> {
    let identity = match (&flags.cert, &flags.key) {
        (Some(certificate), Some(key)) => Some(Identity::read(certificate, key)?),
        _ => None,
    };
    let mut config = tls::client(&flags.offer.parse()?, &flags.ca, identity)?;
    if !flags.resume {
        config.resumption = Resumption::disabled();
    }
    let config = Arc::new(config);
    let (next, failed) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..flags.threads {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < flags.count {
                    let report = call(flags, &config);
                    failed.fetch_add(u32::from(report["ok"] != true), Ordering::Relaxed);
                    println!("{report}");
                }
            });
        }
    });
    Ok(failed.into_inner() == 0)
}

/// One connection of the client, and its report.
fn call(flags: &ClientFlags, config: &Arc<ClientConfig>) -> Value {
    let attempt = || -> Result<Value> {
        let stream = connect(flags)?;
        let local = stream.local_addr()?.to_string();
        let record = flags.record.as_deref().map(Record::create).transpose()?;
        let wire = Wire::new(stream, record, flags.split)?;
        Ok(match exchange(flags, config, wire) {
            Ok(resumed) => json!({ "ok": true, "resumed": resumed, "local": local }),
            Err(error) => json!({ "ok": false, "error": format!("{error:#}"), "local": local }),
        })
    };
    attempt().unwrap_or_else(|error| json!({ "ok": false, "error": format!("{error:#}") }))
}

/// Connects, from a given local port when one is asked for.
fn connect(flags: &ClientFlags) -> Result<TcpStream> {
    let stream = match flags.bind_port {
        None => TcpStream::connect(flags.connect)?,
        Some(port) => {
            use nix::sys::socket::{
                AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket,
            };
            use std::os::fd::AsRawFd;
            let family = if flags.connect.is_ipv4() {
                AddressFamily::Inet
            } else {
                AddressFamily::Inet6
            };
            let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
            let local = SocketAddr::new(flags.connect.ip(), port);
            bind(socket.as_raw_fd(), &SockaddrStorage::from(local)).context("bind")?;
            connect(socket.as_raw_fd(), &SockaddrStorage::from(flags.connect)).context("connect")?;
            TcpStream::from(socket)
        }
    };
    stream.set_read_timeout(Some(SOCKET_PATIENCE))?;
    Ok(stream)
}

/// Handshake, payload there and back, close. Tells whether the session was resumed.
fn exchange(flags: &ClientFlags, config: &Arc<ClientConfig>, mut wire: Wire) -> Result<bool> {
    let name = ServerName::try_from(flags.server_name.clone())?;
    let mut tls = ClientConnection::new(Arc::clone(config), name)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut wire).context("handshake")?;
    }
    wire.write_whole();
    let resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
    let mut stream = rustls::Stream::new(&mut tls, &mut wire);
    let pattern = Pattern::new(&flags.canary, flags.chunk);
    let mut echo = vec![0; flags.chunk];
    for length in pattern.chunks(flags.payload) {
        let (sent, echo) = (pattern.bytes(length), echo.get_mut(..length).unwrap_or_default());
        stream.write_all(sent).context("write")?;
        stream.read_exact(echo).context("read")?;
        if echo != sent {
            bail!("the echo differs");
        }
    }
    tls.send_close_notify();
    tls.complete_io(&mut wire).context("close")?;
    Ok(resumed)
}
