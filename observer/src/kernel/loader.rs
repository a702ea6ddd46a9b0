//! Loads the probes, attaches them, and detaches them when dropped.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use aya::maps::{HashMap, MapData, PerCpuArray, ProgramArray, RingBuf};
use aya::programs::links::LinkOrder;
use aya::programs::tc::{NlOptions, TcAttachOptions, qdisc_add_clsact, qdisc_detach_program};
use aya::programs::{
    CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, ProgramError, SchedClassifier, TcAttachType,
};
use aya::{Ebpf, EbpfLoader};
use aya_log::EbpfLogger;
use observer_common::Counter;
use observer_common::counters::COUNTERS;

use super::programs::{CGROUP, CLASSIFIER, Family};
use super::{KernelError, preflight};
use crate::config::values::LogLevel;
use crate::config::{Config, Scope};

/// `SCOPE` of the kernel half: network namespace cookies keep connections apart.
const SCOPE_NAMESPACE: u32 = 0;
/// `SCOPE` of the kernel half: socket cookies do.
const SCOPE_SOCKET: u32 = 1;

/// Running probes. Dropping them detaches everything; so does the end of the process, whatever ends it.
pub struct Probes {
    /// Holds the links; `None` once they are detached.
    ebpf: Option<Ebpf>,
    /// What the probes say at debug level.
    log: Option<EbpfLogger<&'static dyn log::Log>>,
    /// Holds the tail-call targets.
    _calls: ProgramArray<MapData>,
    /// The kernel's counters.
    pub counters: Counters,
    /// What is attached, for the log and the metrics.
    pub attached: Vec<Attachment>,
    /// Features that were missing, one line each.
    pub degraded: Vec<String>,
}

impl Probes {
    /// Detaches everything; the counters can still be read.
    pub fn detach(&mut self) {
        self.ebpf = None;
    }

    /// Hands on what the probes logged.
    pub fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }
}

/// One place that a program is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The hook: `cgroup_skb`, `tcx` or `tc`.
    pub hook: &'static str,
    /// The cgroup or interface.
    pub target: String,
}

/// The kernel's per-CPU counters.
pub struct Counters(PerCpuArray<MapData, [u64; COUNTERS as usize]>);

/// The kernel's counters at one moment, summed over all CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; COUNTERS as usize]);

impl Counts {
    /// One counter's value.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }
}

impl Counters {
    /// Reads all of them.
    ///
    /// # Errors
    /// What the map says.
    pub fn read(&self) -> Result<Counts, KernelError> {
        let cpus = self.0.get(&0, 0).map_err(|source| KernelError::Map {
            name: "COUNTERS",
            source: Box::new(source),
        })?;
        let mut sums = Counts::default();
        for cpu in cpus.iter() {
            for (sum, value) in sums.0.iter_mut().zip(cpu) {
                *sum += value;
            }
        }
        Ok(sums)
    }
}

