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
use observer_tests::lab::truth::Ending;

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

/// Of a hundred, how many may be missed on a busy machine.
const MISSED: usize = 3;

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
    let contradicted: Vec<_> = probed
        .rows
        .iter()
        .filter(|row| !row.told.contradictions.is_empty())
        .map(Row::json)
        .collect::<Result<_>>()?;
    assert!(
        contradicted.is_empty(),
        "libraries against the wire: {contradicted:#?}"
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

/// Fails unless `holds` for all rows, but for a few that a busy machine told too late.
fn nearly_all<'a>(
    what: &str,
    rows: impl Iterator<Item = &'a Row>,
    holds: impl Fn(&Row) -> bool,
) -> Result<()> {
    let (good, bad): (Vec<_>, Vec<_>) = rows.partition(|row| holds(row));
    println!("{what}: {} of {}", good.len(), good.len() + bad.len());
    assert!(!good.is_empty(), "{what}: none");
    let missed: Vec<_> = bad.into_iter().map(Row::json).collect::<Result<_>>()?;
    assert!(
        missed.len() * 100 <= MISSED * good.len(),
        "{what}, not so: {missed:#?}"
    );
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn libraries_that_are_probed_by_default_tell_who_was_refused_and_why() -> Result<()> {
    let rows = prove("openssl,gnutls,go", None)?;
    let servers = || at_servers(&rows, &BY_DEFAULT);
    let shown = servers().filter(|row| row.client_named.is_some());
    nearly_all("clients named by their certificate", shown, |row| {
        row.client_named == Some(Mark::Right)
    })?;
    // What Go's users check of certificates themselves, its library does not know.
    let refused = servers().filter(|row| row.truth.ending.is_refusal());
    let refused = refused.filter(|row| (row.server, row.case.as_str()) != ("go", "certificate revoked"));
    nearly_all("refusals with their very reason", refused, Row::is_exact)?;
    // Node lets its handshake go on with any certificate, and closes without an alert in place of its answer.
    let by_node = rows.iter().filter(|row| {
        let faulty = row.case.starts_with("certificate ") && row.client == PARTNER;
        row.server == "node" && faulty
    });
    nearly_all("refusals by Node in both versions", by_node, |row| {
        row.told.outcome == "rejected" && row.truth.reason.is_some() && row.is_exact()
    })?;
    let above =
        servers().filter(|row| row.truth.ending == Ending::RefusedAbove && row.client_named.is_some());
    nearly_all("refusals above TLS with what the library found", above, |row| {
        let found = row.told.library_verify.as_deref();
        found.is_some_and(|term| term.starts_with("X509_V_ERR_"))
    })?;
    nearly_all("handshakes that a library told of", servers(), |row| {
        row.told.source.as_deref() == Some("both")
    })?;
    let clients = rows.iter().filter(|row| {
        let stacks = BY_DEFAULT.contains(&row.client) && row.server == PARTNER;
        row.version == "1.3" && stacks && !row.truth.resumed && row.server_named.is_some()
    });
    nearly_all("servers named by their certificate", clients, |row| {
        row.server_named == Some(Mark::Right)
    })?;
    Ok(())
}
