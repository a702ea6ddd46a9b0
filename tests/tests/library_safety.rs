//! Whatever happens to a process while its TLS library is probed, and whatever it does: services go on as if nobody
//! looked, and no certificate comes to stand at a connection that it was not shown on.
//!
//! All probes are in copies of libraries that nothing else uses.

#[path = "library_safety/hostile.rs"]
mod hostile;
#[path = "library_safety/lifetimes.rs"]
mod lifetimes;
#[path = "library_safety/stage.rs"]
mod stage;
