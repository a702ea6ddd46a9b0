//! The code of a running process beside the file that it comes from: where they differ there is a probe.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Bytes of executable memory that process `pid` has mapped from `file` and that differ from it. `mapped` is the path of
/// the mapping, when the file has been renamed since.
///
/// # Errors
/// When the process has ended, or has mapped nothing of the file.
pub fn changed_code(pid: u32, file: &Path, mapped: Option<&Path>) -> Result<usize> {
    let memory = File::open(format!("/proc/{pid}/mem")).context("memory of a process")?;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).context("mappings of a process")?;
    let name = mapped.unwrap_or(file).to_string_lossy().into_owned();
    let (file, mut changed, mut mappings) = (File::open(file)?, 0, 0);
    for line in maps.lines() {
        let Some((begin, end, offset)) = executable(line, &name) else {
            continue;
        };
        let length = usize::try_from(end - begin)?;
        let (mut there, mut here) = (vec![0; length], vec![0; length]);
        memory.read_exact_at(&mut there, begin)?;
        // Behind the end of the file the last page is filled up with 0.
        let mut filled = 0;
        while filled < length {
            let rest = here.get_mut(filled..).unwrap_or_default();
            match file.read_at(rest, offset + filled as u64)? {
                0 => break,
                got => filled += got,
            }
        }
        changed += there
            .iter()
            .zip(&here)
            .filter(|(one, other)| one != other)
            .count();
        mappings += 1;
    }
    ensure!(mappings > 0, "{name} is not mapped to be executed:\n{maps}");
    Ok(changed)
}

/// Beginning, end and offset in the file of an executable mapping of `name`; a line of `/proc/PID/maps`.
fn executable(line: &str, name: &str) -> Option<(u64, u64, u64)> {
    let mut fields = line.split_whitespace();
    let (begin, end) = fields.next()?.split_once('-')?;
    let is_executable = fields.next()?.contains('x');
    let offset = fields.next()?;
    let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
    (is_executable && fields.nth(2)? == name).then_some((
        hexadecimal(begin)?,
        hexadecimal(end)?,
        hexadecimal(offset)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::{changed_code, executable};

    #[test]
    fn a_mapping_is_read_and_others_are_not() {
        let line = "7f00-7f10 r-xp 00002000 fe:00 123    /a/b.so";
        assert_eq!(executable(line, "/a/b.so"), Some((0x7f00, 0x7f10, 0x2000)));
        assert_eq!(executable(line, "/a/b"), None);
        assert_eq!(
            executable("7f00-7f10 r--p 00002000 fe:00 123 /a/b.so", "/a/b.so"),
            None
        );
        assert_eq!(executable("7f00-7f10 r-xp 00000000 00:00 0", "/a/b.so"), None);
    }

    #[test]
    fn this_program_is_as_its_file() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(changed_code(std::process::id(), &own, None).unwrap(), 0);
    }
}
