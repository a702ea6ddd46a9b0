//! The verb `replay`: files in, events, messages or a summary out, and the exit status.

mod output;
mod progress;

use std::fs::File;
use std::io::{self, Read, stdin};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::drive::Replay;
use super::error::Cause;
use super::{Capture, ReadError};
use crate::config::replay::ReplayConfig;
use crate::exit::Exit;
use crate::flows::FlowLimits;
use crate::judge::Judge;
use crate::output::target::OutputError;
use crate::trust::Loader;
use output::Output;
use progress::{Meter, Progress};

/// Stands for standard input among the files.
const STANDARD_INPUT: &str = "-";

/// Replays all files and writes what they tell. A file that cannot be read does not keep the others from being read.
pub fn run(config: &ReplayConfig) -> Exit {
    let judge = match Loader::without_fetching(&config.trust).load() {
        Ok(store) => Judge::patient(store, &config.services),
        Err(error) => {
            tracing::error!("{error}");
            return Exit::Usage;
        }
    };
    match Run::new(config, judge).and_then(|run| run.all(&config.files)) {
        Ok(exit) => exit,
        // Whoever reads along has seen enough.
        Err(error) if error.is_closed() => Exit::Done,
        Err(error) => {
            tracing::error!("{error}");
            Exit::Failed
        }
    }
}

struct Run {
    replay: Replay,
    output: Output,
    progress: Progress,
}

impl Run {
    fn new(config: &ReplayConfig, judge: Judge) -> Result<Self, OutputError> {
        Ok(Self {
            replay: Replay::new(FlowLimits::new(
                config.max_connections,
                config.handshake_timeout,
                config.settle_timeout,
                config.late_alerts,
            )),
            output: Output::new(config, judge)?,
            progress: Progress::new(),
        })
    }

    fn all(mut self, files: &[PathBuf]) -> Result<Exit, OutputError> {
        let mut exit = Exit::Done;
        for path in files {
            if let Err(error) = self.file(path) {
                self.progress.clear();
                tracing::error!("{}: {error}", path.display());
                exit = Exit::Failed;
            }
            self.output.check()?;
        }
        self.replay.finish(&mut self.output);
        self.progress.clear();
        self.output.finish()?;
        self.report();
        Ok(exit)
    }

    fn file(&mut self, path: &Path) -> Result<(), ReadError> {
        self.output.eager = path.as_os_str() == STANDARD_INPUT;
        if self.output.eager {
            return self.stream(path, stdin().lock(), None);
        }
        let failed = |error| ReadError::new(0, Cause::Io(error));
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let meter = about.is_file().then_some(Meter {
            file: &file,
            bytes: about.len(),
        });
        self.stream(path, &file, meter)
    }

    fn stream(&mut self, path: &Path, reader: impl Read, meter: Option<Meter<'_>>) -> Result<(), ReadError> {
        let mut capture = Capture::new(reader)?;
        let Self {
            replay,
            output,
            progress,
        } = self;
        replay.capture(&mut capture, output, |output, replay| {
            if output.is_due() {
                output.write();
                if output.has_failed() {
                    return ControlFlow::Break(());
                }
            }
            if progress.is_due() {
                progress.show(path, meter, &replay.counts(), output.handshakes());
            }
            ControlFlow::Continue(())
        })
    }

    /// What it all was, and what was passed over.
    fn report(&self) {
        let counts = self.replay.counts();
        let stats = self.replay.stats();
        let tally = self.output.tally;
        let passed_over = counts.passed_over().into_iter();
        let losses = stats.losses().map(|(_, reason, count)| (reason, count));
        let lost: Vec<String> = passed_over
            .chain(losses)
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        tracing::info!(
            packets = counts.packets,
            bytes = counts.bytes,
            segments = counts.segments,
            established = tally.established,
            rejected = tally.rejected,
            aborted = tally.aborted,
            timed_out = tally.timed_out,
            incomplete = tally.incomplete,
            late_alerts = tally.late_alerts,
            contradictions = stats.contradictions,
            passed_over = if lost.is_empty() {
                "nothing".to_owned()
            } else {
                lost.join(", ")
            },
            "done"
        );
    }
}
