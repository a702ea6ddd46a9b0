//! TLS Observer: shows every TLS handshake on a Linux host, above all the ones that fail.
//!
//! The way of the data is one-directional: `kernel` (ring buffer) or `replay` (capture files) → `flows` (reassembly) → `tracker` (both directions
//! of one handshake) → `observation` (the model) → `judge` (what should have happened) → `output`. `pipeline` and `replay` are the places that wire them.

pub mod certificates;
pub mod check;
pub mod cli;
pub mod config;
pub mod exit;
pub mod facts;
pub mod flows;
pub mod join;
pub mod judge;
pub mod kernel;
pub mod libraries;
pub mod logging;
pub mod observation;
pub mod outcome;
pub mod output;
pub mod pipeline;
pub mod replay;
pub mod report;
pub mod segment;
pub mod tracker;
pub mod trust;
pub mod verify;
pub mod watch;
