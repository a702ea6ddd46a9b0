//! How a handshake ends other than well: by an alert, a close or silence.

use std::sync::Arc;

use observer_tls::alert::Alert;
use observer_tls::codepoints::{AlertDescription, AlertLevel};

use super::{Close, Decision, Handshake};
use crate::observation::{
    AlertSeen, CertificateFault, ClientCertificate, Completeness, MAX_ALERTS, Reason, Side,
};
use crate::outcome::{AlertContext, Cause, Conclusion, Rule, cause_of_alert, is_soon};

impl Handshake {
    /// Takes a plaintext alert; gives the outcome if it ends the handshake.
    pub(super) fn alert(&mut self, side: Side, time_ns: u64, alert: Alert) -> Option<Decision> {
        self.note_alert(side, Some(alert), time_ns);
        let description = alert.description;
        match description {
            AlertDescription::CLOSE_NOTIFY | AlertDescription::USER_CANCELED if !self.not_tls => {
                return Some((Conclusion::aborted(Reason::Closed), time_ns));
            }
            // SSL 3.0's way to send an empty Certificate.
            AlertDescription::NO_CERTIFICATE
                if side == Side::Client && alert.level == AlertLevel::WARNING =>
            {
                self.client_certificate = ClientCertificate::RequestedNotSent;
            }
            // Levels have no meaning any more in TLS 1.3 (RFC 8446, section 6).
            _ if alert.level != AlertLevel::WARNING || self.is_tls13() => {
                return Some(self.refused(side, description, time_ns));
            }
            _ => {}
        }
        self.warning = Some((side, description, time_ns));
        None
    }

    pub(super) fn note_alert(&mut self, sender: Side, alert: Option<Alert>, time_ns: u64) {
        let offset_ns = self.offset(time_ns);
        if self.alerts.len() < MAX_ALERTS {
            self.alerts.push(AlertSeen {
                sender,
                alert,
                encrypted: alert.is_none(),
                offset_ns,
            });
        }
    }

    /// What an encrypted alert of `side` means before both have finished, in TLS 1.2 and before.
    pub(super) fn encrypted_alert(&mut self, side: Side, time_ns: u64) -> Option<Decision> {
        let has_finished = self.finished.of(side).is_some();
        if self.is_lossy() {
            // Whoever has finished may close a handshake whose end was not seen.
            self.gap |= has_finished;
            return None;
        }
        if let Some(decision) = self.closed_by_other(side) {
            return Some(decision);
        }
        let rule = match has_finished {
            _ if self.renegotiation => Rule::RenegotiationAlert,
            false => Rule::EncryptedAlert,
            true if self.answered_finished => Rule::EncryptedRefusal,
            true => {
                let closed = Conclusion::aborted(Reason::Closed).by(Rule::EncryptedClose);
                return Some((closed, time_ns));
            }
        };
        let conclusion = Conclusion::rejected(side, Cause::by(Reason::Other, rule));
        Some((conclusion, time_ns))
    }

    /// The end of a handshake that the other side of this one has closed: what it says to that refuses nothing.
    fn closed_by_other(&self, side: Side) -> Option<Decision> {
        self.close.filter(|close| close.side != side)?;
        self.at_close()
    }

    fn refused(&self, sender: Side, description: AlertDescription, time_ns: u64) -> Decision {
        if description == AlertDescription::DECODE_ERROR
            && !self.not_tls
            && let Some(decision) = self.closed_by_other(sender)
        {
            return decision;
        }
        let judged = match sender {
            Side::Client => &self.server_chain,
            Side::Server => &self.client_chain,
        };
        let cause = cause_of_alert(
            description,
            &AlertContext {
                sender,
                judged_leaf: judged.first().map(Arc::as_ref),
                time_ns,
                server_answered: self.server_hello || self.hello_retry,
                retry_requested: self.hello_retry && !self.server_hello,
                offer: self.offer.as_deref(),
                client_certificate: self.client_certificate,
                not_tls: self.not_tls,
                lossy: self.is_lossy(),
            },
        );
        (Conclusion::rejected(sender, cause), time_ns)
    }

    /// Whether the handshake may have gone on, or have ended otherwise, in what was not seen.
    fn is_open(&self) -> bool {
        let midstream = self.completeness() == Completeness::Midstream;
        self.is_lossy() || self.ssl2 || self.data_too_early || midstream
    }

    /// The outcome of a connection that is closed. Without all of its bytes nothing is claimed: an alert may be among
    /// those missing.
    pub fn at_close(&self) -> Option<Decision> {
        let close = self.close?;
        if let Some((sender, description, warned_ns)) = self.warning {
            return Some(self.refused(sender, description, warned_ns));
        }
        let conclusion = if self.not_tls {
            Conclusion::aborted(Reason::NotTls)
        } else if self.is_open() {
            Conclusion::INCOMPLETE
        } else {
            match self.reading.filter(|reading| reading.flight_start.is_some()) {
                Some(reading) => reading.at_close(close.reason, close.side, self.offset(close.time_ns)),
                None => self.closed_at(close),
            }
        };
        Some((conclusion, close.time_ns))
    }

    /// The connection was closed where the handshake stands now.
    fn closed_at(&self, close: Close) -> Conclusion {
        let closed = Conclusion::aborted(close.reason);
        // The messages of a renegotiation cannot be read.
        if self.renegotiation {
            return closed;
        }
        match self
            .step()
            .closed(self.client_certificate, self.answers_flight(close))
        {
            rule @ Rule::ServerClosedAfterEmptyCertificate => {
                let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
                Conclusion::rejected(Side::Server, Cause::by(missing, rule))
            }
            rule => closed.by(rule),
        }
    }

    /// Whether the server closed first, and soon behind the client's Finished.
    fn answers_flight(&self, close: Close) -> bool {
        let flight_ns = self.finished.client.filter(|_| close.side == Side::Server);
        let after_ns = flight_ns.and_then(|flight_ns| close.time_ns.checked_sub(flight_ns));
        after_ns.is_some_and(|after_ns| is_soon(after_ns, self.timings.server_hello.unwrap_or(0)))
    }

    /// The outcome when nothing more came until `now_ns`.
    pub fn at_timeout(&self, now_ns: u64) -> Decision {
        if let Some(decision) = self.at_close() {
            return decision;
        }
        let conclusion = if self.is_open() {
            Conclusion::INCOMPLETE
        } else if self.not_tls {
            Conclusion {
                reason: Some(Reason::NotTls),
                ..Conclusion::TIMED_OUT
            }
        } else if let Some(reading) = self.reading.filter(|reading| reading.flight_end.is_some()) {
            reading.at_settle_time()
        } else {
            Conclusion::TIMED_OUT
        };
        (conclusion, now_ns)
    }
}
