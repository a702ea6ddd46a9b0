//! What is kept of a connection once its handshake is reported: enough to tell of alerts that come later.

use observer_tls::alert::Alert;
use observer_tls::codepoints::{AlertDescription, CipherSuite, ContentType, ProtocolVersion};
use observer_tls::stream::ItemBody;

use super::handshake::is_tls13;
use super::observe::Ends;
use crate::observation::{Action, AlertSeen, Completeness, Evidence, Observation, Outcome, Resumption, Side};
use crate::outcome::Rule;

/// A reported handshake.
#[derive(Debug)]
pub(super) struct Reported {
    pub id: [u8; 16],
    pub start_ns: u64,
    pub outcome: Outcome,
    pub completeness: Completeness,
    pub version: Option<ProtocolVersion>,
    pub cipher: Option<CipherSuite>,
    pub resumed: Option<bool>,
    pub resumption: Option<Resumption>,
    /// Application data passed, in whichever direction.
    pub application_data: bool,
    /// TLS 1.3, where alerts look like data: the server has sent nothing since the client's flight, and a record of this
    /// length may be an alert.
    pub hidden_alert: Option<u16>,
    /// There was an encrypted alert: another one is its answer.
    pub alerted: bool,
    /// The last encrypted alert, while it can still turn out to be more than an orderly close.
    pub held: Option<(Side, u64)>,
}

/// What to do about an alert on a connection whose handshake was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    /// It is news.
    Tell,
    /// It is if its sender resets the connection.
    Hold,
    /// It begins an orderly close; what the other side says to it is no news either.
    Answered,
    /// It belongs to what was reported, or to an orderly close.
    Drop,
}

impl Reported {
    /// Whether a late alert is news (`alert` is `None` for an encrypted one).
    ///
    /// A plaintext alert other than close_notify always is. An encrypted one is most often close_notify. From a client
    /// it is no news, for a client that leaves needs no reason, and many leave with unread data, which resets the
    /// connection. From a server it is news before any application data, and when the server resets the connection:
    /// that may be a late refusal. In TLS 1.3 that holds as long as the server has sent nothing else. The alert that answers another one is not. After a handshake that failed, alerts only
    /// repeat the failure.
    fn judge(&self, side: Side, alert: Option<Alert>) -> Late {
        if matches!(self.outcome, Outcome::Rejected | Outcome::Aborted) {
            return Late::Drop;
        }
        match alert {
            Some(alert) if alert.description == AlertDescription::CLOSE_NOTIFY => Late::Drop,
            Some(_) => Late::Tell,
            None if self.outcome != Outcome::Established => Late::Drop,
            None if self.alerted => Late::Drop,
            None if side == Side::Client => Late::Answered,
            None if self.application_data => Late::Hold,
            None => Late::Tell,
        }
    }

    /// Takes one thing that `side` sent; gives the alert to tell of, if it is one. With `all`, any alert is.
    pub fn take(&mut self, side: Side, time_ns: u64, body: &ItemBody, all: bool) -> Option<AlertSeen> {
        let alert = match body {
            ItemBody::Alert(alert) => Some(*alert),
            ItemBody::Opaque {
                content_type: ContentType::ALERT,
                ..
            } => None,
            ItemBody::Opaque {
                content_type: ContentType::APPLICATION_DATA,
                length,
                ..
            } if self.hidden_alert == Some(*length) => None,
            ItemBody::Opaque {
                content_type: ContentType::APPLICATION_DATA,
                ..
            } => {
                self.application_data = true;
                // A server that speaks has accepted.
                self.hidden_alert = self.hidden_alert.filter(|_| side == Side::Client);
                return None;
            }
            _ => return None,
        };
        match self.judge(side, alert) {
            _ if all => Some(self.seen(side, alert, time_ns)),
            Late::Tell => {
                self.alerted |= alert.is_none();
                Some(self.seen(side, alert, time_ns))
            }
            Late::Hold => {
                self.alerted = true;
                self.held = Some((side, time_ns));
                None
            }
            Late::Answered => {
                self.alerted = true;
                None
            }
            Late::Drop => None,
        }
    }

    /// Whether `side` begins another handshake under the encryption of this one: a client that sends handshake messages
    /// after its Finished. What a server sends may be a HelloRequest, which the client is free to pass over.
    pub fn is_renegotiated(&self, side: Side, body: &ItemBody) -> bool {
        let opaque_handshake = matches!(
            body,
            ItemBody::Opaque {
                content_type: ContentType::HANDSHAKE,
                ..
            }
        );
        let up_to_tls12 = self
            .version
            .is_some_and(|version| version <= ProtocolVersion::TLS12);
        opaque_handshake
            && side == Side::Client
            && up_to_tls12
            && self.outcome == Outcome::Established
            && self.completeness == Completeness::Complete
    }

    /// `side` closed its direction; gives the alert that this makes news.
    pub fn closed(&mut self, side: Side, reset: bool) -> Option<AlertSeen> {
        let (_, time_ns) = self.held.take_if(|(sender, _)| *sender == side)?;
        reset.then(|| self.seen(side, None, time_ns))
    }

    fn seen(&self, sender: Side, alert: Option<Alert>, time_ns: u64) -> AlertSeen {
        AlertSeen {
            sender,
            alert,
            encrypted: alert.is_none(),
            offset_ns: time_ns.saturating_sub(self.start_ns),
        }
    }

    /// The observation that tells of `alert`. Its time is that of the alert, and the outcome that of the handshake.
    pub fn observation(&self, ends: &Ends, alert: AlertSeen) -> Observation {
        let hidden = alert.alert.is_none() && self.version.is_some_and(is_tls13);
        let rule = hidden.then_some(Rule::LateAlert);
        let time_ns = self.start_ns + alert.offset_ns;
        Observation {
            duration_ns: alert.offset_ns,
            outcome: self.outcome,
            evidence: rule.map_or(Evidence::Observed, Rule::evidence),
            rule,
            sockets: ends.sockets,
            completeness: self.completeness,
            version: self.version,
            cipher: self.cipher,
            resumed: self.resumed,
            resumption: self.resumption,
            alerts: vec![alert],
            ..Observation::bare(Action::LateAlert, self.id, time_ns, ends.client, ends.server)
        }
    }
}
