//! What Go's crypto/tls tells, at both ends, of programs that were stripped of their symbols.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use observer_tests::agent::{Agent, Attach};
use observer_tests::cgroup::Cgroup;
use observer_tests::copies::Copies;
use observer_tests::events::at;
use observer_tests::lab::case::identity;
use observer_tests::lab::peer::{Behaviour, ClientPlan, ServerPlan, Stack};
use observer_tests::lab::stacks;
use observer_tests::netns::Namespace;
use observer_tests::peers::{ClientAuth, Place, Version};
use observer_tests::pki::{Authority, Leaf, Pki, SERVER_NAME};
use observer_tests::poll::PATIENCE;
use observer_tests::probed;
use observer_tests::process::Process;
use serde_json::Value;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);

/// Peers of the laboratory's Go program, and an agent that probes it.
struct Stage {
    namespace: Namespace,
    cgroup: Cgroup,
    pki: Pki,
    stack: Box<dyn Stack>,
    /// The stripped copy of the program.
    program: PathBuf,
    agent: Agent,
    _copies: Copies,
}

/// What a client does, and what the event must say of it.
struct Case<'a> {
    shown: Option<&'a Leaf>,
    server_name: &'a str,
    trusts: &'a Authority,
    reason: Option<&'a str>,
    verify: &'a str,
}

impl Stage {
    /// None if this machine cannot run the program.
    fn new() -> Result<Self> {
        let stack = stacks::all().into_iter().find(|stack| stack.name() == "go");
        let stack = stack.context("no stack of Go")?;
        if let Some(what) = stack.lacks() {
            bail!("Go is missing: {what}");
        }
        let (namespace, cgroup, pki, copies) =
            (Namespace::new()?, Cgroup::new()?, Pki::new()?, Copies::new()?);
        let flags = [&["--libraries", "go"], &probed::FLAGS[..]].concat();
        let agent = Agent::start(Attach::Cgroup(&cgroup), &flags)?;
        let command = stack.serve(&server(&pki))?.context("no such server")?;
        let program = copies.program(command.get_program().as_ref())?;
        let stripped = Command::new("strip").arg(&program).status().context("strip")?;
        ensure!(stripped.success(), "strip: {stripped}");
        Ok(Self {
            namespace,
            cgroup,
            pki,
            stack,
            program,
            agent,
            _copies: copies,
        })
    }

    const fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }

    /// The same command with the stripped copy.
    fn stripped(&self, command: Option<Command>) -> Result<Command> {
        let command = command.context("the stack cannot do that")?;
        let mut stripped = Command::new(&self.program);
        stripped.args(command.get_args()).env("GOMAXPROCS", "4");
        Ok(stripped)
    }

    fn serve(&self) -> Result<Process> {
        let mut command = self.stripped(self.stack.serve(&server(&self.pki))?)?;
        let server = self.place().serve(&mut command, SERVER)?;
        ensure!(
            probed::wait(&self.agent, server.pid()),
            "the server has no probes"
        );
        Ok(server)
    }

    /// The event of one client.
    fn meet(&self, case: &Case<'_>, version: Version) -> Result<Value> {
        let seen = self.agent.events()?.len();
        let plan = ClientPlan {
            address: SERVER,
            port: None,
            version: Some(version),
            trusted: &case.trusts.files.certificate,
            server_name: case.server_name,
            identity: case.shown.map(identity),
            unchecked_identity: false,
            count: 1,
            resume: false,
            early_data: false,
            cipher: None,
            group: None,
            alpn: None,
            padding: None,
            post_handshake_auth: false,
            behaviour: Behaviour::Requests,
            directory: self.pki.directory(),
        };
        let mut command = self.stripped(self.stack.call(&plan)?)?;
        let mut client = self.place().spawn(&mut command)?;
        client.wait(PATIENCE)?;
        self.agent.event_after(seen).with_context(|| client.transcript())
    }
}

fn server(pki: &Pki) -> ServerPlan<'_> {
    ServerPlan {
        auth: ClientAuth::Required,
        patience: 20,
        ..ServerPlan::plain(SERVER, pki, pki.directory())
    }
}

/// Cases with what they come to.
fn cases(pki: &Pki) -> Vec<Case<'_>> {
    const FINE: &str = "x509.Verify: no error";
    const EXPIRED: &str = "x509.CertificateInvalidError: Expired (1)";
    const UNKNOWN: &str = "x509.UnknownAuthorityError";
    let shows = |shown, reason, verify| Case {
        shown,
        server_name: SERVER_NAME,
        trusts: &pki.server_ca,
        reason,
        verify,
    };
    let good = || shows(Some(&pki.good), None, FINE);
    vec![
        good(),
        // The client's: it found the server's chain good.
        shows(None, Some("client_certificate_missing"), FINE),
        shows(Some(&pki.expired), Some("client_certificate_expired"), EXPIRED),
        shows(
            Some(&pki.not_yet_valid),
            Some("client_certificate_not_yet_valid"),
            EXPIRED,
        ),
        shows(
            Some(&pki.unknown_ca),
            Some("client_certificate_unknown_ca"),
            UNKNOWN,
        ),
        shows(
            Some(&pki.wrong_purpose),
            Some("client_certificate_wrong_purpose"),
            "x509.CertificateInvalidError: IncompatibleUsage (4)",
        ),
        Case {
            server_name: "another.example",
            reason: Some("server_certificate_name_mismatch"),
            verify: "x509.HostnameError",
            ..good()
        },
        Case {
            trusts: &pki.other_ca,
            reason: Some("server_certificate_unknown_ca"),
            verify: UNKNOWN,
            ..good()
        },
    ]
}

#[test]
#[ignore = "needs root"]
fn a_stripped_program_tells_who_was_refused_and_why() -> Result<()> {
    let stage = Stage::new()?;
    let server = stage.serve()?;
    for version in Version::ALL {
        for case in cases(&stage.pki) {
            let event = stage
                .meet(&case, version)
                .with_context(|| format!("{}\n{}", server.transcript(), stage.agent.transcript()))?;
            let text = |path| at(&event, path).as_str();
            let told = (text("handshake.reason"), text("handshake.library_verify"));
            let losses = || stage.agent.metrics().map(|metrics| metrics.losses());
            ensure!(
                told == (case.reason, Some(case.verify)),
                "{told:?} {:?}: {event}",
                losses()
            );
            ensure!(text("handshake.source") == Some("both"), "{event}");
            let is_read = version == Version::Tls12 || text("handshake.evidence") == Some("observed");
            ensure!(is_read, "{event}");
            let serial = text("tls.server.x509.serial_number");
            ensure!(serial == Some(&*stage.pki.server.serial), "{event}");
            // A client that refuses the server shows nothing.
            let refuses = case.reason.is_some_and(|reason| reason.starts_with("server_"));
            let shown = case.shown.filter(|_| !refuses).map(|leaf| leaf.serial.as_str());
            ensure!(text("tls.client.x509.serial_number") == shown, "{event}");
        }
    }
    let losses = stage.agent.metrics()?.losses();
    ensure!(
        !losses.iter().any(|lost| lost.contains("does_not_fit")),
        "{losses:?}"
    );
    Ok(())
}
