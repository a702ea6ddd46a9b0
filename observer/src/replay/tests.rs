//! Captures and packets made here, and what is read of them.

mod build;
mod decoding;
mod driving;
mod formats;
mod fragmented;
mod tunnelled;
mod wrapped;
