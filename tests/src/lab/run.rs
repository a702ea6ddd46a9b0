//! Running the cases: servers and clients in the laboratory's own namespace and cgroup, and what they report.

mod meeting;
mod selection;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use data_encoding::HEXUPPER;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::case::{self, Case, Materials, Server, Who};
use super::peer::{ServerPlan, Stack};
use super::proxy::Cut;
use super::stacks;
use super::truth::{Circumstances, Reports};
pub use selection::{Extent, PARTNER, PROVEN, Selection};

use crate::cgroup::Cgroup;
use crate::netns::Namespace;
use crate::peers::{ClientAuth, Place, Version};
use crate::private::PrivateCopies;
use crate::probed::PROBE_PATIENCE;
use crate::process::Process;

/// Servers, relays and clients that choose their port have ports below the range that the kernel chooses from.
const SERVER_PORTS: std::ops::Range<u16> = 20_000..32_000;
const CLIENT_PORTS: std::ops::Range<u16> = 4_000..20_000;
/// Servers that run at the same time, each with one client: some of them sleep.
const WORKERS: usize = 3;

/// One connection, as its ends saw it.
pub struct Connection {
    /// The client's port on the judged way, where an end told it.
    pub port: Option<u16>,
    /// The reports.
    pub reports: Reports,
}

/// What both ends of a connection had to show when asked: SHA-256 of the leaf, upper-case hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The client, if it had one.
    pub client: Option<String>,
    /// The server.
    pub server: String,
}

/// One client process at one server.
pub struct Meeting {
    /// The server's stack.
    pub server: &'static str,
    /// The client's stack.
    pub client: &'static str,
    /// The case.
    pub case: Case,
    /// The version that the client was limited to.
    pub version: Version,
    /// What they were told that bears on the truth.
    pub circumstances: Circumstances,
    /// SHA-256 of the certificates that both ends had to show, upper-case hexadecimal.
    pub shown: Shown,
    /// The server port of the judged way: the server's, or a relay's.
    pub port: u16,
    /// The server port of the other way, when there is a relay.
    pub other_port: Option<u16>,
    /// Before the first and after the last connection.
    pub time: (Timestamp, Timestamp),
    /// The connections, in order.
    pub connections: Vec<Connection>,
}

/// What a run has left.
#[derive(Default)]
pub struct Outcome {
    /// Who met whom.
    pub meetings: Vec<Meeting>,
    /// What did not work, to be shown; no handshake of it is judged.
    pub problems: Vec<String>,
    /// Cases of a pair that the limit of time has cut off.
    pub skipped: usize,
}

/// Waits until the agent's probes are in a process of a stack, or are not to be expected, but no longer than so.
pub type Probed<'a> = dyn Fn(&str, &Process, Duration) + Sync + 'a;

/// The rooms of the laboratory.
pub struct Laboratory {
    /// Network of all peers.
    pub namespace: Namespace,
    /// Cgroup of all peers; the agent watches it.
    pub cgroup: Cgroup,
    /// Where rustls peers, and curl, write the secrets of their sessions (`SSLKEYLOGFILE`).
    pub key_log: Option<PathBuf>,
    /// Stacks whose programs are missing here, each with what it lacks.
    pub absent: Vec<String>,
    /// The certificates.
    pub materials: Materials,
    copies: PrivateCopies,
    stacks: Vec<Box<dyn Stack>>,
    strangers: Vec<Box<dyn Stack>>,
    scratch: TempDir,
    next_server_port: AtomicU16,
    next_client_port: AtomicU16,
    next_directory: AtomicUsize,
}

/// A server that runs.
struct Running<'a> {
    stack: &'a dyn Stack,
    kind: Server,
    process: Process,
    address: SocketAddr,
    directory: PathBuf,
    asks: bool,
    /// SHA-256 of its certificate.
    shown: String,
    /// Its only key exchange group.
    group: Option<String>,
    /// Waits for the agent's probes in a client, while this server keeps it waiting.
    probed: Option<&'a Probed<'a>>,
    /// Connections that it has reported and that are accounted for.
    reported: usize,
}

/// The cases of one server of one stack.
struct Group<'a> {
    stack: &'a dyn Stack,
    cases: Vec<&'a Case>,
}

