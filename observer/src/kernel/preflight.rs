//! What this host's kernel can do: probed, never concluded from a version alone.

mod libraries;

use std::fmt;
use std::fs;

use aya::programs::ProgramType;
use aya::sys::{BpfHelper, is_helper_supported, is_program_supported};
use aya::util::KernelVersion;

use super::{KernelError, OBJECT};
use crate::config::Scope;

/// How one point of the check turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Missing, but there is another way.
    Degraded,
    /// Missing, and needed.
    Missing,
    /// The probe itself failed: neither yes nor no.
    Unknown,
}

/// One point of the check.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Finding {
    /// What was looked at.
    pub feature: &'static str,
    /// How it turned out.
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// What to do about it; empty if nothing.
    pub remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Degraded => "degraded",
            Status::Missing => "MISSING",
            Status::Unknown => "unknown",
        };
        write!(f, "{:<22} {:<9} {}", self.feature, status, self.detail)?;
        if self.remedy.is_empty() {
            Ok(())
        } else {
            write!(f, "; remedy: {}", self.remedy)
        }
    }
}

/// Whether the kernel tells namespaces apart for a cgroup program (Linux 6.15), so that flow keys need
/// no fallback. A probe that fails counts as no: the fallback works everywhere.
pub fn has_namespace_cookie() -> bool {
    is_helper_supported(ProgramType::CgroupSkb, BpfHelper::BPF_FUNC_get_netns_cookie).unwrap_or(false)
}

/// Linux capabilities by number (`capabilities(7)`).
const CAPABILITIES: [(&str, u32); 3] = [("CAP_NET_ADMIN", 12), ("CAP_PERFMON", 38), ("CAP_BPF", 39)];
const CAP_SYS_ADMIN: u32 = 21;

/// The capabilities that probes need and this process lacks. CAP_SYS_ADMIN stands for all but CAP_NET_ADMIN.
pub fn missing_capabilities() -> Vec<&'static str> {
    let effective = effective_capabilities();
    let has = |capability: u32| effective & (1 << capability) != 0;
    CAPABILITIES
        .iter()
        .filter(|(name, number)| !has(*number) && (*name == "CAP_NET_ADMIN" || !has(CAP_SYS_ADMIN)))
        .map(|(name, _)| *name)
        .collect()
}

/// The capabilities that this process has, one bit each.
fn effective_capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// The kernel's lockdown mode, `none` where it knows none.
fn lockdown() -> String {
    let modes = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    let chosen = modes
        .split_whitespace()
        .find_map(|mode| mode.strip_prefix('[')?.strip_suffix(']'));
    chosen.unwrap_or("none").to_owned()
}

/// What must hold before anything is loaded.
///
/// # Errors
/// The first thing that is missing, with the remedy.
pub fn require(scope: &Scope) -> Result<&'static [u8], KernelError> {
    let missing = missing_capabilities();
    if !missing.is_empty() {
        return Err(KernelError::Privileges {
            missing: missing.join(", "),
        });
    }
    let mode = lockdown();
    if mode == "confidentiality" {
        return Err(KernelError::Lockdown { mode });
    }
    let object = OBJECT.ok_or(KernelError::NoObject)?;
    let (program, feature) = match scope {
        Scope::Cgroup(_) => (ProgramType::CgroupSkb, "cgroup_skb programs"),
        Scope::Interfaces(_) => (
            ProgramType::SchedClassifier,
            "traffic control classifier programs",
        ),
    };
    // "Cannot tell" is left to the load itself, whose error says more.
    if matches!(is_program_supported(program), Ok(false)) {
        return Err(KernelError::Unsupported {
            feature: feature.to_owned(),
            remedy: "a kernel from 5.15 on with CONFIG_BPF_SYSCALL, CONFIG_CGROUP_BPF and CONFIG_NET_CLS_BPF"
                .to_owned(),
        });
    }
    Ok(object)
}

