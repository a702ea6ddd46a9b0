//! The metric of mutual TLS: handshakes whose server asks clients for certificates, by what the client showed and by what
//! came of it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::definitions::OUTCOME;
use super::series::{Definition, Kind, Label, ServiceLabel, Table};
use crate::observation::{ClientCertificate, Observation, Outcome, Reason, Side};
use crate::output::words::Word;

/// What the client showed a server that asks for certificates.
pub static CERTIFICATE: Label = Label {
    name: "certificate",
    values: &[SENT, RESUMED, NOT_SENT, UNKNOWN],
};
const SENT: &str = "sent";
const RESUMED: &str = "resumed";
const NOT_SENT: &str = "requested_not_sent";
const UNKNOWN: &str = "unknown";

/// `tls_client_authentications_total`.
pub static AUTHENTICATIONS: Definition<2> = Definition {
    name: "tls_client_authentications",
    kind: Kind::Counter,
    help: "TLS handshakes whose server is known to ask clients for certificates. Of resumed ones these are those whose \
           client's certificate is known, from the first handshake or the session (certificate=resumed); unknown is \
           where nobody saw whether the client sent one.",
    labels: [&CERTIFICATE, &OUTCOME],
    per_service: true,
    initial: "all",
};

/// The metric of mutual TLS.
#[derive(Debug)]
pub(super) struct Authentications(Table<2, Counter>);

impl Authentications {
    /// Registers it.
    pub fn new(registry: &mut Registry) -> Self {
        Self(Table::register(
            registry,
            &AUTHENTICATIONS,
            Counter::default as fn() -> _,
        ))
    }

    /// Makes the series of one service.
    pub fn create_initial(&self, service: &ServiceLabel) {
        for certificate in CERTIFICATE.values.iter().copied() {
            for outcome in Outcome::WORDS.iter().copied() {
                self.0.with([certificate, outcome], service, |_| ());
            }
        }
    }

    /// Counts a handshake if its server asks for certificates.
    pub fn record(&self, seen: &Observation, service: &ServiceLabel) {
        if let Some(certificate) = certificate(seen) {
            self.0
                .with([certificate, seen.outcome.word()], service, Counter::inc);
        }
    }
}

/// The value of [`CERTIFICATE`]; `None` where nothing tells that the server asks for one.
fn certificate(seen: &Observation) -> Option<&'static str> {
    match seen.client_certificate {
        ClientCertificate::Sent => Some(SENT),
        ClientCertificate::RequestedNotSent => Some(NOT_SENT),
        ClientCertificate::NotRequested => None,
        // The chain is that of the session, whose server asked.
        ClientCertificate::Unknown if seen.resumed == Some(true) => {
            (!seen.client_chain.is_empty()).then_some(RESUMED)
        }
        ClientCertificate::Unknown => {
            let is_refused = matches!(seen.reason, Some(Reason::Certificate(Side::Client, _)));
            (is_refused || !seen.certificate_authorities.is_empty()).then_some(UNKNOWN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{CertificateFault, CertificateSource};
    use crate::output::metrics::Metrics;
    use crate::output::samples;

    /// The series that are not at 0 after these handshakes, without the metric's name.
    fn counted(seen: &[Observation]) -> Vec<String> {
        let metrics = Metrics::new(&[]);
        seen.iter().for_each(|seen| metrics.record(seen));
        let text = metrics.open_metrics();
        let series = text
            .lines()
            .filter_map(|line| line.strip_prefix("tls_client_authentications_total"));
        let mut counted: Vec<_> = series
            .filter(|series| !series.ends_with(" 0"))
            .map(str::to_owned)
            .collect();
        counted.sort();
        counted
    }

    #[test]
    fn what_the_client_showed_is_counted_with_what_came_of_it() {
        let without = Observation {
            client_certificate: ClientCertificate::RequestedNotSent,
            ..samples::wrongly_accepted()
        };
        assert_eq!(
            counted(&[samples::refused_client(), samples::wrongly_accepted(), without]),
            [
                r#"{certificate="requested_not_sent",outcome="established"} 1"#,
                r#"{certificate="sent",outcome="established"} 1"#,
                r#"{certificate="sent",outcome="rejected"} 1"#,
            ]
        );
    }

    #[test]
    fn a_resumed_handshake_counts_by_the_certificate_of_its_first() {
        let unknown = samples::established_13();
        let known = Observation {
            client_chain: vec![samples::certificate("alice")],
            certificate_source: CertificateSource::Resumption,
            ..samples::established_13()
        };
        assert_eq!(
            counted(&[unknown, known]),
            [r#"{certificate="resumed",outcome="established"} 1"#]
        );
    }

    #[test]
    fn a_server_that_refuses_for_want_of_a_certificate_has_asked() {
        let full = Observation {
            resumed: Some(false),
            client_chain: Vec::new(),
            certificate_authorities: [].into(),
            client_certificate: ClientCertificate::Unknown,
            ..samples::refused_client()
        };
        let because = |reason| Observation {
            reason: Some(reason),
            ..full.clone()
        };
        let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
        let servers = Reason::Certificate(Side::Server, CertificateFault::Expired);
        assert_eq!(
            counted(&[because(missing), because(servers), because(Reason::Closed)]),
            [r#"{certificate="unknown",outcome="rejected"} 1"#]
        );
    }

    #[test]
    fn nobody_asked_nobody_counts() {
        let unasked = Observation {
            client_certificate: ClientCertificate::NotRequested,
            ..samples::wrongly_accepted()
        };
        assert!(counted(&[unasked, samples::not_tls(), samples::late_alert()]).is_empty());
    }
}
