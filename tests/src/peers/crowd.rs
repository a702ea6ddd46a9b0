//! Many clients at once, each with a certificate of its own: all connect, and when all are connected all begin their
//! handshakes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use serde::{Deserialize, Serialize};

use super::tls::{self, Identity, Offer};
use super::{Place, Version, rustls as rustls_peer};
use crate::pki::SERVER_NAME;

/// How long a member waits for its server, which has all the others to serve.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// More than a handshake in an unoptimised build needs.
const STACK_BYTES: usize = 512 * 1024;
/// Whatever is served, something is answered to this.
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

/// One client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Certificate and key, PEM, if it has one.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The version that it speaks.
    pub version: Version,
}

/// What became of a member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fate {
    /// Its number, from 0.
    pub member: usize,
    /// Its TCP port.
    pub port: u16,
    /// The server answered its request.
    pub answered: bool,
    /// What it was told instead, if anything.
    pub error: Option<String>,
}

/// Sends all members to a server and gives their fates, in their order.
///
/// # Errors
/// When a member could not connect. A handshake that fails is no error.
pub fn converse(
    place: Place<'_>,
    trusted: &Path,
    address: SocketAddr,
    members: &[Member],
    directory: &Path,
) -> Result<Vec<Fate>> {
    let file = directory.join("crowd.json");
    std::fs::write(&file, serde_json::to_vec(members)?).context("the crowd")?;
    let mut command: Command = rustls_peer::peer("crowd", address)?;
    command.arg("--trusted").arg(trusted).arg("--members").arg(&file);
    let mut process = place.spawn(&mut command)?;
    let status = process.wait(PATIENCE * 2)?;
    ensure!(status.success(), "{status}: {}", process.transcript());
    let mut fates = process
        .stdout()
        .iter()
        .map(|line| serde_json::from_str(line).with_context(|| line.clone()))
        .collect::<Result<Vec<Fate>>>()?;
    fates.sort_by_key(|fate| fate.member);
    let all = fates.iter().map(|fate| fate.member).eq(0..members.len());
    ensure!(all, "{} of {} members reported", fates.len(), members.len());
    Ok(fates)
}

/// What the `crowd` process does: prints a [`Fate`] for each member.
///
/// # Errors
/// When files cannot be read, or a member cannot connect.
pub fn run(address: SocketAddr, trusted: &Path, members: &Path) -> Result<()> {
    let text = std::fs::read(members).with_context(|| members.display().to_string())?;
    let members: Vec<Member> = serde_json::from_slice(&text).context("the crowd")?;
    let ready = Arc::new(Barrier::new(members.len()));
    let mut threads = Vec::new();
    for (number, member) in members.into_iter().enumerate() {
        let config = Arc::new(config(trusted, &member)?);
        // All are connected before any speaks.
        let stream = TcpStream::connect(address).context("connect")?;
        let ready = Arc::clone(&ready);
        let meet = move || -> Result<Fate> {
            let port = stream.local_addr()?.port();
            ready.wait();
            let met = meet(stream, config);
            Ok(Fate {
                member: number,
                port,
                answered: met.is_ok(),
                error: met.err().map(|error| format!("{error:#}")),
            })
        };
        threads.push(std::thread::Builder::new().stack_size(STACK_BYTES).spawn(meet)?);
    }
    for thread in threads {
        let fate = thread.join().map_err(|_| anyhow!("a member panicked"))??;
        println!("{}", serde_json::to_string(&fate)?);
    }
    Ok(())
}

fn config(trusted: &Path, member: &Member) -> Result<ClientConfig> {
    let identity = match &member.identity {
        None => None,
        Some((chain, key)) => Some(Identity::read(chain, key)?),
    };
    tls::client(&Offer::only(member.version), trusted, identity)
}

fn meet(mut stream: TcpStream, config: Arc<ClientConfig>) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut tls = ClientConnection::new(config, ServerName::try_from(SERVER_NAME)?)?;
    let mut connection = rustls::Stream::new(&mut tls, &mut stream);
    connection.write_all(REQUEST)?;
    ensure!(connection.read(&mut [0; 4096])? > 0, "closed without an answer");
    tls.send_close_notify();
    // The server may have gone already.
    let _ = tls.complete_io(&mut stream);
    Ok(())
}
