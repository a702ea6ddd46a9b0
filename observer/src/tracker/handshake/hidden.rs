//! The encrypted part of a TLS 1.3 handshake: what is handed to the rules for it, and what they leave behind.

use observer_tls::codepoints::{ContentType, ExtensionType};

use super::Handshake;
use crate::observation::{ClientCertificate, Evidence, Outcome, Side};
use crate::outcome::tls13::{self, Kind, Sequence, Sizes};
use crate::outcome::{Conclusion, Rule};

impl Handshake {
    /// Reads the records so far; gives the conclusion that they allow.
    pub(super) fn read_tls13(&mut self) -> Option<Conclusion> {
        let records = self.opaque.get(self.opaque_before_server_hello..)?;
        let reading = tls13::read(&Sequence {
            records,
            cipher: self.cipher,
            psk: self.psk_taken,
            early_data: self.early_data,
            server_hello_ns: self.timings.server_hello.unwrap_or(0),
            client_closed_ns: (self.close)
                .filter(|close| close.side == Side::Client)
                .map(|close| self.offset(close.time_ns)),
            habits: self.habits,
            takes_tickets: self.takes_tickets(),
        });
        self.timings.finished = reading.flight_end_ns;
        self.reading = Some(reading);
        // The rules count records. With one missing, a close_notify can look like a refusal; a large record of the
        // server's behind the client's flight still is what it is.
        reading
            .conclusion
            .filter(|conclusion| !self.is_lossy() || conclusion.outcome == Outcome::Established)
    }

    /// Whether the client can use tickets; servers send none to others (RFC 8446, section 4.2.9).
    fn takes_tickets(&self) -> bool {
        self.extensions.contains(&ExtensionType::PSK_KEY_EXCHANGE_MODES)
    }

    /// What the handshake shows of the server's habits, if it was completed: whether it greeted.
    pub fn habit_shown(&self, conclusion: &Conclusion) -> Option<(Kind, bool)> {
        let reading = self.reading?;
        let greeted = match conclusion.rule? {
            // Behind words of the client's it may be the answer to them.
            Rule::ServerRecord if reading.recognised && !reading.client_spoke => true,
            Rule::Settled | Rule::BothClosed | Rule::ClientLeft => false,
            _ => return None,
        };
        let known = self.takes_tickets() && !self.is_lossy();
        known.then_some((reading.kind, greeted))
    }

    /// Whether application data passed before the outcome.
    pub fn has_application_data(&self) -> bool {
        match self.is_tls13() {
            true => self.reading.is_some_and(|reading| reading.client_spoke),
            false => self
                .opaque
                .iter()
                .any(|record| record.content_type == ContentType::APPLICATION_DATA),
        }
    }

    /// The length of a record that may yet be the server's refusal: when the handshake was taken for established only
    /// because no refusal had come.
    pub fn hidden_alert(&self, conclusion: &Conclusion) -> Option<u16> {
        (conclusion.rule == Some(Rule::Settled)).then(|| Sizes::of(self.cipher).alert)
    }

    /// What the records tell of the client's certificate: a guess, for events that say so.
    pub fn guessed_certificate(&self, conclusion: &Conclusion) -> Option<ClientCertificate> {
        let told = conclusion.evidence == Evidence::Inferred && !self.gap && !self.truncated;
        let reading = self.reading.filter(|_| told)?;
        Some(reading.client_certificate)
    }
}
