//! What really happened on a connection, from what both of its ends report, and nothing else.
//!
//! A TLS 1.3 client calls its handshake complete before the server has looked at its certificate. Where the two ends
//! contradict each other so, the refusal is the truth.

use serde::Serialize;

use super::fault;
use super::peer::{Fault, Report};

/// How a handshake really ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Both ends completed it.
    Established,
    /// The server refused.
    RejectedByServer,
    /// The client refused.
    RejectedByClient,
    /// Both libraries completed it, and then an end refused the other above TLS, without an alert.
    RefusedAbove,
    /// It was cut off: neither refused.
    Aborted,
    /// An end waited in vain.
    TimedOut,
    /// The reports do not say, or contradict each other in a way that no protocol explains. Never judged, always counted.
    Unclear,
}

impl Ending {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::RejectedByServer => "rejected by server",
            Self::RejectedByClient => "rejected by client",
            Self::RefusedAbove => "refused above TLS",
            Self::Aborted => "aborted",
            Self::TimedOut => "timed out",
            Self::Unclear => "unclear",
        }
    }

    /// Whether somebody refused.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::RejectedByServer | Self::RejectedByClient)
    }
}

/// What really happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// How it ended.
    pub ending: Ending,
    /// Why, in the agent's vocabulary, as far as the refuser's own words tell.
    pub reason: Option<String>,
    /// What became of the client's certificate, in the agent's vocabulary; `None` where the reports do not say.
    pub client_certificate: Option<&'static str>,
    /// A session was resumed.
    pub resumed: bool,
}

/// Both reports of a connection, as far as there are any.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reports {
    /// The client's.
    pub client: Option<Report>,
    /// The server's.
    pub server: Option<Report>,
}

/// What both ends were told, where it bears on what their reports mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Circumstances {
    /// The server was told to ask for a certificate.
    pub asks: bool,
    /// Each end was told to use one key exchange group only, and not the same.
    pub groups_differ: bool,
    /// The client was told to use one cipher suite only.
    pub one_suite: bool,
}

impl Circumstances {
    /// What a server means that finds no suite or no group in common. In TLS 1.2 suites need groups, so that it may speak
    /// of the one for want of the other; what its client was told decides.
    fn meaning(self, reason: String) -> String {
        match reason.as_str() {
            "no_shared_cipher" if self.groups_differ => "no_shared_group".to_owned(),
            "no_shared_group" if self.one_suite && !self.groups_differ => "no_shared_cipher".to_owned(),
            _ => reason,
        }
    }
}

impl Reports {
    /// The truth in these reports.
    pub fn truth(&self, circumstances: Circumstances) -> Truth {
        let ending = self.ending();
        let refuser = match ending {
            Ending::RejectedByServer => Some("server"),
            Ending::RejectedByClient => Some("client"),
            Ending::RefusedAbove => self.refuser_above(),
            _ => None,
        };
        let reason = refuser.and_then(|refuser| {
            let (report, judged) = match refuser {
                "server" => (&self.server, "client"),
                _ => (&self.client, "server"),
            };
            let text = report.as_ref()?.error.as_deref()?;
            fault::reason(text, judged).map(|reason| circumstances.meaning(reason))
        });
        let resumed = [&self.client, &self.server]
            .into_iter()
            .flatten()
            .any(|report| report.resumed == Some(true));
        Truth {
            ending,
            client_certificate: self.client_certificate(circumstances.asks, ending, reason.as_deref()),
            reason,
            resumed,
        }
    }

