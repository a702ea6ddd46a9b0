//! Five hundred handshakes at once at one server, each client with a certificate of its own, good ones and bad ones: no
//! event names a client by another's certificate, and nearly all are named.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use observer_tests::agent::{Agent, Attach};
use observer_tests::cgroup::Cgroup;
use observer_tests::events::at;
use observer_tests::lab::peer::{ServerPlan, Stack};
use observer_tests::lab::stacks::{self, Nginx, PREFORK};
use observer_tests::netns::Namespace;
use observer_tests::peers::crowd::{self, Fate, Member};
use observer_tests::peers::{ClientAuth, Place, Version};
use observer_tests::pki::members::Standing;
use observer_tests::pki::{Leaf, Pki};
use observer_tests::poll::{self, PATIENCE};
use observer_tests::private::PrivateCopies;
use observer_tests::probed;
use observer_tests::process::Process;
use serde_json::Value;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);
const MEMBERS: u32 = 500;
/// What stands in the event of a handshake, and in no other.
const HANDSHAKE: &str = r#""action":"tls-handshake""#;
/// Every so many of them speaks TLS 1.2.
const OLD_ONES: u32 = 10;
/// How many of those with a certificate in TLS 1.3 must be named by it, and how many faults exactly told, in percent.
const NAMED: usize = 97;

/// A crowd with what each of its members is.
struct Crowd {
    standings: Vec<Standing>,
    leaves: Vec<Option<Leaf>>,
    members: Vec<Member>,
}

impl Crowd {
    fn new(pki: &Pki) -> Result<Self> {
        let standings: Vec<_> = (0..MEMBERS).zip(Standing::ALL.into_iter().cycle()).collect();
        let leaves = standings
            .iter()
            .map(|(number, standing)| pki.member(*number, *standing))
            .collect::<Result<Vec<_>>>()?;
        let member = |(number, leaf): (u32, &Option<Leaf>)| Member {
            identity: leaf
                .as_ref()
                .map(|leaf| (leaf.files.certificate.clone(), leaf.files.key.clone())),
            // In step with no standing.
            version: if (number / 5).is_multiple_of(OLD_ONES) {
                Version::Tls12
            } else {
                Version::Tls13
            },
        };
        Ok(Self {
            members: (0..).zip(&leaves).map(member).collect(),
            standings: standings.into_iter().map(|(_, standing)| standing).collect(),
            leaves,
        })
    }
}

