//! OpenSSL's peers as witnesses: they log each message, and the client prints what was negotiated.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::log::{self, Logged};
use super::stage::Stage;
use crate::fixtures::{Told, What};
use crate::peers::{ClientAuth, Place, openssl};
use crate::poll::{self, PATIENCE};
use crate::process::Process;

/// What a client says. It reads the same backwards, like the answer of a server that turns it round.
pub const CALL: &str = "racecar";
/// Log of the server in the scenario's directory.
const SERVER_LOG: &str = "server.log";

/// Starts a server that logs its messages. Its arguments may hold what [`Stage::expand`] replaces.
///
/// # Errors
/// When it does not come up.
pub fn serve(
    stage: &Stage<'_>,
    address: SocketAddr,
    auth: ClientAuth,
    arguments: &[&str],
) -> Result<Process> {
    serve_at(stage, stage.place(), address, auth, arguments)
}

/// The same, elsewhere than on the stage.
///
/// # Errors
/// When it does not come up.
pub fn serve_at(
    stage: &Stage<'_>,
    place: Place<'_>,
    address: SocketAddr,
    auth: ClientAuth,
    arguments: &[&str],
) -> Result<Process> {
    let mut command = openssl::server(stage.pki(), address, None, auth);
    command.arg("-msg").arg("-msgfile").arg(stage.file(SERVER_LOG));
    command.args(arguments.iter().map(|argument| stage.expand(argument)));
    place.serve(&mut command, address)
}

/// What the client, or for other clients the server, told of a connection.
#[derive(Debug)]
pub struct Heard {
    /// The server answered over the established connection.
    pub answered: bool,
    /// The client's output.
    pub text: String,
    /// All messages.
    pub logged: Vec<Logged>,
}

/// Runs `s_client` to its end: it says one line, waits for the answer and closes; in between it may renegotiate, and say
/// and hear the line again.
///
/// # Errors
/// When it does not end in time.
pub fn call(stage: &Stage<'_>, address: SocketAddr, arguments: &[&str], renegotiate: bool) -> Result<Heard> {
    let log = stage.file("client.log");
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-connect",
        &address.to_string(),
        "-verify_return_error",
    ]);
    command
        .arg("-CAfile")
        .arg(&stage.pki().server_ca.files.certificate);
    command.arg("-msg").arg("-msgfile").arg(&log);
    command.args(arguments.iter().map(|argument| stage.expand(argument)));
    let mut client = stage.place().spawn(&mut command)?;
    // A client that was refused may have ended; then nobody reads what it is told.
    let _ = client.write(format!("{CALL}\n").as_bytes());
    let mut answered = hears_echo(&client, 1);
    if answered && renegotiate {
        let _ = client.write(b"R\n");
        let done = || Ok((std::fs::read_to_string(&log)?.matches(", Finished").count() == 4).then_some(()));
        poll::until("the second handshake", PATIENCE, done).with_context(|| client.transcript())?;
        let _ = client.write(format!("{CALL}\n").as_bytes());
        answered = hears_echo(&client, 2);
    }
    let _ = client.write(b"Q\n");
    client.close_stdin();
    client.wait(PATIENCE)?;
    let text = client.stdout().join("\n") + "\n" + &client.stderr();
    let messages = std::fs::read_to_string(&log).with_context(|| client.transcript())?;
    Ok(Heard {
        answered,
        text,
        logged: log::read(&messages, true)?,
    })
}

fn hears_echo(client: &Process, count: usize) -> bool {
    let heard = |lines: &[String]| {
        let echoes = lines.iter().filter(|line| line.contains(CALL)).count();
        (echoes >= count).then_some(())
    };
    client.wait_stdout("the echo", PATIENCE, heard).is_ok()
}

/// What the server logged of all its connections, as the client's side would.
///
/// # Errors
/// When there is no such log.
pub fn server_log(stage: &Stage<'_>) -> Result<Vec<Logged>> {
    let text = std::fs::read_to_string(stage.file(SERVER_LOG)).context(SERVER_LOG)?;
    log::read(&text, false)
}

/// The messages that went in plaintext.
pub fn plaintext(logged: &[Logged]) -> Vec<Told> {
    logged
        .iter()
        .filter(|entry| !entry.encrypted)
        .map(|entry| entry.told)
        .collect()
}

impl Heard {
    /// The rest of the first line that has `key`.
    pub fn after(&self, key: &str) -> Option<&str> {
        let found = self.text.lines().find_map(|line| line.split_once(key));
        found.map(|(_, rest)| rest.trim())
    }

    /// Whether `from_client` sent an alert of this description, encrypted or not.
    pub fn has_alert(&self, from_client: bool, code: u8) -> bool {
        self.logged.iter().any(|entry| {
            entry.told.from_client == from_client
                && matches!(entry.told.what, What::Alert(_, description) if description == code)
        })
    }

    /// What the client says was negotiated, as paths of an event.
    pub fn negotiated(&self, stage: &Stage<'_>) -> Map<String, Value> {
        let mut found = Map::new();
        let answered = self.logged.iter().any(|entry| {
            let is_hello = matches!(entry.told.what, What::Handshake(2, _));
            is_hello && !entry.told.from_client
        });
        if !answered {
            return found;
        }
        let version = self.after("    Protocol  :").or_else(|| {
            let chosen = self.after("New, ").or_else(|| self.after("Reused, "))?;
            chosen.split(',').next()
        });
        if let Some(version) = version.and_then(|text| text.strip_prefix("TLSv")) {
            // OpenSSL calls TLS 1.0 "TLSv1".
            let version = if version == "1" { "1.0" } else { version };
            found.insert("tls.version".into(), version.into());
        }
        let cipher = self.after("    Cipher    :").or_else(|| self.after("Cipher is "));
        if let Some(name) = cipher.and_then(|name| stage.materials.suite(name)) {
            found.insert("tls.cipher".into(), name.into());
        }
        if let Some(group) = self.after("Server Temp Key:").and_then(group) {
            found.insert("tls.curve".into(), group.into());
        }
        if self.answered {
            found.insert("tls.resumed".into(), self.text.contains("Reused, ").into());
        }
        let is_tls13 = found.get("tls.version").is_some_and(|version| version == "1.3");
        if let Some(protocol) = self.after("ALPN protocol:").filter(|_| !is_tls13) {
            found.insert("tls.next_protocol".into(), protocol.into());
        }
        found
    }
}

/// The IANA name of a group by what OpenSSL prints of the server's key; none for classic Diffie-Hellman, which has no
/// name before TLS 1.3.
fn group(key: &str) -> Option<&'static str> {
    Some(match key.trim_start_matches("ECDH, ").split(',').next()? {
        "X25519" => "x25519",
        "X448" => "x448",
        "prime256v1" => "secp256r1",
        "secp384r1" => "secp384r1",
        "secp521r1" => "secp521r1",
        _ => return None,
    })
}
