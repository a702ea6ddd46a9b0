//! Processes that come, go and change, in a directory that looks like `/proc`, and one in `/proc` itself.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Command, Stdio};

use globset::{Glob, GlobSet};
use tempfile::TempDir;

use super::*;
use crate::libraries::elf::Machine;
use crate::libraries::sample;

/// A directory that looks like `/proc`, and files beside it.
struct Host {
    directory: TempDir,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("proc")).unwrap();
        Self { directory }
    }

    fn proc(&self) -> PathBuf {
        self.directory.path().join("proc")
    }

    fn scanner(&self, filter: Filter) -> Scanner {
        Scanner::new(self.proc(), filter)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A library whose handshakes can be seen.
    fn library(&self, name: &str) -> PathBuf {
        self.file(
            name,
            &sample::library(Machine::X86_64, &[("gnutls_handshake", &[0x55, 0xc3])]),
        )
    }

    /// A process, new or changed, that has mapped files; `started` and the number of files make its fingerprint.
    fn process(&self, pid: u32, started: u64, files: &[&Path]) {
        let directory = self.proc().join(pid.to_string());
        let links = directory.join("map_files");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&links).unwrap();
        let mapped = files.len() * 4096 + 1;
        let stat =
            format!("{pid} (a) b) S 1 2 2 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 {started} {mapped} 9 9 4096 0");
        fs::write(directory.join("stat"), stat).unwrap();
        let mut maps = String::new();
        for (index, file) in (1..).zip(files) {
            let inode = fs::metadata(file).map_or(1, |metadata| metadata.ino());
            let path = file.display();
            maps += &format!("0000{index}000-0000{index}fff r-xp 00000000 00:01 {inode}    {path}\n");
            symlink(file, links.join(format!("{index}000-{index}fff"))).unwrap();
        }
        fs::write(directory.join("maps"), maps).unwrap();
    }

    fn end(&self, pid: u32) {
        fs::remove_dir_all(self.proc().join(pid.to_string())).unwrap();
    }
}

fn globs(pattern: &str) -> GlobSet {
    GlobSet::builder()
        .add(Glob::new(pattern).unwrap())
        .build()
        .unwrap()
}

/// Names of the files that appeared, and how many are gone.
fn scan(scanner: &mut Scanner) -> (Vec<String>, usize) {
    let changes = scanner.scan().unwrap();
    let name = |appeared: &Appeared| appeared.path.file_name().unwrap().to_str().unwrap().to_owned();
    (changes.appeared.iter().map(name).collect(), changes.gone.len())
}

#[test]
fn a_library_appears_with_its_first_user_and_is_gone_with_its_last() {
    let host = Host::new();
    let library = host.library("libgnutls.so");
    let plain = host.file(
        "libc.so",
        &sample::library(Machine::X86_64, &[("malloc", &[0xc3])]),
    );
    host.process(10, 1, &[&plain, &library]);
    host.process(11, 1, &[&plain]);
    let mut scanner = host.scanner(Filter::default());
    let changes = scanner.scan().unwrap();
    let [appeared] = &changes.appeared[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (appeared.pid, &appeared.path, appeared.deleted),
        (10, &library, false)
    );
    assert_eq!(appeared.file.metadata().unwrap().ino(), appeared.key.inode);
    assert_eq!(appeared.examination.libraries[0].family.name(), "gnutls");
    assert_eq!(scanner.users(&appeared.key), 1);

    host.process(12, 1, &[&library]);
    assert_eq!(scan(&mut scanner), (vec![], 0));
    assert_eq!(scanner.users(&appeared.key), 2);
    host.end(10);
    assert_eq!(scan(&mut scanner), (vec![], 0));
    host.end(12);
    let gone = scanner.scan().unwrap().gone;
    assert_eq!(gone, [appeared.key]);
    assert_eq!(scan(&mut scanner), (vec![], 0), "told once");

    // Known from before, it is not examined again.
    host.process(13, 1, &[&library]);
    assert_eq!(scan(&mut scanner), (vec!["libgnutls.so".into()], 0));
    assert_eq!(scanner.counters().examined, 2);
}

