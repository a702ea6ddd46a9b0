//! What this host's kernel can do for library probes. All of it can be missing: the wire then tells what it can.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Finding, Status, effective_capabilities, finding};
use crate::kernel::LIBRARY_OBJECT;
use crate::libraries::attach::btf::{Kind, Types, VMLINUX};
use crate::libraries::attach::object::{Object, Refused, Settings};
use crate::libraries::attach::policy::Policy;
use crate::libraries::attach::watch::SocketHook;
use crate::libraries::hooks::COMPONENTS;

/// Looks at all of it.
pub fn check() -> Vec<Finding> {
    let types = Types::of_kernel();
    let mut findings = vec![object(), cookies(), btf(types.is_some())];
    findings.extend(types.as_ref().map(sockets));
    findings.extend(types.as_ref().map(execs));
    findings.push(files());
    findings.extend(trial());
    findings
}

fn object() -> Finding {
    match LIBRARY_OBJECT {
        Some(object) => finding(
            "library object",
            Status::Ok,
            format!("{} bytes, embedded", object.len()),
            "",
        ),
        None => finding(
            "library object",
            Status::Degraded,
            "this agent was built without it: no library probes",
            "run cargo xtask setup and build again",
        ),
    }
}

fn cookies() -> Finding {
    let features = aya::features();
    if features.bpf_cookie() && features.bpf_perf_link() {
        return finding(
            "attach cookies",
            Status::Ok,
            "hits tell which file they come from",
            "",
        );
    }
    finding(
        "attach cookies",
        Status::Degraded,
        "none: hits do not tell which file they come from",
        "none needed; Linux 5.15 has them",
    )
}

fn btf(is_there: bool) -> Finding {
    if is_there {
        return finding("BTF", Status::Ok, format!("{VMLINUX} is there"), "");
    }
    finding(
        "BTF",
        Status::Degraded,
        format!("no {VMLINUX}: no library probes, for nothing tells whose connection a library works on"),
        "a kernel with CONFIG_DEBUG_INFO_BTF",
    )
}

fn sockets(types: &Types) -> Finding {
    let feature = "connection of a thread";
    match SocketHook::of(types) {
        Some(hook @ SocketHook::TracePoint) => finding(
            feature,
            Status::Ok,
            format!("the tracepoint {} tells what a thread received from", hook.name()),
            "",
        ),
        Some(hook @ SocketHook::Function) => finding(
            feature,
            Status::Degraded,
            format!(
                "no tracepoint sock_recv_length: {} tells what a thread last tried to receive from",
                hook.name()
            ),
            "none needed; Linux 6.3 has it",
        ),
        None => finding(
            feature,
            Status::Degraded,
            "neither sock_recv_length nor tcp_recvmsg: no library probes",
            "a kernel from 5.15 on with CONFIG_DEBUG_INFO_BTF",
        ),
    }
}

fn execs(types: &Types) -> Finding {
    if types.has(Kind::Typedef, "btf_trace_sched_process_exec") {
        return finding("start of programs", Status::Ok, "the kernel tells of it", "");
    }
    finding(
        "start of programs",
        Status::Degraded,
        "no tracepoint sched_process_exec: libraries are found up to two seconds after their program began",
        "none needed",
    )
}

/// Whether this process may see what others have mapped (`proc(5)`).
fn files() -> Finding {
    const CAP_SYS_PTRACE: u32 = 19;
    const CAP_SYS_ADMIN: u32 = 21;
    const CAP_CHECKPOINT_RESTORE: u32 = 40;
    let feature = "files of processes";
    let effective = effective_capabilities();
    let has = |capability: u32| effective & (1 << capability) != 0;
    if !has(CAP_SYS_PTRACE) {
        return finding(
            feature,
            Status::Degraded,
            "without CAP_SYS_PTRACE only libraries of processes of the same user are found",
            "run as root or grant CAP_SYS_PTRACE",
        );
    }
    if !has(CAP_CHECKPOINT_RESTORE) && !has(CAP_SYS_ADMIN) {
        return finding(
            feature,
            Status::Degraded,
            "without CAP_CHECKPOINT_RESTORE libraries that were replaced on disk since they were loaded are not found",
            "run as root or grant CAP_CHECKPOINT_RESTORE (CAP_SYS_ADMIN before Linux 5.9)",
        );
    }
    finding(
        feature,
        Status::Ok,
        "the libraries of all processes can be found",
        "",
    )
}

/// Loads each program as it would be for a library of its kind, and attaches one to a file that nobody runs.
fn trial() -> Vec<Finding> {
    let feature = "library programs";
    let loaded = Object::load(Settings {
        ring_bytes: observer_common::limits::DEFAULT_RING_BYTES,
        cgroup_id: 0,
        policy: Policy::All,
    });
    // All of it is kept: the programs refer to maps that are not the object's own.
    let mut loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let unknown = finding(feature, Status::Unknown, error.to_string(), "see the lines above");
            return vec![unknown];
        }
    };
    let hooks = COMPONENTS.iter().flat_map(|component| component.hooks);
    let names: BTreeSet<String> = hooks
        .flat_map(|hook| hook.programs().map(|(name, _)| name))
        .collect();
    let (mut loading, mut refused) = (Vec::new(), Vec::new());
    for name in &names {
        match loaded.object.try_program(name) {
            Ok(()) => loading.push(name),
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    let programs = match refused.len() {
        0 => finding(feature, Status::Ok, format!("all {} load", names.len()), ""),
        count => finding(
            feature,
            Status::Degraded,
            format!(
                "{count} of {} are refused, and their hooks left out: {}",
                names.len(),
                refused.join("; ")
            ),
            "none needed for the wire, nor for libraries without these hooks",
        ),
    };
    let uprobes = loading.first().map(|name| uprobes(&mut loaded.object, name));
    [programs].into_iter().chain(uprobes).collect()
}

fn uprobes(object: &mut Object, program: &str) -> Finding {
    let feature = "uprobes";
    let attached = nobodys_file()
        .map_err(|error| error.to_string())
        .and_then(|file| {
            let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            object
                .attach(program, &path, 0, 1, None)
                .map_err(|error| match error {
                    Refused::Rights(cause) => cause,
                    error => error.to_string(),
                })
        });
    match attached {
        Ok(_) => finding(feature, Status::Ok, "one was attached to a file", ""),
        Err(error) => finding(
            feature,
            Status::Degraded,
            format!("no library probes: {error}"),
            "run as root or grant CAP_SYS_ADMIN, which uprobes ask for since Linux 6.16; a kernel with CONFIG_UPROBE_EVENTS",
        ),
    }
}

/// A file in memory with an instruction in it.
fn nobodys_file() -> io::Result<File> {
    let file = File::from(memfd_create(c"tls-observer-check", MFdFlags::MFD_CLOEXEC)?);
    // A page of nop for x86-64; nobody runs it.
    (&file).write_all(&[0x90; 4096])?;
    Ok(file)
}
