//! GnuTLS 3.6 and later.
//!
//! Almost every function has its session as an argument; which connection that is, is known while the thread is in
//! `gnutls_handshake` and has received there. The agent remembers it for what is told of the session afterwards, by
//! whatever thread.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{uprobe, uretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use observer_common::hit::gnutls::{
    ALERT_KNOWN, ALERT_RECEIVED, ALERT_SENT, CERTIFICATE, COUNT_SHIFT, E_AGAIN, E_FATAL_ALERT_RECEIVED,
    E_INTERRUPTED, E_NO_CERTIFICATE_FOUND, HANDSHAKE, MAX_CHAIN, PEERS, SESSION_CLIENT, SESSION_RECEIVED,
    SESSION_SERVER, VERIFIED,
};

use crate::hit::Hit;
use crate::maps::{ERROR_OFFSETS, GNUTLS_CALLS, GNUTLS_SESSIONS};
use crate::scope::is_wanted;
use crate::user;

/// Where a session is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SessionAddress {
    /// The process.
    pid: u64,
    /// What the library calls it by.
    address: u64,
}

/// A session that was seen when it was made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MadeSession {
    made_ns: u64,
    /// [`SESSION_SERVER`] or [`SESSION_CLIENT`].
    side: u64,
}

/// A function that a thread is in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    thread: u64,
    /// A constant of [`function`].
    function: u64,
}

/// Functions whose arguments are needed when they return.
mod function {
    pub const INIT: u64 = 0;
    pub const HANDSHAKE: u64 = 1;
    pub const VERIFY_PEERS: u64 = 2;
    pub const GET_PEERS: u64 = 3;
    pub const ALERT_GET: u64 = 4;
}

/// What it was called with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct InCall {
    entered_ns: u64,
    /// The session, where there is one already.
    session: u64,
    /// What else the function needs when it returns: where it puts its result, mostly.
    other: u64,
    /// Certificates that were told.
    certificates: u64,
    /// Where the next certificate of the chain is described.
    next: u64,
}

/// `gnutls_datum_t`, a part of the library's interface.
#[repr(C)]
#[derive(Clone, Copy)]
struct Datum {
    data: u64,
    size: u32,
    pad: u32,
}

/// `int gnutls_init(gnutls_session_t *session, unsigned flags)`.
#[uprobe]
pub fn gnutls_init(ctx: ProbeContext) -> u32 {
    // The flags' lowest bits are those of `SESSION_SERVER` and `SESSION_CLIENT`.
    enter(function::INIT, argument(&ctx, 0), argument(&ctx, 1));
    0
}

/// The session that `gnutls_init` has made.
#[uretprobe]
pub fn gnutls_init_return(_ctx: RetProbeContext) -> u32 {
    let Some(call) = leave(function::INIT) else {
        return 0;
    };
    if let Ok(address) = user::read::<u64>(call.session) {
        let made = MadeSession {
            made_ns: now(),
            side: call.other & (SESSION_SERVER | SESSION_CLIENT),
        };
        // An LRU map makes room; a session that is not in it has no known side.
        let _ = GNUTLS_SESSIONS.insert(&session_address(address), &made, 0);
    }
    0
}

/// `int gnutls_handshake(gnutls_session_t session)`.
#[uprobe]
pub fn gnutls_handshake(ctx: ProbeContext) -> u32 {
    enter(function::HANDSHAKE, argument(&ctx, 0), 0);
    0
}

/// What `gnutls_handshake` returns.
#[uretprobe]
pub fn gnutls_handshake_return(ctx: RetProbeContext) -> u32 {
    let result: i32 = ctx.ret();
    if let Some(call) = current(function::HANDSHAKE) {
        if result != E_AGAIN
            && result != E_INTERRUPTED
            && let Some(mut hit) = Hit::of_thread(&ctx, HANDSHAKE)
        {
            let session = session_of(&hit, call.session);
            let alert = match result {
                E_FATAL_ALERT_RECEIVED | E_NO_CERTIFICATE_FOUND => last_alert(&hit, call.session),
                _ => 0,
            };
            hit.set(
                HANDSHAKE,
                session.values(0, u64::from(result as u32) | alert << 32),
            );
            hit.put();
        }
        forget(function::HANDSHAKE);
    }
    0
}

/// `int gnutls_certificate_verify_peers(gnutls_session_t session, gnutls_typed_vdata_st *, unsigned, unsigned *status)`,
/// which is where its variants lead.
#[uprobe]
pub fn gnutls_certificate_verify_peers(ctx: ProbeContext) -> u32 {
    enter(function::VERIFY_PEERS, argument(&ctx, 0), argument(&ctx, 3));
    0
}

