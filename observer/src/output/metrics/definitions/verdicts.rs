//! The metrics of verdicts, and of what they are made by.

use crate::observation::Side;
use crate::output::metrics::series::{Definition, Kind, Label};
use crate::output::words::Word;
use crate::verify::revocation::fetch::FetchResult;
use crate::verify::{Disagreement, Status};

/// It worked.
pub const SUCCESS: &str = "success";
/// It did not.
pub const FAILURE: &str = "failure";

/// Whose certificate.
pub static SIDE: Label = Label {
    name: "side",
    values: Side::WORDS,
};
/// `verdict.*.status`.
pub static STATUS: Label = Label {
    name: "status",
    values: Status::WORDS,
};
/// `verdict.disagreement`.
pub static KIND: Label = Label {
    name: "kind",
    values: Disagreement::WORDS,
};
/// Whether the files of the trust bundles could be used.
pub static RESULT: Label = Label {
    name: "result",
    values: &[SUCCESS, FAILURE],
};
/// How a fetch ended.
pub static FETCH_RESULT: Label = Label {
    name: "result",
    values: &FETCH_RESULTS,
};
const FETCH_RESULTS: [&str; FetchResult::ALL.len()] = {
    let mut labels = [""; FetchResult::ALL.len()];
    let mut index = 0;
    while index < labels.len() {
        labels[index] = FetchResult::ALL[index].label();
        index += 1;
    }
    labels
};

/// `tls_certificate_verdicts_total`.
pub static VERDICTS: Definition<2> = Definition {
    name: "tls_certificate_verdicts",
    kind: Kind::Counter,
    help: "Certificates seen in TLS handshakes, by what the agent makes of them.",
    labels: [&SIDE, &STATUS],
    per_service: true,
    initial: "all",
};
/// `tls_verdict_disagreements_total`.
pub static DISAGREEMENTS: Definition<1> = Definition {
    name: "tls_verdict_disagreements",
    kind: Kind::Counter,
    help: "TLS handshakes in which the peers did not do what the trust bundle says, or a server not what its own TLS \
           library found of the client's certificate.",
    labels: [&KIND],
    per_service: true,
    initial: "all",
};
/// `tls_observer_trust_reloads_total`.
pub static TRUST_RELOADS: Definition<1> = Definition {
    name: "tls_observer_trust_reloads",
    kind: Kind::Counter,
    help: "Times that the files of the trust bundles were read again, because they had changed or on SIGHUP. After a \
           failure the bundles stay as they were.",
    labels: [&RESULT],
    per_service: false,
    initial: "all",
};
/// `tls_observer_revocation_fetches_total`.
pub static REVOCATION_FETCHES: Definition<1> = Definition {
    name: "tls_observer_revocation_fetches",
    kind: Kind::Counter,
    help: "Revocation lists and OCSP responses that were to be fetched from the URLs that certificates name, by what came \
           of it.",
    labels: [&FETCH_RESULT],
    per_service: false,
    initial: "all",
};
