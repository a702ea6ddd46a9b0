//! `cargo xtask docs`: brings the references under `docs/` that are made from the code up to date. That they are is
//! asserted by the agent's own tests, which write them when asked to.

use anyhow::Result;

use crate::process;

/// The verb.
pub fn run() -> Result<()> {
    process::run(
        process::cargo([
            "test",
            "--package",
            "tls-observer",
            "--lib",
            "--",
            "outcome",
            "output",
        ])
        .env("UPDATE_DOCS", "1"),
    )
}
