//! The live source: kernel probes, their ring buffer, and what this host's kernel can do.

pub mod clock;
pub mod decode;
pub mod error;
pub mod loader;
pub mod preflight;
pub mod programs;
pub mod reader;
pub mod ring;

pub use error::KernelError;
pub use loader::Probes;

/// The kernel half, as built by `build.rs`; `None` when the agent was built without the eBPF tools.
#[cfg(kernel_object)]
pub static OBJECT: Option<&[u8]> = Some(aya::include_bytes_aligned!(concat!(
    env!("OUT_DIR"),
    "/tls-observer-probes"
)));
/// The kernel half; this agent was built without it.
#[cfg(not(kernel_object))]
pub static OBJECT: Option<&[u8]> = None;

/// The library probes, which are an object of their own; as [`OBJECT`].
#[cfg(kernel_object)]
pub static LIBRARY_OBJECT: Option<&[u8]> = Some(aya::include_bytes_aligned!(concat!(
    env!("OUT_DIR"),
    "/tls-observer-library-probes"
)));
/// The library probes; this agent was built without them.
#[cfg(not(kernel_object))]
pub static LIBRARY_OBJECT: Option<&[u8]> = None;
