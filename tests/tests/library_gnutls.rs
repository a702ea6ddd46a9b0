//! What GnuTLS tells at either end: its command line server and client on copies of its library, one handshake at a time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use observer_tests::events::at;
use observer_tests::peers::Version;
use observer_tests::pki::{Leaf, Pki, SERVER_NAME};
use observer_tests::poll::PATIENCE;
use observer_tests::private::PrivateCopies;
use observer_tests::probed;
use observer_tests::process::Process;
use observer_tests::world::{Mode, World};
use serde_json::Value;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
/// Both ends are local, and each tells of the other's certificate.
const LIBRARIES: [&str; 2] = ["--libraries", "gnutls"];

struct Stage {
    world: World,
    copies: PrivateCopies,
    version: Version,
}

/// What one end's library says of a handshake, and what the event is to say for it.
struct Told<'a> {
    outcome: &'a str,
    reason: Option<&'a str>,
    rejected_by: Option<&'a str>,
    /// Part of what the library found.
    verify: Option<&'a str>,
}

impl Stage {
    fn new(version: Version) -> Result<Self> {
        Ok(Self {
            world: World::new(Mode::Cgroup, &[LIBRARIES, probed::FLAGS].concat())?,
            copies: PrivateCopies::new()?,
            version,
        })
    }

    fn priority(&self) -> String {
        format!("--priority=NORMAL:-VERS-ALL:+VERS-TLS{}", self.version.text())
    }

    /// A server that demands certificates and does not accept these.
    fn serve(&self, revoked: &[&Leaf]) -> Result<Process> {
        let pki = &self.world.pki;
        let mut command = Command::new("gnutls-serv");
        command.args([
            "--echo",
            "--quiet",
            "--require-client-cert",
            "--verify-client-cert",
        ]);
        command.args([&self.priority(), "--port", &SERVER.port().to_string()]);
        command.arg("--x509certfile").arg(&pki.server.files.certificate);
        command.arg("--x509keyfile").arg(&pki.server.files.key);
        command.arg("--x509cafile").arg(&pki.client_ca.files.certificate);
        if !revoked.is_empty() {
            let list = pki.client_ca.files.certificate.with_extension("crl");
            pki.client_ca.write_revocation_list(&list, revoked)?;
            command.arg("--x509crlfile").arg(list);
        }
        let server = self.world.place().serve(&mut self.copies.of(&command), SERVER)?;
        ensure!(
            probed::wait(self.world.agent()?, server.pid()),
            "the server has no probes"
        );
        Ok(server)
    }

    /// Runs a client, and gives the event of its handshake.
    fn call(&mut self, trusted: &Path, name: &str, leaf: Option<&Leaf>) -> Result<Value> {
        let mut command = Command::new("gnutls-cli");
        command.args([&self.priority(), "--port", &SERVER.port().to_string()]);
        command.args(["--sni-hostname", SERVER_NAME, "--verify-hostname", name]);
        command.arg("--x509cafile").arg(trusted);
        if let Some(leaf) = leaf {
            command.arg("--x509certfile").arg(&leaf.files.certificate);
            command.arg("--x509keyfile").arg(&leaf.files.key);
        }
        command.arg(SERVER.ip().to_string());
        let mut client = self.world.place().spawn(&mut self.copies.of(&command))?;
        let event = self.world.next_event();
        client.close_stdin();
        client.wait(PATIENCE)?;
        event.with_context(|| client.transcript())
    }
}

fn expect(event: &Value, told: &Told<'_>, server: &Leaf, client: Option<&Leaf>) -> Result<()> {
    let text = |path: &str| at(event, path).as_str();
    let verify = text("handshake.library_verify");
    let as_told = text("handshake.source") == Some("both")
        && text("handshake.outcome") == Some(told.outcome)
        && text("handshake.reason") == told.reason
        && text("handshake.rejected_by") == told.rejected_by
        && told
            .verify
            .is_none_or(|term| verify.is_some_and(|verify| verify.contains(term)))
        && text("tls.server.x509.serial_number") == Some(&server.serial)
        && text("tls.client.x509.serial_number") == client.map(|leaf| leaf.serial.as_str());
    ensure!(as_told, "not as GnuTLS told:\n{event:#}");
    Ok(())
}