    /// Who refused after completing: `client` or `server`.
    pub fn refuser_above(&self) -> Option<&'static str> {
        let refused = |report: &Option<Report>| report.as_ref().and_then(fault::of) == Some(Fault::Refused);
        match (refused(&self.server), refused(&self.client)) {
            (true, _) => Some("server"),
            (_, true) => Some("client"),
            _ => None,
        }
    }

    /// Whether the client, and whether the server, says of the other's certificate why it was refused.
    fn judged(&self) -> (bool, bool) {
        let says = |report: &Option<Report>, judged| {
            let text = report.as_ref().and_then(|report| report.error.as_deref());
            let reason = text.and_then(|text| fault::reason(text, judged));
            reason.is_some_and(|reason| reason.starts_with(judged))
        };
        (says(&self.client, "server"), says(&self.server, "client"))
    }

    fn ending(&self) -> Ending {
        let completed = |report: &Option<Report>| report.as_ref().and_then(|report| report.completed);
        let (client_done, server_done) = (completed(&self.client), completed(&self.server));
        let fault_of = |report: &Option<Report>| report.as_ref().and_then(fault::of);
        let (client, server) = (fault_of(&self.client), fault_of(&self.server));
        if client_done == Some(true) && server_done == Some(true) {
            return match self.refuser_above() {
                Some(_) => Ending::RefusedAbove,
                None => Ending::Established,
            };
        }
        let either = |fault| client == Some(fault) || server == Some(fault);
        match (client, server) {
            // One of them judged a certificate, and the other could not read the alert, which some send in plaintext where
            // TLS 1.3 would have it encrypted.
            (Some(Fault::Refused), Some(Fault::Refused)) => match self.judged() {
                (true, false) => Ending::RejectedByClient,
                (false, true) => Ending::RejectedByServer,
                _ => Ending::Unclear,
            },
            (Some(Fault::Refused), _) => Ending::RejectedByClient,
            (_, Some(Fault::Refused)) => Ending::RejectedByServer,
            // Somebody sent an alert and does not report it.
            (Some(Fault::Alerted), _) if server_done != Some(true) => Ending::RejectedByServer,
            (_, Some(Fault::Alerted)) if client_done != Some(true) => Ending::RejectedByClient,
            (Some(Fault::Alerted), _) | (_, Some(Fault::Alerted)) => Ending::Unclear,
            // Nobody says that it was not completed: the other end did not report.
            _ if client_done != Some(false) && server_done != Some(false) => Ending::Unclear,
            _ if either(Fault::TimedOut) => Ending::TimedOut,
            _ if either(Fault::Closed) || either(Fault::Reset) => Ending::Aborted,
            _ => Ending::Unclear,
        }
    }

    fn client_certificate(&self, asks: bool, ending: Ending, reason: Option<&str>) -> Option<&'static str> {
        if !asks {
            return Some("not_requested");
        }
        let shown = self.server.as_ref().and_then(|report| report.peer_certificate);
        let requested = self.client.as_ref().and_then(|report| report.requested);
        if requested == Some(false) {
            return Some("not_requested");
        }
        // A refusal names the certificate, or the lack of it.
        let named = reason.and_then(|reason| reason.strip_prefix("client_certificate_"));
        match (named, shown, ending) {
            (Some("missing"), ..) => Some("requested_not_sent"),
            (Some(_), ..) | (_, Some(true), _) => Some("sent"),
            (None, Some(false), Ending::Established) => Some("requested_not_sent"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(completed: bool, error: Option<&str>) -> Option<Report> {
        Some(Report {
            completed: Some(completed),
            error: error.map(str::to_owned),
            ..Report::default()
        })
    }

    const ASKS: Circumstances = Circumstances {
        asks: true,
        groups_differ: false,
        one_suite: false,
    };

    fn ending(client: Option<Report>, server: Option<Report>) -> Ending {
        Reports { client, server }.truth(ASKS).ending
    }

    #[test]
    fn a_server_without_a_common_group_may_speak_of_suites_and_the_other_way_round() {
        for (words, groups_differ, one_suite, expected) in [
            ("no shared cipher", false, true, "no_shared_cipher"),
            ("no shared cipher", true, false, "no_shared_group"),
            ("NoKxGroupsInCommon", true, false, "no_shared_group"),
            ("NoKxGroupsInCommon", false, true, "no_shared_cipher"),
        ] {
            let refused = Reports {
                client: report(false, Some("SSL alert number 40")),
                server: report(false, Some(words)),
            };
            let circumstances = Circumstances {
                asks: false,
                groups_differ,
                one_suite,
            };
            assert_eq!(
                refused.truth(circumstances).reason.as_deref(),
                Some(expected),
                "{words}"
            );
        }
    }

    #[test]
    fn a_refusal_outweighs_a_client_that_thought_it_done() {
        let refused = report(false, Some("peer did not return a certificate"));
        for client in [
            report(true, None),
            report(true, Some("received fatal alert: CertificateRequired")),
            report(true, Some("read ECONNRESET")),
            None,
        ] {
            let reports = Reports {
                client,
                server: refused.clone(),
            };
            let truth = reports.truth(ASKS);
            assert_eq!(truth.ending, Ending::RejectedByServer);
            assert_eq!(truth.reason.as_deref(), Some("client_certificate_missing"));
            assert_eq!(truth.client_certificate, Some("requested_not_sent"));
        }
    }

    #[test]
    fn endings_follow_from_both_reports() {
        let (eof, reset) = (Some("unexpected eof while reading"), Some("connection reset"));
        let (alert, refusal) = (Some("SSL alert number 48"), Some("certificate verify failed"));
        for (client, server, expected) in [
            (report(true, None), report(true, eof), Ending::Established),
            (report(true, alert), report(true, None), Ending::Established),
            (report(true, eof), report(true, refusal), Ending::RefusedAbove),
            (
                report(false, refusal),
                report(false, alert),
                Ending::RejectedByClient,
            ),
            (
                report(false, refusal),
                report(false, eof),
                Ending::RejectedByClient,
            ),
            (report(false, alert), None, Ending::RejectedByServer),
            (None, report(false, alert), Ending::RejectedByClient),
            (report(true, None), report(false, eof), Ending::Aborted),
            (report(false, reset), report(false, None), Ending::Aborted),
            (
                report(false, Some("timed out")),
                report(false, eof),
                Ending::TimedOut,
            ),
            (report(false, refusal), report(false, refusal), Ending::Unclear),
            (
                report(false, Some("certificate has expired")),
                report(false, Some("bad record MAC")),
                Ending::RejectedByClient,
            ),
            (report(true, None), None, Ending::Unclear),
            (report(true, eof), None, Ending::Unclear),
            (None, None, Ending::Unclear),
        ] {
            assert_eq!(
                ending(client.clone(), server.clone()),
                expected,
                "{client:?} {server:?}"
            );
        }
    }

    #[test]
    fn who_refuses_above_tls_says_why() {
        for (text, reason) in [
            ("CERT_HAS_EXPIRED", Some("client_certificate_expired")),
            ("403", None),
        ] {
            let reports = Reports {
                client: report(true, Some("connection closed")),
                server: report(true, Some(text)),
            };
            let truth = reports.truth(ASKS);
            assert_eq!(
                (truth.ending, truth.reason.as_deref()),
                (Ending::RefusedAbove, reason)
            );
        }
    }

    #[test]
    fn a_certificate_was_sent_if_the_server_saw_or_judged_one() {
        let server = |error: Option<&str>, shown| {
            Some(Report {
                peer_certificate: shown,
                ..report(error.is_none(), error).unwrap()
            })
        };
        let state = |server, asks| {
            let client = report(true, None);
            Reports { client, server }
                .truth(Circumstances { asks, ..ASKS })
                .client_certificate
        };
        assert_eq!(state(server(None, Some(true)), true), Some("sent"));
        assert_eq!(state(server(None, Some(false)), true), Some("requested_not_sent"));
        assert_eq!(state(server(None, None), true), None);
        assert_eq!(
            state(server(Some("certificate has expired"), None), true),
            Some("sent")
        );
        assert_eq!(state(server(None, None), false), Some("not_requested"));
    }
}
