//! Rules for values that differ from run to run.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// A rule for one value.
pub type Rule = fn(&Value) -> bool;

/// Longest time that a handshake of the tests takes, timeouts included.
const LONGEST_NS: u64 = 60_000_000_000;

pub(super) fn is_recent(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let Ok(time) = text.parse::<jiff::Timestamp>() else {
        return false;
    };
    let age = SystemTime::now()
        .duration_since(SystemTime::from(time))
        .unwrap_or(Duration::MAX);
    let micros = text.split_once('.').map(|(_, fraction)| fraction.len());
    micros == Some("000000Z".len()) && age < Duration::from_secs(120)
}

pub(super) fn is_duration(value: &Value) -> bool {
    value
        .as_u64()
        .is_some_and(|nanoseconds| (1..LONGEST_NS).contains(&nanoseconds))
}

pub(super) fn is_id(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

pub(super) fn is_port(value: &Value) -> bool {
    value.as_u64().is_some_and(|port| (1..=65_535).contains(&port))
}

/// A list of one name or more.
pub(super) fn is_list(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string))
}

pub(super) fn is_rule(value: &Value) -> bool {
    value.as_str().is_some_and(|rule| !rule.is_empty())
}

pub(super) fn is_record_list(value: &Value) -> bool {
    let is_record = |record: &Value| {
        matches!(record["sender"].as_str(), Some("client" | "server"))
            && record["length"]
                .as_u64()
                .is_some_and(|length| (17..=16_640).contains(&length))
            && is_duration(&record["offset_ns"])
    };
    value
        .as_array()
        .is_some_and(|list| !list.is_empty() && list.iter().all(is_record))
}
