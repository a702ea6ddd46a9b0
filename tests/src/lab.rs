//! The laboratory: real servers and clients of many TLS libraries, in every case that goes right or wrong, observed by the
//! agent from the wire alone. What both peers report is the truth; the events are compared with it.

pub mod case;
pub mod fault;
pub mod judge;
pub mod observed;
pub mod peer;
pub mod programs;
pub mod proxy;
pub mod report;
pub mod row;
pub mod run;
pub mod session;
pub mod stacks;
pub mod truth;