/// Why a server refuses a member, without `client_certificate_`, and OpenSSL's numbers of what it finds: 21 is what follows
/// on 20 where the program goes on.
const fn fault(standing: Standing) -> (Option<&'static str>, &'static [&'static str]) {
    match standing {
        Standing::Good => (None, &["(0)"]),
        Standing::Missing => (Some("missing"), &[]),
        Standing::Expired => (Some("expired"), &["(10)"]),
        Standing::NotYetValid => (Some("not_yet_valid"), &["(9)"]),
        Standing::UnknownCa => (Some("unknown_ca"), &["(20)", "(21)"]),
    }
}

/// How well the events of a crowd tell.
#[derive(Debug, Default)]
struct Tally {
    /// In TLS 1.3: certificates shown, and events with them.
    shown: usize,
    named: usize,
    /// In TLS 1.3: members with a fault, and events that tell exactly which.
    faulty: usize,
    exact: usize,
    /// What is wrong.
    wrong: Vec<String>,
}

impl Tally {
    fn of(crowd: &Crowd, fates: &[Fate], events: &[Value], refuses_above: bool) -> Self {
        let mut by_port: HashMap<u64, Vec<&Value>> = HashMap::new();
        for event in events
            .iter()
            .filter(|event| at(event, "event.action") == "tls-handshake")
        {
            let port = at(event, "client.port").as_u64().unwrap_or_default();
            by_port.entry(port).or_default().push(event);
        }
        let mut tally = Self::default();
        for fate in fates {
            match by_port.remove(&fate.port.into()).as_deref() {
                Some([event]) => tally.take(crowd, fate, event, refuses_above),
                other => tally
                    .wrong
                    .push(format!("{} events of {fate:?}", other.map_or(0, <[_]>::len))),
            }
        }
        let strangers = by_port
            .into_values()
            .flatten()
            .map(|event| format!("nobody's: {event}"));
        tally.wrong.extend(strangers);
        tally
    }

    fn take(&mut self, crowd: &Crowd, fate: &Fate, event: &Value, refuses_above: bool) {
        let (Some(standing), Some(leaf), Some(member)) = (
            crowd.standings.get(fate.member),
            crowd.leaves.get(fate.member),
            crowd.members.get(fate.member),
        ) else {
            self.wrong.push(format!("no member: {fate:?}"));
            return;
        };
        let text = |path: &str| at(event, path).as_str();
        let (fault, numbers) = fault(*standing);
        let mut complain = |what: &str| {
            let handshake = &event["handshake"];
            let named = text("tls.client.subject");
            self.wrong.push(format!(
                "{what}: {standing:?} {fate:?} is told as {named:?} {handshake}"
            ));
        };
        let (serial, wanted) = (
            text("tls.client.x509.serial_number"),
            leaf.as_ref().map(|leaf| leaf.serial.as_str()),
        );
        if serial.is_some() && serial != wanted {
            complain("another's certificate");
        }
        // Some servers close without an alert, and some complete the handshake before they refuse.
        let possible: &[&str] = match (fault, refuses_above) {
            (None, _) => &["established"],
            (Some(_), false) => &["rejected", "aborted"],
            (Some(_), true) => &["rejected", "aborted", "established"],
        };
        if !text("handshake.outcome").is_some_and(|outcome| possible.contains(&outcome)) {
            complain("another outcome");
        }
        let reason = text("handshake.reason").and_then(|reason| reason.strip_prefix("client_certificate_"));
        let is_vague = matches!(reason, None | Some("rejected" | "bad"));
        if !is_vague && reason != fault {
            complain("another reason");
        }
        let verified = text("handshake.library_verify").filter(|term| term.contains("X509_V_"));
        if verified.is_some_and(|term| !numbers.iter().any(|number| term.contains(number))) {
            complain("another's verification");
        }
        if member.version == Version::Tls12 {
            return;
        }
        self.shown += usize::from(wanted.is_some());
        self.named += usize::from(wanted.is_some() && serial == wanted);
        self.faulty += usize::from(fault.is_some());
        // A service that goes on without a certificate refuses, if at all, above TLS.
        let is_told = match standing {
            Standing::Missing => text("handshake.client_certificate") == Some("requested_not_sent"),
            _ => reason == fault || verified.is_some(),
        };
        self.exact += usize::from(fault.is_some() && is_told);
    }
}

/// Where a crowd meets a server.
struct Scene {
    namespace: Namespace,
    cgroup: Cgroup,
    copies: PrivateCopies,
    pki: Pki,
    crowd: Crowd,
    agent: Agent,
}

impl Scene {
    fn new(libraries: &str) -> Result<Self> {
        let (namespace, cgroup, pki) = (Namespace::new()?, Cgroup::new()?, Pki::new()?);
        let crowd = Crowd::new(&pki)?;
        let flags = [
            &["--libraries", libraries, "--handshake-timeout", "60s"],
            &probed::FLAGS[..],
        ]
        .concat();
        let agent = Agent::start(Attach::Cgroup(&cgroup), &flags)?;
        Ok(Self {
            namespace,
            cgroup,
            copies: PrivateCopies::new()?,
            pki,
            crowd,
            agent,
        })
    }

    const fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }

    fn serve(&self, stack: &dyn Stack, adjust: impl FnOnce(&mut Command)) -> Result<Process> {
        let plan = ServerPlan {
            auth: ClientAuth::Required,
            patience: u16::try_from(crowd::PATIENCE.as_secs())?,
            ..ServerPlan::plain(SERVER, &self.pki, self.pki.directory())
        };
        let command = stack.serve(&plan)?.context("no such server")?;
        let mut command = self.copies.of(&command);
        adjust(&mut command);
        let server = self.place().serve(&mut command, SERVER)?;
        if !probed::wait(&self.agent, server.pid()) {
            println!("the server has no probes");
        }
        Ok(server)
    }

    /// The crowd comes, and goes. Gives its fates, and all that was told, when everything is.
    fn meet(self) -> Result<(Crowd, Vec<Fate>, Vec<Value>)> {
        let trusted = &self.pki.server_ca.files.certificate;
        let directory: PathBuf = self.pki.directory().into();
        let fates = crowd::converse(self.place(), trusted, SERVER, &self.crowd.members, &directory)?;
        let count = fates.len();
        let told = poll::until("all events", PATIENCE, || {
            let lines = self.agent.stdout();
            let told = lines.iter().filter(|line| line.contains(HANDSHAKE)).count();
            Ok((told >= count).then_some(()))
        });
        println!("losses: {:?}", self.agent.metrics()?.losses());
        let events = self.agent.stop_unchecked()?;
        told.with_context(|| format!("{} events of {count}", events.len()))?;
        Ok((self.crowd, fates, events))
    }
}

