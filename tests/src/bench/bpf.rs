//! The kernel's own account of the time that its programs run.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result, ensure};

use super::btf;

/// Commands of `bpf(2)`, and the only kind of statistics there is (`linux/bpf.h`).
const PROG_LOAD: libc::c_long = 5;
const PROG_TEST_RUN: libc::c_long = 10;
const PROG_GET_FD_BY_ID: libc::c_long = 13;
const OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BTF_GET_FD_BY_ID: libc::c_long = 19;
const ENABLE_STATS: libc::c_long = 32;
const STATS_RUN_TIME: u32 = 0;

/// Program types, as `bpf(2)` and `/proc/PID/fdinfo` number them.
const SOCKET_FILTER: u32 = 1;
/// Kprobes and uprobes.
pub const KPROBE: u32 = 2;
/// Classifier (tc and tcx).
pub const CLASSIFIER: u32 = 3;
/// `cgroup_skb`.
pub const CGROUP_SKB: u32 = 8;

/// Runs `bpf(2)`.
fn bpf<T>(command: libc::c_long, attributes: &mut T) -> Result<i32> {
    // SAFETY: every `T` here is a `repr(C)` prefix of the kernel's `union bpf_attr` for that command, its size is given,
    // and the memory that its pointers name outlives the call.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    if answer < 0 {
        return Err(std::io::Error::last_os_error()).context("bpf(2)");
    }
    Ok(i32::try_from(answer)?)
}

/// Run-time statistics of all programs, counted as long as the guard lives. The kernel ends it with the guard's file, so
/// nothing stays switched on, however this process ends. What `kernel.bpf_stats_enabled` says is not changed.
pub struct Statistics {
    _file: OwnedFd,
}

impl Statistics {
    /// Switches them on.
    ///
    /// # Errors
    /// Without root, or before Linux 5.8.
    pub fn enable() -> Result<Self> {
        let file = bpf(ENABLE_STATS, &mut { STATS_RUN_TIME }).context("run-time statistics of programs")?;
        // SAFETY: the kernel has just given us this descriptor.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        Ok(Self { _file: file })
    }
}

/// How often programs ran, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// Runs.
    pub count: u64,
    /// Nanoseconds in all.
    pub nanoseconds: u64,
}

impl Runs {
    /// What has been added since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            count: self.count - earlier.count,
            nanoseconds: self.nanoseconds - earlier.nanoseconds,
        }
    }

    /// Nanoseconds for one run; not a number when there was none.
    pub fn mean(self) -> f64 {
        self.nanoseconds as f64 / self.count as f64
    }
}

/// The runs of all programs of type `kind` that process `pid` holds open. A program that another one tail-calls has no
/// count of its own: its time is in its caller's.
///
/// # Errors
/// When the process has ended, or holds no such program.
pub fn runs(pid: u32, kind: u32) -> Result<Runs> {
    let mut programs = programs(pid)?;
    programs.retain(|_, program| program.kind == kind);
    ensure!(!programs.is_empty(), "the agent holds no program of type {kind}");
    let add = |sum: Runs, program: &Program| Runs {
        count: sum.count + program.runs.count,
        nanoseconds: sum.nanoseconds + program.runs.nanoseconds,
    };
    Ok(programs.values().fold(Runs::default(), add))
}

/// A program that a process holds open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its type, as `bpf(2)` numbers them.
    pub kind: u32,
    /// Its runs.
    pub runs: Runs,
}

/// All programs that process `pid` holds open, by their ids.
///
/// # Errors
/// When the process has ended.
pub fn programs(pid: u32) -> Result<BTreeMap<u32, Program>> {
    let mut programs = BTreeMap::new();
    let directory = format!("/proc/{pid}/fdinfo");
    for entry in fs::read_dir(&directory).with_context(|| directory.clone())? {
        // A file may have been closed in the meantime.
        let Ok(text) = fs::read_to_string(entry?.path()) else {
            continue;
        };
        programs.extend(program(&text));
    }
    Ok(programs)
}

/// The program that a `fdinfo` file tells of, if it does, and its id.
fn program(text: &str) -> Option<(u32, Program)> {
    let field = |name: &str| -> Option<u64> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().parse().ok()
    };
    let runs = Runs {
        count: field("run_cnt")?,
        nanoseconds: field("run_time_ns")?,
    };
    let kind = field("prog_type")?.try_into().ok()?;
    Some((field("prog_id")?.try_into().ok()?, Program { kind, runs }))
}

