//! What a probe costs by itself: a function that does next to nothing is called in a tight loop, without and with a program
//! that does nothing attached to it. The function is in a file of its own that nothing else has mapped.

use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::time::{ClockId, clock_gettime};
use tempfile::NamedTempFile;

use crate::bench::bpf::{self, KPROBE, Statistics};
use crate::bench::figures::Series;

/// Calls in a loop, without and with the probe.
const CALLS: [u32; 2] = [1_000_000, 50_000];
/// Calls to see that the probe is hit.
const TRIAL: u64 = 1_000;

/// A place for a probe, by what the kernel does with the instruction there.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The instruction, and when the probe is hit.
    pub name: &'static str,
    /// A function that begins with it.
    code: &'static [u8],
    /// The probe is hit when the function returns.
    on_return: bool,
}

/// What is measured. Machine code is at hand for one architecture only.
#[cfg(target_arch = "x86_64")]
const KINDS: &[Kind] = &[
    Kind {
        name: "nop of five bytes",
        // nop dword [rax+rax]; ret
        code: &[0x0f, 0x1f, 0x44, 0, 0, 0xc3],
        on_return: false,
    },
    Kind {
        name: "push",
        // push rbp; pop rbp; ret
        code: &[0x55, 0x5d, 0xc3],
        on_return: false,
    },
    Kind {
        name: "jump",
        // jmp to the next instruction; ret
        code: &[0xe9, 0, 0, 0, 0, 0xc3],
        on_return: false,
    },
    Kind {
        name: "single-stepped",
        // sub rsp, 8; add rsp, 8; ret
        code: &[0x48, 0x83, 0xec, 8, 0x48, 0x83, 0xc4, 8, 0xc3],
        on_return: false,
    },
    Kind {
        name: "push, on return",
        code: &[0x55, 0x5d, 0xc3],
        on_return: true,
    },
    Kind {
        name: "single-stepped, on return",
        code: &[0x48, 0x83, 0xec, 8, 0x48, 0x83, 0xc4, 8, 0xc3],
        on_return: true,
    },
];
#[cfg(not(target_arch = "x86_64"))]
const KINDS: &[Kind] = &[];

/// Nanoseconds that a probe of each kind adds to a call, by the CPU clock of the thread.
///
/// # Errors
/// When a probe cannot be attached, or is not hit.
pub fn measure(repeats: u32) -> Result<Vec<(Kind, Series)>> {
    KINDS
        .iter()
        .map(|kind| Ok((*kind, cost(*kind, repeats)?)))
        .collect()
}

fn cost(kind: Kind, repeats: u32) -> Result<Series> {
    let function = Function::new(kind.code)?;
    let program = bpf::nothing(KPROBE)?;
    {
        let _statistics = Statistics::enable()?;
        let _probe = Probe::attach(&program, function.file.path(), kind.on_return)?;
        let before = bpf::runs(std::process::id(), KPROBE)?;
        function.call(TRIAL as u32)?;
        let hits = bpf::runs(std::process::id(), KPROBE)?.since(before).count;
        ensure!(hits == TRIAL, "{}: {hits} hits of {TRIAL} calls", kind.name);
    }
    let mut series = Series::default();
    for _ in 0..repeats {
        let without = function.call(CALLS[0])?;
        let probe = Probe::attach(&program, function.file.path(), kind.on_return)?;
        let with = function.call(CALLS[1])?;
        drop(probe);
        series.push((with - without) * 1e9);
    }
    Ok(series)
}

/// A function in a file of its own, mapped into this process.
struct Function {
    file: NamedTempFile,
    mapping: *mut libc::c_void,
}

/// Length of the file and of its mapping.
const PAGE: usize = 4096;

impl Function {
    fn new(code: &[u8]) -> Result<Self> {
        let mut file = NamedTempFile::with_prefix("tlsobs-trap-")?;
        let mut page = code.to_vec();
        page.resize(PAGE, 0);
        file.write_all(&page)?;
        // SAFETY: a new private mapping of an open file, anywhere.
        let mapping = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_EXEC,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                0,
            )
        };
        ensure!(
            mapping != libc::MAP_FAILED,
            "map {} to be executed: {}",
            file.path().display(),
            std::io::Error::last_os_error()
        );
        Ok(Self { file, mapping })
    }

    /// Calls it so many times; seconds of CPU for each.
    fn call(&self, times: u32) -> Result<f64> {
        // SAFETY: the mapping begins with a complete function of no arguments and no result that leaves all registers as
        // they are; it lives as long as `self`.
        let function: extern "C" fn() = unsafe { std::mem::transmute(self.mapping) };
        let now = || -> Result<Duration> { Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into()) };
        let begin = now()?;
        for _ in 0..times {
            function();
        }
        Ok((now()? - begin).as_secs_f64() / f64::from(times))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nothing calls into it any more.
        unsafe { libc::munmap(self.mapping, PAGE) };
    }
}

/// A program on the first instruction of a file, in whatever process runs it. It is detached when this is dropped.
struct Probe {
    _event: OwnedFd,
}

impl Probe {
    fn attach(program: &OwnedFd, file: &Path, on_return: bool) -> Result<Self> {
        /// `struct perf_event_attr` of `linux/perf_event.h`, its second version.
        #[repr(C)]
        #[derive(Default)]
        struct Attributes {
            kind: u32,
            size: u32,
            config: u64,
            sampling: [u64; 4],
            wakeup: u32,
            breakpoint: u32,
            path: u64,
            offset: u64,
        }
        /// `PERF_FLAG_FD_CLOEXEC`.
        const CLOSE_ON_EXEC: libc::c_ulong = 8;
        /// `PERF_EVENT_IOC_SET_BPF` and `PERF_EVENT_IOC_ENABLE`.
        const SET_PROGRAM: libc::c_ulong = 0x4004_2408;
        const ENABLE: libc::c_ulong = 0x2400;
        const KIND: &str = "/sys/bus/event_source/devices/uprobe/type";

        let path = std::ffi::CString::new(file.as_os_str().as_encoded_bytes())?;
        let kind = fs::read_to_string(KIND).context(KIND)?;
        let attributes = Attributes {
            kind: kind.trim().parse().context(KIND)?,
            size: size_of::<Attributes>() as u32,
            // Its lowest bit, as `format/retprobe` beside the type says.
            config: u64::from(on_return),
            path: path.as_ptr() as u64,
            ..Attributes::default()
        };
        // SAFETY: the attributes have the size that they name, and the path lives until the call returns.
        let event = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                -1,
                0,
                -1,
                CLOSE_ON_EXEC,
            )
        };
        ensure!(event >= 0, "a uprobe: {}", std::io::Error::last_os_error());
        // SAFETY: the kernel has just given us this descriptor.
        let event = unsafe { OwnedFd::from_raw_fd(i32::try_from(event)?) };
        for (request, value) in [(SET_PROGRAM, program.as_raw_fd()), (ENABLE, 0)] {
            // SAFETY: both take a number and no pointer.
            let answer = unsafe { libc::ioctl(event.as_raw_fd(), request, value) };
            ensure!(
                answer >= 0,
                "attach to a uprobe: {}",
                std::io::Error::last_os_error()
            );
        }
        Ok(Self { _event: event })
    }
}