/// The status that `gnutls_certificate_verify_peers` has found.
#[uretprobe]
pub fn gnutls_certificate_verify_peers_return(ctx: RetProbeContext) -> u32 {
    let result: i32 = ctx.ret();
    let Some(call) = leave(function::VERIFY_PEERS) else {
        return 0;
    };
    if let Some(mut hit) = Hit::of_thread(&ctx, VERIFIED) {
        let session = session_of(&hit, call.session);
        let result = u64::from(result as u32) << 32;
        let status = user::read::<u32>(call.other);
        let value = result | u64::from(*status.as_ref().unwrap_or(&0));
        hit.set(VERIFIED, session.values(call.certificates, value));
        if let Err(error) = status {
            hit.note_unreadable(error);
        }
        hit.put();
    }
    0
}

/// `int gnutls_x509_crt_import(gnutls_x509_crt_t, const gnutls_datum_t *certificate, gnutls_x509_crt_fmt_t)`. The first
/// thing that a verification does is to import the peer's chain, whose certificates are described in an array; there are
/// others later, as those that signed OCSP responses.
#[uprobe]
pub fn gnutls_x509_crt_import(ctx: ProbeContext) -> u32 {
    let Some(verification) = GNUTLS_CALLS.get_ptr_mut(call(function::VERIFY_PEERS)) else {
        return 0;
    };
    let certificate = argument(&ctx, 1);
    // SAFETY: the entry is this thread's, which is here. Should the map give it to another in this moment, that one's chain
    // lacks a member, which its number shows.
    let (session, number) = unsafe {
        let verification = &mut *verification;
        let number = verification.certificates;
        if (number != 0 && verification.next != certificate) || number >= MAX_CHAIN {
            return 0;
        }
        verification.certificates = number + 1;
        verification.next = certificate + size_of::<Datum>() as u64;
        (verification.session, number)
    };
    if let Some(mut hit) = Hit::of_thread(&ctx, CERTIFICATE) {
        let session = session_of(&hit, session);
        send_certificate(&mut hit, &session, number, certificate);
    }
    0
}

/// `const gnutls_datum_t *gnutls_certificate_get_peers(gnutls_session_t session, unsigned *count)`.
#[uprobe]
pub fn gnutls_certificate_get_peers(ctx: ProbeContext) -> u32 {
    enter(function::GET_PEERS, argument(&ctx, 0), argument(&ctx, 1));
    0
}

/// The peer's chain as the service gets it.
#[uretprobe]
pub fn gnutls_certificate_get_peers_return(ctx: RetProbeContext) -> u32 {
    let first: u64 = ctx.ret();
    let Some(call) = leave(function::GET_PEERS) else {
        return 0;
    };
    let count = match (first, call.other) {
        (0, _) => 0,
        // The caller wants the leaf alone.
        (_, 0) => 1,
        (_, count) => u64::from(user::read::<u32>(count).unwrap_or(1)),
    };
    let Some(mut hit) = Hit::of_thread(&ctx, PEERS) else {
        return 0;
    };
    let session = session_of(&hit, call.session);
    let mut number = 0;
    while number < MAX_CHAIN && number < count {
        let certificate = first + number * size_of::<Datum>() as u64;
        send_certificate(&mut hit, &session, number, certificate);
        number += 1;
    }
    hit.set(PEERS, session.values(count, 0));
    hit.put();
    0
}

/// `int gnutls_alert_send(gnutls_session_t session, gnutls_alert_level_t, gnutls_alert_description_t alert)`.
#[uprobe]
pub fn gnutls_alert_send(ctx: ProbeContext) -> u32 {
    alert(&ctx, ALERT_SENT, argument(&ctx, 0), argument(&ctx, 2) as u32);
    0
}

/// `gnutls_alert_description_t gnutls_alert_get(gnutls_session_t session)`.
#[uprobe]
pub fn gnutls_alert_get(ctx: ProbeContext) -> u32 {
    enter(function::ALERT_GET, argument(&ctx, 0), 0);
    0
}

/// The alert that `gnutls_alert_get` returns.
#[uretprobe]
pub fn gnutls_alert_get_return(ctx: RetProbeContext) -> u32 {
    let received: u32 = ctx.ret();
    if let Some(call) = leave(function::ALERT_GET) {
        alert(&ctx, ALERT_RECEIVED, call.session, received);
    }
    0
}