/// Asserts what holds of every server, and says how well it was told.
fn judge(name: &str, crowd: &Crowd, fates: &[Fate], events: &[Value], refuses_above: bool) -> Result<()> {
    let answered = fates.iter().filter(|fate| fate.answered).count();
    let tally = Tally::of(crowd, fates, events, refuses_above);
    let Tally {
        shown,
        named,
        faulty,
        exact,
        ref wrong,
    } = tally;
    println!(
        "{name}: {answered} of {} answered; TLS 1.3: {named} of {shown} named by their certificate, {exact} of {faulty} \
         faults exactly told; {} wrong",
        fates.len(),
        wrong.len()
    );
    ensure!(wrong.is_empty(), "{name}: {wrong:#?}");
    for (what, part, whole) in [
        ("named by their certificate", named, shown),
        ("exactly told", exact, faulty),
    ] {
        ensure!(
            part * 100 >= whole * NAMED,
            "{name}: {part} of {whole} were {what}"
        );
    }
    Ok(())
}

/// The whole of it for one of the laboratory's stacks, if this machine has it.
fn crowd_at(
    name: &str,
    libraries: &str,
    refuses_above: bool,
    adjust: impl FnOnce(&mut Command),
) -> Result<()> {
    let stacks = stacks::all();
    let stack = stacks
        .iter()
        .find(|stack| stack.name() == name)
        .context(name.to_owned())?;
    if let Some(what) = stack.lacks() {
        bail!("{name} is missing: {what}");
    }
    let scene = Scene::new(libraries)?;
    let server = scene.serve(stack.as_ref(), adjust)?;
    let (crowd, fates, events) = scene.meet().with_context(|| server.transcript())?;
    judge(name, &crowd, &fates, &events, refuses_above)
}

#[test]
#[ignore = "needs root"]
fn threads_of_openssl() -> Result<()> {
    crowd_at("python", "openssl", false, |_| ())
}

#[test]
#[ignore = "needs root"]
fn one_thread_of_asyncio() -> Result<()> {
    crowd_at("python-asyncio", "openssl", false, |_| ())
}

#[test]
#[ignore = "needs root"]
fn node() -> Result<()> {
    crowd_at("node", "openssl", true, |_| ())
}

#[test]
#[ignore = "needs root"]
fn goroutines_that_move_between_threads() -> Result<()> {
    crowd_at("go", "go", false, |command| {
        command.env("GOMAXPROCS", "4");
    })
}

#[test]
#[ignore = "needs root"]
fn threads_of_gnutls() -> Result<()> {
    crowd_at("gnutls", "gnutls", false, |_| ())
}

#[test]
#[ignore = "needs root"]
fn threads_of_rustls_on_aws_lc() -> Result<()> {
    crowd_at("rustls-aws-lc", "aws-lc", false, |_| ())
}

#[test]
#[ignore = "needs root"]
fn workers_of_nginx() -> Result<()> {
    let scene = Scene::new("openssl")?;
    let server = scene.serve(&Nginx { workers: 4 }, |_| ())?;
    let (crowd, fates, events) = scene.meet().with_context(|| server.transcript())?;
    judge("nginx workers", &crowd, &fates, &events, true)
}

/// Workers that were forked before the probes came, and others after; each event names the worker that served.
#[test]
#[ignore = "needs root"]
fn workers_forked_before_and_after() -> Result<()> {
    let scene = Scene::new("openssl")?;
    let server = scene.serve(&PREFORK, |_| ())?;
    server.signal(Signal::SIGUSR1)?;
    server.wait_stdout("four workers", PATIENCE, |lines| (lines.len() == 4).then_some(()))?;
    let (crowd, fates, events) = scene.meet().with_context(|| server.transcript())?;
    judge("pre-forked workers", &crowd, &fates, &events, false)?;

    let mut by_port = BTreeMap::new();
    let mut served = BTreeMap::<u64, usize>::new();
    for line in server.stdout() {
        let line: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let worker = line["worker"].as_u64().context("a worker")?;
        let count = served.entry(worker).or_default();
        if let Some(port) = line["port"].as_u64() {
            by_port.insert(port, worker);
            *count += 1;
        }
    }
    println!("handshakes of each worker: {served:?}");
    ensure!(
        served.len() == 4 && served.values().all(|count| *count > 0),
        "workers without work: {served:?}"
    );
    for event in &events {
        let number = |path| at(event, path).as_u64();
        if let (Some(port), Some(pid)) = (number("client.port"), number("server.process.pid")) {
            ensure!(
                by_port.get(&port) == Some(&pid),
                "{port} was not served by {pid}: {by_port:?}"
            );
        }
    }
    Ok(())
}
