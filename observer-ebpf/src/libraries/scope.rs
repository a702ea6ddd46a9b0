//! Whose hits are wanted. A probe in a library is met by every process that maps it; foreign hits end here.

use aya_ebpf::helpers::generated;

use crate::maps::PROCESSES;

/// The agent's own process, which is never probed. Set by the agent.
#[unsafe(no_mangle)]
static OWN_PID: u32 = 0;

/// The cgroup whose threads, and those of the cgroups below it, are wanted; 0 for all. Set by the agent.
#[unsafe(no_mangle)]
static CGROUP_ID: u64 = 0;

/// What [`PROCESSES`] means. Set by the agent.
#[unsafe(no_mangle)]
static PROCESS_POLICY: u32 = POLICY_ALL;

/// Nothing: all are wanted.
const POLICY_ALL: u32 = 0;
/// Those that are not in it are wanted.
const POLICY_UNKNOWN_WANTED: u32 = 1;

/// Cgroups that lie in each other at most; deeper ones do not count as below the chosen one.
const MAX_DEPTH: i32 = 32;

/// Whether the current thread's hits are wanted.
#[inline(always)]
pub fn is_wanted(pid: u32) -> bool {
    // SAFETY: constants that the agent sets before loading; volatile, for the compiler must not believe the initial ones.
    let (own, cgroup, policy) = unsafe {
        (
            core::ptr::read_volatile(&raw const OWN_PID),
            core::ptr::read_volatile(&raw const CGROUP_ID),
            core::ptr::read_volatile(&raw const PROCESS_POLICY),
        )
    };
    pid != own && (cgroup == 0 || is_below(cgroup)) && (policy == POLICY_ALL || is_named(pid, policy))
}

/// Whether the current thread is in `cgroup` or in one below it.
#[inline(always)]
fn is_below(cgroup: u64) -> bool {
    let mut level = 0;
    while level < MAX_DEPTH {
        // SAFETY: helper without preconditions.
        let ancestor = unsafe { generated::bpf_get_current_ancestor_cgroup_id(level) };
        if ancestor == cgroup {
            return true;
        }
        // There is none at this level, nor at deeper ones.
        if ancestor == 0 {
            return false;
        }
        level += 1;
    }
    false
}

#[inline(always)]
fn is_named(pid: u32, policy: u32) -> bool {
    // SAFETY: the agent replaces entries whole; a u32 is read at once.
    match unsafe { PROCESSES.get(pid) } {
        Some(wanted) => *wanted != 0,
        None => policy == POLICY_UNKNOWN_WANTED,
    }
}