/// A server tells what is wrong with each client.
fn servers_tell(version: Version) -> Result<()> {
    let mut stage = Stage::new(version)?;
    let trusted = stage.world.pki.server_ca.files.certificate.clone();
    let Pki {
        server,
        good,
        expired,
        not_yet_valid,
        unknown_ca,
        ..
    } = &stage.world.pki;
    let server = server.clone();
    let cases = [
        (Some(good), None, Some("GNUTLS_CERT_VALID")),
        (None, Some("missing"), None),
        (Some(expired), Some("expired"), Some("GNUTLS_CERT_EXPIRED")),
        (
            Some(not_yet_valid),
            Some("not_yet_valid"),
            Some("GNUTLS_CERT_NOT_ACTIVATED"),
        ),
        (
            Some(unknown_ca),
            Some("unknown_ca"),
            Some("GNUTLS_CERT_SIGNER_NOT_FOUND"),
        ),
    ]
    .map(|(leaf, fault, verify)| (leaf.cloned(), fault, verify));
    let _server = stage.serve(&[])?;
    for (leaf, fault, verify) in cases {
        let event = stage.call(&trusted, SERVER_NAME, leaf.as_ref())?;
        let reason = fault.map(|fault| format!("client_certificate_{fault}"));
        let told = Told {
            outcome: fault.map_or("established", |_| "rejected"),
            reason: reason.as_deref(),
            rejected_by: fault.map(|_| "server"),
            verify,
        };
        expect(&event, &told, &server, leaf.as_ref())?;
    }
    Ok(())
}

#[test]
fn a_server_tells_what_is_wrong_with_a_client_in_tls_1_2() -> Result<()> {
    servers_tell(Version::Tls12)
}

#[test]
fn a_server_tells_what_is_wrong_with_a_client_in_tls_1_3() -> Result<()> {
    servers_tell(Version::Tls13)
}

#[test]
fn a_server_tells_of_a_revoked_client() -> Result<()> {
    let mut stage = Stage::new(Version::Tls13)?;
    let (server, revoked) = (stage.world.pki.server.clone(), stage.world.pki.good.clone());
    let trusted = stage.world.pki.server_ca.files.certificate.clone();
    let _server = stage.serve(&[&revoked])?;
    let event = stage.call(&trusted, SERVER_NAME, Some(&revoked))?;
    let told = Told {
        outcome: "rejected",
        reason: Some("client_certificate_revoked"),
        rejected_by: Some("server"),
        verify: Some("GNUTLS_CERT_REVOKED"),
    };
    expect(&event, &told, &server, Some(&revoked))
}

#[test]
fn a_client_tells_what_is_wrong_with_a_server() -> Result<()> {
    let mut stage = Stage::new(Version::Tls13)?;
    let (server, good) = (stage.world.pki.server.clone(), stage.world.pki.good.clone());
    let (trusted, stranger) = (
        stage.world.pki.server_ca.files.certificate.clone(),
        stage.world.pki.other_ca.files.certificate.clone(),
    );
    let _server = stage.serve(&[])?;
    for (trusted, name, reason, verify) in [
        (
            &stranger,
            SERVER_NAME,
            "server_certificate_unknown_ca",
            "GNUTLS_CERT_SIGNER_NOT_FOUND",
        ),
        (
            &trusted,
            "other.observer.test",
            "server_certificate_name_mismatch",
            "GNUTLS_CERT_UNEXPECTED_OWNER",
        ),
    ] {
        let event = stage.call(trusted, name, Some(&good))?;
        let told = Told {
            outcome: "rejected",
            reason: Some(reason),
            rejected_by: Some("client"),
            verify: Some(verify),
        };
        // It sends none to a server that it refuses.
        expect(&event, &told, &server, None)?;
    }
    Ok(())
}
