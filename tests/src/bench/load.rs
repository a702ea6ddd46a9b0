//! The measured server and its load, each as a process of its own: full mutual handshakes, each with one request.
//!
//! A request is the line `GET n`. The answer is `n` bytes, or for 0 one short line. That is also what OpenSSL's server
//! gives, which sends each line back in reverse.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Args, FromArgMatches};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::ADDRESS;
use super::machine::cpu_time;
use crate::peers::tls::{self, Identity, Offer};
use crate::peers::{ClientAuth, Version};
use crate::pki::{Files, Pki, SERVER_NAME};

/// Threads of the server: more than the client has, so that a connection never waits for another's close.
const WORKERS: u32 = 8;
/// Connections that the client has open at once.
const CALLERS: u32 = 2;
/// How long either end waits for the other.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes given to the TLS library at once.
const CHUNK: usize = 64 * 1024;

fn version(text: &str) -> Result<Version, String> {
    let known = Version::ALL.into_iter().find(|version| version.text() == text);
    known.ok_or_else(|| "1.2 or 1.3".into())
}

/// What both ends are told.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// The server's address.
    #[arg(long)]
    address: SocketAddr,
    /// TLS version.
    #[arg(long, value_parser = version)]
    version: Version,
    /// The other end's CA, PEM.
    #[arg(long)]
    ca: PathBuf,
    /// Own certificate, PEM.
    #[arg(long)]
    cert: PathBuf,
    /// Its key, PEM.
    #[arg(long)]
    key: PathBuf,
    /// Connections to make (client only).
    #[arg(long, default_value_t = 1)]
    connections: u32,
    /// Bytes to ask for on each (client only).
    #[arg(long, default_value_t = 0)]
    bytes: u64,
    /// What to say to be given them, if it is not `GET` and their number (client only).
    #[arg(long)]
    request: Option<String>,
}

/// What one end is given: PEM files.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The certificate of the authority that the other end must have.
    pub trusted: &'a Path,
    /// Its own certificate chain.
    pub chain: &'a Path,
    /// The key of that chain's first certificate.
    pub key: &'a Path,
}

impl<'a> Credentials<'a> {
    /// Those of the tests' server.
    pub fn of_server(pki: &'a Pki) -> Self {
        Self::new(&pki.client_ca.files, &pki.server.files)
    }

    /// Those of the tests' good client.
    pub fn of_client(pki: &'a Pki) -> Self {
        Self::new(&pki.server_ca.files, &pki.good.files)
    }

    fn new(authority: &'a Files, own: &'a Files) -> Self {
        Self {
            trusted: &authority.certificate,
            chain: &own.certificate,
            key: &own.key,
        }
    }
}

/// A command that runs the server, for [`ADDRESS`].
///
/// # Errors
/// When this program cannot find itself.
pub fn server(credentials: Credentials<'_>, version: Version) -> Result<Command> {
    command("serve", version, credentials)
}

/// Tells `command`, which is to be a server or client of this kind, what both are told.
pub fn tell(command: &mut Command, version: Version, credentials: Credentials<'_>) {
    command.args(["--address", &ADDRESS.to_string(), "--version", version.text()]);
    command
        .arg("--ca")
        .arg(credentials.trusted)
        .arg("--cert")
        .arg(credentials.chain)
        .arg("--key")
        .arg(credentials.key);
}

/// A command that runs the client: so many connections, and on each so many bytes to ask for.
///
/// # Errors
/// When this program cannot find itself.
pub fn client(
    credentials: Credentials<'_>,
    version: Version,
    connections: u32,
    bytes: u64,
) -> Result<Command> {
    let mut command = command("load", version, credentials)?;
    command.args([
        "--connections",
        &connections.to_string(),
        "--bytes",
        &bytes.to_string(),
    ]);
    Ok(command)
}

fn command(verb: &str, version: Version, credentials: Credentials<'_>) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("own path")?);
    command.arg(verb);
    tell(&mut command, version, credentials);
    Ok(command)
}

/// [`serve`] for a program of its own on another cryptography provider, told what [`server`]'s command is told, but for
/// the verb.
///
/// # Errors
/// As [`serve`]'s.
pub fn serve_on(provider: fn() -> CryptoProvider, arguments: impl Iterator<Item = String>) -> Result<()> {
    let arguments = std::iter::once("serve".to_owned()).chain(arguments);
    let flags = Flags::from_arg_matches(
        &Flags::augment_args(clap::Command::new("serve")).try_get_matches_from(arguments)?,
    )?;
    serve(&flags, Some(provider))
}

