//! The series that exist before anything happened, so that rates work from the first event on.

use observer_tls::codepoints::NamedGroup;

use super::Metrics;
use super::definitions::{
    self as def, CIPHER, DESCRIPTION, ENCRYPTED, GROUP, NONE, OTHER, SENDER, STATE, UNKNOWN, WARNINGS,
    boolean,
};
use super::series::ServiceLabel;
use crate::observation::{Outcome, Reason};
use crate::output::words::Word;

impl Metrics {
    /// Makes the series of one service.
    pub(super) fn create_initial(&self, service: &ServiceLabel) {
        for version in ["1.2", "1.3"] {
            for resumed in [true, false].map(boolean) {
                self.handshakes
                    .with([Outcome::Established.word(), version, resumed], service, |_| ());
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
            for rejected_by in refusers(reason).iter().copied() {
                self.failures
                    .with([rejected_by, reason, "observed"], service, |_| ());
            }
        }
        // TLS 1.2 servers answer a missing certificate with a general alert, so this one is mostly derived.
        self.failures.with(
            ["server", "client_certificate_missing", "derived"],
            service,
            |_| (),
        );
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
        debug_assert!(GROUP.values.contains(&OTHER));
    }
}

/// From whom a failure for this reason can come.
fn refusers(reason: &str) -> &'static [&'static str] {
    match reason {
        _ if reason.starts_with("client_certificate_") => &["server"],
        _ if reason.starts_with("server_certificate_") => &["client"],
        "no_shared_cipher"
        | "no_shared_group"
        | "no_application_protocol"
        | "unrecognized_name"
        | "not_tls" => &["server"],
        "timed_out" => &[NONE],
        _ => &["client", "server"],
    }
}
