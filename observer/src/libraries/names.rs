//! Names of functions that are looked for, and the search for them in a table of strings.
//!
//! The table is searched, not each symbol's name looked up: a program's names are megabytes, and of the hundred thousands
//! of symbols only the few are of interest whose names begin at the offsets found.

use std::fmt::{self, Write};
use std::ops::ControlFlow;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::file::{Error, Reader};

/// Bytes of a name that may be cut by the end of a chunk: longer ones are not those looked for.
const MAX_NAME: usize = 4096;
/// Places in one table that are looked at because part of a wanted name is there. A hostile table has nothing else.
const MAX_CANDIDATES: usize = 16 * 1024;
/// Bytes of a demangled name: a hostile one of some bytes can stand for a million.
const MAX_DEMANGLED: usize = 4096;
/// Wanted names that are found in one table. A few dozen are wanted, and generic Rust functions have some for each.
const MAX_FOUND: usize = 4096;

/// How a function is named in a table of symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// Just so.
    Exact(&'static str),
    /// With a version between the two: `aws_lc_0_30_0_EVP_AEAD_CTX_open`.
    Versioned {
        /// What it begins with.
        prefix: &'static str,
        /// What it ends with.
        suffix: &'static str,
    },
    /// Mangled by a Rust compiler, in the old way or the new ("v0").
    Rust {
        /// A type or module in its path.
        within: &'static str,
        /// The function's own name, last in its path.
        function: &'static str,
    },
}

/// For people.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Versioned { prefix, suffix } => write!(f, "{prefix}…{suffix}"),
            Self::Rust { within, function } => write!(f, "{within}…{function}"),
        }
    }
}

impl Name {
    /// Bytes that are in each string that has the name.
    fn needle(self) -> Vec<u8> {
        match self {
            Self::Exact(name) => [name.as_bytes(), &[0]].concat(),
            Self::Versioned { suffix, .. } => [suffix.as_bytes(), &[0]].concat(),
            // Both manglings have an identifier's length before it.
            Self::Rust { function, .. } => format!("{}{function}", function.len()).into_bytes(),
        }
    }

    /// Where in a string that has the needle the name begins, if it has the name at all. Tables of strings keep a string
    /// that is the end of another only once.
    fn begins(self, string: &[u8]) -> Option<usize> {
        match self {
            Self::Exact(name) => string.len().checked_sub(name.len()),
            Self::Versioned { prefix, suffix } => {
                let string = str::from_utf8(string).ok()?;
                let start = string.find(prefix)?;
                (string.len() - start >= prefix.len() + suffix.len()).then_some(start)
            }
            Self::Rust { within, function } => {
                let demangled = rustc_demangle::try_demangle(str::from_utf8(string).ok()?).ok()?;
                let mut path = Bounded::default();
                write!(path, "{demangled:#}").ok()?;
                is_rust_function(&path.0, within, function).then_some(0)
            }
        }
    }
}

