//! rustls servers and clients: how the tests start them (as processes, for a cgroup holds processes), and what those
//! processes do.

mod process;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::{CipherSuite, NamedGroup};
use serde_json::Value;

use super::tls::Offer;
use super::{ClientAuth, Place, Version};
use crate::pki::{Leaf, Pki};
use crate::poll::PATIENCE;

pub use process::{run_client, run_server};

/// How long a peer waits for the other end.
const SOCKET_PATIENCE: Duration = Duration::from_secs(60);

/// What both peers offer, as flags.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OfferFlags {
    /// The only TLS version: 1.2 or 1.3.
    #[arg(long)]
    pub version: Option<String>,
    /// The only cipher suite, as a hexadecimal code point.
    #[arg(long)]
    pub cipher: Option<String>,
    /// Key exchange groups, as hexadecimal code points.
    #[arg(long)]
    pub group: Vec<String>,
    /// ALPN protocols.
    #[arg(long)]
    pub alpn: Vec<String>,
    /// Largest record, header included.
    #[arg(long)]
    pub fragment: Option<usize>,
}

impl OfferFlags {
    fn parse(&self) -> Result<Offer> {
        let code = |text: &String| u16::from_str_radix(text, 16).with_context(|| text.clone());
        let version = match self.version.as_deref() {
            None => None,
            Some("1.2") => Some(Version::Tls12),
            Some("1.3") => Some(Version::Tls13),
            Some(other) => bail!("no such version: {other}"),
        };
        Ok(Offer {
            version,
            cipher: self.cipher.as_ref().map(code).transpose()?.map(CipherSuite::from),
            groups: self
                .group
                .iter()
                .map(|text| code(text).map(NamedGroup::from))
                .collect::<Result<_>>()?,
            alpn: self.alpn.clone(),
            fragment: self.fragment,
            crypto: None,
        })
    }

    fn put(offer: &Offer, command: &mut Command) {
        let mut flag = |name: &str, value: String| {
            command.arg(name).arg(value);
        };
        offer
            .version
            .iter()
            .for_each(|version| flag("--version", version.text().to_owned()));
        offer
            .cipher
            .iter()
            .for_each(|cipher| flag("--cipher", format!("{:x}", u16::from(*cipher))));
        offer
            .groups
            .iter()
            .for_each(|group| flag("--group", format!("{:x}", u16::from(*group))));
        offer
            .alpn
            .iter()
            .for_each(|protocol| flag("--alpn", protocol.clone()));
        offer
            .fragment
            .iter()
            .for_each(|bytes| flag("--fragment", bytes.to_string()));
    }
}

/// The `server` subcommand of the `peer` binary: sends back what it gets.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerFlags {
    /// Address to listen on.
    #[arg(long)]
    pub listen: SocketAddr,
    /// Certificate chain, PEM.
    #[arg(long)]
    pub cert: PathBuf,
    /// Key, PEM.
    #[arg(long)]
    pub key: PathBuf,
    /// Ask for client certificates of this CA.
    #[arg(long)]
    pub client_ca: Option<PathBuf>,
    /// Go on without a client certificate.
    #[arg(long)]
    pub optional: bool,
    /// Speak SMTP until STARTTLS.
    #[arg(long)]
    pub smtp: bool,
    /// What to offer.
    #[command(flatten)]
    pub offer: OfferFlags,
}

