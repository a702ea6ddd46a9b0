//! OpenSSL by its command line programs, which tell on standard error what they see.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::lab::peer::{
    Behaviour, ClientPlan, Identity, Output, REQUEST, Report, ServerPlan, Service, Stack, missing_program,
    openssl_cipher,
};
use crate::peers::{ClientAuth, Version};
use crate::poll::PATIENCE;
use crate::process::Process;

/// `openssl s_server` and `openssl s_client`.
pub struct OpenSsl;

/// How long to wait for the answer to early data before asking in the ordinary way.
const EARLY_ANSWER: Duration = Duration::from_millis(500);

impl Stack for OpenSsl {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn lacks(&self) -> Option<String> {
        missing_program("openssl")
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        // Turning lines round is all that the program does by itself, and not with early data.
        if plan.service != Service::Answers || plan.early_data || plan.post_handshake_auth {
            return Ok(None);
        }
        let mut command = Command::new("openssl");
        command.args(["s_server", "-rev", "-state", "-accept", &plan.address.to_string()]);
        identify(&mut command, plan.identity, plan.directory, "server-issuers.pem")?;
        shared_flags(
            &mut command,
            plan.version,
            plan.cipher,
            plan.group,
            plan.alpn,
            plan.padding,
        );
        if let Some(tickets) = plan.tickets {
            command.args(["-num_tickets", &tickets.to_string()]);
        }
        if plan.auth != ClientAuth::None {
            let insist = plan.auth == ClientAuth::Required;
            command
                .arg("-verify_return_error")
                .arg("-CAfile")
                .arg(plan.client_ca);
            command.args([if insist { "-Verify" } else { "-verify" }, "5"]);
        }
        if let Some(crl) = plan.crl {
            command.arg("-crl_check").arg("-CRL").arg(crl);
        }
        if let Some(name) = plan.only_name {
            command.args(["-servername_fatal", "-servername", name]);
            command.arg("-cert2").arg(plan.identity.chain);
            command.arg("-key2").arg(plan.identity.key);
        }
        Ok(Some(command))
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        // It reads its certificate before it connects.
        if plan.unchecked_identity || plan.behaviour == Behaviour::UpdatesKey {
            return Ok(None);
        }
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-brief",
            "-state",
            "-no_ign_eof",
            "-verify_return_error",
        ]);
        command.args(["-connect", &plan.address.to_string()]);
        if let Some(port) = plan.port {
            command.args(["-bind", &format!("{}:{port}", plan.address.ip())]);
        }
        command.arg("-CAfile").arg(plan.trusted);
        command.args([
            "-servername",
            plan.server_name,
            "-verify_hostname",
            plan.server_name,
        ]);
        if let Some(identity) = plan.identity {
            identify(&mut command, identity, plan.directory, "client-issuers.pem")?;
        }
        shared_flags(
            &mut command,
            plan.version,
            plan.cipher,
            plan.group,
            plan.alpn,
            plan.padding,
        );
        if plan.post_handshake_auth {
            command.arg("-enable_pha");
        }
        if plan.resume {
            let kept: Vec<_> = sessions(plan.directory.to_owned()).collect();
            command.arg("-sess_out").arg(session(plan.directory, kept.len()));
            if let Some(last) = kept.last() {
                command.arg("-sess_in").arg(last);
                if plan.early_data {
                    let request = plan.directory.join("request");
                    fs::write(&request, REQUEST)?;
                    command.arg("-early_data").arg(request);
                }
            }
        }
        Ok(Some(command))
    }

    fn loops(&self) -> bool {
        false
    }

    fn lead(&self, plan: &ClientPlan<'_>, process: &mut Process) -> Result<()> {
        let answered = |lines: &[String]| (!lines.is_empty()).then_some(());
        let ready = |lines: &[String]| {
            lines
                .iter()
                .any(|line| line == "CONNECTION ESTABLISHED")
                .then_some(())
        };
        // A client that was refused ends by itself, and with it the waiting.
        match plan.behaviour {
            Behaviour::Requests | Behaviour::UpdatesKey => {
                let early =
                    plan.early_data && process.wait_stdout("an answer", EARLY_ANSWER, answered).is_ok();
                if !early {
                    let _ = process.write(REQUEST.as_bytes());
                    let _ = process.wait_stdout("an answer", PATIENCE, answered);
                }
            }
            Behaviour::ClosesAtOnce => {}
            Behaviour::Idles(time) => {
                if process.wait_stderr("a handshake", PATIENCE, ready).is_ok() {
                    std::thread::sleep(time);
                }
            }
        }
        process.close_stdin();
        Ok(())
    }

    fn server_reports(&self, output: &Output<'_>) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        let mut lines = output.stderr.lines().peekable();
        let mut said = Vec::new();
        while let Some(line) = lines.next() {
            said.push(line);
            match line {
                "CONNECTION CLOSED" => {}
                // The latter when the connection breaks later.
                "CONNECTION FAILURE" | "ERROR" => {
                    while let Some(error) = lines.next_if(|line| line.contains(":error:")) {
                        said.push(error);
                    }
                }
                _ => continue,
            }
            reports.push(server_report(&said));
            said.clear();
        }
        Ok(reports)
    }

    fn client_reports(&self, output: &Output<'_>) -> Result<Vec<Report>> {
        let said: Vec<_> = output.stderr.lines().collect();
        let completed = said.contains(&"CONNECTION ESTABLISHED");
        let did = |state: &str| said.iter().any(|line| line.ends_with(state));
        let report = Report {
            completed: Some(completed),
            error: error(&said),
            requested: (completed || did("read server certificate request"))
                .then(|| did("read server certificate request")),
            resumed: completed.then(|| !did("read server certificate")),
            ..Report::default()
        };
        Ok(vec![report])
    }
}

