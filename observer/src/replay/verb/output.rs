//! Standard output of a replay: lines are gathered and written with waiting, so that none is dropped.

use std::io::{IsTerminal as _, stdout};

use jiff::Timestamp;

use crate::certificates;
use crate::config::replay::{ReplayConfig, View};
use crate::config::values::Format;
use crate::config::watching::{DEFAULT_INVENTORY, Watching};
use crate::join::sessions::SessionMemory;
use crate::judge::Judge;
use crate::observation::{Action, MessageSeen, Observation, Outcome, Sink};
use crate::output;
use crate::output::event::EventOptions;
use crate::output::json::JsonLines;
use crate::output::messages::MessageLines;
use crate::output::queue::Render;
use crate::output::summary::Summary;
use crate::output::target::{OutputError, Target};
use crate::output::text::TextTable;
use crate::report::Report;
use crate::watch::Watch;
use crate::watch::inventory::Inventory;

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
    Events {
        render: Box<dyn Render>,
        watch: Box<Watch>,
        /// What follows from one observation; kept for its capacity.
        findings: Vec<Report>,
    },
    Messages(MessageLines),
    /// One report at the end.
    Summary {
        summary: Box<Summary>,
        format: Format,
        color: bool,
    },
    /// The certificates of all handshakes, at the end.
    Certificates {
        inventory: Box<Inventory>,
        format: Format,
    },
}

/// Where all that is seen goes.
pub(super) struct Output {
    lines: Lines,
    sessions: SessionMemory,
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
        let events = |render| Lines::Events {
            render,
            // Nobody can ask for it.
            watch: Box::new(Watch::new(&Watching {
                inventory: 0,
                ..config.watching
            })),
            findings: Vec::new(),
        };
        // An agent's may be off; whoever asks for one here wants it.
        let capacity = match config.watching.inventory {
            0 => DEFAULT_INVENTORY,
            capacity => capacity,
        };
        let lines = match (config.view, format) {
            (View::Events, Format::Json) => events(Box::new(JsonLines::new(options)) as Box<dyn Render>),
            (View::Events, Format::Text) => events(Box::new(TextTable::new(color))),
            (View::Messages, Format::Json) => Lines::Messages(MessageLines::json()),
            (View::Messages, Format::Text) => Lines::Messages(MessageLines::text(color)),
            (View::Certificates, _) => Lines::Certificates {
                inventory: Box::new(Inventory::new(capacity, 0)),
                format,
            },
            (View::Summary, _) => Lines::Summary {
                summary: Box::default(),
                format,
                color,
            },
        };
        Ok(Self {
            lines,
            sessions: SessionMemory::default(),
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
        match &self.lines {
            Lines::Summary {
                summary,
                format,
                color,
            } => summary.write(*format, *color, &mut self.gathered),
            Lines::Certificates { inventory, format } => {
                let mut json = Vec::new();
                output::certificates::write(inventory, Timestamp::now(), &mut json);
                match certificates::shown(&json, *format) {
                    Ok(text) => self.gathered.extend(text),
                    Err(error) => tracing::error!("{error}"),
                }
            }
            Lines::Events { .. } | Lines::Messages(_) => {}
        }
        self.write();
        self.check()
    }
}

impl Sink for Output {
    fn observation(&mut self, mut seen: Observation) {
        self.sessions.observe(&mut seen);
        self.judge.judge(&mut seen);
        self.tally.count(&seen);
        match &mut self.lines {
            Lines::Events {
                render,
                watch,
                findings,
            } => {
                watch.observe(&seen, findings);
                render.render(&Report::Observation(seen), &mut self.gathered);
                for finding in findings.drain(..) {
                    render.render(&finding, &mut self.gathered);
                }
            }
            Lines::Messages(_) => {}
            Lines::Summary { summary, .. } => summary.add(&seen),
            Lines::Certificates { inventory, .. } => {
                inventory.observe(&seen, seen.time_ns.saturating_add(seen.duration_ns));
            }
        }
    }

    fn message(&mut self, seen: &MessageSeen<'_>) {
        if let Lines::Messages(lines) = &mut self.lines {
            lines.line(seen, &mut self.gathered);
        }
    }
}
