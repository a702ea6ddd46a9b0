//! Standard output of a replay: lines are gathered and written with waiting, so that none is dropped.

use std::io::{IsTerminal as _, stdout};

use crate::config::replay::{ReplayConfig, View};
use crate::config::values::Format;
use crate::judge::Judge;
use crate::observation::{Action, MessageSeen, Observation, Outcome, Sink};
use crate::output::event::EventOptions;
use crate::output::json::JsonLines;
use crate::output::messages::MessageLines;
use crate::output::queue::Render;
use crate::output::summary::Summary;
use crate::output::target::{OutputError, Target};
use crate::output::text::TextTable;

/// How much is gathered before it is written.
const WRITE_BYTES: usize = 64 * 1024;

/// Numbers of observations by what they tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub established: u64,
    pub rejected: u64,
    pub aborted: u64,
    pub timed_out: u64,
    pub incomplete: u64,
    pub late_alerts: u64,
}

impl Tally {
    fn count(&mut self, seen: &Observation) {
        *match (seen.action, seen.outcome) {
            (Action::LateAlert, _) => &mut self.late_alerts,
            (_, Outcome::Established) => &mut self.established,
            (_, Outcome::Rejected) => &mut self.rejected,
            (_, Outcome::Aborted) => &mut self.aborted,
            (_, Outcome::TimedOut) => &mut self.timed_out,
            (_, Outcome::Incomplete) => &mut self.incomplete,
        } += 1;
    }
}

/// What is written.
enum Lines {
    Events(Box<dyn Render>),
    Messages(MessageLines),
    /// One report at the end.
    Summary {
        summary: Box<Summary>,
        format: Format,
        color: bool,
    },
}

/// Where all that is seen goes.
pub(super) struct Output {
    lines: Lines,
    judge: Judge,
    gathered: Vec<u8>,
    /// Nothing is gathered: whoever feeds standard input may wait for an answer.
    pub eager: bool,
    target: Target,
    /// Why nothing can be written any more.
    failure: Option<OutputError>,
    pub tally: Tally,
}

impl Output {
    pub fn new(config: &ReplayConfig, judge: Judge) -> Result<Self, OutputError> {
        let color = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let options = EventOptions {
            certificate_chain: config.certificate_chain,
        };
        let format = config.console.format;
        let lines = match (config.view, format) {
            (View::Events, Format::Json) => Lines::Events(Box::new(JsonLines::new(options))),
            (View::Events, Format::Text) => Lines::Events(Box::new(TextTable::new(color))),
            (View::Messages, Format::Json) => Lines::Messages(MessageLines::json()),
            (View::Messages, Format::Text) => Lines::Messages(MessageLines::text(color)),
            (View::Summary, _) => Lines::Summary {
                summary: Box::default(),
                format,
                color,
            },
        };
        Ok(Self {
            lines,
            judge,
            gathered: Vec::with_capacity(2 * WRITE_BYTES),
            eager: false,
            target: Target::stdout()?,
            failure: None,
            tally: Tally::default(),
        })
    }

    /// Handshakes seen so far.
    pub fn handshakes(&self) -> u64 {
        let tally = &self.tally;
        tally.established + tally.rejected + tally.aborted + tally.timed_out + tally.incomplete
    }

    /// Whether enough is gathered.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.gathered.len() >= if self.eager { 1 } else { WRITE_BYTES }
    }

    /// Writes what is gathered. Whether that worked, [`Self::check`] tells.
    pub fn write(&mut self) {
        self.failure = self.target.write(&self.gathered).err();
        self.gathered.clear();
    }

    /// Whether nothing can be written any more.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Why writing failed, if it did.
    ///
    /// # Errors
    /// That.
    pub fn check(&mut self) -> Result<(), OutputError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Writes the rest, and the report if one was asked for.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> Result<(), OutputError> {
        if let Lines::Summary {
            summary,
            format,
            color,
        } = &self.lines
        {
            summary.write(*format, *color, &mut self.gathered);
        }
        self.write();
        self.check()
    }
}

impl Sink for Output {
    fn observation(&mut self, mut seen: Observation) {
        self.judge.judge(&mut seen);
        self.tally.count(&seen);
        match &mut self.lines {
            Lines::Events(render) => render.render(&seen, &mut self.gathered),
            Lines::Messages(_) => {}
            Lines::Summary { summary, .. } => summary.add(&seen),
        }
    }

    fn message(&mut self, seen: &MessageSeen<'_>) {
        if let Lines::Messages(lines) = &mut self.lines {
            lines.line(seen, &mut self.gathered);
        }
    }
}