/// What the server process does, until it is killed. Cryptography is ring's unless told otherwise.
///
/// # Errors
/// Configuration that does not work, or no address.
pub fn serve(flags: &Flags, provider: Option<fn() -> CryptoProvider>) -> Result<()> {
    let identity = Identity::read(&flags.cert, &flags.key)?;
    let offer = Offer {
        crypto: provider,
        ..Offer::only(flags.version)
    };
    let config = tls::server(&offer, identity, ClientAuth::Required, Some(&flags.ca))?;
    let (config, listener) = (
        Arc::new(config),
        TcpListener::bind(flags.address).context("listen")?,
    );
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                for stream in listener.incoming() {
                    if let Err(error) = stream
                        .map_err(Into::into)
                        .and_then(|stream| answer(stream, &config))
                    {
                        eprintln!("{error:#}");
                    }
                }
            });
        }
    });
    Ok(())
}

/// One connection of the server.
fn answer(stream: TcpStream, config: &Arc<ServerConfig>) -> Result<()> {
    prepare(&stream)?;
    let tls = ServerConnection::new(Arc::clone(config))?;
    let mut stream = BufReader::new(StreamOwned::new(tls, stream));
    let mut request = String::new();
    stream.read_line(&mut request).context("request")?;
    let bytes: u64 = request
        .trim()
        .strip_prefix("GET ")
        .context("no request")?
        .parse()?;
    let mut stream = stream.into_inner();
    if bytes == 0 {
        stream.write_all(b"nothing\n")?;
    } else {
        let chunk = vec![b'x'; CHUNK];
        let mut left = bytes;
        while left > 0 {
            let part = chunk.get(..usize::try_from(left)?).unwrap_or(&chunk);
            stream.write_all(part).context("answer")?;
            left -= u64::try_from(part.len())?;
        }
    }
    stream.flush()?;
    // The client closes first.
    ensure!(stream.read(&mut [0; 16])? == 0, "a second request");
    Ok(())
}

fn prepare(stream: &TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(())
}

/// What the client process does; it prints one JSON object: `connections`, `bytes`, `seconds`, and those of its CPU, `cpu`.
///
/// # Errors
/// Configuration that does not work, and the first connection that fails.
pub fn load(flags: &Flags) -> Result<()> {
    let identity = Identity::read(&flags.cert, &flags.key)?;
    let mut config = tls::client(&Offer::only(flags.version), &flags.ca, Some(identity))?;
    config.resumption = Resumption::disabled();
    let (config, next) = (Arc::new(config), AtomicU32::new(0));
    let begin = Instant::now();
    let caller = || -> Result<()> {
        while next.fetch_add(1, Ordering::Relaxed) < flags.connections {
            call(flags, &config)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS.min(flags.connections))
            .map(|_| scope.spawn(caller))
            .collect();
        callers
            .into_iter()
            .try_for_each(|caller| caller.join().ok().context("a caller panicked")?)
    })?;
    let report: Value = json!({
        "connections": flags.connections,
        "bytes": flags.bytes * u64::from(flags.connections),
        "seconds": begin.elapsed().as_secs_f64(),
        "cpu": cpu_time(std::process::id())?.as_secs_f64(),
    });
    println!("{report}");
    Ok(())
}

/// One connection of the client.
fn call(flags: &Flags, config: &Arc<ClientConfig>) -> Result<()> {
    let stream = TcpStream::connect(flags.address).context("connect")?;
    prepare(&stream)?;
    let tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(SERVER_NAME)?)?;
    let mut stream = StreamOwned::new(tls, stream);
    let request = match &flags.request {
        Some(request) => request.clone(),
        None => format!("GET {}\n", flags.bytes),
    };
    stream.write_all(request.as_bytes()).context("request")?;
    let mut buffer = vec![0; CHUNK];
    let mut left = flags.bytes;
    loop {
        let count = stream.read(&mut buffer).context("answer")?;
        let got = buffer.get(..count).unwrap_or_default();
        ensure!(!got.is_empty(), "the answer ends early");
        left = left.saturating_sub(u64::try_from(count)?);
        if left == 0 && (flags.bytes > 0 || got.contains(&b'\n')) {
            break;
        }
    }
    stream.conn.send_close_notify();
    stream.conn.complete_io(&mut stream.sock).context("close")?;
    Ok(())
}
