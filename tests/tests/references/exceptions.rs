//! Where a reference list is held to be wrong: `references-exceptions.tsv`.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use super::compare::Difference;

/// The file's columns: capture, connection (or `*`), what differs, the RFC's section, the reason.
const COLUMNS: [&str; 5] = ["capture", "connection", "what", "rfc", "reason"];

/// One row, and whether it was needed.
struct Row {
    line: String,
    capture: String,
    connection: String,
    what: String,
    used: AtomicBool,
}

/// All rows.
pub struct Exceptions(Vec<Row>);

impl Exceptions {
    /// Reads the file.
    pub fn load() -> Result<Self> {
        let path = crate::exceptions_file();
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut rows = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [capture, connection, what, rfc, reason] = cells.as_slice() else {
                bail!("{line}: not the columns {COLUMNS:?}");
            };
            if cells == COLUMNS {
                continue;
            }
            if rfc.is_empty() || reason.is_empty() {
                bail!("{line}: neither section nor reason");
            }
            rows.push(Row {
                line: line.to_owned(),
                capture: (*capture).to_owned(),
                connection: (*connection).to_owned(),
                what: (*what).to_owned(),
                used: AtomicBool::new(false),
            });
        }
        Ok(Self(rows))
    }

    /// Whether a row is about this difference.
    pub fn covers(&self, capture: &str, difference: &Difference) -> bool {
        let row = self.0.iter().find(|row| {
            row.capture == capture
                && (row.connection == "*" || row.connection == difference.connection)
                && row.what == difference.what
        });
        if let Some(row) = row {
            row.used.store(true, Ordering::Relaxed);
        }
        row.is_some()
    }

    /// Rows without a difference.
    pub fn stale(&self) -> impl Iterator<Item = &str> {
        let unused = self.0.iter().filter(|row| !row.used.load(Ordering::Relaxed));
        unused.map(|row| row.line.as_str())
    }
}
