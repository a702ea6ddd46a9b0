//! Programs that call what looks like OpenSSL with arguments that make no sense.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use observer_tests::bench::machine::resident;
use observer_tests::events::at;
use observer_tests::metrics::Metrics;
use observer_tests::peers::libssl::Worker;
use observer_tests::peers::lookalike::{self, ROUNDS, TOO_LONG, UNREADABLE};
use observer_tests::poll::{self, PATIENCE};
use serde_json::Value;

use crate::stage::{SERVER, Stage, assert_joined, until_probed};

/// What the agent may hold in the end, in bytes: the bound of what it holds at all times, and some.
const MEMORY: u64 = 128 << 20;

/// Hits that were counted for this reason.
fn counted_hits(metrics: &Metrics, reason: &str) -> f64 {
    let labels = [("stage", "library_hits"), ("reason", reason)];
    metrics
        .sum("tls_observer_events_dropped_total", &labels)
        .unwrap_or_default()
}

#[test]
#[ignore = "needs root"]
fn nonsense_from_a_lookalike_is_counted_and_is_about_no_other_connection() -> Result<()> {
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
        let expected = [UNREADABLE, TOO_LONG].map(|each| (each * rounds) as f64);
        let mut counted = [0.0; 2];
        let all = poll::until("hits that are counted", PATIENCE, || {
            let metrics = stage.world.agent()?.metrics()?;
            counted = ["unreadable", "too_long"].map(|reason| counted_hits(&metrics, reason));
            Ok((counted == expected).then_some(()))
        });
        all.with_context(|| format!("{counted:?}, not {expected:?}"))?;
        // Longer than anything waits for its other half. Of its own connection a program may say what it likes, and the wire
        // knows nothing of it; there is no other connection that anything is said of.
        std::thread::sleep(Duration::from_secs(5));
        let events = stage.world.agent()?.events()?;
        let is_its_own = |event: &Value| {
            let said_by = ["client.process.pid", "server.process.pid"].map(|path| at(event, path).as_u64());
            said_by.contains(&Some(program.pid().into())) && at(event, "handshake.source") == "library"
        };
        let allowed = usize::from(connected);
        ensure!(
            events.len() <= allowed && events.iter().all(is_its_own),
            "{events:#?}"
        );
        let memory = resident(stage.world.agent()?.pid())?.peak;
        ensure!(memory < MEMORY, "{memory} bytes");

        // It still sees what is real.
        for _ in events {
            stage.world.next_event()?;
        }
        let good = stage.world.pki.good.clone();
        let _server = stage.serve(&mut stage.server(Worker::Thread)?)?;
        assert_joined(&stage.call(&good, SERVER)?, &good)?;
    }
    Ok(())
}
