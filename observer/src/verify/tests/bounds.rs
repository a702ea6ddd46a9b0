//! What a chain may cost that is made to cost much.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, NameConstraints, SanType};

use super::authorities::{Authority, authority_parameters, leaf_parameters};
use super::*;
use crate::verify::certificate::Certificate;
use crate::verify::explain::MAX_SIGNATURES;
use crate::verify::search::{self, MAX_PATH, MAX_PATHS};

fn read(der: &[u8]) -> Certificate {
    Certificate::read(Arc::new(CertificateFacts::parse(der))).unwrap()
}

/// Authorities that have all signed each other.
fn web(of: usize) -> (Vec<Authority>, Vec<Vec<u8>>) {
    let authorities: Vec<Authority> = (0..of).map(|at| Authority::root(&format!("Web {at}"))).collect();
    let mut crossed = Vec::new();
    for one in &authorities {
        for other in authorities.iter().filter(|other| other.der != one.der) {
            crossed.push(one.cross_signed_by(other));
        }
    }
    (authorities, crossed)
}

#[test]
fn a_web_of_authorities_is_given_up() {
    let (authorities, crossed) = web(6);
    let leaf = read(&authorities[0].leaf());
    let others: Vec<Certificate> = crossed.iter().map(|der| read(der)).collect();
    let (anchors, _) = Anchors::from_der([&authorities[5].der]);
    let found = search::paths(&leaf, &others, &anchors, |_| false);
    assert!(found.gave_up && !found.complete.is_empty());
    assert!(found.complete.len() <= MAX_PATHS);
    assert!(found.complete.iter().all(|path| path.len() <= MAX_PATH));
    // The names that are looked at are none of those that are trusted.
    let (nothing, _) = Anchors::from_der([&Authority::root("Other").der]);
    let found = search::paths(&leaf, &others, &nothing, |_| false);
    assert!(found.gave_up && found.complete.is_empty());

    let chain: Vec<&[u8]> = std::iter::once(leaf.der().as_ref())
        .chain(crossed.iter().map(Vec::as_slice))
        .collect();
    let verdict = judge(&bundle(&[&Authority::root("Other").der]), &chain);
    assert_eq!(verdict.status, Status::Untrusted);
    assert!(verdict.detail.unwrap().contains("too many paths"));
    // Who is trusted is found in it all the same.
    assert_eq!(
        judge(&bundle(&[&authorities[5].der]), &chain).status,
        Status::Valid
    );
}

#[test]
fn namesakes_with_other_keys_are_tried_a_bounded_number_of_times() {
    let roots: Vec<Authority> = (0..3).map(|_| anonymous("Root")).collect();
    let namesakes: Vec<Vec<u8>> = (0..80)
        .map(|_| roots[0].authority_with(parameters("Same")).der)
        .collect();
    let mut leaf = leaf_parameters();
    leaf.use_authority_key_identifier_extension = false;
    let chain_of = |leaf: &[u8]| {
        let others = namesakes.iter().map(Vec::as_slice);
        let verdict = std::iter::once(leaf).chain(others).collect::<Vec<_>>();
        judge(
            &bundle(&roots.iter().map(|root| root.der.as_slice()).collect::<Vec<_>>()),
            &verdict,
        )
    };
    // None of them has issued it, and each may have been issued by each of the roots.
    let verdict = chain_of(&anonymous("Same").leaf_with(&leaf));
    assert_eq!(verdict.status, Status::Untrusted);
    let detail = verdict.detail.unwrap();
    assert!(
        detail.contains(&format!("more than {MAX_SIGNATURES} signatures")),
        "{detail}"
    );
    assert!(
        detail.contains("the last 49 certificates of the chain were not looked at"),
        "{detail}"
    );
}

/// An authority that does not tell its key, so that its namesakes may be meant.
fn anonymous(name: &str) -> Authority {
    Authority::root_with(parameters(name))
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = authority_parameters(name);
    parameters.use_authority_key_identifier_extension = false;
    parameters
}

#[test]
fn names_under_constraints_are_compared_a_bounded_number_of_times() {
    let root = Authority::root("Root");
    let mut constrained = authority_parameters("Constrained");
    let permitted = (0..1000).map(|at| GeneralSubtree::DnsName(format!("d{at}.example.org")));
    constrained.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted.collect(),
        excluded_subtrees: Vec::new(),
    });
    let constrained = root.authority_with(constrained);
    let status = |names: usize| {
        let mut leaf = leaf_parameters();
        let names = (0..names).map(|at| SanType::DnsName(format!("{at}.d1.example.org").try_into().unwrap()));
        leaf.subject_alt_names = names.collect();
        judge(
            &bundle(&[&root.der]),
            &[&constrained.leaf_with(&leaf), &constrained.der],
        )
    };
    assert_eq!(status(20).status, Status::Valid);
    let verdict = status(400);
    assert_eq!(verdict.status, Status::Untrusted);
    let detail = verdict.detail.unwrap();
    assert!(
        detail.starts_with("names and name constraints are more than"),
        "{detail}"
    );
}

#[test]
fn chains_longer_than_any_peer_takes_are_not_followed() {
    let mut authorities = vec![Authority::root("Root")];
    for level in 1..MAX_PATH {
        authorities.push(authorities[level - 1].authority(&format!("Level {level}")));
    }
    let status = |depth: usize| {
        let leaf = authorities[depth].leaf();
        let chain: Vec<&[u8]> = std::iter::once(leaf.as_slice())
            .chain(
                authorities[1..=depth]
                    .iter()
                    .rev()
                    .map(|authority| authority.der.as_slice()),
            )
            .collect();
        judge(&bundle(&[&authorities[0].der]), &chain).status
    };
    // Leaf and root are part of the path.
    assert_eq!(status(MAX_PATH - 2), Status::Valid);
    assert_eq!(status(MAX_PATH - 1), Status::Untrusted);
}

#[test]
fn names_of_any_length_are_told_in_part() {
    let mut parameters = authority_parameters(&"ü".repeat(20_000));
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let root = Authority::root_with(parameters);
    let verdict = judge(&bundle(&[&root.der]), &[&root.leaf()]);
    assert_eq!(verdict.status, Status::WrongPurpose);
    let detail = verdict.detail.unwrap();
    assert!(detail.starts_with("the issuer CN=ü") && detail.ends_with("ü…"));
    assert!((2040..=2060).contains(&detail.len()), "{}", detail.len());
}