/// The `client` subcommand of the `peer` binary.
#[derive(Clone, Debug, clap::Args)]
pub struct ClientFlags {
    /// The server.
    #[arg(long)]
    pub connect: SocketAddr,
    /// The server's CA, PEM.
    #[arg(long)]
    pub ca: PathBuf,
    /// Name to ask for and check.
    #[arg(long)]
    pub server_name: String,
    /// Local port.
    #[arg(long)]
    pub bind_port: Option<u16>,
    /// Certificate chain, PEM.
    #[arg(long, requires = "key")]
    pub cert: Option<PathBuf>,
    /// Key, PEM.
    #[arg(long)]
    pub key: Option<PathBuf>,
    /// How many connections to make.
    #[arg(long, default_value_t = 1)]
    pub count: u32,
    /// How many of them at once.
    #[arg(long, default_value_t = 1)]
    pub threads: u32,
    /// Resume the first connection's session in the later ones.
    #[arg(long)]
    pub resume: bool,
    /// Bytes to send and get back on each connection.
    #[arg(long, default_value_t = 8)]
    pub payload: usize,
    /// Bytes to send before waiting for their echo.
    #[arg(long, default_value_t = 1024)]
    pub chunk: usize,
    /// What the payload repeats.
    #[arg(long, default_value = "payload ")]
    pub canary: String,
    /// Send the handshake in segments of this many bytes.
    #[arg(long)]
    pub split: Option<usize>,
    /// Copy the connection's bytes into files of this name, ending in `.sent` and `.received`.
    #[arg(long)]
    pub record: Option<PathBuf>,
    /// What to offer.
    #[command(flatten)]
    pub offer: OfferFlags,
}

/// Path of the `peer` binary: beside the running one, or a directory above it.
fn peer_binary() -> Result<PathBuf> {
    let own = std::env::current_exe().context("own path")?;
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("peer"))
        .find(|path| path.exists());
    found.with_context(|| {
        format!(
            "no `peer` beside {}: cargo build -p observer-tests",
            own.display()
        )
    })
}

/// A command for the `peer` binary.
///
/// # Errors
/// When it has not been built.
pub fn peer(subcommand: &str, address: SocketAddr) -> Result<Command> {
    let mut command = peer_command(subcommand)?;
    let flag = if subcommand.ends_with("server") {
        "--listen"
    } else {
        "--connect"
    };
    command.arg(flag).arg(address.to_string());
    Ok(command)
}

/// The same of a peer that neither listens nor connects.
///
/// # Errors
/// When it has not been built.
pub fn peer_command(subcommand: &str) -> Result<Command> {
    let mut command = Command::new(peer_binary()?);
    command.arg(subcommand);
    Ok(command)
}

/// A command for a rustls server. Further flags of [`ServerFlags`] may be appended.
///
/// # Errors
/// When the `peer` binary has not been built.
pub fn server(pki: &Pki, address: SocketAddr, offer: &Offer, auth: ClientAuth) -> Result<Command> {
    let mut command = peer("server", address)?;
    command
        .arg("--cert")
        .arg(&pki.server.files.certificate)
        .arg("--key")
        .arg(&pki.server.files.key);
    if auth != ClientAuth::None {
        command.arg("--client-ca").arg(&pki.client_ca.files.certificate);
    }
    if auth == ClientAuth::Optional {
        command.arg("--optional");
    }
    OfferFlags::put(offer, &mut command);
    Ok(command)
}

/// A command for a rustls client that trusts the tests' server CA. Further flags of [`ClientFlags`] may be appended; a
/// later `--ca` does not replace the first, so a client with other trust is made with [`peer`].
///
/// # Errors
/// When the `peer` binary has not been built.
pub fn client(
    trusted: &std::path::Path,
    address: SocketAddr,
    offer: &Offer,
    server_name: &str,
    certificate: Option<&Leaf>,
) -> Result<Command> {
    let mut command = peer("client", address)?;
    command
        .arg("--ca")
        .arg(trusted)
        .args(["--server-name", server_name]);
    if let Some(leaf) = certificate {
        command
            .arg("--cert")
            .arg(&leaf.files.certificate)
            .arg("--key")
            .arg(&leaf.files.key);
    }
    OfferFlags::put(offer, &mut command);
    Ok(command)
}

/// Runs a client to its end and gives one report for each connection: `ok`, `error`, `resumed`, `local`.
///
/// # Errors
/// When it does not end in time or says something else.
pub fn converse(place: Place<'_>, command: &mut Command) -> Result<Vec<Value>> {
    let mut client = place.spawn(command)?;
    client.wait(PATIENCE.max(SOCKET_PATIENCE))?;
    let reports = client
        .stdout()
        .iter()
        .map(|line| serde_json::from_str(line))
        .collect::<Result<_, _>>();
    reports.with_context(|| client.transcript())
}
