//! rustls: the verification of a chain, by the methods of its traits for that.
//!
//! Rust promises nothing about how arguments are passed, nor in which order a structure has its fields. That they are called
//! through a table of functions keeps the compiler from passing them otherwise than it passes all such arguments, and what
//! they point to is believed only if it begins as a certificate of just the length that is said.
//!
//! | rustls | rustc | a certificate is |
//! |---|---|---|
//! | 0.23 | 1.95, also with optimisation | capacity, address, length |
//!
//! Older compilers put the address first; this is tried, too.

use core::ffi::c_void;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated;
use aya_ebpf::macros::uprobe;
use aya_ebpf::programs::ProbeContext;
use observer_common::hit::counters::LibraryCounter;
use observer_common::hit::rustls::{CLIENT_CERTIFICATE, MAX_CHAIN, REFUSED, SERVER_CERTIFICATE};

use crate::hit::Hit;
use crate::maps::count;
use crate::user::{self, Unreadable};

/// Where the certificate is among the arguments; behind it come the address of the first issuer and their number. The first
/// two arguments are where the result goes, and the verifier.
#[cfg(bpf_target_arch = "x86_64")]
const END_ENTITY: usize = 2;
/// As on x86-64, but that where the result goes has a register of its own.
#[cfg(bpf_target_arch = "aarch64")]
const END_ENTITY: usize = 1;

/// Bytes of a `CertificateDer`.
const CERTIFICATE_SIZE: u64 = 24;

/// `fn verify_client_cert(&self, end_entity: &CertificateDer, intermediates: &[CertificateDer], now: UnixTime)
/// -> Result<ClientCertVerified, Error>`.
#[uprobe]
pub fn rustls_verify_client_cert(ctx: ProbeContext) -> u32 {
    tell_chain(&ctx, CLIENT_CERTIFICATE);
    0
}

/// `fn verify_server_cert(&self, end_entity: &CertificateDer, intermediates: &[CertificateDer], …)
/// -> Result<ServerCertVerified, Error>`.
#[uprobe]
pub fn rustls_verify_server_cert(ctx: ProbeContext) -> u32 {
    tell_chain(&ctx, SERVER_CERTIFICATE);
    0
}

/// `fn send_cert_verify_error_alert(&mut self, error: Error) -> Error`.
#[uprobe]
pub fn rustls_send_cert_verify_error_alert(ctx: ProbeContext) -> u32 {
    if let Some(hit) = Hit::of_thread(&ctx, REFUSED) {
        hit.send();
    }
    0
}

/// The bytes of a certificate.
#[derive(Clone, Copy)]
struct Der {
    address: u64,
    length: u64,
}

/// A chain that is told of.
#[repr(C)]
struct Walk {
    /// The program's.
    ctx: *mut c_void,
    /// The hit's.
    kind: u64,
    /// The next one to tell of.
    next: Der,
    /// Where the issuer behind it is.
    issuer: u64,
    /// How many issuers there are from there on.
    issuers_left: u64,
}

#[inline(always)]
fn tell_chain(ctx: &ProbeContext, kind: u16) {
    let end_entity: u64 = ctx.arg(END_ENTITY).unwrap_or(0);
    let Ok(next) = certificate(end_entity) else {
        count(LibraryCounter::Unreadable);
        return;
    };
    let mut walk = Walk {
        ctx: ctx.as_ptr(),
        kind: kind.into(),
        next,
        issuer: ctx.arg(END_ENTITY + 1).unwrap_or(0),
        issuers_left: ctx.arg(END_ENTITY + 2).unwrap_or(0),
    };
    // SAFETY: `step` is what the kernel calls with the address of `walk`, before this returns. A loop of the kernel's, for
    // unrolled by the verifier it would be too long.
    unsafe { generated::bpf_loop(MAX_CHAIN as u32, step as *mut c_void, (&raw mut walk).cast(), 0) };
}

/// Tells of the certificate `number`. `bpf_loop` goes on while this gives 0.
extern "C" fn step(number: u32, walk: *mut Walk) -> i64 {
    let number = u64::from(number);
    // SAFETY: that of `tell_chain`.
    let walk = unsafe { &mut *walk };
    let issuer = match walk.issuers_left {
        0 => None,
        _ if number == MAX_CHAIN - 1 => {
            count(LibraryCounter::TooLong);
            None
        }
        _ => certificate(walk.issuer)
            .inspect_err(|_| count(LibraryCounter::Unreadable))
            .ok(),
    };
    let values = [number, issuer.is_none().into(), 0, 0];
    send(walk.ctx, walk.kind as u16, &values, &walk.next);
    let Some(issuer) = issuer else { return 1 };
    walk.next = issuer;
    walk.issuer = walk.issuer.wrapping_add(CERTIFICATE_SIZE);
    walk.issuers_left = walk.issuers_left.wrapping_sub(1);
    0
}

/// The bytes of the `CertificateDer` at `address`, if it is one.
#[inline(always)]
fn certificate(address: u64) -> Result<Der, Unreadable> {
    let [first, second, length] = user::read::<[u64; 3]>(address)?;
    let is_certificate = |address| user::read(address).is_ok_and(|start| is_certificate(start, length));
    if is_certificate(second) {
        return Ok(Der {
            address: second,
            length,
        });
    }
    if is_certificate(first) {
        return Ok(Der {
            address: first,
            length,
        });
    }
    Err(Unreadable)
}

/// Whether a certificate of that length can begin like that: a SEQUENCE whose length, of one or two bytes, fits, and that
/// begins with a SEQUENCE (RFC 5280, section 4.1).
#[inline(always)]
fn is_certificate(start: [u8; 5], length: u64) -> bool {
    match start {
        [0x30, 0x82, high, low, 0x30] => 4 + (u64::from(high) << 8 | u64::from(low)) == length,
        [0x30, 0x81, low, 0x30, _] => 3 + u64::from(low) == length,
        _ => false,
    }
}

/// Sends the hit of a certificate. A function of its own, for a hit takes half of the stack.
#[inline(never)]
fn send(ctx: *mut c_void, kind: u16, values: &[u64; 4], der: &Der) {
    if let Some(hit) = Hit::of_thread(&ProbeContext::new(ctx), kind) {
        hit.values(*values).send_with(der.address, der.length);
    }
}
