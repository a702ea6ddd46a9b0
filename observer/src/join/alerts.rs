//! The alerts of a handshake of which libraries told what they are.

use observer_tls::alert::Alert;
use observer_tls::codepoints::{AlertDescription, AlertLevel, ContentType};

use super::HOLD_NS;
use super::merge::Tales;
use super::tale::Heard;
use crate::observation::{AlertSeen, Contradiction, MAX_ALERTS, Observation, Side};
use crate::outcome::tls13::Sizes;

/// How far apart a library's word for an alert and the record may be that is still the alert, nanoseconds.
const NEAR_NS: u64 = HOLD_NS;

/// Says of encrypted alerts what they are; gives what does not fit.
pub(super) fn fill(seen: &mut Observation, tales: &Tales) -> Vec<Contradiction> {
    [Side::Client, Side::Server]
        .into_iter()
        .filter_map(|sender| fill_of(seen, sender, tales))
        .collect()
}

fn fill_of(seen: &mut Observation, sender: Side, tales: &Tales) -> Option<Contradiction> {
    // What was received was sent. What was made may not have been.
    let received = tales.of(sender.other()).map_or(&[][..], |tale| &tale.received);
    let made = tales.of(sender).map_or(&[][..], |tale| &tale.sent);
    let mut heard: Vec<_> = received.to_vec();
    heard.extend(made.iter().filter(|made| {
        let again = |one: &&Heard| one.description == made.description;
        !received.iter().any(|one| again(&one)) && was_sent(seen, sender, made)
    }));
    let mut contradiction = None;
    for heard in heard {
        let mut own = seen.alerts.iter_mut().filter(|alert| alert.sender == sender);
        let read = own.by_ref().find(|alert| !alert.encrypted && heard.is_refusal());
        if let Some(read) = read {
            // Peers that send two alerts send the same reason twice.
            let same = read
                .alert
                .is_none_or(|alert| alert.description == heard.description);
            contradiction = contradiction.or((!same).then_some(Contradiction::Alert));
            continue;
        }
        let offset_ns = offset_of(seen, sender, &heard);
        let unread = seen
            .alerts
            .iter_mut()
            .find(|alert| alert.sender == sender && alert.alert.is_none());
        if let Some(unread) = unread {
            unread.alert = Some(alert(heard.description));
        } else if seen.is_tls13() && heard.is_refusal() && seen.alerts.len() < MAX_ALERTS {
            seen.alerts.push(AlertSeen {
                sender,
                alert: Some(alert(heard.description)),
                encrypted: true,
                offset_ns,
            });
        }
    }
    seen.alerts.sort_by_key(|alert| alert.offset_ns);
    contradiction
}

/// The alert of this description, with the level that it is sent with (RFC 8446, section 6).
pub(super) fn alert(description: AlertDescription) -> Alert {
    let heard = Heard {
        time_ns: 0,
        description,
    };
    let level = match heard.is_refusal() {
        true => AlertLevel::FATAL,
        false => AlertLevel::WARNING,
    };
    Alert { level, description }
}

/// Whether there is a record that may be the alert which the library of its sender made.
fn was_sent(seen: &Observation, sender: Side, made: &Heard) -> bool {
    let unread = |alert: &AlertSeen| alert.sender == sender && alert.alert.is_none();
    seen.alerts.iter().any(unread) || record(seen, sender, made).is_some()
}

/// When it was sent, nanoseconds since the ClientHello.
fn offset_of(seen: &Observation, sender: Side, heard: &Heard) -> u64 {
    record(seen, sender, heard).unwrap_or(heard.time_ns.saturating_sub(seen.time_ns))
}

/// The time of the last record near `heard` that has the size of an alert in TLS 1.3.
fn record(seen: &Observation, sender: Side, heard: &Heard) -> Option<u64> {
    let told_ns = heard.time_ns.saturating_sub(seen.time_ns);
    let size = Sizes::of(seen.cipher).alert;
    let mut records = seen.opaque.iter().rev().filter(|_| seen.is_tls13());
    let found = records.find(|record| {
        record.sender == sender
            && record.content_type == ContentType::APPLICATION_DATA
            && record.length == size
            && record.offset_ns.abs_diff(told_ns) <= NEAR_NS
    });
    found.map(|record| record.offset_ns)
}
