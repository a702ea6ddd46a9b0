//! The verb `check`: what this host can do, what is missing, and the remedy.

mod libraries;

use std::io::{Write as _, stdout};

use crate::config::values::Format;
use crate::exit::Exit;
use crate::kernel::preflight::{self, Status};

/// Prints all findings; the exit status tells whether `run` can work.
pub fn print(format: Format) -> Exit {
    let findings = preflight::check();
    let able = findings.iter().all(|finding| finding.status != Status::Missing);
    let text = match format {
        Format::Json => {
            let report = serde_json::json!({ "able": able, "findings": findings });
            format!("{report}\n")
        }
        Format::Text => {
            let lines: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
            let conclusion = if able {
                "tls-observer can run here"
            } else {
                "tls-observer cannot run here"
            };
            format!("{lines}{conclusion}\n")
        }
    };
    write(&text);
    if able { Exit::Done } else { Exit::Unsupported }
}

/// Prints the TLS libraries that processes use now.
pub fn print_libraries(format: Format) -> Exit {
    let found = match libraries::find() {
        Ok(found) => found,
        Err(error) => {
            eprintln!("tls-observer: cannot list the processes: {error}");
            return Exit::Failed;
        }
    };
    write(&match format {
        Format::Json => format!("{}\n", serde_json::json!({ "libraries": found })),
        Format::Text => libraries::text(&found),
    });
    Exit::Done
}

/// A reader that goes away early has seen enough.
fn write(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}
