//! The kernel half of the library probes: what TLS libraries are told and what they find, at their own functions.
//!
//! An object of its own, beside that of the wire: each works without the other. It copies arguments and results, and the
//! bytes of certificates and alerts; no keys and no application data.
//!
//! | module | job |
//! |---|---|
//! | `hooks` | what is copied at which function, one file for each library |
//! | `hit` | the only place that writes into the ring buffer |
//! | `sockets` | which connection a thread received from last |
//! | `processes` | programs that begin |
//! | `scope` | whose hits are wanted |
//! | `user` | reading the memory of the process |
//! | `maps` | every map, its size and why |
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![allow(internal_features)]
#![warn(missing_docs)]

mod hit;
mod hooks;
mod maps;
mod processes;
mod scope;
mod sockets;
mod user;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // The verifier proves that no path leads here: code that could panic would not load.
    loop {}
}

/// A GPL-compatible licence, which the kernel asks for before it lends `bpf_probe_read_user` and others.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
