//! TLS libraries of the tests' own: copies of those that peers would share with the rest of the machine.
//!
//! A probe is put into the code of a file, and every process that runs this code meets it. So that the tests trouble no
//! one, and no one's handshakes come among theirs, their peers load copies.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::copies::{Copies, program_in_path};

/// Names under which programs ask the dynamic linker for TLS libraries: OpenSSL's, GnuTLS's, and BoringSSL's as Debian
/// packages Android's.
const LIBRARIES: [&str; 5] = [
    "libssl.so.3",
    "libcrypto.so.3",
    "libgnutls.so.30",
    "libssl.so.0",
    "libcrypto.so.0",
];
/// Where libraries are that the linker's cache does not know.
const ELSEWHERE: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/android",
    "/usr/lib/aarch64-linux-gnu/android",
];
/// Programs of the machine that have a TLS library in themselves.
const PROGRAMS: [&str; 1] = ["node"];

/// The copies. What it made runs no longer than it.
pub struct PrivateCopies(Copies);

impl PrivateCopies {
    /// Copies what this machine has.
    ///
    /// # Errors
    /// When the linker's cache cannot be read, or a file not copied.
    pub fn new() -> Result<Self> {
        let copies = Copies::new()?;
        for name in LIBRARIES {
            if let Some(path) = library(name)? {
                copies.program(&path)?;
            }
        }
        for path in PROGRAMS.into_iter().filter_map(program_in_path) {
            copies.program(&path)?;
        }
        Ok(Self(copies))
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        self.0.directory()
    }

    /// The same command with copies in place of what it would share.
    pub fn of(&self, command: &Command) -> Command {
        let program = command.get_program();
        let own = self.0.directory().join(program);
        // A path is the caller's own choice.
        let is_name = Path::new(program).components().count() == 1;
        let mut with_copies = Command::new(if is_name && own.exists() {
            own.as_os_str()
        } else {
            program
        });
        with_copies.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => with_copies.env(name, value),
                None => with_copies.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            with_copies.current_dir(directory);
        }
        self.0.lend(&mut with_copies);
        with_copies
    }
}

/// Where the dynamic linker finds a library, if it does.
fn library(name: &str) -> Result<Option<PathBuf>> {
    let cache = Command::new("/sbin/ldconfig")
        .arg("-p")
        .output()
        .context("ldconfig -p")?;
    ensure!(cache.status.success(), "ldconfig -p: {}", cache.status);
    let cache = String::from_utf8_lossy(&cache.stdout);
    let cached = cache.lines().find_map(|line| {
        let (found, path) = line.split_once(" => ")?;
        (found.split_whitespace().next()? == name).then(|| PathBuf::from(path))
    });
    let elsewhere = || {
        let paths = ELSEWHERE.iter().map(|directory| Path::new(directory).join(name));
        paths.into_iter().find(|path| path.is_file())
    };
    Ok(cached.or_else(elsewhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_loads_the_copy() {
        let copies = PrivateCopies::new().unwrap();
        let mut command = copies.of(Command::new("ldd").arg(program_in_path("openssl").unwrap()));
        let said = command.output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout);
        let own = copies.0.directory().to_str().unwrap();
        for name in ["libssl.so.3", "libcrypto.so.3"] {
            assert!(said.contains(&format!("{own}/{name}")), "{said}");
        }
    }
}
