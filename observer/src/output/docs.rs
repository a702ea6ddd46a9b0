//! Keeps the files under `docs/` that are made from code in step with it.

use std::path::{Path, PathBuf};

/// Compares `docs/NAME` with `wanted`; with `UPDATE_DOCS=1` in the environment it writes the file instead.
///
/// # Panics
/// When they differ, with the command that brings the file up to date.
pub fn check(name: &str, wanted: &str) {
    let path = path(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    assert!(
        read(name) == wanted,
        "docs/{name} is out of date; run UPDATE_DOCS=1 cargo test -p tls-observer --lib"
    );
}

/// `docs/NAME` as it is; empty if it is not there.
pub fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_default()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}
