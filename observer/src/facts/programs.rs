//! The programs that processes run, for the names that events give them.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// For how long an answer is believed, nanoseconds: a process may execute another program, and its number may become another
/// process's.
const BELIEVED_NS: u64 = 1_000_000_000;
/// How many processes are remembered; all are forgotten when there are more.
const REMEMBERED: usize = 1024;
/// What Linux puts behind the path of a program that is no longer there.
const DELETED: &str = " (deleted)";

/// Paths of programs, remembered for a moment, since a process tells several things of one handshake.
pub struct Programs {
    proc: PathBuf,
    known: HashMap<u32, (u64, Option<Arc<str>>)>,
}

impl Programs {
    /// `proc` is where the proc file system is mounted.
    pub fn new(proc: PathBuf) -> Self {
        Self {
            proc,
            known: HashMap::new(),
        }
    }

    /// The path of the program that a process runs, as the process sees it; `None` if it has ended, or may not be looked at.
    pub fn of(&mut self, pid: u32, now_ns: u64) -> Option<Arc<str>> {
        if let Some((asked_ns, program)) = self.known.get(&pid)
            && now_ns.saturating_sub(*asked_ns) < BELIEVED_NS
        {
            return program.clone();
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let program = fs::read_link(self.proc.join(pid.to_string()).join("exe")).ok();
        let program = program.map(|path| {
            let path = path.to_string_lossy();
            Arc::from(path.strip_suffix(DELETED).unwrap_or(&path))
        });
        self.known.insert(pid, (now_ns, program.clone()));
        program
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn an_answer_is_believed_for_a_moment() {
        let proc = tempfile::tempdir().unwrap();
        let process = proc.path().join("7");
        fs::create_dir(&process).unwrap();
        symlink("/usr/bin/first", process.join("exe")).unwrap();
        let mut programs = Programs::new(proc.path().into());
        assert_eq!(programs.of(7, 10).as_deref(), Some("/usr/bin/first"));
        fs::remove_file(process.join("exe")).unwrap();
        symlink("/usr/bin/second (deleted)", process.join("exe")).unwrap();
        assert_eq!(programs.of(7, 20).as_deref(), Some("/usr/bin/first"));
        assert_eq!(
            programs.of(7, 10 + BELIEVED_NS).as_deref(),
            Some("/usr/bin/second")
        );
        assert_eq!(programs.of(8, 10), None);
    }
}