impl Laboratory {
    /// Makes everything but the peers.
    ///
    /// # Errors
    /// When some part cannot be had.
    pub fn new() -> Result<Self> {
        let (mut stacks, mut absent) = (Vec::new(), Vec::new());
        for stack in stacks::all() {
            match stack.lacks() {
                None => stacks.push(stack),
                Some(what) => absent.push(format!("{} takes no part: {what}", stack.name())),
            }
        }
        Ok(Self {
            namespace: Namespace::new()?,
            cgroup: Cgroup::new()?,
            key_log: None,
            absent,
            materials: Materials::new()?,
            copies: PrivateCopies::new()?,
            stacks,
            strangers: stacks::strangers::all(),
            scratch: tempfile::Builder::new().prefix("tlsobs-lab-").tempdir()?,
            next_server_port: AtomicU16::new(SERVER_PORTS.start),
            next_client_port: AtomicU16::new(CLIENT_PORTS.start),
            next_directory: AtomicUsize::new(0),
        })
    }

    /// Runs what is selected, each group of cases on one server process. With `probed`, a server answers its clients not
    /// before both have been waited for.
    pub fn run(&self, selection: &Selection, probed: Option<&Probed<'_>>) -> Outcome {
        let began = Instant::now();
        let deadline = selection.limit.map(|limit| began + limit);
        let cases: Vec<_> = case::all()
            .into_iter()
            .filter(|case| selection.takes_case(case))
            .collect();
        let groups = self.groups(&cases);
        let rounds = usize::try_from(selection.rounds.max(1)).unwrap_or(1);
        let next = AtomicUsize::new(0);
        let outcome = Mutex::new(Outcome::default());
        let lock = || outcome.lock().unwrap_or_else(PoisonError::into_inner);
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(group) = groups.get(number % groups.len().max(1)) else {
                            break;
                        };
                        let all = groups.len() * rounds;
                        if number >= all {
                            break;
                        }
                        if number.is_multiple_of(all.div_ceil(10)) {
                            eprintln!(
                                "{number} of {all} servers, {:.0} s",
                                began.elapsed().as_secs_f64()
                            );
                        }
                        let mut part = Outcome::default();
                        if let Err(error) = self.run_group(group, selection, probed, deadline, &mut part) {
                            part.problems.push(format!("{}: {error:#}", group.name()));
                        }
                        let mut all = lock();
                        all.meetings.append(&mut part.meetings);
                        all.problems.append(&mut part.problems);
                        all.skipped += part.skipped;
                    }
                });
            }
        });
        outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn groups<'a>(&'a self, cases: &'a [Case]) -> Vec<Group<'a>> {
        let mut groups = Vec::new();
        for cases in cases.chunk_by(|a, b| a.server.name == b.server.name) {
            let who = cases.first().map_or(Who::AnyStack, |case| case.server.who);
            groups.extend(self.players(who).map(|stack| Group {
                stack,
                cases: cases.iter().collect(),
            }));
        }
        groups
    }

    fn players(&self, who: Who) -> impl Iterator<Item = &dyn Stack> {
        let (from, name) = match who {
            Who::AnyStack => (&self.stacks, None),
            Who::Stranger(name) => (&self.strangers, Some(name)),
        };
        from.iter()
            .map(AsRef::as_ref)
            .filter(move |stack: &&dyn Stack| name.is_none_or(|name| stack.name() == name))
    }

    /// Starts the server and sends it all clients of all cases.
    fn run_group(
        &self,
        group: &Group<'_>,
        selection: &Selection,
        probed: Option<&Probed<'_>>,
        deadline: Option<Instant>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let pairs = || {
            let of_case = |case: &&'_ Case| -> Vec<&dyn Stack> { self.players(case.who).collect() };
            group
                .cases
                .iter()
                .flat_map(move |case| of_case(case).into_iter().map(move |client| (*case, client)))
        };
        let is_stranger = |case: &Case| case.who != Who::AnyStack || case.server.who != Who::AnyStack;
        let wanted: Vec<_> = pairs()
            .filter(|(case, client)| {
                let (server, client) = (group.stack.name(), client.name());
                match is_stranger(case) {
                    true => selection.takes_stranger(server, client),
                    false => selection.takes_pair(case, server, client),
                }
            })
            .collect();
        let Some((first, _)) = wanted.first() else {
            return Ok(());
        };
        let Some(mut server) = self.serve(group.stack, first.server, probed)? else {
            return Ok(());
        };
        for (case, client) in wanted {
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                outcome.skipped += 1;
                continue;
            }
            for &version in case.versions {
                if let Err(error) = self.meet(&mut server, client, case, version, selection, outcome) {
                    let pair = format!("{} with {}", group.stack.name(), client.name());
                    outcome
                        .problems
                        .push(format!("{pair}, {}, {version:?}: {error:#}", case.name));
                }
                if server.process.wait(Duration::ZERO).is_ok() {
                    anyhow::bail!(
                        "the server ended at {}, {}: {}",
                        client.name(),
                        case.name,
                        server.process.transcript()
                    );
                }
            }
        }
        Ok(())
    }

    /// Starts a server; `None` if the stack has none such.
    fn serve<'a>(
        &self,
        stack: &'a dyn Stack,
        kind: Server,
        probed: Option<&'a Probed<'a>>,
    ) -> Result<Option<Running<'a>>> {
        let address = self.server_address()?;
        let directory = self.directory()?;
        let mut plan = ServerPlan::plain(address, &self.materials.pki, &directory);
        (kind.adjust)(&mut plan, &self.materials);
        let group = plan.group.map(str::to_owned);
        let asks = plan.auth != ClientAuth::None && !plan.post_handshake_auth;
        let shown = fingerprint(plan.identity.chain)?;
        let Some(command) = stack.serve(&plan)? else {
            return Ok(None);
        };
        let process = self.place().serve(&mut self.own(&command), address)?;
        if let Some(probed) = probed {
            probed(stack.name(), &process, PROBE_PATIENCE);
        }
        Ok(Some(Running {
            stack,
            kind,
            process,
            address,
            directory,
            asks,
            shown,
            group,
            probed,
            reported: 0,
        }))
    }

    /// The same command with the laboratory's own libraries.
    fn own(&self, command: &Command) -> Command {
        let mut own = self.copies.of(command);
        if let Some(file) = &self.key_log {
            own.env("SSLKEYLOGFILE", file);
        }
        own
    }

    fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }

    /// A loopback address that no server of this run has had.
    fn server_address(&self) -> Result<SocketAddr> {
        let port = self.next_server_port.fetch_add(1, Ordering::Relaxed);
        let port = SERVER_PORTS
            .contains(&port)
            .then_some(port)
            .context("all server ports are used up")?;
        Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// A port for a client; the oldest ones come again.
    fn client_port(&self) -> u16 {
        let span = CLIENT_PORTS.end - CLIENT_PORTS.start;
        CLIENT_PORTS.start + self.next_client_port.fetch_add(1, Ordering::Relaxed) % span
    }

    /// The sessions that OpenSSL's clients have kept, in PEM.
    pub fn sessions(&self) -> Vec<PathBuf> {
        let directories = 0..self.next_directory.load(Ordering::Relaxed);
        let directories = directories.map(|number| self.scratch.path().join(number.to_string()));
        directories.flat_map(stacks::openssl::sessions).collect()
    }

    /// An empty directory.
    fn directory(&self) -> Result<PathBuf> {
        let number = self.next_directory.fetch_add(1, Ordering::Relaxed);
        let path = self.scratch.path().join(number.to_string());
        std::fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(path)
    }
}

impl Group<'_> {
    fn name(&self) -> String {
        let server = self.cases.first().map_or("", |case| case.server.name);
        format!("{}, {server}", self.stack.name())
    }
}

/// SHA-256 of the first certificate in a PEM file, upper-case hexadecimal.
fn fingerprint(chain: &Path) -> Result<String> {
    let leaf = CertificateDer::from_pem_file(chain).with_context(|| chain.display().to_string())?;
    Ok(HEXUPPER.encode(&Sha256::digest(leaf)))
}

/// The cut's other way: what the relay's other connection shows is not what the end behind it got.
const fn judged_is_relay(cut: Option<Cut>) -> bool {
    matches!(
        cut,
        Some(Cut {
            direction: super::proxy::Direction::ToClient,
            ..
        })
    )
}
