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

/// A JA3 or JA3S fingerprint.
pub(super) fn is_md5(value: &Value) -> bool {
    is_id(value)
}

/// A JA4 fingerprint of a client on TCP: what was offered, in figures, then two hashes.
pub(super) fn is_ja4(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let parts: Vec<&str> = text.split('_').collect();
    let [offer, suites, extensions] = parts[..] else {
        return false;
    };
    let is_hash = |hash: &str| hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    offer.len() == 10
        && offer.starts_with("t1")
        && matches!(&offer[3..4], "d" | "i")
        && offer[4..8].bytes().all(|byte| byte.is_ascii_digit())
        && is_hash(suites)
        && is_hash(extensions)
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
