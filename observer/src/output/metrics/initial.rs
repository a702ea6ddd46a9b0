//! The series that exist before anything happened, so that rates work from the first event on.

use observer_tls::codepoints::NamedGroup;

use super::Metrics;
use super::definitions::{
    self as def, CIPHER, DESCRIPTION, ENCRYPTED, KIND, NONE, OTHER, SENDER, SIDE, STATE, STATUS, UNKNOWN,
    VERSION, WARNINGS, boolean,
};
use super::joined::SOURCE;
use super::series::ServiceLabel;
use crate::observation::{Outcome, Reason};
use crate::output::words::Word;

impl Metrics {
    /// Makes the series of one service.
    pub(super) fn create_initial(&self, service: &ServiceLabel) {
        for resumed in [true, false].map(boolean) {
            for version in VERSION.values.iter().copied().filter(|value| *value != NONE) {
                self.handshakes
                    .with([Outcome::Established.word(), version, resumed], service, |_| ());
            }
            for version in ["1.2", "1.3"] {
                self.duration.with([version, resumed], service, |_| ());
            }
        }
        for outcome in Outcome::WORDS
            .iter()
            .copied()
            .filter(|word| *word != Outcome::Established.word())
        {
            for version in ["1.2", "1.3", NONE] {
                self.handshakes
                    .with([outcome, version, boolean(false)], service, |_| ());
            }
        }
        for reason in Reason::WORDS.iter().copied() {
            for (rejected_by, evidence) in expected(reason).iter().copied() {
                self.failures
                    .with([rejected_by, reason, evidence], service, |_| ());
            }
        }
        for sender in SENDER.values.iter().copied() {
            for description in DESCRIPTION
                .values
                .iter()
                .copied()
                .filter(|value| *value != ENCRYPTED)
            {
                self.alerts.with([sender, "fatal", description], service, |_| ());
            }
            for description in WARNINGS {
                self.alerts
                    .with([sender, "warning", description], service, |_| ());
            }
            self.alerts.with([sender, UNKNOWN, ENCRYPTED], service, |_| ());
        }
        for state in STATE.values.iter().copied() {
            self.client_certificates.with([state], service, |_| ());
        }
        self.authentications.create_initial(service);
        for side in SIDE.values.iter().copied() {
            for status in STATUS.values.iter().copied() {
                self.verdicts.with([side, status], service, |_| ());
            }
        }
        for source in SOURCE.values.iter().copied() {
            self.joined.sources.with([source], service, |_| ());
        }
        for kind in KIND.values.iter().copied() {
            self.disagreements.with([kind], service, |_| ());
        }
        for cipher in CIPHER.values.iter().copied() {
            self.ciphers.with([cipher], service, |_| ());
        }
        let groups = (0..=u16::MAX)
            .map(NamedGroup)
            .filter(|group| group.name().is_some());
        for group in groups.filter(|group| def::group(*group) != OTHER) {
            self.groups.with(
                [def::group(group), boolean(group.is_post_quantum())],
                service,
                |_| (),
            );
        }
        for post_quantum in [true, false].map(boolean) {
            self.groups.with([OTHER, post_quantum], service, |_| ());
        }
    }
}

/// From whom a failure for this reason comes, and how it is known: what the rules of [`crate::outcome`] give.
fn expected(reason: &str) -> &'static [(&'static str, &'static str)] {
    const OBSERVED: &str = "observed";
    const DERIVED: &str = "derived";
    const INFERRED: &str = "inferred";
    const CLIENT: &str = "client";
    const SERVER: &str = "server";
    match reason {
        "server_certificate_rejected" => &[(CLIENT, OBSERVED), (CLIENT, INFERRED)],
        "no_shared_cipher" => &[(SERVER, OBSERVED), (SERVER, DERIVED), (SERVER, INFERRED)],
        "no_shared_version" => &[(CLIENT, OBSERVED), (SERVER, OBSERVED), (SERVER, DERIVED)],
        "no_shared_group" => &[(SERVER, INFERRED), (CLIENT, DERIVED)],
        "no_application_protocol" | "unrecognized_name" => &[(SERVER, OBSERVED)],
        "not_tls" => &[(SERVER, DERIVED), (NONE, OBSERVED)],
        "reset" => &[(NONE, OBSERVED), (NONE, INFERRED)],
        "closed" => &[
            (NONE, OBSERVED),
            (NONE, DERIVED),
            (NONE, INFERRED),
            (CLIENT, OBSERVED),
            (SERVER, OBSERVED),
        ],
        "timed_out" => &[(NONE, OBSERVED)],
        "other" => &[
            (CLIENT, OBSERVED),
            (SERVER, OBSERVED),
            (CLIENT, DERIVED),
            (SERVER, DERIVED),
            (CLIENT, INFERRED),
            (SERVER, INFERRED),
        ],
        // An alert or a library says so, or a vague one or one that cannot be read, with a verdict.
        _ if reason.starts_with("client_certificate_") => {
            &[(SERVER, OBSERVED), (SERVER, DERIVED), (SERVER, INFERRED)]
        }
        _ if reason.starts_with("server_certificate_") => {
            &[(CLIENT, OBSERVED), (CLIENT, DERIVED), (CLIENT, INFERRED)]
        }
        _ => &[(CLIENT, OBSERVED), (SERVER, OBSERVED)],
    }
}