/// Tells of an alert, but for close_notify, which every connection ends with, and which stands for none at all.
#[inline(always)]
fn alert(ctx: &impl EbpfContext, kind: u16, session: u64, alert: u32) {
    if alert != 0 {
        send(ctx, kind, session, 0, u64::from(alert));
    }
}

/// The alert that a session received last and [`ALERT_KNOWN`], if the library's own code tells where it is.
#[inline(always)]
fn last_alert(hit: &Hit, session: u64) -> u64 {
    // SAFETY: the agent fills the map before it attaches, and changes no entry.
    let Some(offset) = (unsafe { ERROR_OFFSETS.get(hit.target()) }) else {
        return 0;
    };
    match user::read::<u32>(session.wrapping_add(u64::from(*offset))) {
        Ok(alert) if alert <= u32::from(u8::MAX) => ALERT_KNOWN | u64::from(alert),
        _ => 0,
    }
}

/// Tells of one certificate of the peer.
#[inline(always)]
fn send_certificate(hit: &mut Hit, session: &Session, number: u64, certificate: u64) {
    match user::read::<Datum>(certificate) {
        Ok(Datum { data, size, .. }) => {
            hit.set(CERTIFICATE, session.values(number, u64::from(size)));
            hit.put_with(data, u64::from(size));
        }
        Err(error) => {
            hit.set(CERTIFICATE, session.values(number, 0));
            hit.note_unreadable(error);
            hit.put();
        }
    }
}

/// Tells something without bytes of a session.
#[inline(always)]
fn send(ctx: &impl EbpfContext, kind: u16, session: u64, number: u64, value: u64) {
    if let Some(mut hit) = Hit::of_thread(ctx, kind) {
        let session = session_of(&hit, session);
        hit.set(kind, session.values(number, value));
        hit.put();
    }
}

/// What every hit tells of its session.
struct Session {
    address: u64,
    made_ns: u64,
    bits: u64,
}

/// What a hit tells of its session.
#[inline(always)]
fn session_of(hit: &Hit, address: u64) -> Session {
    // SAFETY: plain data, replaced whole.
    let (made_ns, side) = match unsafe { GNUTLS_SESSIONS.get(session_address(address)) } {
        Some(made) => (made.made_ns, made.side),
        None => (0, 0),
    };
    let received = match current(function::HANDSHAKE) {
        Some(call) if call.session == address && call.entered_ns <= hit.received_ns() => SESSION_RECEIVED,
        _ => 0,
    };
    Session {
        address,
        made_ns,
        bits: side | received,
    }
}

impl Session {
    /// The values of a hit.
    #[inline(always)]
    fn values(&self, number: u64, value: u64) -> [u64; 4] {
        [
            self.address,
            self.made_ns,
            self.bits | number << COUNT_SHIFT,
            value,
        ]
    }
}

/// Remembers that the thread has entered a function. Should it enter it again before it has left, it is the inner call that
/// is told of.
#[inline(always)]
fn enter(function: u64, session: u64, other: u64) {
    let call = call(function);
    if is_wanted((call.thread >> 32) as u32) {
        let in_call = InCall {
            entered_ns: now(),
            session,
            other,
            certificates: 0,
            next: 0,
        };
        // An LRU map makes room; what is not in it is not told of.
        let _ = GNUTLS_CALLS.insert(&call, &in_call, 0);
    }
}

/// What the thread entered the function with, which it leaves now.
#[inline(always)]
fn leave(function: u64) -> Option<InCall> {
    let call = *current(function)?;
    forget(function);
    Some(call)
}

/// What the thread entered the function with, if it is in it.
#[inline(always)]
fn current(function: u64) -> Option<&'static InCall> {
    // SAFETY: plain data that only this thread writes.
    unsafe { GNUTLS_CALLS.get(call(function)) }
}

/// The thread has left the function.
#[inline(always)]
fn forget(function: u64) {
    // Nothing to do where it is not there.
    let _ = GNUTLS_CALLS.remove(call(function));
}

#[inline(always)]
fn call(function: u64) -> Call {
    Call {
        thread: bpf_get_current_pid_tgid(),
        function,
    }
}

#[inline(always)]
fn session_address(address: u64) -> SessionAddress {
    SessionAddress {
        pid: bpf_get_current_pid_tgid() >> 32,
        address,
    }
}

#[inline(always)]
fn now() -> u64 {
    // SAFETY: helper without preconditions.
    unsafe { generated::bpf_ktime_get_ns() }
}

/// An argument, counted from 0; there are that many registers.
#[inline(always)]
fn argument(ctx: &ProbeContext, n: usize) -> u64 {
    ctx.arg(n).unwrap_or(0)
}
