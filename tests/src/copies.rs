//! Copies of programs and libraries that nothing else on this host runs: a uprobe is hit by every process that has its file
//! mapped, so the tests put probes into files of their own only.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// A directory with the copies; it is removed when this is dropped.
#[derive(Debug)]
pub struct Copies {
    directory: TempDir,
}

impl Copies {
    /// A directory without any.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tlsobs-copies-").tempdir()?;
        Ok(Self { directory })
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Copies a program; the path of the copy.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn program(&self, program: &Path) -> Result<PathBuf> {
        let name = program.file_name().context("a program without a name")?;
        let copy = self.directory.path().join(name);
        duplicate(program, &copy)?;
        Ok(copy)
    }

    /// Copies OpenSSL's libraries, those of its command line tools.
    ///
    /// # Errors
    /// When there are none, as where the tools are linked statically.
    pub fn openssl(&self) -> Result<()> {
        let tool = which("openssl")?;
        let said = Command::new("ldd").arg(&tool).output().context("ldd")?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let mut copied = 0;
        for line in said.lines() {
            let Some((name, rest)) = line.trim().split_once(" => ") else {
                continue;
            };
            if !name.starts_with("libssl.") && !name.starts_with("libcrypto.") {
                continue;
            }
            let library = rest.split_once(" (").map_or(rest, |(path, _)| path);
            duplicate(Path::new(library), &self.directory.path().join(name))?;
            copied += 1;
        }
        ensure!(
            copied == 2,
            "{} has not OpenSSL's two libraries:\n{said}",
            tool.display()
        );
        Ok(())
    }

    /// Makes a program use the libraries among the copies.
    pub fn lend(&self, command: &mut Command) {
        command.env("LD_LIBRARY_PATH", self.directory.path());
    }
}

/// Copies a file by a process of its own. A program cannot be executed while anyone has it open for writing, and a child that
/// another thread begins has what this process has open, until it executes its own program.
fn duplicate(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg(from).arg(to).status().context("cp")?;
    ensure!(status.success(), "cp {}: {status}", from.display());
    Ok(())
}

/// Where a program in `PATH` is.
fn which(program: &str) -> Result<PathBuf> {
    program_in_path(program).with_context(|| format!("no {program}"))
}

/// Where a program is in `PATH`, if it is.
pub fn program_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}
