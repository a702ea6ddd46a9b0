//! The tables of a stack's page, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::cell::Cell;
use super::expectation::{Expectation, Want, Why};
use super::log::plain;
use super::run::Row;

/// What a fingerprint is shown as: those of the tests are new in each run.
const COMPARED: &str = "✓";

/// A row with what was expected of it.
pub struct Told<'a> {
    /// What was seen.
    pub row: &'a Row,
    /// What was to be seen.
    pub expectation: Expectation<'a>,
}

/// Reasons for empty cells, each with its letter.
#[derive(Default)]
struct Notes(BTreeMap<Why, char>);

impl Notes {
    fn letter(&mut self, why: Why) -> char {
        let next = (b'a'..=b'z').nth(self.0.len()).map_or('z', char::from);
        *self.0.entry(why).or_insert(next)
    }

    fn write(&self, text: &mut String) {
        let mut notes: Vec<_> = self.0.iter().map(|(why, letter)| (letter, why)).collect();
        notes.sort();
        for (letter, why) in notes {
            let _ = writeln!(text, "- `{letter}` {}", why.text());
        }
    }
}

/// All tables of a variant.
pub fn markdown(told: &[Told<'_>]) -> String {
    let mut notes = Notes::default();
    let mut text =
        String::from("What happened: the service's own log, what the client saw, what the agent told.\n\n");
    let beside = |row: &Row| vec![logged(row), row.saw.clone()];
    write_table(
        &mut text,
        &mut notes,
        told,
        &["service's log", "client saw"],
        beside,
        &Cell::HAPPENED,
    );
    text.push_str("\nWho it was, by the agent:\n\n");
    write_table(&mut text, &mut notes, told, &[], |_| Vec::new(), &Cell::WHO);
    text.push_str("\nEmpty cells, each of them asserted:\n\n");
    notes.write(&mut text);
    text
}

fn write_table(
    text: &mut String,
    notes: &mut Notes,
    told: &[Told<'_>],
    headings: &[&str],
    beside: impl Fn(&Row) -> Vec<String>,
    cells: &[Cell],
) {
    let of_cells = cells.iter().map(|cell| cell.heading());
    let headings: Vec<&str> = ["case", "TLS"]
        .into_iter()
        .chain(headings.iter().copied())
        .chain(of_cells)
        .collect();
    let _ = writeln!(text, "| {} |", headings.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(headings.len()));
    for Told { row, expectation } in told {
        let mut line = vec![row.case.title().to_owned(), row.version.text().to_owned()];
        line.extend(beside(row));
        line.extend(cells.iter().map(|cell| {
            let value = cell.of(&row.event);
            match (value, expectation.of(*cell)) {
                (Value::Null, Want::Nothing(why)) => format!("`{}`", notes.letter(why)),
                (Value::Null, Want::IfLibraryTold(_)) => format!("`{}`", notes.letter(Why::WireAlone)),
                // On some systems a version is behind it.
                (_, Want::IfLibraryTold(name)) => name.to_owned(),
                _ => shown(*cell, value),
            }
        }));
        let line: Vec<String> = line.into_iter().map(|text| text.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", line.join(" | "));
    }
}

/// The log's lines, a plain word where there are none.
fn logged(row: &Row) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in row
        .log
        .iter()
        .map(|line| plain(line))
        .filter(|line| !line.is_empty())
    {
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return "nothing".to_owned();
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("`{line}`")).collect();
    lines.join("<br>")
}

fn shown(cell: Cell, value: &Value) -> String {
    match value {
        _ if cell == Cell::Fingerprint => COMPARED.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().unwrap_or_default());
            items.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
