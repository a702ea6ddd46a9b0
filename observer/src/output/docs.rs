//! Keeps the files under `docs/` that are made from code in step with it.

use std::path::Path;

/// Compares `docs/NAME` with `wanted`; with `UPDATE_DOCS=1` in the environment it writes the file instead.
///
/// # Panics
/// When they differ, with the command that brings the file up to date.
pub fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is out of date; run UPDATE_DOCS=1 cargo test -p tls-observer --lib output"
    );
}
