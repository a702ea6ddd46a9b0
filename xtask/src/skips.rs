//! The list of tests that may be skipped, `tests/skips.txt`. A skip that is not on it is a failure.
//!
//! One entry a line: the test's name, or its beginning and `*`, then white space, then the reason.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::process;

const FILE: &str = "tests/skips.txt";

/// The skips that are allowed.
#[derive(Debug)]
pub struct Allowed(Vec<(String, String)>);

impl Allowed {
    /// Reads the list.
    pub fn load() -> Result<Self> {
        parse(&fs::read_to_string(process::workspace().join(FILE)).context(FILE)?)
    }

    /// The reason why this test may be skipped, if it may.
    pub fn reason(&self, name: &str) -> Option<&str> {
        let matches = |pattern: &str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        self.0
            .iter()
            .find(|(pattern, _)| matches(pattern))
            .map(|(_, reason)| reason.as_str())
    }
}

fn parse(text: &str) -> Result<Allowed> {
    let mut entries = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let Some((pattern, reason)) = line.split_once(char::is_whitespace) else {
            bail!("{FILE}: `{line}` has no reason");
        };
        entries.push((pattern.to_owned(), reason.trim().to_owned()));
    }
    Ok(Allowed(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_tests_may_be_skipped() {
        let allowed =
            parse("# why\n\nattach::tcx*   needs Linux 6.6\nexact  because\n").expect("well-formed");
        assert_eq!(allowed.reason("attach::tcx_ingress"), Some("needs Linux 6.6"));
        assert_eq!(allowed.reason("exact"), Some("because"));
        assert_eq!(allowed.reason("exactly"), None);
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        assert!(parse("attach::tcx\n").is_err());
    }
}
