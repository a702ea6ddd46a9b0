//! Where this project judges otherwise than OpenSSL, and why: `verdicts-exceptions.tsv`.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

/// The list, in the source tree.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/verdicts-exceptions.tsv");
/// The file's columns: the case, or its beginning and `*`; what OpenSSL says; what is said here; the reason.
const COLUMNS: [&str; 4] = ["case", "openssl", "verdict", "reason"];

/// One row, and whether it was needed.
struct Row {
    line: String,
    case: String,
    openssl: String,
    verdict: String,
    used: AtomicBool,
}

/// All rows.
pub struct Exceptions(Vec<Row>);

impl Exceptions {
    /// Reads the rows about cases whose names begin with `prefix`, which is taken off, and no others.
    pub fn load(prefix: &str) -> Result<Self> {
        let text = std::fs::read_to_string(FILE).context(FILE)?;
        let mut rows = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [case, openssl, verdict, reason] = cells.as_slice() else {
                bail!("{line}: not the columns {COLUMNS:?}");
            };
            if reason.is_empty() {
                bail!("{line}: no reason");
            }
            let Some(case) = case.strip_prefix(prefix).filter(|_| cells != COLUMNS) else {
                continue;
            };
            rows.push(Row {
                line: line.to_owned(),
                case: case.to_owned(),
                openssl: (*openssl).to_owned(),
                verdict: (*verdict).to_owned(),
                used: AtomicBool::new(false),
            });
        }
        Ok(Self(rows))
    }

    /// Whether a row is about this difference.
    pub fn covers(&self, case: &str, openssl: &str, verdict: &str) -> bool {
        let is_about = |row: &&Row| match row.case.strip_suffix('*') {
            Some(beginning) => case.starts_with(beginning),
            None => case == row.case,
        };
        let row = self
            .0
            .iter()
            .filter(is_about)
            .find(|row| row.openssl == openssl && row.verdict == verdict);
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
