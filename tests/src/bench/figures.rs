//! Figures of repeated measurements, and the goals they are held against.

use std::fmt;

/// The values of one figure, one for each repeat.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<f64>);

impl Series {
    /// Adds the value of one more repeat.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle value, or the mean of the two in the middle; not a number when there is none.
    pub fn median(&self) -> f64 {
        let middle = |at: usize| self.0.get(at).copied().unwrap_or(f64::NAN);
        let half = self.0.len() / 2;
        if self.0.len() % 2 == 1 {
            middle(half)
        } else {
            f64::midpoint(middle(half.wrapping_sub(1)), middle(half))
        }
    }

    /// The smallest value; not a number when there is none.
    pub fn smallest(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    /// The largest value; not a number when there is none.
    pub fn largest(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// The same in another unit.
    pub fn scaled(&self, factor: f64) -> Self {
        self.0.iter().map(|value| value * factor).collect()
    }

    /// So many `units` by each value: a cost as a rate.
    pub fn inverse(&self, units: f64) -> Self {
        self.0.iter().map(|value| units / value).collect()
    }

    /// The figure with its spread: the median with `digits` after the point, then the smallest and largest value.
    pub fn show(&self, digits: usize) -> String {
        format!(
            "{:.digits$} ({:.digits$}–{:.digits$})",
            self.median(),
            self.smallest(),
            self.largest()
        )
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

/// What a figure should keep to.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// A limit that a figure should keep.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// What is limited, for a person.
    pub what: &'static str,
    /// The limit.
    pub bound: Bound,
    /// Its unit.
    pub unit: &'static str,
}

/// Agent CPU for one full handshake with client certificate.
pub const AGENT_PER_HANDSHAKE: Goal = Goal {
    what: "agent CPU per mutual handshake",
    bound: Bound::AtMost(10.0),
    unit: "µs",
};
/// CPU of the agent and its kernel programs for bulk.
pub const BULK_IN_ALL: Goal = Goal {
    what: "agent and kernel programs together per GB of bulk",
    bound: Bound::AtMost(0.01),
    unit: "CPU s",
};
/// Kernel program run on one packet of bulk.
pub const BULK_PACKET: Goal = Goal {
    what: "kernel program per bulk packet",
    bound: Bound::AtMost(100.0),
    unit: "ns",
};
/// Resident memory of the agent, at its highest.
pub const MEMORY: Goal = Goal {
    what: "agent's largest resident memory",
    bound: Bound::AtMost(32.0),
    unit: "MiB",
};

/// Server CPU that the agent with library probes adds to a full handshake with client certificate.
pub const LIBRARY_HANDSHAKE: Goal = Goal {
    what: "server CPU added to a mutual TLS 1.3 handshake",
    bound: Bound::AtMost(150.0),
    unit: "µs",
};
/// CPU of both ends for bulk with library probes, by that without the agent.
pub const LIBRARY_BULK: Goal = Goal {
    what: "CPU of both ends for bulk with library probes, by that without",
    bound: Bound::AtMost(1.03),
    unit: "times",
};

/// Handshakes that replay reads in a CPU second, by those that tshark reads.
pub const REPLAY_HANDSHAKES: Goal = Goal {
    what: "handshakes a CPU second, by tshark's",
    bound: Bound::AtLeast(60.0),
    unit: "times",
};
/// Bulk that replay reads in a CPU second, by what tcpdump reads.
pub const REPLAY_BULK: Goal = Goal {
    what: "bytes a CPU second, by those of tcpdump -w /dev/null",
    bound: Bound::AtLeast(1.0),
    unit: "times",
};
/// Resident memory of replay, at its highest.
pub const REPLAY_MEMORY: Goal = Goal {
    what: "replay's largest resident memory",
    bound: Bound::AtMost(64.0),
    unit: "MiB",
};

/// A figure beside its goal.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The goal.
    pub goal: Goal,
    /// Which of the measured cases it is.
    pub case: String,
    /// The figure, in the goal's unit.
    pub value: f64,
}

impl Judged {
    /// Whether the figure keeps the goal. A figure that could not be had does not.
    pub fn met(&self) -> bool {
        match self.goal.bound {
            Bound::AtMost(limit) => self.value <= limit,
            Bound::AtLeast(limit) => self.value >= limit,
        }
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Goal { what, bound, unit } = self.goal;
        let (side, limit) = match bound {
            Bound::AtMost(limit) => ("at most", limit),
            Bound::AtLeast(limit) => ("at least", limit),
        };
        let verdict = if self.met() { "PASS" } else { "MISS" };
        let digits = if limit < 1.0 { 4 } else { 2 };
        write!(
            f,
            "{verdict}  {what}, {}: {:.digits$} {unit} (goal: {side} {limit} {unit})",
            self.case, self.value
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{BULK_PACKET, Judged, REPLAY_HANDSHAKES, Series};

    #[test]
    fn a_series_knows_its_middle_and_spread() {
        let odd: Series = [3.0, 1.0, 2.0].into_iter().collect();
        assert_eq!(odd.show(1), "2.0 (1.0–3.0)");
        let mut even = odd;
        even.push(10.0);
        assert_eq!(even.show(1), "2.5 (1.0–10.0)");
        assert!(Series::default().median().is_nan());
    }

    #[test]
    fn a_goal_is_missed_beyond_its_limit_and_without_a_figure() {
        let judged = |goal, value| Judged {
            goal,
            case: "x".into(),
            value,
        };
        assert!(judged(BULK_PACKET, 100.0).met());
        assert!(!judged(BULK_PACKET, 100.1).met());
        assert!(judged(REPLAY_HANDSHAKES, 60.0).met());
        assert!(!judged(REPLAY_HANDSHAKES, 59.9).met());
        for goal in [BULK_PACKET, REPLAY_HANDSHAKES] {
            assert!(!judged(goal, f64::NAN).met());
        }
        assert!(judged(BULK_PACKET, 120.0).to_string().starts_with("MISS"));
    }
}
