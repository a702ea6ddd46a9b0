//! The kernel object of the library probes: loaded once, each program when it is needed first.

use std::collections::HashMap;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use aya::maps::{HashMap as KernelMap, Map, MapData, MapError, RingBuf};
use aya::programs::uprobe::{UProbeAttachLocation, UProbeAttachPoint, UProbeLink, UProbeScope};
use aya::programs::{ProgramError, UProbe};
use aya::{Ebpf, EbpfLoader};

use super::btf::Types;
use super::counters::Counters;
use super::policy::Policy;
use super::watch::{self, SocketHook, Watch};
use crate::kernel::error::one_line;
use crate::kernel::{KernelError, LIBRARY_OBJECT};

/// What the kernel half is told before it is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Bytes of the ring buffer, a power of two.
    pub ring_bytes: u32,
    /// Only threads of this cgroup and those below it, unless 0.
    pub cgroup_id: u64,
    /// What its map of processes means.
    pub policy: Policy,
}

/// The loaded object.
pub struct Object {
    ebpf: Ebpf,
    socket_hook: SocketHook,
    /// What the kernel said of the programs that it would not load.
    refused: HashMap<String, String>,
    /// Whether probes can carry a number.
    has_cookies: bool,
    processes: KernelMap<MapData, u32, u32>,
    coroutines: KernelMap<MapData, u32, u8>,
    error_offsets: KernelMap<MapData, u64, u32>,
}

/// What comes with the object and is used elsewhere.
pub struct Loaded {
    /// The object.
    pub object: Object,
    /// The hits.
    pub ring: RingBuf<MapData>,
    /// Processes that have executed a program: their numbers (u32).
    pub execs: RingBuf<MapData>,
    /// What tells of them.
    pub exec_watch: Option<Watch>,
    /// Its counters.
    pub counters: Counters,
    /// What is missing on this host, one line each.
    pub degraded: Vec<String>,
}

/// A program that has no place to be attached to, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The kernel would not load it, or it is not in the object: no probe of this kind works on this host.
    #[error("{0}")]
    Program(String),
    /// The kernel would not put it there.
    #[error("{0}")]
    Place(String),
    /// The kernel lets this process put probes nowhere.
    #[error(
        "{0}; remedy: run as root or grant CAP_SYS_ADMIN, which uprobes ask for since Linux 6.16, and CAP_SYS_PTRACE"
    )]
    Rights(String),
    /// It was for one process, which has ended.
    #[error("the process has ended")]
    Gone,
}

impl Refused {
    fn of(error: &ProgramError) -> Self {
        let cause = cause(error);
        match error {
            ProgramError::SyscallError(call) if call.io_error.kind() == io::ErrorKind::PermissionDenied => {
                Self::Rights(cause)
            }
            ProgramError::SyscallError(call) if call.io_error.raw_os_error() == Some(libc::ESRCH) => {
                Self::Gone
            }
            _ => Self::Place(cause),
        }
    }
}

impl Object {
    /// Loads the maps, and the programs that the kernel's own functions get; those for libraries only when they are needed.
    ///
    /// # Errors
    /// If this agent has no such object, the kernel refuses it, or nothing tells which socket a thread uses.
    pub fn load(settings: Settings) -> Result<Loaded, KernelError> {
        let object = LIBRARY_OBJECT.ok_or(KernelError::NoObject)?;
        let types = Types::of_kernel();
        let socket_hook = types.as_ref().and_then(SocketHook::of);
        let (Some(types), Some(socket_hook)) = (types, socket_hook) else {
            return Err(KernelError::Unsupported {
                feature:
                    "types of its own functions (BTF): nothing would tell whose connection a library works on"
                        .to_owned(),
                remedy: "a kernel with CONFIG_DEBUG_INFO_BTF, or --libraries off".to_owned(),
            });
        };
        let offset = |member| types.offset("sock_common", member).unwrap_or(0);
        let has_cookies = aya::features().bpf_cookie() && aya::features().bpf_perf_link();
        let mut ebpf = EbpfLoader::new()
            .override_global("OWN_PID", &std::process::id(), true)
            .override_global("CGROUP_ID", &settings.cgroup_id, true)
            .override_global("PROCESS_POLICY", &(settings.policy as u32), true)
            .override_global("SOCK_V6_DADDR", &offset("skc_v6_daddr"), true)
            .override_global("SOCK_V6_RCV_SADDR", &offset("skc_v6_rcv_saddr"), true)
            // A quarter, as with the ring of the wire.
            .override_global("WAKE_AT", &u64::from(settings.ring_bytes / 4), true)
            .map_max_entries("HITS", settings.ring_bytes)
            .load(object)
            .map_err(|error| KernelError::Load(Box::new(error)))?;
        let mut degraded = degraded(socket_hook, has_cookies);
        let exec_watch = watch::load(&mut ebpf, socket_hook)?;
        if let Err(error) = &exec_watch {
            degraded.push(format!(
                "programs that begin are found up to seconds later: {error}"
            ));
        }
        let ring = take(&mut ebpf, "HITS")?;
        let execs = take(&mut ebpf, "EXECS")?;
        let counters = take(&mut ebpf, "LIBRARY_COUNTERS")?;
        let processes = take(&mut ebpf, "PROCESSES")?;
        let coroutines = take(&mut ebpf, "COROUTINE_PROCESSES")?;
        let error_offsets = take(&mut ebpf, "ERROR_OFFSETS")?;
        Ok(Loaded {
            object: Self {
                ebpf,
                socket_hook,
                refused: HashMap::new(),
                has_cookies,
                processes,
                coroutines,
                error_offsets,
            },
            ring,
            execs,
            exec_watch: exec_watch.ok(),
            counters: Counters::new(counters),
            degraded,
        })
    }

