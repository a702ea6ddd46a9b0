//! What `/proc` says of one process, as text (proc(5)): `stat` and `maps`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What changes when a process maps or unmaps something, executes another program or is another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// When it started, clock ticks since boot.
    pub started: u64,
    /// Bytes of its address space; 0 for a thread of the kernel.
    pub mapped: u64,
    /// Where its program was loaded, which is random for each execution.
    pub code: u64,
}

/// Reads the fields of `/proc/PID/stat`; the program's name in it may have any bytes.
pub fn fingerprint(stat: &[u8]) -> Option<Fingerprint> {
    // The name is the second field, in brackets; the state is the third and number 0 from here on.
    let after_name = stat.iter().rposition(|&byte| byte == b')')?;
    let mut fields = str::from_utf8(stat.get(after_name + 1..)?)
        .ok()?
        .split_ascii_whitespace();
    let mut number = |skip: usize| fields.nth(skip)?.parse().ok();
    Some(Fingerprint {
        started: number(19)?,
        mapped: number(0)?,
        code: number(2)?,
    })
}

/// A file that a process has mapped for execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped<'a> {
    /// Address of its first byte.
    pub start: u64,
    /// Address behind its last.
    pub end: u64,
    /// The file's inode.
    pub inode: u64,
    /// Its path in the process's mount namespace; of a file since deleted, that which it had.
    pub path: &'a Path,
    /// Whether it has been deleted or replaced since.
    pub deleted: bool,
}

impl Mapped<'_> {
    /// Its name in `/proc/PID/map_files`, where addresses have no leading zeros.
    pub fn range(&self) -> String {
        format!("{:x}-{:x}", self.start, self.end)
    }
}

/// The files in `/proc/PID/maps` that are mapped for execution, each once.
pub fn executable_files(maps: &[u8]) -> impl Iterator<Item = Mapped<'_>> {
    let mut seen = HashSet::new();
    maps.split(|&byte| byte == b'\n').filter_map(move |line| {
        let (mapped, device) = executable_file(line)?;
        seen.insert((device, mapped.inode)).then_some(mapped)
    })
}

/// A line such as `55ae6f098000-55ae6f09d000 r-xp 00002000 fe:00 247030       /usr/bin/cat`.
fn executable_file(line: &[u8]) -> Option<(Mapped<'_>, &[u8])> {
    let mut fields = line.splitn(6, |&byte| byte == b' ');
    let range = fields.next()?;
    if fields.next()?.get(2) != Some(&b'x') {
        return None;
    }
    let _offset = fields.next()?;
    let device = fields.next()?;
    let inode = str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    if inode == 0 {
        return None;
    }
    let path = fields.next()?.trim_ascii_start();
    let remaining = path.strip_suffix(b" (deleted)");
    let (start, end) = str::from_utf8(range).ok()?.split_once('-')?;
    let mapped = Mapped {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        inode,
        path: Path::new(OsStr::from_bytes(remaining.unwrap_or(path))),
        deleted: remaining.is_some(),
    };
    Some((mapped, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_behind_any_name() {
        let rest =
            "S 1 2 2 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 8192 99 18446744073709551615 4096 5000 0";
        for name in ["cat", "a b", ") (x", ""] {
            let stat = format!("42 ({name}) {rest}\n");
            let expected = Fingerprint {
                started: 777,
                mapped: 8192,
                code: 4096,
            };
            assert_eq!(fingerprint(stat.as_bytes()), Some(expected), "{name:?}");
        }
        for stat in ["", "42 (cat)", "42 (cat) S 1 2", "42 cat S 1"] {
            assert_eq!(fingerprint(stat.as_bytes()), None, "{stat}");
        }
        let own = std::fs::read("/proc/self/stat").unwrap();
        assert!(fingerprint(&own).is_some_and(|own| own.mapped > 0));
    }

    #[test]
    fn executable_files_are_told_once_each() {
        let maps = b"5000-6000 r--p 00000000 fe:00 7                     /usr/bin/cat\n\
            00006000-00007000 r-xp 00001000 fe:00 7                     /usr/bin/cat\n\
            7000-8000 r-xp 00002000 fe:00 7                     /usr/bin/cat\n\
            8000-9000 r-xp 00000000 fe:01 7                     /opt/my lib.so (deleted)\n\
            9000-a000 r-xp 00000000 00:00 0                     [vdso]\n\
            a000-b000 r-xp 00000000 00:00 0 \n\
            b000-c000 rwxp 00000000 00:01 9                     /memfd:jit (deleted)\n\
            nonsense\n";
        let files: Vec<_> = executable_files(maps)
            .map(|file| {
                (
                    file.range(),
                    file.inode,
                    file.path.to_str().unwrap(),
                    file.deleted,
                )
            })
            .collect();
        let expected = [
            ("6000-7000", 7, "/usr/bin/cat", false),
            ("8000-9000", 7, "/opt/my lib.so", true),
            ("b000-c000", 9, "/memfd:jit", true),
        ];
        let expected = expected.map(|(range, inode, path, deleted)| (range.to_owned(), inode, path, deleted));
        assert_eq!(files, expected);
    }
}
