//! What the events and messages of a capture that was cut up may be, compared with those of the whole.
//!
//! A field that is there has the value that it has in the whole. The exceptions, each of which says less and nothing else:
//!
//! - the outcome may be `incomplete`; if it is not, it is that of the whole, and its reason that of the whole or a less
//!   exact one;
//! - `handshake.client_certificate` may be `unknown`; where the whole knows as little, it may be what the peers said;
//! - messages may be missing, and alerts and encrypted records may be missing from their lists. Without an outcome these
//!   go on, so they are held against all that passed;
//! - a handshake may fall into two events, before and behind what is missing;
//! - where more than the end is missing, an inferred outcome may be a wrong guess;
//! - an event whose ClientHello is missing has another id, and one of which only the ClientHello after a HelloRetryRequest
//!   was seen is that of this hello;
//! - `handshake.completeness` and the fields of time tell of what was seen, not of what was.

use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::Whole;
use super::play::{Heard, Leaves, Message};

/// Fields that depend on what was seen, and when.
const OF_THE_VIEW: [&str; 6] = [
    "@timestamp",
    "event.duration",
    "handshake.completeness",
    "handshake.timings.server_hello",
    "handshake.timings.client_flight",
    "handshake.timings.finished",
];
/// Fields that follow from how the handshake ended; [`verdict`] judges them together.
const OF_THE_VERDICT: [&str; 9] = [
    "network.protocol",
    "event.outcome",
    "event.type",
    "tls.established",
    "handshake.outcome",
    "handshake.rejected_by",
    "handshake.reason",
    "handshake.evidence",
    "handshake.rule",
];
/// Fields that a ClientHello after a HelloRetryRequest has otherwise than the one before (RFC 8446, section 4.1.2).
const OF_THE_RETRY: [&str; 3] = [
    "handshake.hello_retry",
    "handshake.client.key_shares",
    "handshake.client.extensions",
];

/// Where the events do not say what the peers said. Of a refusal that is encrypted, only an inference can be had, which
/// does not know what was wrong with a certificate.
pub fn said(expected: &[Map<String, Value>], events: &[Leaves]) -> Vec<String> {
    let mut handshakes: Vec<&Leaves> = events
        .iter()
        .filter(|event| event["event.action"] == "tls-handshake")
        .collect();
    handshakes.sort_by_key(|event| event["@timestamp"].to_string());
    if handshakes.len() != expected.len() {
        return vec![format!(
            "{} handshakes, expected {}",
            handshakes.len(),
            expected.len()
        )];
    }
    let mut faults = Vec::new();
    for (expected, event) in expected.iter().zip(handshakes) {
        let inferred = is(event, "handshake.evidence", "inferred");
        for (path, value) in expected {
            let found = event.get(path).unwrap_or(&Value::Null);
            let less = match path.as_str() {
                "handshake.reason" => inferred && is_less_exact(found, value),
                "handshake.client_certificate" => found == "unknown" && is(event, "tls.version", "1.3"),
                _ => false,
            };
            if found != value && !less {
                faults.push(format!("{path}: {found}, expected {value}"));
            }
        }
    }
    faults
}

/// Where the two differ at all.
pub fn same(whole: &Heard, cut: &Heard) -> Vec<String> {
    let mut faults = message_faults(whole, cut, |whole, cut| whole == cut);
    if whole.events.len() != cut.events.len() {
        faults.push(format!(
            "{} events, expected {}",
            cut.events.len(),
            whole.events.len()
        ));
    }
    for (whole, cut) in whole.events.iter().zip(&cut.events) {
        let gone = whole.iter().filter(|(path, _)| !cut.contains_key(*path));
        faults.extend(gone.map(|(path, value)| format!("{path}: missing, was {value}")));
        for (path, value) in cut.iter().filter(|(path, value)| whole.get(*path) != Some(value)) {
            let was = whole.get(path).unwrap_or(&Value::Null);
            faults.push(format!("{path}: {value}, was {was}"));
        }
    }
    faults
}

/// Where `cut`, the beginning of the whole, says anything but the beginning of it.
pub fn beginning(whole: &Whole, cut: &Heard) -> Vec<String> {
    let mut faults = message_faults(&whole.heard, cut, |whole, cut| whole.starts_with(cut));
    faults.extend(event_faults(whole, cut, false));
    faults
}

/// Where `cut` says anything that the whole does not.
pub fn less(whole: &Whole, cut: &Heard) -> Vec<String> {
    let mut faults = message_faults(&whole.heard, cut, is_subsequence);
    faults.extend(event_faults(whole, cut, true));
    faults
}

/// Compares the messages of each direction.
fn message_faults(whole: &Heard, cut: &Heard, fits: fn(&[Message], &[Message]) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut directions: Vec<_> = whole
        .messages
        .iter()
        .chain(&cut.messages)
        .map(|seen| (seen.from, seen.to))
        .collect();
    directions.sort_unstable();
    directions.dedup();
    for (from, to) in directions {
        let of = |heard: &Heard| -> Vec<Message> {
            let seen = heard
                .messages
                .iter()
                .filter(|seen| (seen.from, seen.to) == (from, to));
            seen.cloned().collect()
        };
        let (whole, cut) = (of(whole), of(cut));
        if !fits(&whole, &cut) {
            let told = |messages: &[Message]| -> Vec<String> {
                messages
                    .iter()
                    .map(|message| message.told(true).to_string())
                    .collect()
            };
            faults.push(format!("{from} > {to}: {:?}, of {:?}", told(&cut), told(&whole)));
        }
    }
    faults
}

