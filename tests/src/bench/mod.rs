//! What the agent costs: measured on real TLS peers in a namespace and cgroup of our own, without and with the agent.
//! `docs/performance.md` tells what each figure means.

pub mod bpf;
mod btf;
pub mod figures;
pub mod libraries;
pub mod load;
pub mod machine;
pub mod programs;
pub mod replay;
pub mod report;
pub mod services;
pub mod watch;
pub mod workload;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;

use crate::cgroup::Cgroup;
use crate::netns::Namespace;
use crate::peers::Place;
use crate::pki::Pki;

/// Where the measured server listens, in a namespace of the benchmark.
pub const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4433);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Repeats without and with the agent, each.
    pub repeats: u32,
    /// Handshakes in one repeat.
    pub handshakes: u32,
    /// Handshakes before each measurement, not counted.
    pub warm_up: u32,
    /// Application bytes in one bulk repeat.
    pub bytes: u64,
    /// Seconds over which the idle agent is measured.
    pub idle_seconds: u32,
    /// Whether OpenSSL's server is measured besides rustls's.
    pub openssl: bool,
}

impl Extent {
    /// What `docs/performance.md` shows.
    pub const FULL: Self = Self {
        repeats: 5,
        handshakes: 1500,
        warm_up: 100,
        bytes: 1 << 30,
        idle_seconds: 5,
        openssl: true,
    };
    /// A smoke test: too short for good figures.
    pub const QUICK: Self = Self {
        repeats: 2,
        handshakes: 400,
        warm_up: 50,
        bytes: 256 << 20,
        idle_seconds: 3,
        openssl: false,
    };
}

/// The world in which everything is measured.
pub struct Ground {
    /// Network of the peers.
    pub namespace: Namespace,
    /// Cgroup of the peers.
    pub cgroup: Cgroup,
    /// Their certificates.
    pub pki: Pki,
}

impl Ground {
    /// Makes it.
    ///
    /// # Errors
    /// When the caller is not root.
    pub fn new() -> Result<Self> {
        Ok(Self {
            namespace: Namespace::new()?,
            cgroup: Cgroup::new()?,
            pki: Pki::new()?,
        })
    }

    /// Where the peers run.
    pub fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }
}