/// What the server said of one connection.
fn server_report(said: &[&str]) -> Report {
    let completed = said.contains(&"CONNECTION ESTABLISHED");
    let shown = said.iter().any(|line| line.starts_with("depth=0"));
    let resumed = completed
        && !said
            .iter()
            .any(|line| line.ends_with("write server done") || line.ends_with("write certificate"));
    Report {
        completed: Some(completed),
        error: if completed { None } else { error(said) },
        peer_certificate: (!resumed).then_some(shown),
        resumed: completed.then_some(resumed),
        ..Report::default()
    }
}

/// The errors in what a program said, what the check of a certificate found first; `None` without any.
fn error(said: &[&str]) -> Option<String> {
    let verification = said.iter().find(|line| line.starts_with("verify error:"));
    let errors = said.iter().filter(|line| line.contains(":error:"));
    let all: Vec<_> = verification.into_iter().chain(errors).copied().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Certificate, key, and the certificates between it and the root.
fn identify(command: &mut Command, identity: Identity<'_>, directory: &Path, file: &str) -> Result<()> {
    const END: &str = "-----END CERTIFICATE-----\n";
    command
        .arg("-cert")
        .arg(identity.chain)
        .arg("-key")
        .arg(identity.key);
    let pem = fs::read_to_string(identity.chain).with_context(|| identity.chain.display().to_string())?;
    let issuers = pem.split_once(END).map(|(_, rest)| rest).unwrap_or_default();
    if !issuers.is_empty() {
        let path = directory.join(file);
        fs::write(&path, issuers)?;
        command.arg("-cert_chain").arg(path);
    }
    Ok(())
}

/// Flags that both programs have.
fn shared_flags(
    command: &mut Command,
    version: Option<Version>,
    cipher: Option<&str>,
    group: Option<&str>,
    alpn: Option<&str>,
    padding: Option<u16>,
) {
    command.args(version.map(|version| match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    }));
    if let Some(cipher) = cipher {
        let flag = if cipher.contains("_WITH_") {
            "-cipher"
        } else {
            "-ciphersuites"
        };
        command.args([flag, &openssl_cipher(cipher)]);
    }
    if let Some(group) = group {
        command.args([
            "-groups",
            &group.replace("secp256r1", "P-256").replace("secp384r1", "P-384"),
        ]);
    }
    if let Some(alpn) = alpn {
        command.args(["-alpn", alpn]);
    }
    if let Some(padding) = padding {
        command.args(["-record_padding", &padding.to_string()]);
    }
}

/// The sessions that clients have kept in a directory, the first one first, each in a file of its own.
pub fn sessions(directory: PathBuf) -> impl Iterator<Item = PathBuf> {
    let files = (0..).map(move |number| session(&directory, number));
    files.take_while(|file| file.exists())
}

fn session(directory: &Path, number: usize) -> PathBuf {
    directory.join(format!("session-{number}.pem"))
}
