//! Go 1.19 and later: crypto/tls and crypto/x509.
//!
//! Arguments and results are in registers, in an order of Go's own, and the goroutine is in one too (Go's
//! `cmd/compile/abi-internal.md`). A return probe would put an address on a stack that Go moves: where a result is wanted,
//! each return instruction has a probe. Nothing is read but arguments, results and error values, whose first words are what
//! the documentation of `crypto/x509` and `net` says or a string; what is told of them is what the agent can check.

use aya_ebpf::macros::uprobe;
use aya_ebpf::programs::ProbeContext;
use observer_common::hit::go::{
    ALERT, ALERTED, CLIENT_CHAIN, CLIENT_HANDSHAKE, FAILED, FINE, MAX_CERTIFICATES, MAX_TEXT, REASON_EXPIRED,
    SERVER_CHAIN, SERVER_HANDSHAKE, TEXT_PREFIX, VERIFIED,
};

use crate::hit::Hit;
use crate::user::{self, Unreadable};

/// `net.OpError.Op` of an error that is an alert of the peer.
const REMOTE_ERROR: &[u8; 12] = b"remote error";
/// `net.OpError.Err`, behind two strings and two interfaces of two words each.
const OP_ERROR_ERR: u64 = 8 * 8;
/// The runtime's `itab.hash`, behind two pointers.
const TYPE_HASH: u64 = 2 * 8;
/// Address and length of the empty string.
const NO_TEXT: [u64; 2] = [0; 2];

/// `func (c *Conn) processCertsFromClient(certificate Certificate) error`. The `Certificate`, too large for registers, is on
/// the stack behind the address to return to; its first field is the slice of certificates.
#[uprobe]
pub fn go_process_certs_from_client(ctx: ProbeContext) -> u32 {
    match user::read::<[u64; 2]>(stack_arguments(&ctx)) {
        Ok([first, count]) => chain(&ctx, CLIENT_CHAIN, first, count),
        Err(error) => {
            if let Some(hit) = hit(&ctx, CLIENT_CHAIN) {
                hit.unreadable(error).send();
            }
        }
    }
    0
}

/// `func (c *Conn) verifyServerCertificate(certificates [][]byte) error`.
#[uprobe]
pub fn go_verify_server_certificate(ctx: ProbeContext) -> u32 {
    chain(&ctx, SERVER_CHAIN, register(&ctx, 1), register(&ctx, 2));
    0
}

/// `func (c *Certificate) Verify(opts VerifyOptions) (chains [][]*Certificate, err error)`.
#[uprobe]
pub fn go_certificate_verify_return(ctx: ProbeContext) -> u32 {
    let (itab, error) = (register(&ctx, 3), register(&ctx, 4));
    // Values first, and one way to send them: a hit takes most of the stack that a program has.
    let (values, [address, length]) = if itab == 0 {
        ([FINE, 0, 0, 0], NO_TEXT)
    } else {
        let hash = user::read::<u32>(itab.wrapping_add(TYPE_HASH)).unwrap_or(0);
        // All the errors that matter have two words at least.
        let [certificate, reason] = user::read::<[u64; 2]>(error).unwrap_or([0; 2]);
        let detail = match reason {
            REASON_EXPIRED => user::read::<[u64; 2]>(error.wrapping_add(2 * 8)).unwrap_or(NO_TEXT),
            _ => NO_TEXT,
        };
        ([FAILED, u64::from(hash), certificate, reason], detail)
    };
    if let Some(hit) = hit(&ctx, VERIFIED) {
        hit.values(values).send_with(address, length.min(MAX_TEXT));
    }
    0
}

/// `func (c *Conn) sendAlert(err alert) error`, where `alert` is a byte.
#[uprobe]
pub fn go_send_alert(ctx: ProbeContext) -> u32 {
    if let Some(hit) = hit(&ctx, ALERT) {
        let alert = register(&ctx, 1) as u8;
        hit.values([register(&ctx, 0), u64::from(alert), 0, 0]).send();
    }
    0
}

/// `func (c *Conn) clientHandshake(ctx context.Context) (err error)`.
#[uprobe]
pub fn go_client_handshake_return(ctx: ProbeContext) -> u32 {
    handshake(&ctx, CLIENT_HANDSHAKE)
}

/// `func (c *Conn) serverHandshake(ctx context.Context) error`.
#[uprobe]
pub fn go_server_handshake_return(ctx: ProbeContext) -> u32 {
    handshake(&ctx, SERVER_HANDSHAKE)
}

