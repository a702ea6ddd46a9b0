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

    /// The largest value; not a number when there is none.
    pub fn largest(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// The same in another unit.
    pub fn scaled(&self, factor: f64) -> Self {
        self.0.iter().map(|value| value * factor).collect()
    }

    /// The figure with its spread: the median with `digits` after the point, then the smallest and largest value.
    pub fn show(&self, digits: usize) -> String {
        let least = self.0.first().copied().unwrap_or(f64::NAN);
        format!(
            "{:.digits$} ({least:.digits$}–{:.digits$})",
            self.median(),
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

/// An upper limit that a figure should keep.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// What is limited, for a person.
    pub what: &'static str,
    /// The limit.
    pub limit: f64,
    /// Its unit.
    pub unit: &'static str,
}

/// Agent CPU for one full handshake with client certificate.
pub const AGENT_PER_HANDSHAKE: Goal = Goal {
    what: "agent CPU per mutual handshake",
    limit: 10.0,
    unit: "µs",
};
/// CPU of the agent and its kernel programs for bulk.
pub const BULK_IN_ALL: Goal = Goal {
    what: "agent and kernel programs together per GB of bulk",
    limit: 0.01,
    unit: "CPU s",
};
/// Kernel program run on one packet of bulk.
pub const BULK_PACKET: Goal = Goal {
    what: "kernel program per bulk packet",
    limit: 100.0,
    unit: "ns",
};
/// Resident memory of the agent, at its highest.
pub const MEMORY: Goal = Goal {
    what: "agent's largest resident memory",
    limit: 32.0,
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
        self.value <= self.goal.limit
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Goal { what, limit, unit } = self.goal;
        let verdict = if self.met() { "PASS" } else { "MISS" };
        let digits = if limit < 1.0 { 4 } else { 2 };
        write!(
            f,
            "{verdict}  {what}, {}: {:.digits$} {unit} (goal: at most {limit} {unit})",
            self.case, self.value
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{BULK_PACKET, Judged, Series};

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
    fn a_goal_is_missed_above_its_limit_and_without_a_figure() {
        let judged = |value| Judged {
            goal: BULK_PACKET,
            case: "x".into(),
            value,
        };
        assert!(judged(100.0).met());
        assert!(!judged(100.1).met());
        assert!(!judged(f64::NAN).met());
        assert!(judged(120.0).to_string().starts_with("MISS"));
    }
}
