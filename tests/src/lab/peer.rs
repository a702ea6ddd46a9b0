//! What the laboratory asks of a TLS library: a server and a client that are told what to do, and that report for each
//! connection what they think became of it. The reports of both ends are the truth that events are compared with.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::case::identity;
use crate::copies::program_in_path;
use crate::peers::{ClientAuth, Version};
use crate::pki::Pki;
use crate::process::Process;

/// How long a peer of the laboratory waits for the other end before it gives up and reports [`Fault::TimedOut`].
/// Longer than the agent's handshake timeout in the laboratory.
pub const PEER_PATIENCE: Duration = Duration::from_secs(PATIENCE_SECONDS as u64);
/// The same in seconds, for plans of servers.
pub const PATIENCE_SECONDS: u16 = 8;

/// What a client says over an established connection: a request that servers of every kind understand. A server that
/// speaks no HTTP may answer with any one line.
pub const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";

/// A certificate chain with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity<'a> {
    /// PEM, leaf first.
    #[serde(borrow)]
    pub chain: &'a Path,
    /// PEM, PKCS#8.
    #[serde(borrow)]
    pub key: &'a Path,
}

/// What a server does when its handshake is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Reads what the client says, answers once with a line or an HTTP response, and waits for the client's close.
    #[default]
    Answers,
    /// Says a line at once, before it has read anything, then as [`Service::Answers`].
    SpeaksFirst,
    /// Closes at once, with close_notify.
    Closes,
}

/// What a client does when its handshake is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Says [`REQUEST`], reads some answer, closes with close_notify.
    #[default]
    Requests,
    /// Closes at once, with close_notify, without reading anything.
    ClosesAtOnce,
    /// Says and reads nothing for this long, then closes with close_notify.
    Idles(Duration),
    /// Like [`Behaviour::Requests`], with a KeyUpdate (TLS 1.3) before the request.
    UpdatesKey,
}

/// What a server is to be. As JSON it is the argument of the servers that the project has written itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ServerPlan<'a> {
    /// Where to listen.
    pub address: SocketAddr,
    /// The only version; both when absent.
    pub version: Option<Version>,
    /// Its certificate.
    #[serde(borrow)]
    pub identity: Identity<'a>,
    /// What it wants of clients.
    pub auth: ClientAuth,
    /// The CA of its clients, PEM; there whenever `auth` asks.
    #[serde(borrow)]
    pub client_ca: &'a Path,
    /// Revocation list of `client_ca`, PEM, to be enforced.
    #[serde(borrow)]
    pub crl: Option<&'a Path>,
    /// How many session tickets it gives in TLS 1.3; the library's default when absent.
    pub tickets: Option<u8>,
    /// The only cipher suite, IANA name; the library's default list when absent. See [`openssl_cipher`].
    #[serde(borrow)]
    pub cipher: Option<&'a str>,
    /// The only key exchange group: `x25519`, `secp256r1`, `secp384r1`; the library's defaults when absent.
    #[serde(borrow)]
    pub group: Option<&'a str>,
    /// The only ALPN protocol; no ALPN when absent. A client that offers others only is refused.
    #[serde(borrow)]
    pub alpn: Option<&'a str>,
    /// Pads records of TLS 1.3 to a multiple of this many bytes.
    pub padding: Option<u16>,
    /// Takes early data.
    pub early_data: bool,
    /// Asks for the client's certificate after the handshake (TLS 1.3).
    pub post_handshake_auth: bool,
    /// The only server name it serves; any other is answered with the alert unrecognized_name.
    #[serde(borrow)]
    pub only_name: Option<&'a str>,
    /// What it does once connected.
    pub service: Service,
    /// After how many seconds a connection that says nothing is given up.
    pub patience: u16,
    /// A directory of its own for configuration and log files; exists.
    #[serde(borrow)]
    pub directory: &'a Path,
}

impl<'a> ServerPlan<'a> {
    /// A server with a good certificate that asks for none, has its library's defaults, and answers.
    pub fn plain(address: SocketAddr, pki: &'a Pki, directory: &'a Path) -> Self {
        Self {
            address,
            version: None,
            identity: identity(&pki.server),
            auth: ClientAuth::None,
            client_ca: &pki.client_ca.files.certificate,
            crl: None,
            tickets: None,
            cipher: None,
            group: None,
            alpn: None,
            padding: None,
            early_data: false,
            post_handshake_auth: false,
            only_name: None,
            service: Service::Answers,
            patience: PATIENCE_SECONDS,
            directory,
        }
    }
}

/// What a client is to do. As JSON it is the argument of the clients that the project has written itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ClientPlan<'a> {
    /// The server.
    pub address: SocketAddr,
    /// The local port to use; only there when `count` is 1. A stack that reports ports itself may ignore it.
    pub port: Option<u16>,
    /// The only version; both when absent.
    pub version: Option<Version>,
    /// The CA of the server's certificate, PEM; it is always checked.
    #[serde(borrow)]
    pub trusted: &'a Path,
    /// The name to ask for, and to find in the server's certificate.
    #[serde(borrow)]
    pub server_name: &'a str,
    /// What to show when asked.
    #[serde(borrow)]
    pub identity: Option<Identity<'a>>,
    /// The `identity` is not a well-formed certificate: it must be sent as it stands, without being looked at. A stack
    /// that cannot, gives no command.
    pub unchecked_identity: bool,
    /// How many connections to make, one after the other, each on a new TCP connection.
    pub count: u32,
    /// Later connections resume the session of the ones before.
    pub resume: bool,
    /// Resuming connections send [`REQUEST`] as early data.
    pub early_data: bool,
    /// The only cipher suite, IANA name.
    #[serde(borrow)]
    pub cipher: Option<&'a str>,
    /// The only key exchange group, named as in [`ServerPlan::group`].
    #[serde(borrow)]
    pub group: Option<&'a str>,
    /// The only ALPN protocol; no ALPN when absent.
    #[serde(borrow)]
    pub alpn: Option<&'a str>,
    /// Pads records of TLS 1.3 to a multiple of this many bytes.
    pub padding: Option<u16>,
    /// Offers post_handshake_auth and answers such a request.
    pub post_handshake_auth: bool,
    /// What it does once connected.
    pub behaviour: Behaviour,
    /// A directory of its own for files; exists.
    #[serde(borrow)]
    pub directory: &'a Path,
}

