//! Which case brings about each reason of the vocabulary with a real peer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::lab::judge::Mark;
use crate::lab::row::Row;

/// Reasons that no case of the laboratory brings about, and why.
const WITHOUT_A_CASE: &[(&str, &str)] = &[
    (
        "server_certificate_revoked",
        "no client here fetches or is given revocation lists of servers; it comes from the alert certificate_revoked of a client, as the server's does",
    ),
    (
        "no_shared_group",
        "no alert says it: servers answer handshake_failure, as for suites",
    ),
    (
        "decode_error",
        "two libraries that work do not send each other what cannot be decoded",
    ),
    (
        "protocol_error",
        "two libraries that work do not break the protocol towards each other",
    ),
    ("internal_error", "needs a library that fails in itself"),
];

/// Why there is no case that brings about `reason`, if there is none.
pub fn without_a_case(reason: &str) -> Option<&'static str> {
    WITHOUT_A_CASE
        .iter()
        .find(|(name, _)| *name == reason)
        .map(|(_, why)| *why)
}

/// Each reason that was told and not wrong, with how often and the case of most of them; then those without a case.
pub(super) fn table(rows: &[Row]) -> String {
    let mut cases: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for row in rows
        .iter()
        .filter(|row| matches!(row.mark, Mark::Right | Mark::Vague))
    {
        if let Some(reason) = &row.told.reason {
            *cases.entry(reason).or_default().entry(&row.case).or_default() += 1;
        }
    }
    let mut text = "| reason | told | case, the most frequent |\n|---|---|---|\n".to_owned();
    for (reason, counts) in &cases {
        let total: usize = counts.values().sum();
        let most = counts
            .iter()
            .max_by_key(|(_, count)| **count)
            .map_or("", |(case, _)| *case);
        let _ = writeln!(text, "| `{reason}` | {total} | {most} |");
    }
    for (reason, why) in WITHOUT_A_CASE
        .iter()
        .filter(|(reason, _)| !cases.contains_key(reason))
    {
        let _ = writeln!(text, "| `{reason}` | 0 | none: {why} |");
    }
    text
}
