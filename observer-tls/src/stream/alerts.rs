//! Reads plaintext alerts. A record holds one, as a rule; older stacks put several into a record, or cut one in two.

use super::plausible::is_known_alert;
use crate::alert::Alert;
use crate::codepoints::{AlertDescription, AlertLevel};

/// Longest alert record that may be plaintext: shorter than any ciphertext.
pub(super) const MAX_ALERTS_BYTES: u16 = 8;

/// An alert of which the first byte is there.
#[derive(Clone, Copy, Debug)]
struct Begun {
    level: u8,
    time_ns: u64,
}

/// The alerts of one direction.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    begun: Option<Begun>,
}

impl Alerts {
    /// Takes the payload of a record. Hands the alerts that it ends to `each`, with their times; false, and nothing is
    /// read, if it does not hold any. `encrypted`: ciphertext may be expected, so that a record must hold whole, known ones.
    pub(super) fn read(
        &mut self,
        payload: &[u8],
        encrypted: bool,
        time_ns: u64,
        mut each: impl FnMut(u64, Alert),
    ) -> bool {
        let begun = self.begun.take();
        let (first, rest) = match (begun, payload) {
            (Some(Begun { level, time_ns }), [description, rest @ ..]) => {
                (Some((time_ns, [level, *description])), rest)
            }
            _ => (None, payload),
        };
        let (pairs, last) = rest.as_chunks::<2>();
        let alone = !encrypted && first.is_none() && pairs.len() == 1 && last.is_empty();
        let is_alert = |pair: &[u8; 2]| is_known_alert(pair) || alone && is_level(pair[0]);
        let begins_another = match last {
            [level] => !encrypted && is_level(*level),
            _ => true,
        };
        if !begins_another
            || !first.is_none_or(|(_, pair)| is_known_alert(&pair))
            || !pairs.iter().all(is_alert)
        {
            return false;
        }
        let pairs = pairs.iter().map(|pair| (time_ns, *pair));
        for (time_ns, [level, description]) in first.into_iter().chain(pairs) {
            let (level, description) = (AlertLevel(level), AlertDescription(description));
            each(time_ns, Alert { level, description });
        }
        self.begun = last.first().map(|level| Begun {
            level: *level,
            time_ns,
        });
        true
    }

    /// Whether an alert was begun; it is dropped.
    pub(super) fn abandon(&mut self) -> bool {
        self.begun.take().is_some()
    }
}

fn is_level(byte: u8) -> bool {
    matches!(AlertLevel(byte), AlertLevel::WARNING | AlertLevel::FATAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the records hold; `None` for one that does not hold alerts.
    fn read(encrypted: bool, records: &[&[u8]]) -> Vec<Option<Vec<(u64, String)>>> {
        let mut alerts = Alerts::default();
        let mut read_record = |(time_ns, record): (usize, &&[u8])| {
            let mut said = Vec::new();
            alerts
                .read(record, encrypted, time_ns as u64, |time_ns, alert| {
                    said.push((time_ns, alert.to_string()));
                })
                .then_some(said)
        };
        records.iter().enumerate().map(&mut read_record).collect()
    }

    #[test]
    fn several_in_a_record_and_one_over_two() {
        let (close, unknown_ca) = ("warning close_notify".to_owned(), "fatal unknown_ca".to_owned());
        assert_eq!(
            read(false, &[&[2, 48, 1, 0], &[2], &[48], &[1, 0, 2], &[48]]),
            [
                Some(vec![(0, unknown_ca.clone()), (0, close.clone())]),
                Some(vec![]),
                Some(vec![(1, unknown_ca.clone())]),
                Some(vec![(3, close)]),
                Some(vec![(3, unknown_ca)]),
            ]
        );
    }

    #[test]
    fn under_encryption_only_what_cannot_be_ciphertext() {
        let said = read(
            true,
            &[&[2, 48], &[2, 48, 1, 0], &[2], &[48], &[2, 0xee], &[9, 0]],
        );
        let read: Vec<bool> = said.iter().map(Option::is_some).collect();
        assert_eq!(read, [true, true, false, false, false, false]);
    }

    #[test]
    fn in_plaintext_a_single_one_may_be_unknown() {
        let said = read(false, &[&[2, 0xee], &[2, 0xee, 2, 48], &[9, 0], &[2], &[0xee]]);
        let read: Vec<bool> = said.iter().map(Option::is_some).collect();
        assert_eq!(read, [true, false, false, true, false]);
    }
}
