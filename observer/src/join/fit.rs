//! Whether what a library told can be true by what the wire showed. A certificate must never come to stand at another's
//! connection: who is wrong in one thing is believed in nothing.

use std::sync::Arc;

use observer_tls::codepoints::{ContentType, ExtensionType};
use observer_tls::x509::CertificateFacts;

use super::tale::{Tale, is_part};
use crate::libraries::hooks::Family;
use crate::observation::{
    ClientCertificate, Completeness, Contradiction, MAX_OPAQUE, Observation, OpaqueRecord, Side,
};
use crate::outcome::tls13::Sizes;

/// What a Certificate message of TLS 1.3 has around its certificates, and around each of them (RFC 8446, section 4.4.2).
const MESSAGE_BYTES: usize = 8;
const ENTRY_BYTES: usize = 5;
/// What a certificate's extensions take at least, if there are any: a stapled answer or a timestamp, both with a signature.
const MIN_EXTENSION_BYTES: usize = 100;
/// The record of a CertificateVerify with the shortest signature, that of Ed25519 (RFC 8446, section 4.4.3).
const MIN_VERIFY_BYTES: usize = 89;

/// Whether the tale of the end of `teller` fits to the handshake.
///
/// # Errors
/// What does not.
pub(super) fn check(seen: &Observation, teller: Side, tale: &Tale) -> Result<(), Contradiction> {
    let judged = teller.other();
    if let Some(chain) = &tale.chain {
        check_chain(seen, judged, tale.end.family, chain)?;
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
    family: Family,
    chain: &[Arc<CertificateFacts>],
) -> Result<(), Contradiction> {
    let shown = seen.chain(judged);
    if !shown.is_empty() {
        return match is_part(chain, shown) {
            true => Ok(()),
            false => Err(Contradiction::Chain),
        };
    }
    // Who resumes a session sends no certificate. GnuTLS gives its service the one that the session has kept.
    if seen.resumed == Some(true) {
        return match family {
            Family::GnuTls => Ok(()),
            _ => Err(Contradiction::Chain),
        };
    }
    if !is_measured(seen) {
        return Ok(());
    }
    let needed = MESSAGE_BYTES
        + chain
            .iter()
            .map(|facts| facts.der.len() + ENTRY_BYTES)
            .sum::<usize>();
    let records = || {
        let encrypted = |record: &&OpaqueRecord| record.content_type == ContentType::APPLICATION_DATA;
        let sent = seen.opaque.iter().filter(|record| record.sender == judged);
        sent.filter(encrypted).map(|record| usize::from(record.length))
    };
    let fits = match certificate_record(judged, records(), Sizes::of(seen.cipher)) {
        Some(length) => length == needed || length > needed + MIN_EXTENSION_BYTES,
        None => needed <= records().sum(),
    };
    match fits {
        true => Ok(()),
        false => Err(Contradiction::ChainSize),
    }
}

/// What the record of a Certificate holds, where each message of a flight has a record of its own: the flight ends with a
/// CertificateVerify and a Finished, which is known by its size, and begins with the Certificate; that of a server with
/// EncryptedExtensions and, if it asks for one, a CertificateRequest.
fn certificate_record(sender: Side, records: impl Iterator<Item = usize>, sizes: Sizes) -> Option<usize> {
    let flight: Vec<_> = records.take(5).collect();
    let finished = flight
        .iter()
        .position(|length| *length == usize::from(sizes.finished))?;
    let ends = match sender {
        Side::Client => finished == 2,
        Side::Server => finished == 3 || finished == 4,
    };
    let [certificate, verify] = *flight.get(finished.checked_sub(2)?..finished)? else {
        return None;
    };
    let overhead = usize::from(sizes.overhead);
    (ends && MIN_VERIFY_BYTES <= verify && overhead < certificate).then(|| certificate - overhead)
}

/// Whether all encrypted records were counted, and what is in them is not compressed (RFC 8879). Who takes compressed
/// certificates may well send such, too.
fn is_measured(seen: &Observation) -> bool {
    seen.is_tls13()
        && seen.completeness == Completeness::Complete
        && seen.opaque.len() < MAX_OPAQUE
        && !seen.extensions.contains(&ExtensionType::COMPRESS_CERTIFICATE)
}
