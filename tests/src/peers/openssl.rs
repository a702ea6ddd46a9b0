//! OpenSSL's command line server and client.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{ClientAuth, Place, Version};
use crate::pki::{Leaf, Pki};
use crate::poll::PATIENCE;
use crate::process::Process;

/// What a client says over an established connection. It reads the same backwards, so a server that turns it round
/// ([`server`]) and one that echoes it answer the same.
const CALL: &str = "racecar";

/// `-tls1_2` or `-tls1_3`; nothing for both.
fn version_flag(version: Option<Version>) -> Option<&'static str> {
    version.map(|version| match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    })
}

/// A command for `openssl s_server` that sends each line back in reverse. Further options may be appended.
pub fn server(pki: &Pki, address: SocketAddr, version: Option<Version>, auth: ClientAuth) -> Command {
    let mut command = Command::new("openssl");
    command.args(["s_server", "-rev", "-accept", &address.to_string()]);
    command
        .arg("-cert")
        .arg(&pki.server.files.certificate)
        .arg("-key")
        .arg(&pki.server.files.key);
    command.args(version_flag(version));
    if auth != ClientAuth::None {
        command
            .arg("-CAfile")
            .arg(&pki.client_ca.files.certificate)
            .arg("-verify_return_error");
        command.args([
            if auth == ClientAuth::Required {
                "-Verify"
            } else {
                "-verify"
            },
            "1",
        ]);
    }
    command
}

/// A command for `openssl s_client`. It checks the server against `trusted`; further options may be appended.
pub fn client(
    trusted: &Path,
    address: SocketAddr,
    version: Option<Version>,
    server_name: &str,
    certificate: Option<&Leaf>,
) -> Command {
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-quiet",
        "-no_ign_eof",
        "-verify_return_error",
        "-connect",
        &address.to_string(),
    ]);
    command
        .arg("-CAfile")
        .arg(trusted)
        .args(["-servername", server_name]);
    command.args(version_flag(version));
    if let Some(leaf) = certificate {
        command
            .arg("-cert")
            .arg(&leaf.files.certificate)
            .arg("-key")
            .arg(&leaf.files.key);
    }
    command
}

/// How a client's connection went.
#[derive(Debug)]
pub struct Conversation {
    /// The server answered over the established connection.
    pub answered: bool,
    /// What the client said on standard error.
    pub stderr: String,
}

/// Runs a client to its end: it says one line, waits for the answer or for the end of the connection, and closes.
///
/// # Errors
/// When it neither gets an answer nor ends in time.
pub fn converse(place: Place<'_>, command: &mut Command) -> Result<Conversation> {
    let mut client = place.spawn(command)?;
    // A client that was refused may have ended already; its exit status tells.
    let _ = client.write(format!("{CALL}\n").as_bytes());
    let heard = |lines: &[String]| lines.iter().any(|line| line.contains(CALL)).then_some(());
    let answered = client.wait_stdout("the echo", PATIENCE, heard).is_ok();
    client.close_stdin();
    client.wait(PATIENCE)?;
    Ok(Conversation {
        answered,
        stderr: client.stderr(),
    })
}

/// As [`converse`], but renegotiates and says its line again. Whether it was answered both times.
///
/// # Errors
/// When it does not end in time.
pub fn converse_twice(place: Place<'_>, command: &mut Command) -> Result<bool> {
    let mut client = place.spawn(command)?;
    let say_and_hear = |client: &mut Process, answers| {
        let _ = client.write(format!("{CALL}\n").as_bytes());
        let heard = |lines: &[String]| {
            let echoes = lines.iter().filter(|line| line.contains(CALL)).count();
            (echoes >= answers).then_some(())
        };
        client.wait_stdout("the echo", PATIENCE, heard).is_ok()
    };
    let mut answered = say_and_hear(&mut client, 1);
    // It must stand alone in what the client reads at once.
    client.write(b"R\n")?;
    let begun = |lines: &[String]| lines.iter().any(|line| line == "RENEGOTIATING").then_some(());
    client.wait_stderr("the renegotiation", PATIENCE, begun)?;
    answered &= say_and_hear(&mut client, 2);
    client.close_stdin();
    client.wait(PATIENCE)?;
    Ok(answered)
}
