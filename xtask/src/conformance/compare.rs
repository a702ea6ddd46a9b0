//! Holds the messages of one program against those of the other.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

use super::message::{FIELDS, Message, Messages};

/// How much was compared, and what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Captures compared.
    pub captures: usize,
    /// Captures with differences, or that could not be compared.
    pub differing: usize,
    /// Messages that tshark tells of, and those of them that the observer has in the same place.
    pub messages: (usize, usize),
    /// Fields that tshark gives, and those of them that are equal.
    pub fields: (usize, usize),
    /// One line each.
    pub differences: Vec<String>,
}

impl Tally {
    /// A capture that could not be compared.
    pub fn failed(why: String) -> Self {
        Self {
            captures: 1,
            differing: 1,
            differences: vec![why],
            ..Self::default()
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.captures += other.captures;
        self.differing += other.differing;
        for (sum, part) in [
            (&mut self.messages, other.messages),
            (&mut self.fields, other.fields),
        ] {
            sum.0 += part.0;
            sum.1 += part.1;
        }
        self.differences.extend(other.differences);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "captures equal {} of {}; messages {} of {}; fields {} of {}",
            self.captures - self.differing,
            self.captures,
            self.messages.1,
            self.messages.0,
            self.fields.1,
            self.fields.0
        )
    }
}

/// Compares direction by direction: first the messages' kinds in order, then, where these agree, each field that
/// `theirs` has. What only `ours` has is more, not different.
pub fn compare(theirs: &Messages, ours: &Messages) -> Tally {
    let mut tally = Tally::default();
    let directions: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let none = Vec::new();
    for direction in directions {
        let want = theirs.get(direction).unwrap_or(&none);
        let have = ours.get(direction).unwrap_or(&none);
        tally.messages.0 += want.len();
        if kinds(want) != kinds(have) {
            tally.differences.push(format!(
                "{direction}: tshark has [{}], the observer [{}]",
                kinds(want),
                kinds(have)
            ));
            continue;
        }
        tally.messages.1 += want.len();
        for (place, (want, have)) in want.iter().zip(have).enumerate() {
            for field in FIELDS {
                let Some(value) = want.fields.get(field) else {
                    continue;
                };
                tally.fields.0 += 1;
                let found = have.fields.get(field);
                if found == Some(value) {
                    tally.fields.1 += 1;
                    continue;
                }
                let found = found.map_or("nothing".to_owned(), ToString::to_string);
                tally.differences.push(format!(
                    "{direction}: message {} (type {}), {field}: tshark has {value}, the observer {found}",
                    place + 1,
                    want.kind
                ));
            }
        }
    }
    tally.differing = usize::from(!tally.differences.is_empty());
    tally
}

fn kinds(messages: &[Message]) -> String {
    let kinds: Vec<String> = messages.iter().map(|message| message.kind.to_string()).collect();
    kinds.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::message::{Direction, Kind};
    use super::*;

    fn direction(port: u16) -> Direction {
        let address = "192.0.2.1".parse().expect("an address");
        Direction {
            source: (address, port),
            destination: (address, 443),
        }
    }

    fn message(kind: Kind, fields: &[(&'static str, Value)]) -> Message {
        Message {
            kind,
            fields: fields.iter().cloned().collect(),
        }
    }

    fn hello(name: &str) -> Message {
        message(
            Kind::Handshake(1),
            &[("server_name", json!(name)), ("ciphers", json!([1, 2]))],
        )
    }

    #[test]
    fn equal_messages_do_not_differ_and_what_only_we_have_does_not_count() {
        let theirs = Messages::from([(direction(1), vec![hello("a")])]);
        let mut more = hello("a");
        more.fields.insert("ja4", json!("t13"));
        let tally = compare(&theirs, &Messages::from([(direction(1), vec![more])]));
        assert_eq!(
            (tally.messages, tally.fields, tally.differing),
            ((1, 1), (2, 2), 0)
        );
    }

    #[test]
    fn a_field_that_is_missing_or_different_is_named() {
        let theirs = Messages::from([(direction(1), vec![hello("a")])]);
        let bare = message(Kind::Handshake(1), &[("server_name", json!("b"))]);
        let tally = compare(&theirs, &Messages::from([(direction(1), vec![bare])]));
        assert_eq!(
            (tally.messages, tally.fields, tally.differing),
            ((1, 1), (2, 0), 1)
        );
        assert!(tally.differences[0].contains("server_name: tshark has \"a\", the observer \"b\""));
        assert!(tally.differences[1].contains("ciphers: tshark has [1,2], the observer nothing"));
    }

    #[test]
    fn other_messages_or_directions_than_theirs_are_a_difference_each() {
        let theirs = Messages::from([(direction(1), vec![hello("a"), message(Kind::Alert, &[])])]);
        let ours = Messages::from([(direction(1), vec![hello("a")]), (direction(2), vec![hello("x")])]);
        let tally = compare(&theirs, &ours);
        assert_eq!(
            (tally.messages, tally.differing, tally.differences.len()),
            ((2, 0), 1, 2)
        );
        assert!(tally.differences[0].contains("tshark has [1 alert], the observer [1]"));
    }

    #[test]
    fn the_closing_line_sums_up() {
        let mut total = Tally::default();
        total += Tally {
            captures: 1,
            messages: (3, 3),
            fields: (9, 9),
            ..Tally::default()
        };
        total += Tally::failed("no such file".to_owned());
        assert_eq!(
            total.to_string(),
            "captures equal 1 of 2; messages 3 of 3; fields 9 of 9"
        );
    }
}
