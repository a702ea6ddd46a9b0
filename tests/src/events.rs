//! Reading the agent's events.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail, ensure};
use jsonschema::Validator;
use serde_json::Value;

use crate::agent;

/// The JSON Schema of an event, as the agent prints it.
#[derive(Clone)]
pub struct Schema(Arc<Validator>);

impl Schema {
    /// Asks the agent under test, once.
    ///
    /// # Errors
    /// When it cannot be run or prints no schema.
    pub fn of_agent() -> Result<Self> {
        static CACHE: OnceLock<Schema> = OnceLock::new();
        if let Some(schema) = CACHE.get() {
            return Ok(schema.clone());
        }
        let printed = Command::new(agent::binary()?)
            .arg("schema")
            .output()
            .context("tls-observer schema")?;
        ensure!(
            printed.status.success(),
            "tls-observer schema: {}",
            String::from_utf8_lossy(&printed.stderr)
        );
        let schema = serde_json::from_slice(&printed.stdout).context("the schema is not JSON")?;
        let validator = jsonschema::validator_for(&schema).context("not a JSON Schema")?;
        Ok(CACHE.get_or_init(|| Self(Arc::new(validator))).clone())
    }
}

/// Reads one line and holds it against the schema.
///
/// # Errors
/// With the line and each violation.
pub fn parse(line: &str, schema: &Schema) -> Result<Value> {
    let event: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
    let violations: Vec<_> = schema
        .0
        .iter_errors(&event)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if !violations.is_empty() {
        bail!("violates the schema: {}\n{event:#}", violations.join("; "));
    }
    Ok(event)
}

/// The value at a dotted path, `null` when there is none. A key may itself contain dots.
pub fn at<'a>(event: &'a Value, path: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    if let Some(value) = event.get(path) {
        return value;
    }
    let splits = path
        .char_indices()
        .filter(|(_, character)| *character == '.')
        .map(|(dot, _)| path.split_at(dot));
    for (head, tail) in splits {
        if let Some(inner) = event.get(head) {
            let found = at(inner, tail.trim_start_matches('.'));
            if !found.is_null() {
                return found;
            }
        }
    }
    &NULL
}

/// Every leaf of an event with its dotted path. Arrays are leaves.
pub fn leaves(event: &Value) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let path = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&path, member, into);
                }
            }
            leaf => drop(into.insert(prefix.to_owned(), leaf.clone())),
        }
    }
    let mut found = BTreeMap::new();
    walk("", event, &mut found);
    found
}

/// Panics with the whole event unless each path has its value; `null` means absent.
///
/// # Panics
/// See above.
pub fn assert_event(event: &Value, expected: &[(&str, Value)]) {
    let wrong: Vec<_> = expected
        .iter()
        .filter(|(path, value)| at(event, path) != value)
        .map(|(path, value)| format!("{path}: {}, expected {value}", at(event, path)))
        .collect();
    assert!(wrong.is_empty(), "{}\n{event:#}", wrong.join("\n"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{at, leaves};

    #[test]
    fn paths_lead_through_objects_and_dotted_keys() {
        let event = json!({ "a": { "b": 1, "c.d": { "e": [2] } }, "@t": "x" });
        assert_eq!(at(&event, "a.b"), 1);
        assert_eq!(at(&event, "a.c.d.e"), &json!([2]));
        assert!(at(&event, "a.x").is_null() && at(&event, "").is_null());
        assert_eq!(
            leaves(&event).into_keys().collect::<Vec<_>>(),
            ["@t", "a.b", "a.c.d.e"]
        );
    }
}
