//! The verb `replay` as a program: its files, outputs, errors and exit status.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// An endless supply of handshakes would be told of in more than a pipe and a buffer hold.
const MANY: u16 = 2000;

/// A pcap file of IPv4 packets: `connections` clients that send a ClientHello and are refused.
fn capture(connections: u16) -> Vec<u8> {
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2f, 1, 0]);
    let refusal = [21, 3, 3, 0, 2, 2, 40];
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0]);
    for connection in 0..connections {
        let client = 10_000 + connection;
        for (from, to, payload) in [(client, 443, &hello[..]), (443, client, &refusal[..])] {
            let packet = packet(from, to, payload);
            for number in [1_700_000_000, 0, packet.len() as u32, packet.len() as u32] {
                file.extend(number.to_le_bytes());
            }
            file.extend(packet);
        }
    }
    file
}

/// From 10.0.0.1 to 10.0.0.2, or back from port 443.
fn packet(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let (source, destination) = if from == 443 { (2, 1) } else { (1, 2) };
    let total = (40 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([
        0,
        1,
        0x40,
        0,
        64,
        6,
        0,
        0,
        10,
        0,
        0,
        source,
        10,
        0,
        0,
        destination,
    ]);
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    packet.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tls-observer"));
    command.arg("replay").stdin(Stdio::null());
    command
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn replay(arguments: &[&str], files: &[&Path]) -> (i32, Vec<Value>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = program().args(arguments).args(files).output().unwrap();
    let lines = String::from_utf8(stdout).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    (
        status.code().unwrap(),
        events.collect(),
        String::from_utf8(stderr).unwrap(),
    )
}

#[test]
fn events_messages_and_a_summary() {
    let folder = Folder::new();
    let path = folder.file("a.pcap", &capture(3));
    let (status, events, log) = replay(&[], &[&path]);
    assert_eq!((status, events.len()), (0, 3), "{log}");
    assert_eq!(events[0]["@timestamp"], "2023-11-14T22:13:20.000000Z");
    assert_eq!(events[0]["handshake"]["outcome"], "rejected");
    assert!(log.contains("packets=6") && log.contains("rejected=3"), "{log}");

    let (status, messages, _) = replay(&["--messages"], &[&path]);
    assert_eq!((status, messages.len()), (0, 6));
    assert_eq!(
        (&messages[0]["kind"], &messages[0]["type"]),
        (&"handshake".into(), &1.into())
    );
    assert_eq!(messages[1]["alert_code"], 40);

    let (status, summary, _) = replay(&["--summary"], &[&path]);
    assert_eq!((status, summary.len()), (0, 1));
}

#[test]
fn standard_input_is_answered_as_it_comes() {
    let mut child = program()
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let bytes = capture(2);
    let (first, second) = bytes.split_at(24 + 2 * 16 + 90 + 47);
    for part in [first, second] {
        stdin.write_all(part).unwrap();
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(event["handshake"]["outcome"], "rejected");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(lines.next().is_none());
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_others_are_read() {
    let folder = Folder::new();
    let good = folder.file("good.pcap", &capture(1));
    let mut bytes = capture(2);
    bytes.pop();
    let cut = folder.file("cut.pcap", &bytes);
    let empty = folder.file("empty.pcap", b"");
    let text = folder.file("text.pcap", b"no capture at all");
    let missing = folder.0.path().join("missing.pcap");
    let (status, events, log) = replay(
        &["--log-level", "error"],
        &[&cut, &empty, &text, folder.0.path(), &missing, &good],
    );
    assert_eq!(status, 1);
    // The connections of the good file are those of the one that is cut.
    assert_eq!(events.len(), 2, "{log}");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 5, "{log}");
    for (line, file, cause) in [
        (
            0,
            "cut.pcap",
            "the file ends in the middle of a packet or block (at byte 361)",
        ),
        (1, "empty.pcap", "the file is empty"),
        (2, "text.pcap", "not a capture file"),
        (3, "", "is a directory"),
        (4, "missing.pcap", "No such file"),
    ] {
        assert!(lines[line].contains(file) && lines[line].contains(cause), "{log}");
    }
}

#[test]
fn settings_come_from_flags_environment_and_file() {
    let folder = Folder::new();
    let path = folder.file("a.pcap", &capture(1));
    let config = folder.file("c.toml", b"format = \"text\"\n");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, text) = run(program().arg("--config").arg(&config).arg(&path));
    assert!(text.starts_with("TIME"), "{text}");
    let (_, json) = run(program()
        .args(["--format", "json", "--config"])
        .arg(&config)
        .arg(&path));
    assert!(json.starts_with('{'), "{json}");
    let (status, _) = run(program().env("TLS_OBSERVER_SETTLE_TIMEOUT", "never").arg(&path));
    assert_eq!(status, Some(2));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = Folder::new();
    let path = folder.file("a.pcap", &capture(MANY));
    let mut child = program()
        .args([&path, &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