/// Looks at all of it.
pub fn check() -> Vec<Finding> {
    let mut findings = vec![kernel(), object(), privileges(), lockdown_finding()];
    let kernel = "a kernel from 5.15 on with CONFIG_BPF_SYSCALL, CONFIG_CGROUP_BPF and CONFIG_NET_CLS_BPF";
    findings.push(program("cgroup_skb", ProgramType::CgroupSkb, kernel));
    findings.push(program(
        "classifier",
        ProgramType::SchedClassifier,
        "needed for --interface only",
    ));
    findings.push(cookie());
    findings.push(cgroup_mount());
    findings.push(tcx());
    findings.extend(libraries::check());
    findings
}

fn finding(
    feature: &'static str,
    status: Status,
    detail: impl Into<String>,
    remedy: &'static str,
) -> Finding {
    Finding {
        feature,
        status,
        detail: detail.into(),
        remedy: if status == Status::Ok { "" } else { remedy },
    }
}

fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    finding("kernel", Status::Ok, format!("Linux {}", release.trim()), "")
}

fn object() -> Finding {
    match OBJECT {
        Some(object) => finding(
            "kernel object",
            Status::Ok,
            format!("{} bytes, embedded", object.len()),
            "",
        ),
        None => finding(
            "kernel object",
            Status::Missing,
            "this agent was built without it",
            "run cargo xtask setup and build again",
        ),
    }
}

fn privileges() -> Finding {
    let missing = missing_capabilities();
    if missing.is_empty() {
        return finding(
            "privileges",
            Status::Ok,
            "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are there",
            "",
        );
    }
    finding(
        "privileges",
        Status::Missing,
        format!("without {}", missing.join(", ")),
        "run as root or grant them (CAP_SYS_ADMIN before Linux 5.8)",
    )
}

fn lockdown_finding() -> Finding {
    let mode = lockdown();
    let status = if mode == "confidentiality" {
        Status::Missing
    } else {
        Status::Ok
    };
    finding("lockdown", status, mode, "boot with lockdown=integrity or none")
}

fn program(feature: &'static str, program: ProgramType, remedy: &'static str) -> Finding {
    match is_program_supported(program) {
        Ok(true) => finding(feature, Status::Ok, "programs of this type load", ""),
        Ok(false) => finding(
            feature,
            Status::Missing,
            "the kernel has no programs of this type",
            remedy,
        ),
        Err(error) => finding(
            feature,
            Status::Unknown,
            error.to_string(),
            "run the check as root",
        ),
    }
}

fn cookie() -> Finding {
    let feature = "namespace cookie";
    match is_helper_supported(ProgramType::CgroupSkb, BpfHelper::BPF_FUNC_get_netns_cookie) {
        Ok(true) => finding(
            feature,
            Status::Ok,
            "bpf_get_netns_cookie keeps namespaces apart",
            "",
        ),
        Ok(false) => finding(
            feature,
            Status::Degraded,
            "no bpf_get_netns_cookie for cgroup programs: socket cookies keep connections apart, the agent joins both ends, and \
             clients that do not speak TLS are not told of",
            "none needed; Linux 6.15 has it",
        ),
        Err(error) => finding(
            feature,
            Status::Unknown,
            error.to_string(),
            "run the check as root",
        ),
    }
}

fn cgroup_mount() -> Finding {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    match crate::config::host::cgroup2_mount(&mounts) {
        Some(path) => finding(
            "cgroup v2",
            Status::Ok,
            format!("mounted at {}", path.display()),
            "",
        ),
        None => finding(
            "cgroup v2",
            Status::Missing,
            "not mounted",
            "mount -t cgroup2 none /sys/fs/cgroup, or choose interfaces with --interface",
        ),
    }
}

/// tcx cannot be tried without an interface to attach to; `run` tries it, and falls back to a clsact qdisc.
fn tcx() -> Finding {
    let since = KernelVersion::new(6, 6, 0);
    if KernelVersion::current().is_ok_and(|version| version >= since) {
        return finding(
            "tcx",
            Status::Ok,
            "expected from this kernel's version; tried when attaching",
            "",
        );
    }
    finding(
        "tcx",
        Status::Degraded,
        "expected from Linux 6.6 on: --interface uses a clsact qdisc, whose filter outlives an agent that is killed",
        "none needed; the next start removes such a filter",
    )
}
