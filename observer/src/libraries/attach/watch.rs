//! The programs that are attached to the kernel itself: what a thread receives from, and programs that begin.

use aya::programs::fentry::FEntryLink;
use aya::programs::tp_btf::BtfTracePointLink;
use aya::programs::{BtfTracePoint, FEntry, Program, ProgramError};
use aya::{Btf, Ebpf};

use super::btf::{Kind, Types};
use crate::kernel::KernelError;

/// The tracepoint, and the program for it.
const EXECS: &str = "sched_process_exec";

/// How a socket that a thread received from gets known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketHook {
    /// The tracepoint `sock_recv_length`: Linux 6.3 and later.
    TracePoint,
    /// The beginning of `tcp_recvmsg`.
    Function,
}

impl SocketHook {
    /// The kernel program, which is called as what it is attached to.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TracePoint => "sock_recv_length",
            Self::Function => "tcp_recvmsg",
        }
    }

    /// The best that the kernel has.
    pub fn of(types: &Types) -> Option<Self> {
        if types.has(Kind::Typedef, "btf_trace_sock_recv_length") {
            Some(Self::TracePoint)
        } else {
            types.has(Kind::Function, "tcp_recvmsg").then_some(Self::Function)
        }
    }
}

/// What is attached as long as this is kept.
pub enum Watch {
    /// A tracepoint.
    TracePoint(BtfTracePointLink),
    /// A function of the kernel.
    Function(FEntryLink),
}

/// Loads these programs, and attaches the one that tells of programs that begin; what it gives beside is why it cannot.
///
/// # Errors
/// If the sockets that threads receive from cannot be told.
pub fn load(ebpf: &mut Ebpf, sockets: SocketHook) -> Result<Result<Watch, KernelError>, KernelError> {
    let name = sockets.name();
    // Read once for both: the kernel has a hundred thousand types.
    let types = Btf::from_sys_fs().map_err(|error| refused(name, ProgramError::Btf(error)))?;
    match sockets {
        SocketHook::TracePoint => with(ebpf, name, |program: &mut BtfTracePoint| {
            program.load(name, &types)
        })?,
        SocketHook::Function => with(ebpf, name, |program: &mut FEntry| program.load(name, &types))?,
    }
    Ok(with(ebpf, EXECS, |program: &mut BtfTracePoint| {
        program.load(EXECS, &types)?;
        attach_trace_point(program)
    }))
}

/// Attaches the program that remembers sockets.
///
/// # Errors
/// What the kernel says.
pub fn attach_sockets(ebpf: &mut Ebpf, sockets: SocketHook) -> Result<Watch, KernelError> {
    match sockets {
        SocketHook::TracePoint => with(ebpf, sockets.name(), attach_trace_point),
        SocketHook::Function => with(ebpf, sockets.name(), |program: &mut FEntry| {
            let link = program.attach()?;
            program.take_link(link).map(Watch::Function)
        }),
    }
}

fn attach_trace_point(program: &mut BtfTracePoint) -> Result<Watch, ProgramError> {
    let link = program.attach()?;
    program.take_link(link).map(Watch::TracePoint)
}

fn with<'a, T: 'a, R>(
    ebpf: &'a mut Ebpf,
    name: &'static str,
    action: impl FnOnce(&'a mut T) -> Result<R, ProgramError>,
) -> Result<R, KernelError>
where
    &'a mut T: TryFrom<&'a mut Program, Error = ProgramError>,
{
    let program = ebpf.program_mut(name).ok_or_else(|| KernelError::Mismatch {
        name: format!("program {name}"),
    })?;
    program
        .try_into()
        .and_then(action)
        .map_err(|source| refused(name, source))
}

fn refused(name: &str, source: ProgramError) -> KernelError {
    KernelError::Program {
        name: name.to_owned(),
        source: Box::new(source),
    }
}