/// Text of up to [`MAX_DEMANGLED`] bytes.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_DEMANGLED {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// Whether a demangled path, such as `<rustls::conn::State>::send::<u8>`, ends with the function and has the other name
/// in it.
fn is_rust_function(path: &str, within: &str, function: &str) -> bool {
    let mut path = path;
    while path.ends_with('>') {
        // Generic arguments at the end; of a function pointer among them `->` is no bracket.
        let mut depth = 0usize;
        let open = path.char_indices().rev().find(|&(at, character)| {
            match character {
                '>' if !path.get(..at).is_some_and(|before| before.ends_with('-')) => depth += 1,
                '<' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let Some(before) = open.and_then(|(at, _)| path.get(..at)?.strip_suffix("::")) else {
            return false;
        };
        path = before;
    }
    path.rsplit_once("::")
        .is_some_and(|(before, last)| last == function && before.contains(within))
}

/// A name found in a table of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Where in the table it begins.
    pub offset: u64,
    /// Which name it is.
    pub name: Name,
    /// The string itself.
    pub text: Box<str>,
}

/// Names that are looked for together.
pub struct Catalogue {
    names: Vec<Name>,
    automaton: AhoCorasick,
}

impl Catalogue {
    /// A search for these names; it may have each more than once.
    ///
    /// # Errors
    /// When they are too many for an automaton, as constant names never are.
    pub fn new(names: impl IntoIterator<Item = Name>) -> Result<Self, aho_corasick::BuildError> {
        let mut unique: Vec<Name> = Vec::new();
        for name in names {
            if !unique.contains(&name) {
                unique.push(name);
            }
        }
        // Some hundred kilobytes, for a third of the time that the smaller automatons need.
        let mut builder = AhoCorasick::builder();
        builder.kind(Some(AhoCorasickKind::DFA));
        let automaton = builder.build(unique.iter().map(|name| name.needle()))?;
        Ok(Self {
            names: unique,
            automaton,
        })
    }

    /// All occurrences in a table of strings, each of which ends with a zero.
    ///
    /// # Errors
    /// As [`Reader::walk`], and when there are more than are plausible.
    pub fn search(
        &self,
        reader: &Reader<'_>,
        what: &'static str,
        offset: u64,
        size: u64,
    ) -> Result<Vec<Occurrence>, Error> {
        let mut found = Vec::new();
        let mut candidates = 0;
        // Strings not yet searched, the last of them perhaps not whole, and where in the table they begin.
        let mut pending = Vec::new();
        let mut begin = 0;
        reader.walk(what, offset, size, |_, chunk| {
            pending.extend_from_slice(chunk);
            let whole = pending
                .iter()
                .rposition(|&byte| byte == 0)
                .map_or(0, |last| last + 1);
            let strings = pending.get(..whole).unwrap_or_default();
            for hit in self.automaton.find_overlapping_iter(strings) {
                candidates += 1;
                limit(what, candidates, MAX_CANDIDATES)?;
                if let Some(name) = self.names.get(hit.pattern().as_usize()) {
                    found.extend(occurrence(*name, strings, hit.start(), begin));
                    limit(what, found.len(), MAX_FOUND)?;
                }
            }
            let done = if pending.len() - whole > MAX_NAME {
                pending.len()
            } else {
                whole
            };
            pending.drain(..done);
            begin += done as u64;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}

fn limit(what: &'static str, count: usize, limit: usize) -> Result<(), Error> {
    let (count, limit) = (count as u64, limit as u64);
    if count > limit {
        return Err(Error::TooMany { what, count, limit });
    }
    Ok(())
}

/// The name, if it is what the needle at `hit` is a part of. `begin` is where in the table the strings begin.
fn occurrence(name: Name, strings: &[u8], hit: usize, begin: u64) -> Option<Occurrence> {
    let first = hit.saturating_sub(MAX_NAME);
    let before = strings.get(first..hit)?;
    let start = match before.iter().rposition(|&byte| byte == 0) {
        Some(zero) => first + zero + 1,
        None if first == 0 => 0,
        None => return None,
    };
    let string = strings.get(start..)?;
    let string = string.get(..string.iter().take(MAX_NAME).position(|&byte| byte == 0)?)?;
    let into = name.begins(string)?;
    Some(Occurrence {
        offset: begin + (start + into) as u64,
        name,
        text: str::from_utf8(string.get(into..)?).ok()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Name = Name::Exact("SSL_open");
    const AEAD: Name = Name::Versioned {
        prefix: "aws_lc_",
        suffix: "_EVP_open",
    };
    const VERIFY: Name = Name::Rust {
        within: "ClientVerifier",
        function: "verify",
    };

    fn search(table: &[u8]) -> Vec<(u64, Name, String)> {
        let catalogue = Catalogue::new([OPEN, AEAD, VERIFY, OPEN]).unwrap();
        let reader = Reader::new(&table).unwrap();
        let found = catalogue
            .search(&reader, "strings", 0, table.len() as u64)
            .unwrap();
        found
            .into_iter()
            .map(|found| (found.offset, found.name, found.text.into_string()))
            .collect()
    }

    #[test]
    fn names_are_found_where_they_begin() {
        assert_eq!(
            search(b"\0SSL_open\0SSL_opens\0SSL_ope\0"),
            [(1, OPEN, "SSL_open".into())]
        );
        // A string that is the end of another is kept once.
        assert_eq!(search(b"\0my_SSL_open\0"), [(4, OPEN, "SSL_open".into())]);
        let versioned = "aws_lc_0_30_0_EVP_open";
        assert_eq!(
            search(b"\0aws_lc_0_30_0_EVP_open\0EVP_open\0"),
            [(1, AEAD, versioned.into())]
        );
        assert_eq!(search(b"SSL_open"), [], "a string without an end");
    }

    #[test]
    fn a_name_is_found_wherever_a_chunk_ends() {
        // A chunk has 196,608 bytes: its end comes before the name, within it and behind it.
        for filler in 196_596..196_612_usize {
            let mut table = vec![0; filler];
            table.extend(b"SSL_open\0");
            assert_eq!(
                search(&table),
                [(filler as u64, OPEN, "SSL_open".into())],
                "{filler}"
            );
        }
        // A string too long to be kept does not hide the next.
        let mut table = vec![b'x'; 1 << 20];
        table.extend(b"\0SSL_open\0");
        assert_eq!(search(&table), [((1 << 20) + 1, OPEN, "SSL_open".into())]);
    }

    #[test]
    fn rust_functions_are_found_in_both_manglings() {
        let old = "_ZN47_$LT$a..ClientVerifier$u20$as$u20$b..Verify$GT$6verify17h0123456789abcdefE";
        let new = "_RNvXs_NtC1a1bNtB4_14ClientVerifierNtB4_6Verify6verify";
        let generic = "_RINvMNtC1a1bNtB3_14ClientVerifier6verifyhE";
        let other = "_ZN1a6Server6verify17h0123456789abcdefE";
        let closure = "_ZN1a14ClientVerifier6verify28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE";
        let table = [old, new, generic, other, closure].join("\0") + "\0";
        let found: Vec<String> = search(table.as_bytes())
            .into_iter()
            .map(|(_, _, text)| text)
            .collect();
        assert_eq!(found, [old, new, generic]);
    }

    #[test]
    fn a_path_ends_with_its_function() {
        for path in [
            "a::V::f",
            "<a::V>::f",
            "<a::V as b::T>::f",
            "a::V::f::<u8>",
            "a::V::f::<fn(u8) -> Vec<u8>>",
            "a::V::f::<A>::<B>",
        ] {
            assert!(is_rust_function(path, "V", "f"), "{path}");
        }
        for path in [
            "f",
            "a::V::f::g",
            "a::V::ff",
            "a::W::f",
            "a::V::g::<a::V::f>",
            ">",
            "<>>",
            "",
        ] {
            assert!(!is_rust_function(path, "V", "f"), "{path}");
        }
    }

    #[test]
    fn a_table_of_nothing_but_wanted_names_or_parts_of_them_is_refused() {
        let parts = [b"6verify".repeat(500), vec![0]]
            .concat()
            .repeat(MAX_CANDIDATES / 500 + 1);
        for table in [b"SSL_open\0".repeat(MAX_FOUND + 1), parts] {
            let table = &table[..];
            let catalogue = Catalogue::new([OPEN, VERIFY]).unwrap();
            let reader = Reader::new(&table).unwrap();
            let found = catalogue.search(&reader, "strings", 0, table.len() as u64);
            assert!(matches!(found, Err(Error::TooMany { .. })), "{found:?}");
        }
    }

    #[test]
    fn a_demangled_name_has_a_limit() {
        let mut path = Bounded::default();
        assert!(path.write_str(&"x".repeat(MAX_DEMANGLED)).is_ok());
        assert!(path.write_str("x").is_err());
    }
}
