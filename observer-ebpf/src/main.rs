//! The kernel half of TLS Observer.
//!
//! It picks TLS handshake records, alerts and the headers of encrypted records off TCP connections and copies them into
//! a ring buffer. It interprets as little as it can; what it does interpret are record headers, for that is what keeps
//! application data in the kernel.
//!
//! | module | job |
//! |---|---|
//! | `hooks` | attach points: cgroup_skb and the tc/tcx classifier |
//! | `observe` | what happens to one packet, from the flow map to the walk |
//! | `follow` | what the tail-called programs do: walk, drain, close |
//! | `packet` | IP and TCP headers to flow key, sequence numbers and payload |
//! | `flow` | state of one connection and of each of its directions |
//! | `detect` | what the beginning of TLS looks like |
//! | `recognise` | is this connection TLS, or a client that should have spoken it? |
//! | `source` | where the walk reads from: a packet, or a segment set aside |
//! | `records` | the walk over record headers |
//! | `stash` | segments that came too early, set aside until their turn |
//! | `emit` | the only place that writes into the ring buffer |
//! | `maps` | every map, its size and why |
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![allow(internal_features)]
#![warn(missing_docs)]

mod detect;
mod emit;
mod flow;
mod follow;
mod hooks;
mod maps;
mod observe;
mod packet;
mod recognise;
mod records;
mod source;
mod stash;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // The verifier proves that no path leads here: code that could panic would not load.
    loop {}
}

/// A GPL-compatible licence, which the kernel asks for before it lends `bpf_probe_read_kernel` and others.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
