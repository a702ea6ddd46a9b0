//! Library probes against real peers: each library, each way in which a certificate can be wrong, TLS 1.2 and 1.3.
//!
//! The laboratory's peers, cases and truth, with one partner for every library whose own library is not probed: what an
//! event then tells beyond the wire, this library told.

use anyhow::Result;
use observer_tests::lab::judge::Mark;
use observer_tests::lab::report;
use observer_tests::lab::row::Row;
use observer_tests::lab::run::{Extent, PARTNER, Selection};
use observer_tests::lab::session::{self, Findings, View};

/// Stacks with a library that is probed without being asked for.
const BY_DEFAULT: [&str; 7] = [
    "openssl",
    "python",
    "python-asyncio",
    "node",
    "nginx",
    "gnutls",
    "go",
];

/// Runs the cases with an agent that has these libraries, beside one that has the wire alone. Whatever else is asserted:
/// nothing was lost, and nothing is wrong that was right without probes.
fn prove(libraries: &str, stack: Option<&str>) -> Result<Vec<Row>> {
    let directory = tempfile::tempdir()?;
    let selection = Selection {
        extent: Extent::Libraries,
        stack: stack.map(str::to_owned),
        ..Selection::default()
    };
    let probed = View {
        name: "libraries",
        flags: &["--libraries", libraries],
    };
    let [wire, probed]: [Findings; 2] = session::run(&selection, &[View::WIRE, probed], directory.path())?
        .try_into()
        .map_err(|_| anyhow::anyhow!("two agents"))?;
    println!("{}", report::comparison(&wire.rows, &probed.rows));
    println!("{:#?} {:#?}", probed.problems, probed.losses);
    assert_eq!(
        probed.contradictions, 0.0,
        "libraries that contradict the wire: {:#?}",
        probed.losses
    );
    for findings in [&wire, &probed] {
        assert!(findings.lost.is_empty(), "no event: {:#?}", findings.lost);
        assert!(
            findings.surplus.is_empty(),
            "no connection: {:#?}",
            findings.surplus
        );
    }
    assert!(!probed.rows.is_empty(), "nothing ran");
    let wrong: Vec<_> = wire
        .rows
        .iter()
        .zip(&probed.rows)
        .filter(|(wire, probed)| probed.is_wrong() && (!wire.is_wrong() || probed.names_another()))
        .map(|(_, probed)| probed.json())
        .collect::<Result<_>>()?;
    assert!(wrong.is_empty(), "wrong by probes: {wrong:#?}");
    Ok(probed.rows)
}

/// Handshakes of TLS 1.3 at which a server of these stacks looked at a certificate, or at the lack of one.
fn at_servers<'a>(rows: &'a [Row], stacks: &'a [&str]) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| {
        row.version == "1.3" && stacks.contains(&row.server) && row.client == PARTNER && !row.truth.resumed
    })
}

/// Those for which `holds` does not.
fn against<'a>(rows: impl Iterator<Item = &'a Row>, holds: impl Fn(&Row) -> bool) -> Result<Vec<String>> {
    rows.filter(|row| !holds(row)).map(Row::json).collect()
}

#[test]
#[ignore = "needs root"]
fn libraries_that_are_probed_by_default_tell_who_was_refused_and_why() -> Result<()> {
    let rows = prove("openssl,gnutls,go", None)?;
    let servers = || at_servers(&rows, &BY_DEFAULT);
    let shown = || servers().filter(|row| row.client_named.is_some());
    assert!(shown().count() > 0, "no certificate was shown");
    let nameless = against(shown(), |row| row.client_named == Some(Mark::Right))?;
    assert!(nameless.is_empty(), "clients without a name: {nameless:#?}");
    let refusals = || servers().filter(|row| row.truth.ending.is_refusal());
    assert!(refusals().count() > 0, "nobody was refused");
    let vague = against(refusals(), Row::is_exact)?;
    assert!(vague.is_empty(), "refusals without their reason: {vague:#?}");
    let wire_alone = against(servers(), |row| row.told.source.as_deref() == Some("both"))?;
    assert!(wire_alone.is_empty(), "no library told: {wire_alone:#?}");
    Ok(())
}
