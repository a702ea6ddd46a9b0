//! The path that webpki finds.

use std::cell::Cell;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};

use super::algorithms::ALGORITHMS;
use super::anchors::Anchors;
use super::certificate::Certificate;
use super::path::Path;

/// Ways in which the certificates of a chain with the same subject may be put in order, at most. webpki tries all of them,
/// and bounds only their number times their length, at a quarter of a million.
const MAX_ORDERS: usize = 64;

/// Any purpose: those of the whole path are looked at afterwards, as webpki has no words for what is wrong with them.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The path that webpki accepts at a time, seconds since the Unix epoch, and `suits` as well; webpki goes on to look for
/// another one until it does. Signatures are checked.
pub fn path<'a>(
    leaf: &'a Certificate,
    others: &'a [Certificate],
    anchors: &'a Anchors,
    time: i64,
    suits: impl Fn(&[&Certificate]) -> bool,
) -> Option<Path<'a>> {
    if orders(others) > MAX_ORDERS {
        return None;
    }
    let time = UnixTime::since_unix_epoch(Duration::from_secs(time.try_into().ok()?));
    let der = CertificateDer::from(leaf.der().as_ref());
    let end_entity = EndEntityCert::try_from(&der).ok()?;
    let intermediates: Vec<_> = others
        .iter()
        .map(|other| CertificateDer::from(other.der().as_ref()))
        .collect();
    let accepted = Cell::new(None);
    let look = |verified: &VerifiedPath<'_>| {
        let path = certificates_of(verified, leaf, others, anchors).filter(|path| suits(path));
        path.map(|path| accepted.set(Some(path)))
            .ok_or(Error::UnknownIssuer)
    };
    end_entity
        .verify_for_usage(
            ALGORITHMS,
            anchors.for_webpki(),
            &intermediates,
            time,
            AnyPurpose,
            None,
            Some(&look),
        )
        .ok()?;
    accepted.into_inner()
}

/// The certificates that webpki names.
fn certificates_of<'a>(
    verified: &VerifiedPath<'_>,
    leaf: &'a Certificate,
    others: &'a [Certificate],
    anchors: &'a Anchors,
) -> Option<Path<'a>> {
    let mut path = vec![leaf];
    for intermediate in verified.intermediate_certificates() {
        path.push(
            others
                .iter()
                .find(|other| other.der().as_ref() == intermediate.der().as_ref())?,
        );
    }
    let key = verified.anchor().subject_public_key_info.as_ref();
    let top = path.last()?;
    // webpki leaves out the tag and the length of the key.
    let has_key = |anchor: &&Certificate| anchor.key_info.ends_with(key);
    let mut trusted = anchors.named(&top.canonical_issuer).map(AsRef::as_ref);
    path.push(trusted.find(|anchor| has_key(anchor) && anchor.may_have_issued(top))?);
    Some(path)
}

/// In how many orders those with the same subject can be put.
fn orders(certificates: &[Certificate]) -> usize {
    let same = |one: &Certificate, before: &[Certificate]| {
        let same = before
            .iter()
            .filter(|other| other.canonical_subject == one.canonical_subject);
        same.count() + 1
    };
    let ranks = certificates
        .iter()
        .enumerate()
        .map(|(at, one)| same(one, certificates.get(..at).unwrap_or_default()));
    ranks.fold(1, usize::saturating_mul)
}
