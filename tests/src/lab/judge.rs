//! Comparing an event with the truth.

use serde::Serialize;
use serde_json::Value;

use super::fault;
use super::peer::Fault;
use super::run::Shown;
use super::truth::{Ending, Reports, Truth};
use crate::events::at;
use crate::peers::Version;

/// How right an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Outcome and reason are the truth, as exactly as the evidence can tell.
    Right,
    /// True, but less exact than the truth: the refusal without its reason, or a silent refusal told as a close.
    Vague,
    /// Something that is not so.
    Wrong,
    /// The event does not claim to know.
    Unknown,
    /// The peers' reports do not tell the truth of it.
    Unjudged,
}

/// What an event tells, in short.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Told {
    /// `handshake.outcome`.
    pub outcome: String,
    /// `handshake.rejected_by`.
    pub rejected_by: Option<String>,
    /// `handshake.reason`.
    pub reason: Option<String>,
    /// `handshake.evidence`.
    pub evidence: String,
    /// `handshake.rule`.
    pub rule: Option<String>,
    /// `handshake.client_certificate`.
    pub client_certificate: String,
    /// A `tls-alert` event followed.
    pub late_alert: bool,
    /// `handshake.source`.
    pub source: Option<String>,
    /// `handshake.library_verify`.
    pub library_verify: Option<String>,
    /// `tls.client.hash.sha256`.
    pub client: Option<String>,
    /// `tls.server.hash.sha256`.
    pub server: Option<String>,
    /// `handshake.alerts[]`: who sent which, by their names.
    pub alerts: Vec<(String, String)>,
    /// `handshake.contradictions[]`.
    pub contradictions: Vec<String>,
}

impl Told {
    /// From an event, and whether a late alert followed it.
    pub fn new(event: &Value, late_alert: bool) -> Self {
        let text = |path: &str| at(event, path).as_str().map(str::to_owned);
        Self {
            outcome: text("handshake.outcome").unwrap_or_default(),
            rejected_by: text("handshake.rejected_by"),
            reason: text("handshake.reason"),
            evidence: text("handshake.evidence").unwrap_or_default(),
            rule: text("handshake.rule"),
            client_certificate: text("handshake.client_certificate").unwrap_or_default(),
            late_alert,
            source: text("handshake.source"),
            library_verify: text("handshake.library_verify"),
            client: text("tls.client.hash.sha256"),
            server: text("tls.server.hash.sha256"),
            alerts: alerts(event),
            contradictions: contradictions(event),
        }
    }

    /// How right outcome and reason are.
    pub fn mark(&self, truth: &Truth, reports: &Reports) -> Mark {
        let outcome = self.outcome.as_str();
        match truth.ending {
            Ending::Unclear => Mark::Unjudged,
            _ if outcome == "incomplete" => Mark::Unknown,
            Ending::Established => right_if(outcome == "established"),
            // Both are true: the handshake was completed, and one end refused the other.
            Ending::RefusedAbove => match outcome {
                "established" => Mark::Right,
                "rejected" => match reports.refuser_above() {
                    Some(refuser) if self.rejected_by.as_deref() == Some(refuser) => {
                        self.mark_reason(refuser, truth)
                    }
                    _ => Mark::Wrong,
                },
                "aborted" => Mark::Vague,
                _ => Mark::Wrong,
            },
            Ending::Aborted => right_if(outcome == "aborted"),
            Ending::TimedOut => right_if(outcome == "timed_out"),
            Ending::RejectedByServer => {
                self.mark_refusal("server", truth, reports.client.as_ref().and_then(fault::of))
            }
            Ending::RejectedByClient => {
                self.mark_refusal("client", truth, reports.server.as_ref().and_then(fault::of))
            }
        }
    }

    /// `refused_end` is how the end that was refused learned of it.
    fn mark_refusal(&self, refuser: &str, truth: &Truth, refused_end: Option<Fault>) -> Mark {
        match self.outcome.as_str() {
            "rejected" if self.rejected_by.as_deref() == Some(refuser) => self.mark_reason(refuser, truth),
            // No alert arrived: the refuser closed without a word, or its reset overtook it.
            "aborted" if refused_end != Some(Fault::Alerted) => match self.reason.as_deref() {
                Some("not_tls") => self.mark_reason(refuser, truth),
                _ => Mark::Vague,
            },
            // Told as done for want of a refusal, and then, by the late alert, as perhaps refused.
            "established" if self.late_alert => Mark::Vague,
            _ => Mark::Wrong,
        }
    }

