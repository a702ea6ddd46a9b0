//! The TLS libraries of the host's processes: which files hold one, and where in them its functions are.
//!
//! [`processes`] goes through `/proc` and tells which files have come into use and which are used no more;
//! [`identity`] tells what library a file is by its symbols, never by its name, and where each function is that a probe
//! wants ([`hooks`]); [`attach`] puts the probes there. Files of other users and of containers are hostile input: all that is read of them goes through
//! [`mod@file`], which has a budget, and nothing is mapped into memory, where a truncated file would be a signal. Only files
//! and what `/proc` says of processes are read, never the memory of a process.

pub mod attach;
pub mod code;
pub mod elf;
pub mod file;
pub mod getter;
pub mod go;
pub mod hooks;
pub mod identity;
pub mod names;
pub mod processes;
pub mod symbols;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
