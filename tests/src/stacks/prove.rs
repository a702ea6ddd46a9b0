//! Plays all cases with a stack and holds what the agent told against what it must tell.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::events::at;
use crate::peers::Version;

use super::case::Case;
use super::cell::Cell;
use super::expectation::{Expectation, Want};
use super::page;
use super::run::Scene;
use super::service::{Deployment, Stack};
use super::table::{self, Told};

/// All cases of a stack, and its tables.
///
/// # Errors
/// With every cell that is not as it must be, or where the page shows something else.
pub fn prove(stack: &Stack) -> Result<()> {
    let mut scene = Scene::new(stack, &Deployment::ALL)?;
    let mut rows = Vec::new();
    for case in Case::ALL {
        for version in Version::ALL {
            rows.push(scene.play(case, version)?);
        }
    }
    let certificates = scene.finish(stack.library.doubts())?;
    let told: Vec<Told<'_>> = rows
        .iter()
        .map(|row| Told {
            row,
            expectation: Expectation {
                stack,
                case: row.case,
                version: row.version,
                with: &certificates,
            },
        })
        .collect();
    let table = table::markdown(&told);
    let faults: Vec<String> = told.iter().flat_map(faults).collect();
    ensure!(faults.is_empty(), "{}\n\n{table}", faults.join("\n"));
    page::keep(stack.name, stack.variant, &table)
}

/// What is not as it must be in a row.
fn faults(told: &Told<'_>) -> Vec<String> {
    let Told { row, expectation } = told;
    let cells = Cell::HAPPENED.into_iter().chain(Cell::WHO);
    let wrong = cells.filter_map(|cell| fault(cell, &row.event, &expectation.of(cell)));
    let resumed = at(&row.event, "tls.resumed") == true;
    let surprise = (resumed != expectation.is_resumed()).then(|| format!("tls.resumed: {resumed}"));
    wrong
        .chain(surprise)
        .map(|fault| format!("{}, TLS {}: {fault}", row.case.title(), row.version.text()))
        .collect()
}

/// What is wrong with a cell, if anything is.
pub fn fault(cell: Cell, event: &Value, want: &Want) -> Option<String> {
    let value = cell.of(event);
    let text = value.as_str();
    let holds = match want {
        Want::Is(wanted) => value == wanted,
        Want::OneOf(choice) => text.is_some_and(|text| choice.contains(&text)),
        Want::Begins(beginning) => text.is_some_and(|text| text.starts_with(beginning)),
        Want::Nothing(_) => value.is_null(),
        Want::IfLibraryTold(wanted) => {
            let told = Cell::Source.of(event) != "wire";
            match text {
                Some(name) => told && is_of_some_version(name, wanted),
                None => !told,
            }
        }
    };
    (!holds).then(|| format!("{}: {value}, expected {want:?}", cell.path()))
}

/// Whether a program's file is that of this name, with a version behind it or not: `python3.11`.
fn is_of_some_version(file: &str, name: &str) -> bool {
    let version = file.strip_prefix(name);
    version.is_some_and(|version| version.chars().all(|c| c == '.' || c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stacks::expectation::Why;

    #[test]
    fn a_cell_that_must_be_empty_may_not_hold_anything() {
        let event = json!({ "handshake": { "reason": "other", "source": "both" }, "server": { "process": { "name": "x" } } });
        assert!(fault(Cell::Reason, &event, &Want::Nothing(Why::NotRefused)).is_some());
        assert!(fault(Cell::RejectedBy, &event, &Want::Nothing(Why::NotRefused)).is_none());
        assert!(fault(Cell::Reason, &event, &Want::OneOf(&["other"])).is_none());
        assert!(fault(Cell::Process, &event, &Want::IfLibraryTold("x")).is_none());
        let versioned =
            json!({ "handshake": { "source": "both" }, "server": { "process": { "name": "x1.2" } } });
        assert!(fault(Cell::Process, &versioned, &Want::IfLibraryTold("x")).is_none());
        assert!(fault(Cell::Process, &versioned, &Want::IfLibraryTold("y")).is_some());
        let wire = json!({ "handshake": { "source": "wire" }, "server": { "process": { "name": "x" } } });
        assert!(fault(Cell::Process, &wire, &Want::IfLibraryTold("x")).is_some());
    }
}
