//! What rustls found wrong with a chain, by the alert that it sends for it.

use observer_tls::codepoints::AlertDescription;
use observer_tls::x509::CertificateFacts;

use crate::facts::Verification;
use crate::observation::{ClientCertificate, Reason, Side};
use crate::outcome::{AlertContext, cause_of_alert};

/// What the library of `own_side` found of the peer's chain with this leaf, if the alert is about that.
pub(super) fn of(
    own_side: Side,
    description: AlertDescription,
    leaf: &[u8],
    time_ns: u64,
) -> Option<Verification> {
    let leaf = CertificateFacts::parse(leaf);
    // The alert is the same for what has expired and for what is not valid yet: the dates tell.
    let context = AlertContext {
        sender: own_side,
        judged_leaf: Some(&leaf),
        time_ns,
        server_answered: true,
        retry_requested: false,
        offer: None,
        client_certificate: ClientCertificate::Sent,
        not_tls: false,
        lossy: false,
    };
    match cause_of_alert(description, &context).reason {
        Reason::Certificate(judged, fault) if judged == own_side.other() => Some(Verification {
            fault: Some(fault),
            term: format!("alert {description} ({})", description.0).into(),
        }),
        _ => None,
    }
}