fn is_subsequence<T: PartialEq>(whole: &[T], part: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|item| rest.any(|other| other == item))
}

/// Finds for each event of the cut one of the whole that it is less than. `some_is_missing`: more than the end may be.
fn event_faults(whole: &Whole, cut: &Heard, some_is_missing: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for event in &cut.events {
        let candidates = whole
            .heard
            .events
            .iter()
            .map(|other| contradictions(whole, other, event, some_is_missing));
        match candidates.min_by_key(Vec::len) {
            Some(found) => faults.extend(found),
            None => faults.push(format!("an event of nothing: {event:?}")),
        }
    }
    // Of two parts of a handshake, one at most knows how it ended.
    let outcomes = |heard: &Heard| {
        heard
            .events
            .iter()
            .filter(|event| is_binding(event, some_is_missing))
            .count()
    };
    if outcomes(cut) > outcomes(&whole.heard) {
        faults.push(format!(
            "{} outcomes, of {}",
            outcomes(cut),
            outcomes(&whole.heard)
        ));
    }
    faults
}

/// Where an event says anything that the event of the whole does not.
fn contradictions(whole: &Whole, other: &Leaves, cut: &Leaves, some_is_missing: bool) -> Vec<String> {
    let mut faults = match is_binding(cut, some_is_missing) {
        true => verdict(other, cut),
        false => Vec::new(),
    };
    let headless = !cut.contains_key("handshake.client.legacy_version");
    let retried = other.get("handshake.hello_retry") == Some(&Value::Bool(true));
    for (path, value) in cut {
        let path = path.as_str();
        if OF_THE_VIEW.contains(&path) || OF_THE_VERDICT.contains(&path) || (path == "event.id" && headless) {
            continue;
        }
        let was = other.get(path).unwrap_or(&Value::Null);
        let fits = value == was
            || (retried && OF_THE_RETRY.contains(&path))
            || match path {
                "handshake.client_certificate" => {
                    value == "unknown" || (was == "unknown" && whole.says(path, value))
                }
                "handshake.alerts" | "handshake.encrypted_records" => passed(&whole.heard, cut, value),
                _ => false,
            };
        if !fits {
            faults.push(format!("{path}: {value}, was {was}"));
        }
    }
    faults
}

/// Whether the alerts or encrypted records of this list passed, in this order of either side.
fn passed(whole: &Heard, cut: &Leaves, list: &Value) -> bool {
    const ALERT: u8 = 21;
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    ["client", "server"].into_iter().all(|sender| {
        let port = cut.get(&format!("{sender}.port")).and_then(Value::as_u64);
        let is_sender = |from: &SocketAddr| Some(u64::from(from.port())) == port;
        let sent = entries.iter().filter(|entry| entry["sender"] == sender);
        let (plain, hidden): (Vec<_>, Vec<_>) = sent.partition(|entry| entry["encrypted"] == false);
        let codes: Vec<_> = plain.iter().map(|alert| alert["code"].as_u64()).collect();
        let alerts = whole.messages.iter().filter(|message| is_sender(&message.from));
        let alerts: Vec<_> = alerts.filter_map(Message::alert_code).map(Some).collect();
        // Of an encrypted alert the list has no length.
        let shapes: Vec<_> = hidden.iter().map(|entry| entry["length"].as_u64()).collect();
        let records = whole.records.iter().filter(|(from, ..)| is_sender(from));
        let records: Vec<_> = records
            .filter_map(|(_, _, typ, length)| match list[0].get("length") {
                None => (*typ == ALERT).then_some(None),
                Some(_) => Some(Some(u64::from(*length))),
            })
            .collect();
        is_subsequence(&alerts, &codes) && is_subsequence(&records, &shapes)
    })
}

/// Judges how the handshake is said to have ended.
fn verdict(whole: &Leaves, cut: &Leaves) -> Vec<String> {
    let at = |event: &Leaves, path: &str| event.get(path).cloned().unwrap_or_default();
    let mut faults = Vec::new();
    for path in ["handshake.outcome", "handshake.rejected_by", "handshake.reason"] {
        let (was, found) = (at(whole, path), at(cut, path));
        let less = path == "handshake.reason" && is_less_exact(&found, &was);
        if found != was && !less {
            faults.push(format!("{path}: {found}, was {was}"));
        }
    }
    faults
}

/// Whether an event's outcome is to be that of the whole: any that it claims, but for a guess where more than the end is
/// missing.
fn is_binding(event: &Leaves, some_is_missing: bool) -> bool {
    event["handshake.outcome"] != "incomplete"
        && !(some_is_missing && is(event, "handshake.evidence", "inferred"))
}

fn is(event: &Leaves, path: &str, value: &str) -> bool {
    event.get(path).is_some_and(|found| found == value)
}

/// Whether a reason says less than another: that it was the same side's certificate, or nothing.
fn is_less_exact(reason: &Value, exact: &Value) -> bool {
    match (reason.as_str(), exact.as_str()) {
        (Some("other"), Some(_)) => true,
        // Foreign bytes that overtake the ClientHello may have been talk before it.
        (Some("closed"), Some("not_tls")) => true,
        (Some(reason), Some(exact)) => reason
            .strip_suffix("_rejected")
            .is_some_and(|whose| whose.ends_with("_certificate") && exact.starts_with(whose)),
        _ => false,
    }
}
