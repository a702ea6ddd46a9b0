//! What can be told of a certificate without knowing whom its peer trusts.

use crate::output::event::time::Time;
use crate::verify::{CertificateVerdict, Request, Revocation, Status, warnings};

/// The verdict on the leaf by itself: whether it can be read, and its dates. All else is not checked.
pub fn verdict(request: &Request<'_>) -> CertificateVerdict {
    let (status, detail) = fault(request).unzip();
    CertificateVerdict {
        status: status.unwrap_or(Status::NotChecked),
        revocation: Revocation::NotChecked,
        detail,
        trust_bundle: None,
        warnings: warnings::warnings(request),
    }
}

fn fault(request: &Request<'_>) -> Option<(Status, String)> {
    let leaf = request.chain.first()?;
    match (leaf.not_before, leaf.not_after) {
        (_, Some(end)) if request.time > end => {
            let detail = format!("the certificate expired {}", Time::from_seconds(end));
            Some((Status::Expired, detail))
        }
        (Some(start), _) if request.time < start => {
            let detail = format!("the certificate is not valid before {}", Time::from_seconds(start));
            Some((Status::NotYetValid, detail))
        }
        (None, None) => leaf.malformed.clone().map(|why| (Status::Malformed, why)),
        _ => None,
    }
}