/// A hit for each certificate of a slice of slices.
#[inline(always)]
fn chain(ctx: &ProbeContext, kind: u16, first: u64, count: u64) {
    let connection = register(ctx, 0);
    // A chain of none is told too.
    for index in 0..MAX_CERTIFICATES {
        // Pointer, length and capacity.
        let slice = if count == 0 {
            Ok([0; 2])
        } else {
            user::read::<[u64; 2]>(first.wrapping_add(index * 3 * 8))
        };
        let Some(hit) = hit(ctx, kind) else {
            break;
        };
        let hit = hit.values([connection, index, count, 0]);
        match slice {
            Ok([address, length]) => hit.send_with(address, length),
            Err(error) => hit.unreadable(error).send(),
        }
        if index + 1 >= count {
            break;
        }
    }
}

/// The result of a handshake: an `error`, whose type and value are the first two results.
#[inline(always)]
fn handshake(ctx: &ProbeContext, kind: u16) -> u32 {
    let (itab, error) = (register(ctx, 0), register(ctx, 1));
    let (values, [address, length]) = if itab == 0 {
        ([FINE, 0, 0, 0], NO_TEXT)
    } else {
        // What cannot be read is an error of a type that has no contents, or none that could be told.
        let words = user::read::<[u64; 2]>(error).unwrap_or([0; 2]);
        // crypto/tls wraps errors of the connection in one that holds nothing but them: a type and a value.
        match alert_of(error).or_else(|_| alert_of(words[1])) {
            Ok(alert) => ([ALERTED, u64::from(alert), 0, 0], NO_TEXT),
            Err(_) => ([FAILED, 0, 0, 0], own_text(words)),
        }
    };
    if let Some(hit) = hit(ctx, kind) {
        hit.values(values).send_with(address, length.min(MAX_TEXT));
    }
    0
}

/// The string with this address and length, if it is a text of crypto/tls: those of other errors are no concern here.
#[inline(always)]
fn own_text(string: [u64; 2]) -> [u64; 2] {
    // A value in any case: the compiler may compare before it looks at whether there is one.
    let start = user::read::<[u8; TEXT_PREFIX.len()]>(string[0]).unwrap_or_default();
    if start == *TEXT_PREFIX { string } else { NO_TEXT }
}

/// The alert in the error at that address, if it is a `net.OpError` for one that the peer sent.
#[inline(always)]
fn alert_of(error: u64) -> Result<u8, Unreadable> {
    let [operation, length] = user::read::<[u64; 2]>(error)?;
    if length != REMOTE_ERROR.len() as u64
        || user::read::<[u8; REMOTE_ERROR.len()]>(operation).unwrap_or_default() != *REMOTE_ERROR
    {
        return Err(Unreadable);
    }
    let [_, alert] = user::read::<[u64; 2]>(error.wrapping_add(OP_ERROR_ERR))?;
    user::read(alert)
}

#[inline(always)]
fn hit(ctx: &ProbeContext, kind: u16) -> Option<Hit> {
    Hit::of_coroutine(ctx, kind, goroutine(ctx))
}

/// An integer argument or result by its number, in Go's order of registers; 0 for those that are not read here.
#[cfg(bpf_target_arch = "x86_64")]
#[inline(always)]
fn register(ctx: &ProbeContext, number: usize) -> u64 {
    // SAFETY: the registers of the probed thread, which live as long as the program runs.
    let registers = unsafe { &*ctx.regs };
    match number {
        0 => registers.rax,
        1 => registers.rbx,
        2 => registers.rcx,
        3 => registers.rdi,
        4 => registers.rsi,
        _ => 0,
    }
}

/// As on x86-64.
#[cfg(bpf_target_arch = "aarch64")]
#[inline(always)]
fn register(ctx: &ProbeContext, number: usize) -> u64 {
    // SAFETY: the registers of the probed thread, which live as long as the program runs.
    unsafe { &*ctx.regs }.regs.get(number).copied().unwrap_or(0)
}

/// Where the goroutine keeps its state: R14.
#[cfg(bpf_target_arch = "x86_64")]
#[inline(always)]
fn goroutine(ctx: &ProbeContext) -> u64 {
    // SAFETY: as in `register`.
    unsafe { &*ctx.regs }.r14
}

/// Where the goroutine keeps its state: R28.
#[cfg(bpf_target_arch = "aarch64")]
#[inline(always)]
fn goroutine(ctx: &ProbeContext) -> u64 {
    register(ctx, 28)
}

/// Where arguments that are passed on the stack begin, when a function is entered: behind the address to return to.
#[cfg(bpf_target_arch = "x86_64")]
#[inline(always)]
fn stack_arguments(ctx: &ProbeContext) -> u64 {
    // SAFETY: as in `register`.
    unsafe { &*ctx.regs }.rsp.wrapping_add(8)
}

/// The same: behind the place that is kept for the address to return to.
#[cfg(bpf_target_arch = "aarch64")]
#[inline(always)]
fn stack_arguments(ctx: &ProbeContext) -> u64 {
    // SAFETY: as in `register`.
    unsafe { &*ctx.regs }.sp.wrapping_add(8)
}
