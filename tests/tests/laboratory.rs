//! The laboratory's short run: what the agent says is what the peers report.

use anyhow::Result;
use observer_tests::lab::report::{self, Totals};
use observer_tests::lab::run::{Extent, Selection};
use observer_tests::lab::session::{self, View};
use tls_observer::observation::Reason;
use tls_observer::output::words::Word;

/// Share of the refusals in TLS 1.3 with an alert behind them that must be told as refusals, in percent.
const REFUSALS_FOUND: usize = 99;

#[test]
#[ignore = "needs root"]
fn no_claim_of_the_short_run_is_wrong() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let selection = Selection {
        extent: Extent::Quick,
        ..Selection::default()
    };
    let findings = session::run(&selection, &[View::DEFAULT], directory.path())?;
    let [findings] = &findings[..] else {
        anyhow::bail!("one agent")
    };
    let tables = report::tables(&findings.rows);
    println!("{tables}\n{:#?}", findings.problems);
    assert!(findings.lost.is_empty(), "no event: {:#?}", findings.lost);
    assert!(
        findings.surplus.is_empty(),
        "no connection: {:#?}",
        findings.surplus
    );
    assert_eq!(findings.dropped, 0.0, "the agent dropped something");
    let totals = Totals::of(&findings.rows);
    assert!(
        totals.exact.whole > 0 && totals.false_alarms.whole > 0,
        "hardly anything ran: {totals:?}"
    );
    assert_eq!(totals.wrong_12.part, 0, "TLS 1.2:\n{tables}");
    assert_eq!(totals.false_alarms.part, 0, "false alarms:\n{tables}");
    let (found, refusals) = (totals.spoken_refusals.part, totals.spoken_refusals.whole);
    assert!(found * 100 >= refusals * REFUSALS_FOUND, "refusals:\n{tables}");
    assert_eq!(
        totals.certificates.part, totals.certificates.whole,
        "client certificates:\n{tables}"
    );
    Ok(())
}

#[test]
fn every_reason_of_the_vocabulary_has_a_case_or_a_note() {
    let mut told: Vec<_> = report::REASONS.iter().map(|(reason, _)| *reason).collect();
    let mut vocabulary = Reason::WORDS.to_vec();
    told.sort_unstable();
    vocabulary.sort_unstable();
    assert_eq!(told, vocabulary);
}