/// Loads the probes and attaches them where `config` says.
///
/// # Errors
/// See [`KernelError`]; nothing stays attached then.
pub fn start(config: &Config) -> Result<(Probes, RingBuf<MapData>), KernelError> {
    let object = preflight::require(&config.scope)?;
    let mut degraded = Vec::new();
    let (family, scope) = match &config.scope {
        Scope::Interfaces(_) => (CLASSIFIER, SCOPE_NAMESPACE),
        Scope::Cgroup(_) if preflight::has_namespace_cookie() => (CGROUP, SCOPE_NAMESPACE),
        Scope::Cgroup(_) => {
            degraded.push(
                "no namespace cookies: socket cookies keep connections apart, and clients that do not speak TLS are not told of"
                    .to_owned(),
            );
            (CGROUP, SCOPE_SOCKET)
        }
    };
    // A quarter: enough room for what comes until the agent is awake, few wake-ups at rates it keeps up with.
    let wake_at = u64::from(config.ring_bytes / 4);
    // Messages below the configured level are not even composed.
    let log_level = match config.console.log_level {
        LogLevel::Debug | LogLevel::Trace => aya_log::Level::Debug,
        _ => aya_log::Level::Error,
    } as u8;
    let mut ebpf = EbpfLoader::new()
        .override_global(aya_log::LEVEL, &log_level, false)
        .override_global("SCOPE", &scope, true)
        .override_global("WAKE_AT", &wake_at, true)
        .map_max_entries("EVENTS", config.ring_bytes)
        .map_max_entries("FLOWS", config.max_flows)
        .load(object)
        .map_err(|error| KernelError::Load(Box::new(error)))?;

    let calls = load(&mut ebpf, &family)?;
    let attached = match &config.scope {
        Scope::Cgroup(path) => attach_cgroup(&mut ebpf, path)?,
        Scope::Interfaces(names) => attach_interfaces(&mut ebpf, names, &mut degraded)?,
    };
    let ring = RingBuf::try_from(take(&mut ebpf, "EVENTS")?).map_err(|source| KernelError::Map {
        name: "EVENTS",
        source: Box::new(source),
    })?;
    let counters =
        PerCpuArray::try_from(take(&mut ebpf, "COUNTERS")?).map_err(|source| KernelError::Map {
            name: "COUNTERS",
            source: Box::new(source),
        })?;
    // Only its own messages are lost without it.
    let log = EbpfLogger::init(&mut ebpf).ok();
    let counters = Counters(counters);
    Ok((
        Probes {
            ebpf: Some(ebpf),
            log,
            _calls: calls,
            counters,
            attached,
            degraded,
        },
        ring,
    ))
}

fn take(ebpf: &mut Ebpf, name: &'static str) -> Result<aya::maps::Map, KernelError> {
    ebpf.take_map(name).ok_or_else(|| KernelError::Mismatch {
        name: format!("map {name}"),
    })
}

fn program<'a, T>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut T, KernelError>
where
    &'a mut T: TryFrom<&'a mut aya::programs::Program, Error = ProgramError>,
{
    ebpf.program_mut(name)
        .ok_or_else(|| KernelError::Mismatch {
            name: format!("program {name}"),
        })?
        .try_into()
        .map_err(|source| refused(name, source))
}

fn refused(name: &str, source: ProgramError) -> KernelError {
    KernelError::Program {
        name: name.to_owned(),
        source: Box::new(source),
    }
}

/// Loads a family's programs and lets them call each other, as long as the array that this returns is held: the kernel
/// empties it when nobody does.
fn load(ebpf: &mut Ebpf, family: &Family) -> Result<ProgramArray<MapData>, KernelError> {
    let mut calls = ProgramArray::try_from(take(ebpf, family.calls)?).map_err(|source| KernelError::Map {
        name: family.calls,
        source: Box::new(source),
    })?;
    let load = |ebpf: &mut Ebpf, name: &str| {
        if family.hook == CGROUP.hook {
            let program: &mut CgroupSkb = program(ebpf, name)?;
            program
                .load()
                .and_then(|()| program.fd()?.try_clone().map_err(Into::into))
        } else {
            let program: &mut SchedClassifier = program(ebpf, name)?;
            program
                .load()
                .and_then(|()| program.fd()?.try_clone().map_err(Into::into))
        }
        .map_err(|source| refused(name, source))
    };
    for (slot, name) in (0..).zip(family.called) {
        let fd = load(ebpf, name)?;
        calls.set(slot, &fd, 0).map_err(|source| KernelError::Map {
            name: family.calls,
            source: Box::new(source),
        })?;
    }
    load(ebpf, family.observe)?;
    Ok(calls)
}