/// What a side says ended its handshake, or its connection soon after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// This side refused the other: its certificate, its offer, its bytes.
    Refused,
    /// The other side sent a fatal alert.
    Alerted,
    /// The other side closed (FIN or close_notify) where more was due.
    Closed,
    /// The connection was reset, or a write failed because the other side had gone.
    Reset,
    /// Nothing came for [`PEER_PATIENCE`].
    TimedOut,
}

/// What one side reports of one connection. A program of ours prints one as a line of JSON for each connection, when that
/// is over; fields it cannot know are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The client's TCP port; without it reports and connections are joined in their order.
    pub port: Option<u16>,
    /// Whether this side's TLS library called the handshake complete (a TLS 1.3 client may, and be refused after).
    pub completed: Option<bool>,
    /// The library's own error text, of the handshake, or of what came after it instead of the expected answer.
    pub error: Option<String>,
    /// What `error` means; the laboratory reads it from the text when absent.
    pub fault: Option<Fault>,
    /// Servers: a client certificate was received, be it accepted or not.
    pub peer_certificate: Option<bool>,
    /// Clients: the server asked for a certificate.
    pub requested: Option<bool>,
    /// Whether a session was resumed.
    pub resumed: Option<bool>,
    /// Whether early data was accepted.
    pub early_data: Option<bool>,
}

/// What a peer process has written so far.
pub struct Output<'a> {
    /// Lines of standard output.
    pub stdout: &'a [String],
    /// Standard error.
    pub stderr: &'a str,
    /// The plan's directory, for log files.
    pub directory: &'a Path,
}

/// A TLS library, or a server or client built on one, in the laboratory.
pub trait Stack: Send + Sync {
    /// Its name in tables, with what tells it from its like: `python`, `python-asyncio`, `rustls-ring`.
    fn name(&self) -> &'static str;

    /// What is missing on this machine, in words, if something is.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// The server of this plan: a program that listens and serves until it is killed, connections one after the other or
    /// many at once. `None` if it cannot be so.
    ///
    /// # Errors
    /// When files cannot be written or programs are missing.
    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>>;

    /// The client of this plan: a program that ends by itself. `None` if it cannot be so.
    ///
    /// # Errors
    /// When files cannot be written or programs are missing.
    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>>;

    /// Whether its client can make more than one connection; [`ClientPlan::count`] is always 1 if not, and the laboratory
    /// starts it several times, with the same directory.
    fn loops(&self) -> bool {
        true
    }

    /// Leads a client through its part where the program does not do so by itself, up to the end of its standard input.
    /// The laboratory then waits for the program's end.
    ///
    /// # Errors
    /// When the process does not do its part at all; a refused connection is no error.
    fn lead(&self, _plan: &ClientPlan<'_>, process: &mut Process) -> Result<()> {
        process.close_stdin();
        Ok(())
    }

    /// Every finished connection that the server has reported so far, in order.
    ///
    /// # Errors
    /// When the output makes no sense.
    fn server_reports(&self, output: &Output<'_>) -> Result<Vec<Report>> {
        json_reports(output)
    }

    /// Every connection that the client has reported, in order.
    ///
    /// # Errors
    /// When the output makes no sense.
    fn client_reports(&self, output: &Output<'_>) -> Result<Vec<Report>> {
        json_reports(output)
    }
}

/// Says that a program is not in `PATH`, if so: what [`Stack::lacks`] gives.
pub fn missing_program(name: &str) -> Option<String> {
    let found = program_in_path(name).is_some();
    (!found).then(|| format!("no {name}"))
}

/// The reports among the lines of standard output: each line that begins with a brace.
///
/// # Errors
/// When such a line is no [`Report`].
pub fn json_reports(output: &Output<'_>) -> Result<Vec<Report>> {
    let lines = output.stdout.iter().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).with_context(|| format!("no report: {line}")))
        .collect()
}

/// OpenSSL's name of a cipher suite with an IANA name. TLS 1.3 suites have the same in both.
pub fn openssl_cipher(iana: &str) -> String {
    match iana.split_once("_WITH_") {
        None => iana.to_owned(),
        Some((exchange, cipher)) => {
            let exchange = exchange.trim_start_matches("TLS_");
            let cipher = cipher
                .replace("AES_", "AES")
                .replace("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305");
            let name = match exchange {
                "RSA" => cipher,
                _ => format!("{exchange}_{cipher}"),
            };
            name.replace("_CBC_", "_").replace('_', "-")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::openssl_cipher;

    #[test]
    fn suites_have_the_names_that_openssl_knows() {
        for (iana, openssl) in [
            ("TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256"),
            (
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                "ECDHE-ECDSA-AES128-GCM-SHA256",
            ),
            (
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                "ECDHE-RSA-CHACHA20-POLY1305",
            ),
            (
                "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
                "ECDHE-ECDSA-AES256-SHA384",
            ),
            ("TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ] {
            assert_eq!(openssl_cipher(iana), openssl);
        }
    }
}
