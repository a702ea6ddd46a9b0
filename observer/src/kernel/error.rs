//! Why the probes do not run, with the remedy.

use std::io;
use std::path::PathBuf;

use aya::EbpfError;
use aya::maps::MapError;
use aya::programs::ProgramError;

use crate::exit::Exit;

/// Why the probes do not run. Each message is one line with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// Built without the eBPF tools.
    #[error(
        "this tls-observer was built without its kernel object; remedy: run cargo xtask setup, build again and start that"
    )]
    NoObject,
    /// Missing privileges.
    #[error(
        "missing privileges: {missing}; remedy: run as root, or grant CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (CAP_SYS_ADMIN before \
         Linux 5.8)"
    )]
    Privileges {
        /// The capabilities that are not there.
        missing: String,
    },
    /// The kernel is locked down.
    #[error(
        "the kernel is locked down ({mode}) and lends no memory reads to probes; remedy: boot with lockdown=integrity or none"
    )]
    Lockdown {
        /// The lockdown mode.
        mode: String,
    },
    /// A needed feature is missing.
    #[error("this kernel has no {feature}; remedy: {remedy}")]
    Unsupported {
        /// What is missing.
        feature: String,
        /// What helps.
        remedy: String,
    },
    /// The cgroup cannot be opened.
    #[error("cannot open the cgroup {}: {source}; remedy: give --cgroup the path of a cgroup v2 directory", path.display())]
    Cgroup {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The interface is not there.
    #[error(
        "no network interface {name}: {source}; remedy: list them with ip link and choose one for --interface"
    )]
    Interface {
        /// Its name.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The object was refused.
    #[error("the kernel refused the probes' maps or programs: {0}; remedy: see tls-observer check")]
    Load(#[source] Box<EbpfError>),
    /// A program was refused.
    #[error(
        "the kernel refused the program {name}: {}; remedy: see tls-observer check",
        one_line(source)
    )]
    Program {
        /// Which.
        name: String,
        /// Why.
        source: Box<ProgramError>,
    },
    /// A map operation failed.
    #[error("the map {name}: {source}")]
    Map {
        /// Which.
        name: &'static str,
        /// Why.
        source: Box<MapError>,
    },
    /// The object holds something else than this agent expects.
    #[error(
        "the kernel object has no {name}: it belongs to another version of the agent; remedy: build both anew"
    )]
    Mismatch {
        /// What is missing.
        name: String,
    },
    /// Reading clocks or descriptors failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl KernelError {
    /// The exit status that tells of it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Cgroup { .. } | Self::Interface { .. } => Exit::Usage,
            Self::Map { .. } | Self::Mismatch { .. } | Self::Io { .. } => Exit::Failed,
            _ => Exit::Unsupported,
        }
    }
}

/// The last line of the verifier's log says what it stumbled over; the whole would fill a screen.
pub(crate) fn one_line(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError {
            io_error,
            verifier_log,
        } => {
            let log = verifier_log.to_string();
            let statistics = ["processed ", "stack depth ", "verification time "];
            let says_why = |line: &&str| {
                !line.trim().is_empty() && !statistics.iter().any(|start| line.starts_with(start))
            };
            let reason = log.lines().rev().find(says_why);
            format!("{io_error} ({})", reason.unwrap_or("no verifier log"))
        }
        other => other.to_string(),
    }
}
