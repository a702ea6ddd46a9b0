//! The stacks in Python, with their packages in `packages` beside them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::project;
use crate::process;

/// Installs one of the Django projects from `source` into `into`.
///
/// # Errors
/// When files cannot be copied, or pip fails.
pub fn django(source: &Path, into: &Path) -> Result<()> {
    project::provide(source, into, || {
        process::run(
            Command::new("python3")
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--root-user-action", "ignore"])
                .args(["--only-binary", ":all:", "--require-hashes", "--requirement"])
                .arg(into.join("requirements.txt"))
                .arg("--target")
                .arg(into.join("packages")),
        )
    })
}