#[test]
fn the_mappings_of_a_process_are_read_again_when_it_has_changed_or_after_a_while() {
    let host = Host::new();
    let library = host.library("libgnutls.so");
    host.process(10, 1, &[&library]);
    let mut scanner = host.scanner(Filter::default());
    for _ in 0..3 {
        scan(&mut scanner);
    }
    assert_eq!(scanner.counters().maps_read, 1);
    let other = host.library("other.so");
    host.process(10, 1, &[&library, &other]);
    assert_eq!(scan(&mut scanner), (vec!["other.so".into()], 0));
    // As much unmapped as mapped.
    let third = host.library("third.so");
    host.process(10, 1, &[&library, &third]);
    let looks = (1..)
        .find(|_| scan(&mut scanner) == (vec!["third.so".into()], 1))
        .unwrap();
    assert_eq!(looks, REREAD_AFTER);
    host.process(10, 2, &[&other]);
    assert_eq!(
        scan(&mut scanner),
        (vec!["other.so".into()], 2),
        "another process with its number"
    );
}

#[test]
fn who_comes_to_use_a_library_and_who_leaves_it_is_told() {
    let host = Host::new();
    let library = host.library("libgnutls.so");
    let plain = host.file(
        "libc.so",
        &sample::library(Machine::X86_64, &[("malloc", &[0xc3])]),
    );
    host.process(10, 1, &[&library, &plain]);
    host.process(11, 1, &[&library]);
    let mut scanner = host.scanner(Filter::default());
    let changes = scanner.scan().unwrap();
    let key = changes.appeared[0].key;
    assert_eq!(
        (&changes.joined[..], &changes.left[..]),
        (&[(key, 10), (key, 11)][..], &[][..])
    );

    // More is mapped, then less: the library stays.
    host.process(10, 1, &[&library, &plain, &plain]);
    let changes = scanner.scan().unwrap();
    assert!(
        changes.joined.is_empty() && changes.left.is_empty(),
        "{changes:?}"
    );
    host.process(10, 1, &[&plain]);
    host.process(11, 2, &[&library]);
    let changes = scanner.scan().unwrap();
    assert_eq!(changes.left, [(key, 10), (key, 11)]);
    assert_eq!(changes.joined, [(key, 11)], "another process with its number");
    host.end(11);
    assert_eq!(scanner.scan().unwrap().left, [(key, 11)]);
}

#[test]
fn one_process_can_be_looked_at_alone() {
    let host = Host::new();
    let library = host.library("libgnutls.so");
    host.process(10, 1, &[]);
    let mut scanner = host.scanner(Filter::default());
    scan(&mut scanner);
    host.process(10, 1, &[&library]);
    assert_eq!(scanner.scan_process(10).appeared.len(), 1);
    host.end(10);
    assert_eq!(scanner.scan_process(10).gone.len(), 1);
    assert_eq!(scanner.counters().vanished, 1);
}

#[test]
fn a_file_that_is_replaced_or_written_over_is_another() {
    let host = Host::new();
    let library = host.library("libgnutls.so");
    host.process(10, 1, &[&library]);
    let mut scanner = host.scanner(Filter::default());
    assert_eq!(scan(&mut scanner).0.len(), 1);

    // Replaced on disk: the process keeps the old one, which has no name now.
    let old = host.directory.path().join("old (deleted)");
    fs::rename(&library, &old).unwrap();
    let library = host.library("libgnutls.so");
    host.process(11, 1, &[&library]);
    host.process(12, 1, &[&old]);
    assert_eq!(scan(&mut scanner), (vec!["libgnutls.so".into()], 0));
    assert_eq!(scanner.counters().examined, 2);

    // Written over: the same inode with other content.
    let functions: [(&str, &[u8]); 2] = [("gnutls_handshake", &[0x55, 0xc3]), ("added", &[0xc3])];
    fs::write(&library, sample::library(Machine::X86_64, &functions)).unwrap();
    host.process(11, 2, &[&library]);
    assert_eq!(scan(&mut scanner), (vec!["libgnutls.so".into()], 1));
    for pid in [10, 12] {
        host.end(pid);
    }
    assert_eq!(scan(&mut scanner), (vec![], 1));
}

#[test]
fn a_deleted_file_is_told_as_such() {
    let host = Host::new();
    let deleted = host.library("gone.so (deleted)");
    host.process(10, 1, &[&deleted]);
    let changes = host.scanner(Filter::default()).scan().unwrap();
    let told = changes
        .appeared
        .iter()
        .map(|appeared| (appeared.path.clone(), appeared.deleted));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(host.directory.path().join("gone.so"), true)]
    );
}

