//! Servers and clients that the project has written itself in Rust, run as hidden subcommands of the `lab` program. Each
//! gets its plan as one argument of JSON and prints a [`super::peer::Report`] for each connection.

pub mod rustls;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// Path of the `lab` program: the running one, or one beside it or a directory above.
///
/// # Errors
/// When it has not been built.
pub fn lab_binary() -> Result<PathBuf> {
    let own = std::env::current_exe().context("own path")?;
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("lab"))
        .find(|path| path.is_file());
    found.with_context(|| format!("no `lab` beside {}: cargo build -p observer-tests", own.display()))
}