fn attach_cgroup(ebpf: &mut Ebpf, path: &std::path::Path) -> Result<Vec<Attachment>, KernelError> {
    let cgroup = File::open(path).map_err(|source| KernelError::Cgroup {
        path: path.to_owned(),
        source,
    })?;
    let program: &mut CgroupSkb = program(ebpf, CGROUP.observe)?;
    for direction in [CgroupSkbAttachType::Ingress, CgroupSkbAttachType::Egress] {
        program
            .attach(&cgroup, direction, CgroupAttachMode::Single)
            .map_err(|error| match error {
                // What a directory that is no cgroup, or one of version 1, is answered with.
                ProgramError::SyscallError(ref call)
                    if call.io_error.raw_os_error() == Some(libc::EBADF)
                        || call.io_error.raw_os_error() == Some(libc::EINVAL) =>
                {
                    KernelError::Cgroup {
                        path: path.to_owned(),
                        source: io::Error::new(
                            io::ErrorKind::InvalidInput,
                            "it is not a cgroup v2 directory",
                        ),
                    }
                }
                error => refused(CGROUP.observe, error),
            })?;
    }
    Ok(vec![Attachment {
        hook: "cgroup_skb",
        target: path.display().to_string(),
    }])
}

fn attach_interfaces(
    ebpf: &mut Ebpf,
    names: &[String],
    degraded: &mut Vec<String>,
) -> Result<Vec<Attachment>, KernelError> {
    let mut headers: HashMap<_, u32, u32> = ebpf
        .map_mut("LINK_HEADERS")
        .ok_or_else(|| KernelError::Mismatch {
            name: "map LINK_HEADERS".to_owned(),
        })?
        .try_into()
        .map_err(|source| KernelError::Map {
            name: "LINK_HEADERS",
            source: Box::new(source),
        })?;
    for name in names {
        let (index, header) = link(name).map_err(|source| KernelError::Interface {
            name: name.clone(),
            source,
        })?;
        headers
            .insert(index, header, 0)
            .map_err(|source| KernelError::Map {
                name: "LINK_HEADERS",
                source: Box::new(source),
            })?;
    }
    let program: &mut SchedClassifier = program(ebpf, CLASSIFIER.observe)?;
    let mut attached = Vec::new();
    for name in names {
        let mut hook = "tcx";
        for direction in [TcAttachType::Ingress, TcAttachType::Egress] {
            let tcx = TcAttachOptions::TcxOrder(LinkOrder::default());
            if let Err(error) = program.attach_with_options(name, direction, tcx) {
                if hook != "tc" {
                    degraded.push(format!("no tcx on {name} ({error}): a clsact qdisc serves"));
                }
                hook = "tc";
                attach_qdisc(program, name, direction)
                    .map_err(|source| refused(CLASSIFIER.observe, source))?;
            }
        }
        attached.push(Attachment {
            hook,
            target: name.clone(),
        });
    }
    Ok(attached)
}

/// The way before Linux 6.6. Such a filter outlives an agent that is killed: one that did is removed first.
fn attach_qdisc(
    program: &mut SchedClassifier,
    name: &str,
    direction: TcAttachType,
) -> Result<(), ProgramError> {
    // It is an error for the qdisc to be there already, and for no filter to be left behind; neither matters.
    let _ = qdisc_add_clsact(name);
    let _ = qdisc_detach_program(name, direction, CLASSIFIER.observe);
    program
        .attach_with_options(name, direction, TcAttachOptions::Netlink(NlOptions::default()))
        .map(|_| ())
}

/// Index of an interface of this network namespace, and the length of its link-layer header.
fn link(name: &str) -> io::Result<(u32, u32)> {
    let index = nix::net::if_::if_nametoindex(name)?;
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0))?;
    // SAFETY: all zeroes is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays 0: the kernel reads a C string. A longer name does not get here, for it has no index.
    for (to, from) in request
        .ifr_name
        .iter_mut()
        .zip(name.bytes().take(libc::IFNAMSIZ - 1))
    {
        *to = from as libc::c_char;
    }
    // SAFETY: SIOCGIFHWADDR reads the name and writes a socket address, both inside of `request`.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call that just succeeded wrote this member of the union.
    let hardware = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
    // Ethernet and loopback have an Ethernet header; tunnels and the like carry bare IP.
    let header = match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => 14,
        _ => 0,
    };
    Ok((index, header))
}
