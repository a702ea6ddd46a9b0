//! Programs that call what looks like OpenSSL with arguments that make no sense.

use std::time::Duration;

use anyhow::{Result, ensure};
use observer_tests::bench::machine::resident;
use observer_tests::metrics::Metrics;
use observer_tests::peers::libssl::Worker;
use observer_tests::peers::lookalike::{self, ROUNDS, TOO_LONG, UNREADABLE};
use observer_tests::poll::{self, PATIENCE};

use crate::stage::{SERVER, Stage, assert_joined, until_probed};

/// What the agent may hold in the end, in bytes: the bound of what it holds at all times, and some.
const MEMORY: u64 = 128 << 20;

fn dropped(metrics: &Metrics, stage: &str, reason: &str) -> f64 {
    let labels = [("stage", stage), ("reason", reason)];
    metrics
        .sum("tls_observer_events_dropped_total", &labels)
        .unwrap_or_default()
}

#[test]
#[ignore = "needs root"]
fn nonsense_from_a_lookalike_makes_no_event_and_is_counted() -> Result<()> {
    for connected in [false, true] {
        let mut stage = Stage::new()?;
        let library = lookalike::build(stage.copies.directory())?;
        let certificate = stage.copies.directory().join("certificate.der");
        std::fs::write(&certificate, &stage.world.pki.good.files.der)?;
        let mut command = lookalike::command(&library, &certificate, connected)?;
        let mut program = stage.world.place().spawn(&mut command)?;
        let said =
            |word: &'static str| move |lines: &[String]| lines.iter().any(|line| line == word).then_some(());
        program.wait_stdout("the library", PATIENCE, said("ready"))?;
        until_probed(program.pid(), &library)?;
        program.write(b"go\n")?;
        program.wait_stdout("all calls", PATIENCE, said("done"))?;

        // Without a connection nothing of the process is even read.
        let rounds = if connected { ROUNDS } else { 0 };
        poll::until("hits that are counted", PATIENCE, || {
            let metrics = stage.world.agent()?.metrics()?;
            let counted = [
                dropped(&metrics, "library_hits", "unreadable"),
                dropped(&metrics, "library_hits", "too_long"),
            ];
            let expected = [UNREADABLE, TOO_LONG].map(|each| (each * rounds) as f64);
            ensure!(
                counted[0] <= expected[0] && counted[1] <= expected[1],
                "{counted:?}"
            );
            Ok((counted == expected).then_some(()))
        })?;
        // Longer than anything waits for its other half.
        std::thread::sleep(Duration::from_secs(5));
        let events = stage.world.agent()?.events()?;
        ensure!(
            events.is_empty(),
            "events of a connection without TLS: {events:#?}"
        );
        let memory = resident(stage.world.agent()?.pid())?.peak;
        ensure!(memory < MEMORY, "{memory} bytes");

        // It still sees what is real.
        let good = stage.world.pki.good.clone();
        let _server = stage.serve(&mut stage.server(Worker::Thread)?)?;
        assert_joined(&stage.call(&good, SERVER)?, &good)?;
    }
    Ok(())
}