#[test]
fn processes_and_files_that_go_while_they_are_read_are_counted_and_no_error() {
    let host = Host::new();
    let library = host.library("libgnutls.so");
    host.process(10, 1, &[]);
    fs::remove_file(host.proc().join("10/maps")).unwrap();
    host.process(11, 1, &[Path::new("/none"), &library]);
    host.process(12, 1, &[]);
    fs::write(host.proc().join("12/stat"), "nonsense").unwrap();
    let mut scanner = host.scanner(Filter::default());
    assert_eq!(scan(&mut scanner), (vec!["libgnutls.so".into()], 0));
    let counters = scanner.counters();
    assert_eq!((counters.vanished, counters.unreadable), (2, 1));
    // What is known of a process holds while it cannot be read.
    fs::write(host.proc().join("11/stat"), "nonsense").unwrap();
    assert_eq!(scan(&mut scanner), (vec![], 0));
    fs::remove_file(host.proc().join("11/stat")).unwrap();
    assert_eq!(scan(&mut scanner), (vec![], 1));
}

#[test]
fn what_cannot_be_examined_is_told_once_and_what_is_no_program_not_at_all() {
    let host = Host::new();
    let mut damaged = sample::library(Machine::X86_64, &[("gnutls_handshake", &[0xc3])]);
    damaged.truncate(damaged.len() - 1);
    let damaged = host.file("damaged.so", &damaged);
    let text = host.file("text", b"#!/bin/sh\n");
    host.process(10, 1, &[&damaged, &text, Path::new("/dev/null")]);
    let mut scanner = host.scanner(Filter::default());
    let changes = scanner.scan().unwrap();
    let [problem] = &changes.problems[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((&problem.path, problem.pid), (&damaged, 10));
    assert!(
        problem.error.to_string().contains("beyond the end of the file"),
        "{}",
        problem.error
    );
    host.process(11, 1, &[&damaged]);
    assert!(scanner.scan().unwrap().problems.is_empty());
    let counters = scanner.counters();
    assert_eq!(
        (counters.examined, counters.damaged, counters.unreadable),
        (2, 1, 0)
    );
}

#[test]
fn the_filter_holds_and_the_agent_does_not_look_at_itself() {
    let host = Host::new();
    let (one, two) = (host.library("one.so"), host.library("two.so"));
    host.process(10, 1, &[&one, &two]);
    host.process(11, 1, &[&two]);
    host.process(std::process::id(), 1, &[&host.library("own.so")]);
    assert_eq!(scan(&mut host.scanner(Filter::default())).0, ["one.so", "two.so"]);
    let filter = Filter {
        not_paths: globs("**/one.so"),
        ..Filter::default()
    };
    assert_eq!(scan(&mut host.scanner(filter)).0, ["two.so"]);
    let filter = Filter {
        pids: [11].into(),
        ..Filter::default()
    };
    let mut scanner = host.scanner(filter);
    assert_eq!(scan(&mut scanner).0, ["two.so"]);
    assert!(scanner.scan_process(10).appeared.is_empty());
    assert_eq!(scanner.counters().processes, 1);
}

#[test]
fn a_scan_without_processes_to_list_is_an_error() {
    let host = Host::new();
    fs::remove_dir(host.proc()).unwrap();
    assert!(host.scanner(Filter::default()).scan().is_err());
}

#[test]
fn a_real_process_is_looked_at_until_it_ends() {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It has executed its program once it answers.
    let mut answer = [0; 1];
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();

    let filter = Filter {
        pids: [child.id()].into(),
        ..Filter::default()
    };
    let mut scanner = Scanner::new("/proc".into(), filter);
    scanner.scan().unwrap();
    let files = scanner
        .processes
        .get(&child.id())
        .map(|process| process.files.clone());
    let program = fs::metadata(format!("/proc/{}/exe", child.id())).unwrap().ino();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        files.unwrap().iter().any(|key| key.inode == program),
        "its program is one of its files"
    );
    assert_eq!(scanner.counters().damaged, 0);
    scanner.scan().unwrap();
    assert!(scanner.processes.is_empty());
}
