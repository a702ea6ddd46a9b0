//! Slow, broken, closed and rotated outputs.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};

use super::*;
use crate::output::samples;

const SECOND: Duration = Duration::from_secs(1);

fn outputs(target: Target, length: usize, metrics: &Metrics) -> Outputs {
    let mut outputs = Outputs {
        queues: Vec::new(),
        closed: Arc::new(Notify::new()),
    };
    outputs.start(target, Box::new(JsonLines::default()), length, metrics);
    outputs
}

/// A pipe's reading end and a target that writes into it.
fn pipe() -> (File, Target) {
    let (reader, writer) = std::io::pipe().unwrap();
    // Less than a few events, so that a reader that reads nothing is felt at once.
    fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
    let target = Target::file(Path::new(&path)).unwrap();
    (File::from(reader.as_fd().try_clone_to_owned().unwrap()), target)
}

fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < 10 * SECOND, "waited in vain");
        thread::sleep(SECOND / 100);
    }
}

#[test]
fn everything_queued_is_written_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.json");
    let metrics = Metrics::new(&[]);
    let outputs = outputs(Target::file(&path).unwrap(), 1000, &metrics);
    for _ in 0..500 {
        outputs.send(Report::Observation(samples::refused_client()));
    }
    assert_eq!(
        outputs.close(10 * SECOND),
        Delivery {
            written: 500,
            abandoned: 0
        }
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 500);
}

#[test]
fn an_idle_output_holds_nothing_back() {
    let metrics = Metrics::new(&[]);
    let (reader, target) = pipe();
    let outputs = outputs(target, 10, &metrics);
    outputs.send(Report::Observation(samples::refused_client()));
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert!(line.ends_with("}\n"));
    drop(outputs);
}

#[test]
fn a_stalled_reader_costs_counted_events_and_no_time() {
    let metrics = Metrics::new(&[]);
    let (mut reader, target) = pipe();
    let outputs = outputs(target, 10, &metrics);
    let start = Instant::now();
    for _ in 0..1000 {
        outputs.send(Report::Observation(samples::refused_client()));
    }
    assert!(start.elapsed() < 5 * SECOND);
    let queue_full = metrics.drop_counter("output", "queue_full").get();
    assert!(queue_full > 0);
    let delivery = outputs.close(SECOND / 10);
    let abandoned = metrics.drop_counter("output", "shutdown").get();
    assert_eq!(delivery.abandoned, abandoned);
    assert!(abandoned > 0);
    assert_eq!(delivery.written + abandoned + queue_full, 1000);
    // The thread goes on and ends once somebody reads.
    reader.read_to_end(&mut Vec::new()).unwrap();
}

#[tokio::test]
async fn a_closed_pipe_is_told() {
    let metrics = Metrics::new(&[]);
    let (reader, target) = pipe();
    drop(reader);
    let outputs = outputs(target, 10, &metrics);
    outputs.send(Report::Observation(samples::refused_client()));
    tokio::time::timeout(10 * SECOND, outputs.closed()).await.unwrap();
    outputs.send(Report::Observation(samples::refused_client()));
    assert_eq!(outputs.close(SECOND), Delivery::default());
    assert_eq!(metrics.drop_counter("output", "write_failed").get(), 2);
}

#[test]
fn a_full_disk_costs_counted_events() {
    let metrics = Metrics::new(&[]);
    let outputs = outputs(Target::file(Path::new("/dev/full")).unwrap(), 10, &metrics);
    outputs.send(Report::Observation(samples::refused_client()));
    assert_eq!(outputs.close(10 * SECOND), Delivery::default());
    assert_eq!(metrics.drop_counter("output", "write_failed").get(), 1);
}

#[test]
fn a_reopened_file_gets_what_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("events.json"), folder.path().join("old"));
    let metrics = Metrics::new(&[]);
    let outputs = outputs(Target::file(&path).unwrap(), 10, &metrics);
    outputs.send(Report::Observation(samples::refused_client()));
    wait_until(|| outputs.queues[0].shared.written.load(Ordering::Relaxed) == 1);
    std::fs::rename(&path, &old).unwrap();
    outputs.reopen();
    // Idle as it is, it must reopen.
    wait_until(|| path.exists());
    outputs.send(Report::Observation(samples::not_tls()));
    outputs.close(10 * SECOND);
    assert_eq!(std::fs::read_to_string(&old).unwrap().lines().count(), 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
}
