//! The records that the kernel probes write and the agent reads, with the limits and counter ids both agree on.
//!
//! Every record is `repr(C)` without implicit padding, holds no `bool` or enum, and has its size asserted below. The
//! agent never casts bytes to these types: it decodes field by field (see [`wire`]), so an unknown kind or a short
//! record is an error value, not undefined behaviour.
#![no_std]

pub mod counters;
pub mod flow;
pub mod hit;
pub mod limits;
pub mod wire;

pub use counters::Counter;
pub use flow::{FlowKey, HI_TO_LO, LO_TO_HI};
pub use hit::{HIT_HEADER_LEN, HitHeader, SocketSeen};
pub use wire::{RECORD_HEADER_LEN, RecordHeader};
