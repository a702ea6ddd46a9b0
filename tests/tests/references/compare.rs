//! Compares the messages of a reference with those of the observer.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

use serde_json::Value;

use super::lists::{Direction, Message, Messages};

/// How much was compared, and how much of it is equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub messages: (usize, usize),
    pub fields: (usize, usize),
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (sum, part) in [
            (&mut self.messages, other.messages),
            (&mut self.fields, other.fields),
        ] {
            *sum = (sum.0 + part.0, sum.1 + part.1);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((messages, same), (fields, equal)) = (self.messages, self.fields);
        write!(out, "messages {same} of {messages}; fields {equal} of {fields}")
    }
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// `SOURCE.PORT > DESTINATION.PORT`.
    pub connection: String,
    /// `messages`, or the message's kind and a field.
    pub what: String,
    /// What either says.
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, {}: {}", self.connection, self.what, self.detail)
    }
}

/// Compares direction by direction: the messages' kinds in order, then each field that the reference has.
pub fn differences(wanted: &Messages, found: &Messages) -> (Tally, Vec<Difference>) {
    let (mut tally, mut all) = (Tally::default(), Vec::new());
    let directions: BTreeSet<&Direction> = wanted.keys().chain(found.keys()).collect();
    let none = Vec::new();
    for direction in directions {
        let (want, have) = (
            wanted.get(direction).unwrap_or(&none),
            found.get(direction).unwrap_or(&none),
        );
        let ((from, from_port), (to, to_port)) = (direction.source, direction.destination);
        let mut differs = |what: String, detail: String| {
            let connection = format!("{from}.{from_port} > {to}.{to_port}");
            all.push(Difference {
                connection,
                what,
                detail,
            });
        };
        tally.messages.0 += want.len();
        if kinds(want) != kinds(have) {
            differs(
                "messages".to_owned(),
                format!("{:?}, expected {:?}", kinds(have), kinds(want)),
            );
            continue;
        }
        tally.messages.1 += want.len();
        for (want, have) in want.iter().zip(have) {
            for (name, value) in &want.fields {
                tally.fields.0 += 1;
                let is = have.fields.get(name).map_or(Value::Null, |is| normal(name, is));
                if is == *value {
                    tally.fields.1 += 1;
                } else {
                    differs(format!("{} {name}", want.kind), format!("{is}, expected {value}"));
                }
            }
        }
    }
    (tally, all)
}

fn kinds(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.kind.as_str()).collect()
}

/// A reference's cell cannot tell a comma within a protocol's name from one between two.
fn normal(name: &str, value: &Value) -> Value {
    match value.as_array() {
        Some(list) if name == "alpn" => {
            let names = list.iter().filter_map(Value::as_str);
            let parts = names.flat_map(|name| name.split([',', ';'])).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(Value::from).collect()
        }
        _ => value.clone(),
    }
}
