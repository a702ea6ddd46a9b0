//! Asks the kernel which programs are attached where.

use std::fs::File;
use std::os::fd::AsRawFd;

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::netns::Namespace;

/// `BPF_PROG_QUERY` of `linux/bpf.h`.
const PROG_QUERY: libc::c_long = 16;
/// `BPF_CGROUP_INET_INGRESS` and `BPF_CGROUP_INET_EGRESS`.
const CGROUP_HOOKS: [u32; 2] = [0, 1];
/// `BPF_TCX_INGRESS` and `BPF_TCX_EGRESS`.
const TCX_HOOKS: [u32; 2] = [46, 47];

/// The `query` member of `union bpf_attr`.
#[repr(C)]
#[derive(Default)]
struct Query {
    /// Descriptor of the cgroup, or interface index.
    target: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    prog_ids: u64,
    prog_cnt: u32,
    pad: u32,
    prog_attach_flags: u64,
    link_ids: u64,
    link_attach_flags: u64,
    revision: u64,
}

/// How many programs the packet hooks of a cgroup have.
///
/// # Errors
/// When the kernel does not say.
pub fn of_cgroup(cgroup: &Cgroup) -> Result<u32> {
    let directory = File::open(cgroup.path())?;
    let target = u32::try_from(directory.as_raw_fd())?;
    CGROUP_HOOKS.into_iter().map(|hook| count(target, hook)).sum()
}

/// How many programs the tcx hooks of an interface have.
///
/// # Errors
/// When the kernel does not say.
pub fn of_interface(namespace: &Namespace, name: &str) -> Result<u32> {
    namespace.run(|| {
        let index = nix::net::if_::if_nametoindex(name).context(name.to_owned())?;
        TCX_HOOKS.into_iter().map(|hook| count(index, hook)).sum()
    })
}

fn count(target: u32, attach_type: u32) -> Result<u32> {
    let mut query = Query {
        target,
        attach_type,
        ..Query::default()
    };
    // SAFETY: the attribute is a live `query` of the size given; with prog_ids null the kernel writes counts only.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, PROG_QUERY, &raw mut query, size_of::<Query>()) };
    ensure!(answer == 0, "BPF_PROG_QUERY: {}", std::io::Error::last_os_error());
    Ok(query.prog_cnt)
}