    /// Begins to remember which socket each thread receives from, until what this gives is dropped.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn watch_sockets(&mut self) -> Result<Watch, KernelError> {
        watch::attach_sockets(&mut self.ebpf, self.socket_hook)
    }

    /// Attaches a program to an instruction of a file, to which `path` leads, with `number` as its cookie; in one process only
    /// if `pid` says so.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn attach(
        &mut self,
        program: &str,
        path: &Path,
        offset: u64,
        number: u64,
        pid: Option<NonZeroU32>,
    ) -> Result<UProbeLink, Refused> {
        let has_cookies = self.has_cookies;
        let uprobe = self.uprobe(program)?;
        let point = UProbeAttachPoint {
            location: UProbeAttachLocation::AbsoluteOffset(offset),
            cookie: has_cookies.then_some(number),
        };
        let scope = pid.map_or(UProbeScope::AllProcesses, UProbeScope::OneProcess);
        let link = uprobe.attach(point, path, scope);
        link.and_then(|link| uprobe.take_link(link))
            .map_err(|error| Refused::of(&error))
    }

    /// Loads a program, as [`attach`](Self::attach) does, and attaches it nowhere.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn try_program(&mut self, name: &str) -> Result<(), Refused> {
        self.uprobe(name).map(|_| ())
    }

    /// The program of that name, which is loaded when it is asked for first.
    fn uprobe(&mut self, name: &str) -> Result<&mut UProbe, Refused> {
        let program = self.ebpf.program_mut(name).map(<&mut UProbe>::try_from);
        let Some(Ok(program)) = program else {
            return Err(Refused::Program(
                "this agent's kernel object has no such program".to_owned(),
            ));
        };
        if let Some(why) = self.refused.get(name) {
            return Err(Refused::Program(why.clone()));
        }
        if program.fd().is_err()
            && let Err(error) = program.load()
        {
            let why = one_line(&error);
            self.refused.insert(name.to_owned(), why.clone());
            return Err(Refused::Program(why));
        }
        Ok(program)
    }

    /// Whether probes can carry a number.
    pub fn has_cookies(&self) -> bool {
        self.has_cookies
    }

    /// Says where the file with this number has the error of a verification; false if the map is full. To be said before its
    /// probes are attached.
    pub fn set_error_offset(&mut self, number: u64, offset: u32) -> bool {
        self.error_offsets.insert(number, offset, 0).is_ok()
    }

    /// Takes that back.
    pub fn forget_error_offset(&mut self, number: u64) {
        // It is not there if it was never said.
        let _ = self.error_offsets.remove(&number);
    }

    /// Says that a process has goroutines.
    pub fn add_coroutines(&mut self, pid: u32) {
        // A full LRU map makes room, and the process's first hit says it too.
        let _ = self.coroutines.insert(pid, 1, 0);
    }

    /// Says whether a process is wanted, as the policy has it; false if the map is full.
    pub fn set_process(&mut self, pid: u32, wanted: u32) -> bool {
        self.processes.insert(pid, wanted, 0).is_ok()
    }

    /// Takes that back.
    pub fn forget_process(&mut self, pid: u32) {
        // It is not there if there was no room for it.
        let _ = self.processes.remove(&pid);
    }
}

fn degraded(socket_hook: SocketHook, has_cookies: bool) -> Vec<String> {
    let mut degraded = Vec::new();
    if socket_hook == SocketHook::Function {
        degraded.push(
            "no tracepoint sock_recv_length (Linux 6.3): a thread's connection is the one that it last tried to receive from"
                .to_owned(),
        );
    }
    if !has_cookies {
        degraded
            .push("no attach cookies (Linux 5.15): hits do not tell which file they come from".to_owned());
    }
    degraded
}

fn take<T: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &'static str) -> Result<T, KernelError> {
    let map = ebpf.take_map(name).ok_or_else(|| KernelError::Mismatch {
        name: format!("map {name}"),
    })?;
    T::try_from(map).map_err(|source| refused_map(name, source))
}

fn refused_map(name: &'static str, source: MapError) -> KernelError {
    KernelError::Map {
        name,
        source: Box::new(source),
    }
}

/// What the kernel said, with what the system call's number means.
fn cause(error: &ProgramError) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
