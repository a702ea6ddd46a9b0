//! The cases of the laboratory: what the server is like, what the client does, and what is meant to happen. What does
//! happen, the peers' reports say; the meaning here only serves to notice when a case did not come about.

mod build;
mod cuts;
mod good;
mod refusals;
mod servers;
mod variations;

use crate::peers::Version;
use crate::pki::faults::Faults;
use crate::pki::{Files, Leaf, Pki};

use super::peer::{Behaviour, ClientPlan, Identity, ServerPlan};
use super::proxy::Cut;
use super::truth::Ending;

/// The certificates of a run.
pub struct Materials {
    /// Those of all live tests.
    pub pki: Pki,
    /// Further ones.
    pub faults: Faults,
}

impl Materials {
    /// Makes them.
    ///
    /// # Errors
    /// When the files cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let pki = Pki::new()?;
        let faults = Faults::new(&pki)?;
        Ok(Self { pki, faults })
    }
}

/// Certificate and key of a leaf.
pub fn identity(leaf: &Leaf) -> Identity<'_> {
    of_files(&leaf.files)
}

/// Certificate and key in files.
pub fn of_files(files: &Files) -> Identity<'_> {
    Identity {
        chain: &files.certificate,
        key: &files.key,
    }
}

/// A server that several cases share.
#[derive(Clone, Copy)]
pub struct Server {
    /// Its name; cases with the same name share a process.
    pub name: &'static str,
    /// Who serves.
    pub who: Who,
    /// What tells it from a server of both versions that asks for no certificate.
    pub adjust: for<'a> fn(&mut ServerPlan<'a>, &'a Materials),
}

/// Who plays a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Each stack in turn.
    AnyStack,
    /// A program that does not speak TLS, by its name in [`super::stacks::strangers::all`].
    Stranger(&'static str),
}

/// Which servers meet which clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// All of them: what happens depends on both.
    All,
    /// Each stack with itself, and with one partner in both parts.
    Few,
}

/// What tells a client from one that trusts the server, shows nothing, asks and hears.
#[derive(Clone, Copy)]
pub struct Client {
    /// What it shows when asked.
    pub identity: Option<fn(&Materials) -> Identity<'_>>,
    /// What it does once connected.
    pub behaviour: Behaviour,
    /// Its only cipher suite.
    pub cipher: Option<&'static str>,
    /// All the rest.
    pub adjust: for<'a> fn(&mut ClientPlan<'a>, &'a Materials),
}

impl Default for Client {
    fn default() -> Self {
        Self {
            identity: None,
            behaviour: Behaviour::default(),
            cipher: None,
            adjust: |_, _| {},
        }
    }
}

impl Client {
    /// Puts it into a plan.
    pub fn put<'a>(&self, plan: &mut ClientPlan<'a>, with: &'a Materials) {
        plan.identity = self.identity.map(|identity| identity(with));
        plan.behaviour = self.behaviour;
        plan.cipher = self.cipher;
        (self.adjust)(plan, with);
    }
}

/// What is meant to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A handshake.
    Established,
    /// The server refuses.
    ServerRefuses,
    /// The client refuses.
    ClientRefuses,
    /// Neither a handshake nor a refusal, or whatever the cut leaves.
    Cut,
}

impl Meant {
    /// Whether a handshake that ended so is what was meant.
    pub const fn has_come_about(self, ending: Ending) -> bool {
        match self {
            Self::Established => matches!(ending, Ending::Established),
            Self::ServerRefuses => matches!(ending, Ending::RejectedByServer | Ending::RefusedAbove),
            Self::ClientRefuses => matches!(ending, Ending::RejectedByClient | Ending::RefusedAbove),
            Self::Cut => true,
        }
    }
}

/// One case.
#[derive(Clone)]
pub struct Case {
    /// Its name in tables and rows.
    pub name: String,
    /// The server.
    pub server: Server,
    /// Who calls.
    pub who: Who,
    /// The versions in which there is such a case.
    pub versions: &'static [Version],
    /// What it does.
    pub client: Client,
    /// Which stacks meet.
    pub pairs: Pairs,
    /// Connections of each pair in each round; a client that cannot loop makes at most [`MOST_STARTS`], and one of TLS 1.2,
    /// where nothing has to be inferred, no more either.
    pub count: u32,
    /// What is meant to happen.
    pub meant: Meant,
    /// A relay cuts the connection there.
    pub cut: Option<Cut>,
    /// Part of the short run.
    pub quick: bool,
}

/// Connections for a case that asks for many, where many are dear or say nothing new.
pub const MOST_STARTS: u32 = 3;

/// All cases; those of one server stand together.
pub fn all() -> Vec<Case> {
    let mut cases = [good::all(), variations::all(), refusals::all(), cuts::all()].concat();
    cases.sort_by_key(|case| servers::rank(case.server.name));
    cases
}
