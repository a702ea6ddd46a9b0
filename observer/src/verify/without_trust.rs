//! What can be told of a certificate without knowing whom its peer trusts.

use std::sync::Arc;

use super::certificate::{Certificate, Unreadable};
use super::judge::host_fault;
use super::path::outside_validity;
use super::{CertificateVerdict, Request, Revocation, Status, warnings};

/// The verdict on the leaf by itself: whether it can be read, its dates, and for a server's whether it has the name asked
/// for. All else is not checked.
pub fn judge(request: &Request<'_>) -> CertificateVerdict {
    let mut verdict = CertificateVerdict {
        status: Status::NotChecked,
        revocation: Revocation::NotChecked,
        detail: None,
        trust_bundle: None,
        warnings: Vec::new(),
    };
    let Some(leaf) = request.chain.first() else {
        return verdict;
    };
    match Certificate::read(Arc::clone(leaf)) {
        Ok(leaf) => {
            let fault = outside_validity(&leaf, request.time, "the certificate")
                .map(|fault| (fault.status, fault.text))
                .or_else(|| host_fault(&leaf.facts, request));
            if let Some((status, text)) = fault {
                verdict.status = status;
                verdict.detail = Some(text);
            }
            let weak = warnings::of(&[&leaf], false, request.side);
            verdict.warnings = weak.into_iter().map(str::to_owned).collect();
        }
        Err(Unreadable(why)) => {
            verdict.status = Status::Malformed;
            verdict.detail = Some(format!("the certificate: {why}"));
        }
    }
    verdict
}
