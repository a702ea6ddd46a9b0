//! The tables of `bench libraries`, and the same figures as JSON.

use serde_json::{Value, json};

use super::by_condition;
use super::programs::Cost;
use super::rounds::{Comparison, Idle};
use super::subject::Subject;
use super::trap::Kind;
use crate::bench::figures::{Judged, LIBRARY_BULK, LIBRARY_HANDSHAKE, Series};

const MICRO: f64 = 1e6;
const GIGA: f64 = 1e9;

/// What has been measured so far.
#[derive(Default)]
pub struct Report {
    /// A JSON object for each figure.
    pub lines: Vec<Value>,
    judged: Vec<Judged>,
}

impl Report {
    /// Tells of one figure: what of, its unit, and its values.
    fn figure(&mut self, of: &str, condition: &str, figure: &str, series: &Series) {
        let (least, largest) = (series.smallest(), series.largest());
        self.lines.push(json!({
            "of": of,
            "condition": condition,
            "figure": figure,
            "median": series.median(),
            "smallest": least,
            "largest": largest,
        }));
    }

    /// What a probe costs by itself.
    pub fn traps(&mut self, traps: &[(Kind, Series)]) {
        println!(
            "ns that a probe adds to a call, with a program that does nothing, by the instruction that it is on:"
        );
        for (kind, series) in traps {
            println!("  {:<28} {}", kind.name, series.show(0));
            self.figure("probe", kind.name, "ns", series);
        }
        println!();
    }

    /// Agents without anything to watch.
    pub fn idle(&mut self, idle: Idle) {
        let percent = idle.map(|seconds| seconds * 100.0);
        println!(
            "Idle agent, % of one CPU: {:.3} without library probes, {:.3} with\n",
            percent[0], percent[1]
        );
        for (condition, percent) in ["wire only", "library probes"].into_iter().zip(percent) {
            self.figure(
                "idle agent",
                condition,
                "percent",
                &[percent].into_iter().collect(),
            );
        }
    }

    /// A comparison of handshakes.
    pub fn handshakes(&mut self, subject: &Subject, found: &Comparison) {
        println!("Mutual TLS 1.3 handshakes, {}", subject.name);
        self.comparison(
            &subject.name,
            found,
            ["server µs", "client µs", "agent µs"],
            MICRO,
            1,
        );
        let (added, to_wire) = (found.added.scaled(MICRO), found.added_to_wire.scaled(MICRO));
        println!(
            "  server µs that the agent adds, probes and all  {}",
            added.show(1)
        );
        println!(
            "  of them by library probes                      {}\n",
            to_wire.show(1)
        );
        self.figure(&subject.name, "library probes", "server µs added", &added);
        self.figure(
            &subject.name,
            "library probes",
            "server µs added to wire",
            &to_wire,
        );
        self.judged.push(Judged {
            goal: LIBRARY_HANDSHAKE,
            case: subject.name.clone(),
            value: added.median(),
        });
    }

    /// A comparison of bulk transfers.
    pub fn bulk(&mut self, subject: &Subject, found: &Comparison) {
        println!("Bulk over one connection, {}", subject.name);
        let units = ["server s per GB", "client s per GB", "agent s per GB"];
        self.comparison(&subject.name, found, units, GIGA, 4);
        println!("  both, library probes / without   {}\n", found.ratio.show(3));
        self.figure(&subject.name, "library probes", "ratio in bulk", &found.ratio);
        self.judged.push(Judged {
            goal: LIBRARY_BULK,
            case: subject.name.clone(),
            value: found.ratio.median(),
        });
    }

    fn comparison(&mut self, of: &str, found: &Comparison, units: [&str; 3], scale: f64, digits: usize) {
        let [server, client, agent] = units;
        let figures = &found.figures;
        for (unit, series) in [
            (server, figures.each_ref().map(|of| &of.server)),
            (client, figures.each_ref().map(|of| &of.client)),
            (agent, figures.each_ref().map(|of| &of.agent)),
        ] {
            for (condition, series) in by_condition(series.into_iter()) {
                if series.median().is_nan() {
                    continue;
                }
                let series = series.scaled(scale);
                println!("  {unit:<16} {condition:<15} {}", series.show(digits));
                self.figure(of, condition, unit, &series);
            }
        }
    }

    /// What the kernel counted of each program.
    pub fn programs(&mut self, subject: &Subject, costs: &[Cost]) {
        println!("  program                                  hits each   ns a hit, without the trap itself");
        for cost in costs {
            println!("  {:<40} {:>9.2}   {:.0}", cost.name, cost.runs, cost.nanoseconds);
            self.lines.push(json!({
                "of": subject.name,
                "program": cost.name,
                "hits": cost.runs,
                "ns": cost.nanoseconds,
            }));
        }
        let all: f64 = costs.iter().map(|cost| cost.runs * cost.nanoseconds).sum();
        println!("  all together: {:.1} µs for each connection\n", all / 1e3);
    }

    /// The figures that have goals.
    pub fn goals(&self) {
        println!("\nGoals");
        self.judged.iter().for_each(|figure| println!("{figure}"));
    }
}
