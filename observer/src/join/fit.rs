//! Whether what a library told can be true by what the wire showed. A certificate must never come to stand at another's
//! connection: who is wrong in one thing is believed in nothing.

use std::sync::Arc;

use observer_tls::codepoints::ExtensionType;
use observer_tls::x509::CertificateFacts;

use super::tale::{Tale, is_part};
use crate::observation::{ClientCertificate, Completeness, Contradiction, MAX_OPAQUE, Observation, Side};

/// What a Certificate message of TLS 1.3 has around its certificates, and around each of them (RFC 8446, section 4.4.2).
const MESSAGE_BYTES: usize = 8;
const ENTRY_BYTES: usize = 5;

/// Whether the tale of the end of `teller` fits to the handshake.
///
/// # Errors
/// What does not.
pub(super) fn check(seen: &Observation, teller: Side, tale: &Tale) -> Result<(), Contradiction> {
    let judged = teller.other();
    if let Some(chain) = &tale.chain {
        check_chain(seen, judged, chain)?;
    }
    let is_open = seen.is_tls13() || seen.renegotiation || seen.version.is_none();
    if judged == Side::Client && !is_open && seen.resumed != Some(true) {
        let sent = tale.chain.is_some() || tale.end.verification.is_some();
        let contradicted = match seen.client_certificate {
            ClientCertificate::Sent => tale.no_certificate,
            ClientCertificate::RequestedNotSent | ClientCertificate::NotRequested => sent,
            ClientCertificate::Unknown => false,
        };
        if contradicted {
            return Err(Contradiction::ClientCertificate);
        }
    }
    Ok(())
}

fn check_chain(
    seen: &Observation,
    judged: Side,
    chain: &[Arc<CertificateFacts>],
) -> Result<(), Contradiction> {
    let shown = seen.chain(judged);
    if !shown.is_empty() {
        return match is_part(chain, shown) {
            true => Ok(()),
            false => Err(Contradiction::Chain),
        };
    }
    // Who resumes a session sends no certificate.
    if seen.resumed == Some(true) {
        return Err(Contradiction::Chain);
    }
    if !is_measured(seen) {
        return Ok(());
    }
    let needed = MESSAGE_BYTES
        + chain
            .iter()
            .map(|facts| facts.der.len() + ENTRY_BYTES)
            .sum::<usize>();
    let sent = seen.opaque.iter().filter(|record| record.sender == judged);
    let sent: usize = sent.map(|record| usize::from(record.length)).sum();
    match needed <= sent {
        true => Ok(()),
        false => Err(Contradiction::ChainSize),
    }
}

/// Whether all encrypted records were counted, and what is in them is not compressed (RFC 8879). Who takes compressed
/// certificates may well send such, too.
fn is_measured(seen: &Observation) -> bool {
    seen.is_tls13()
        && seen.completeness == Completeness::Complete
        && seen.opaque.len() < MAX_OPAQUE
        && !seen.extensions.contains(&ExtensionType::COMPRESS_CERTIFICATE)
}
