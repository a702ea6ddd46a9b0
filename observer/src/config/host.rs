//! What the configuration asks of the host: variables, files, whether a person reads along. A trait, so that tests need
//! no process of their own.

use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The surroundings that a configuration is made in.
pub trait Host {
    /// An environment variable's value.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether standard output is a terminal.
    fn stdout_is_terminal(&self) -> bool;
    /// A file's text.
    ///
    /// # Errors
    /// As for [`std::fs::read_to_string`].
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// This process and its host.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisHost;

impl Host for ThisHost {
    fn variable(&self, name: &str) -> Option<String> {
        // Bytes that are not UTF-8 become replacement characters, which the setting's own check then refuses by name.
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}

/// The first cgroup v2 mount point in a mount table in the format of `/proc/self/mounts` (fstab(5)).
pub fn cgroup2_mount(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(std::ffi::OsString::from_vec(unescape(point))))
    })
}

/// Undoes the octal escapes of a mount table: `\040` is a space.
fn unescape(field: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            tail.get(3..).unwrap_or_default()
        } else {
            tail
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_2_mount_among_version_1_ones() {
        let hybrid = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
                      cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n\
                      cgroup2 /sys/fs/cgroup/uni\\040fied cgroup2 rw 0 0\n";
        assert_eq!(
            cgroup2_mount(hybrid),
            Some(PathBuf::from("/sys/fs/cgroup/uni fied"))
        );
        assert_eq!(cgroup2_mount("cgroup2 / ext4 rw 0 0\n"), None);
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(unescape("a\\b\\04"), b"a\\b\\04");
    }
}