/// The name of the program with this id.
///
/// # Errors
/// When there is none, or it came without BTF.
pub fn name(id: u32) -> Result<String> {
    /// `struct bpf_prog_info` as far as `nr_func_info`, and where the rest stands in it.
    const INFO: usize = 152;
    const BTF_ID: usize = 128;
    const RECORD_SIZE: usize = 132;
    const RECORDS: usize = 136;
    const RECORD_COUNT: usize = 144;
    /// `struct bpf_btf_info` likewise.
    const BTF_INFO: usize = 32;
    let mut function = [0_u32; 2];
    let mut info = [0_u8; INFO];
    // Of the functions that it is made of, the first is the program.
    put(
        &mut info,
        RECORD_SIZE,
        &(size_of_val(&function) as u32).to_ne_bytes(),
    );
    put(&mut info, RECORDS, &(function.as_mut_ptr() as u64).to_ne_bytes());
    put(&mut info, RECORD_COUNT, &1_u32.to_ne_bytes());
    tell(PROG_GET_FD_BY_ID, id, &mut info)?;
    let btf_id = info.get(BTF_ID..).and_then(<[u8]>::first_chunk).copied();
    let btf_id = u32::from_ne_bytes(btf_id.context("too short")?);
    let mut bytes = vec![0_u8; MAX_BTF];
    let mut info = [0_u8; BTF_INFO];
    put(&mut info, 0, &(bytes.as_mut_ptr() as u64).to_ne_bytes());
    put(&mut info, 8, &(MAX_BTF as u32).to_ne_bytes());
    tell(BTF_GET_FD_BY_ID, btf_id, &mut info)?;
    btf::name(&bytes, function[1]).with_context(|| format!("no name of program {id}"))
}

/// Bytes of an object's BTF that are read: many times what ours have.
const MAX_BTF: usize = 1 << 20;

/// Asks the kernel what it knows of a program or of BTF, which `by_id` opens.
fn tell(by_id: libc::c_long, id: u32, info: &mut [u8]) -> Result<()> {
    /// Attributes of `BPF_PROG_GET_FD_BY_ID` and `BPF_BTF_GET_FD_BY_ID`.
    #[repr(C)]
    struct ById {
        id: u32,
        next: u32,
        flags: u32,
    }
    /// Attributes of `BPF_OBJ_GET_INFO_BY_FD`.
    #[repr(C)]
    struct InfoBy {
        file: u32,
        length: u32,
        info: u64,
    }
    let file = bpf(
        by_id,
        &mut ById {
            id,
            next: 0,
            flags: 0,
        },
    )
    .context("an object by its id")?;
    // SAFETY: the kernel has just given us this descriptor.
    let object = unsafe { OwnedFd::from_raw_fd(file) };
    let mut attributes = InfoBy {
        file: object.as_raw_fd().cast_unsigned(),
        length: info.len() as u32,
        info: info.as_mut_ptr() as u64,
    };
    bpf(OBJ_GET_INFO_BY_FD, &mut attributes).context("what the kernel knows of an object")?;
    Ok(())
}

/// Puts a field into a structure.
fn put(structure: &mut [u8], at: usize, field: &[u8]) {
    if let Some(place) = structure.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}

/// Attributes of `BPF_PROG_LOAD`, the first ones.
#[repr(C)]
struct Load {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
}

/// Attributes of `BPF_PROG_TEST_RUN`.
#[repr(C)]
struct TestRun {
    program: u32,
    result: u32,
    bytes_in: u32,
    bytes_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
}

/// Loads a program of this type that does nothing.
///
/// # Errors
/// Without root.
pub fn nothing(kind: u32) -> Result<OwnedFd> {
    /// `r0 = 0; exit`.
    static NOTHING: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    let mut load = Load {
        kind,
        instruction_count: 2,
        instructions: NOTHING.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
    };
    let file = bpf(PROG_LOAD, &mut load).context("load an empty program")?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(file) })
}

/// Nanoseconds that the statistics show for a program that does nothing: what measuring itself adds to each run.
/// [`Statistics`] must be on.
///
/// # Errors
/// When such a program cannot be loaded or run.
pub fn empty_run() -> Result<f64> {
    const REPEAT: u32 = 200_000;
    let program = nothing(SOCKET_FILTER)?;
    let packet = [0_u8; 64];
    let mut test = TestRun {
        program: program.as_raw_fd().cast_unsigned(),
        result: 0,
        bytes_in: 64,
        bytes_out: 0,
        data_in: packet.as_ptr() as u64,
        data_out: 0,
        repeat: REPEAT,
        duration: 0,
    };
    bpf(PROG_TEST_RUN, &mut test).context("run an empty program")?;
    let runs = runs(std::process::id(), SOCKET_FILTER)?;
    ensure!(
        runs.count >= u64::from(REPEAT),
        "the kernel counted {} runs of {REPEAT}",
        runs.count
    );
    Ok(runs.mean())
}

#[cfg(test)]
mod tests {
    use super::{CGROUP_SKB, Program, Runs, program};

    #[test]
    fn a_program_is_read_from_its_fdinfo_and_other_files_are_not() {
        let text = "pos:\t0\nflags:\t02000002\nprog_type:\t8\nprog_jited:\t1\nprog_id:\t77\nrun_time_ns:\t5000\nrun_cnt:\t50\n";
        let runs = Runs {
            count: 50,
            nanoseconds: 5000,
        };
        let kind = CGROUP_SKB;
        assert_eq!(program(text), Some((77, Program { kind, runs })));
        assert_eq!(program("pos:\t0\nmap_type:\t1\n"), None);
        let earlier = Runs {
            count: 40,
            nanoseconds: 4000,
        };
        assert_eq!(runs.since(earlier).mean(), 100.0);
    }
}