    fn mark_reason(&self, refuser: &str, truth: &Truth) -> Mark {
        let (Some(told), Some(reason)) = (self.reason.as_deref(), truth.reason.as_deref()) else {
            return Mark::Right;
        };
        let judged = if refuser == "server" { "client" } else { "server" };
        let generic = format!("{judged}_certificate_rejected");
        let bad = format!("{judged}_certificate_bad");
        let missing = format!("{judged}_certificate_missing");
        let about_certificate = reason.starts_with(&format!("{judged}_certificate_")) && reason != missing;
        if told == reason {
            Mark::Right
        } else if told == generic && self.evidence == "inferred" && reason != missing {
            // Encrypted: that the certificate's holder was refused is all there is to see.
            Mark::Right
        } else if reason == bad && told == "decode_error" {
            // A certificate that cannot be decoded may be refused as either.
            Mark::Right
        } else if told == "other" || about_certificate && (told == generic || told == bad) {
            Mark::Vague
        } else {
            Mark::Wrong
        }
    }

    /// How right the state of the client's certificate is; `None` where it is not to be told: in resumed handshakes, and
    /// in those that did not come so far.
    pub fn mark_certificate(&self, truth: &Truth) -> Option<Mark> {
        let far = matches!(
            truth.ending,
            Ending::Established | Ending::RejectedByServer | Ending::RefusedAbove
        );
        let expected = truth.client_certificate.filter(|_| far && !truth.resumed)?;
        Some(match self.client_certificate.as_str() {
            "unknown" => Mark::Unknown,
            told => right_if(told == expected),
        })
    }

    /// A good handshake that the event calls a failure.
    pub fn is_false_alarm(&self, truth: &Truth) -> bool {
        truth.ending == Ending::Established
            && matches!(self.outcome.as_str(), "rejected" | "aborted" | "timed_out")
    }

    /// Whether the event names the client by the certificate that it showed; `None` where none is told and none is known to
    /// have come.
    pub fn mark_client(&self, truth: &Truth, shown: &Shown) -> Option<Mark> {
        match (self.client.as_deref(), shown.client.as_deref()) {
            (Some(told), shown) => Some(right_if(Some(told) == shown)),
            (None, Some(_)) if truth.client_certificate == Some("sent") => Some(Mark::Unknown),
            (None, _) => None,
        }
    }

    /// Whether the event names the server by its certificate. A handshake that ended before it may have none.
    pub fn mark_server(&self, truth: &Truth, shown: &Shown) -> Option<Mark> {
        match self.server.as_deref() {
            Some(told) => Some(right_if(told == shown.server)),
            None if matches!(truth.ending, Ending::Established | Ending::RefusedAbove) => Some(Mark::Unknown),
            None => None,
        }
    }

    /// Whether outcome and reason are known for sure, and as exactly as the peers know them.
    pub fn is_exact(&self, truth: &Truth) -> bool {
        // What is refused above TLS is no part of the handshake.
        let established = self.outcome == "established";
        let exact_reason = established || truth.reason.is_none() || self.reason == truth.reason;
        self.evidence != "inferred" && exact_reason
    }

    /// The rule, or what stands for it where the wire said it all.
    pub fn source(&self) -> String {
        match &self.rule {
            Some(rule) => format!("`{rule}`"),
            None => format!("{}, no rule", self.outcome),
        }
    }

    /// In words: outcome, and what stands beside it.
    pub fn text(&self) -> String {
        let by = self.rejected_by.as_ref().map(|side| format!(" by {side}"));
        let reason = self.reason.as_ref().map(|reason| format!(", {reason}"));
        format!(
            "{}{}{}",
            self.outcome,
            by.unwrap_or_default(),
            reason.unwrap_or_default()
        )
    }
}

fn contradictions(event: &Value) -> Vec<String> {
    let all = at(event, "handshake.contradictions")
        .as_array()
        .into_iter()
        .flatten();
    all.map(ToString::to_string).collect()
}

fn alerts(event: &Value) -> Vec<(String, String)> {
    let all = at(event, "handshake.alerts").as_array().into_iter().flatten();
    let named = all.filter_map(|alert| {
        let text = |field: &str| alert[field].as_str().map(str::to_owned);
        Some((text("sender")?, text("description")?))
    });
    named.collect()
}

const fn right_if(right: bool) -> Mark {
    if right { Mark::Right } else { Mark::Wrong }
}

/// The version that tables count an event under: the negotiated one, else the client's only one.
pub fn version(event: &Value, offered: Version) -> String {
    at(event, "tls.version")
        .as_str()
        .unwrap_or(offered.text())
        .to_owned()
}
