//! Which case brings about each reason of the vocabulary with a real peer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::lab::judge::Mark;
use crate::lab::row::Row;

/// Where a reason comes from in the laboratory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A case whose name begins so.
    Case(&'static str),
    /// No peer here brings it about; why.
    Nothing(&'static str),
}

/// Every reason of the vocabulary, with the case that is there for it.
pub const REASONS: &[(&str, Source)] = &[
    ("client_certificate_missing", Source::Case("certificate missing")),
    (
        "client_certificate_unknown_ca",
        Source::Case("certificate of an unknown CA"),
    ),
    ("client_certificate_expired", Source::Case("certificate expired")),
    (
        "client_certificate_not_yet_valid",
        Source::Case("certificate not yet valid"),
    ),
    ("client_certificate_revoked", Source::Case("certificate revoked")),
    (
        "client_certificate_wrong_purpose",
        Source::Case("certificate for servers"),
    ),
    ("client_certificate_bad", Source::Case("certificate broken")),
    (
        "client_certificate_rejected",
        Source::Case("certificate of an unknown CA"),
    ),
    (
        "server_certificate_unknown_ca",
        Source::Case("server's CA unknown"),
    ),
    (
        "server_certificate_expired",
        Source::Case("server's certificate expired"),
    ),
    (
        "server_certificate_not_yet_valid",
        Source::Case("server's certificate not yet valid"),
    ),
    (
        "server_certificate_revoked",
        Source::Nothing(
            "none of these clients looks at revocation lists; the rule is that of client_certificate_revoked",
        ),
    ),
    (
        "server_certificate_wrong_purpose",
        Source::Case("server's certificate for clients"),
    ),
    (
        "server_certificate_name_mismatch",
        Source::Case("server's name mismatch"),
    ),
    (
        "server_certificate_bad",
        Source::Nothing("clients say it of a certificate with another name, which the agent tells as that"),
    ),
    ("server_certificate_rejected", Source::Case("server's CA unknown")),
    ("no_shared_version", Source::Case("no shared version")),
    ("no_shared_cipher", Source::Case("no shared suite")),
    ("no_shared_group", Source::Case("no shared group")),
    ("no_application_protocol", Source::Case("no shared protocol")),
    ("unrecognized_name", Source::Case("name not served")),
    (
        "decode_error",
        Source::Nothing(
            "a certificate that cannot be decoded is told as that; it takes a library that sends nonsense",
        ),
    ),
    ("decrypt_error", Source::Case("certificate with the wrong key")),
    (
        "protocol_error",
        Source::Nothing("two libraries that work do not break the protocol towards each other"),
    ),
    (
        "internal_error",
        Source::Nothing("it takes a library that fails in itself"),
    ),
    ("not_tls", Source::Case("plain HTTP")),
    ("reset", Source::Case("resetting server")),
    ("closed", Source::Case("closing server")),
    ("timed_out", Source::Case("silent server")),
    (
        "other",
        Source::Nothing("it is what is left when no other reason fits"),
    ),
];

/// Each reason, how often it was told without being wrong, and the case of most of these, else where it should come from.
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
    for (reason, source) in REASONS {
        let line = match (cases.get(reason), source) {
            (Some(counts), _) => {
                let total: usize = counts.values().sum();
                let most = counts
                    .iter()
                    .max_by_key(|(_, count)| **count)
                    .map_or("", |(case, _)| *case);
                format!("{total} | {most}")
            }
            (None, Source::Case(case)) => format!("0 | not in this run, though there is the case: {case}"),
            (None, Source::Nothing(why)) => format!("0 | none: {why}"),
        };
        let _ = writeln!(text, "| `{reason}` | {line} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{REASONS, Source};
    use crate::lab::case;

    #[test]
    fn cases_of_reasons_are_cases() {
        let cases = case::all();
        for (reason, source) in REASONS {
            if let Source::Case(name) = source {
                assert!(
                    cases.iter().any(|case| case.name.starts_with(name)),
                    "{reason}: {name}"
                );
            }
        }
    }
}
