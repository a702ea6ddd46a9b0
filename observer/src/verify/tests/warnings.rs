//! Weak points, which do not change a status.

use super::authorities::{Authority, leaf_parameters, valid};
use super::*;
use crate::verify::certificate::Certificate;
use crate::verify::warnings;

#[test]
fn lives_that_are_long_are_told_by_side() {
    let root = Authority::root("Root");
    let bundle = bundle(&[&root.der]);
    let mut parameters = leaf_parameters();
    parameters.extended_key_usages.clear();
    for (until, of_client, of_server) in [
        (2026, &[][..], &[][..]),
        (2027, &[], &[warnings::LONG_SERVER_VALIDITY]),
        (
            2028,
            &[warnings::LONG_CLIENT_VALIDITY],
            &[warnings::LONG_SERVER_VALIDITY],
        ),
    ] {
        valid(&mut parameters, 2025, until);
        let leaf = root.leaf_with(&parameters);
        let verdict = judge(&bundle, &[&leaf]);
        assert_eq!(
            (verdict.status, verdict.warnings),
            (Status::Valid, words(of_client)),
            "{until}"
        );
        let verdict = judge_server(&bundle, &[&leaf], None);
        assert_eq!(
            (verdict.status, verdict.warnings),
            (Status::Valid, words(of_server)),
            "{until}"
        );
    }
}

#[test]
fn a_name_that_is_only_common_is_told() {
    let root = Authority::root("Root");
    let mut parameters = leaf_parameters();
    parameters.subject_alt_names.clear();
    let verdict = judge(&bundle(&[&root.der]), &[&root.leaf_with(&parameters)]);
    assert_eq!(verdict.warnings, words(&[warnings::NO_ALTERNATIVE_NAME]));
}

#[test]
fn weak_keys_and_signatures_are_told_of_leaf_and_issuers() {
    let root = Authority::root("Root");
    let (middle, leaf) = (root.authority("Middle"), root.leaf());
    let read = |der: &[u8], signature: &str, bits: u32| {
        let mut facts = CertificateFacts::parse(der);
        facts.signature_algorithm = signature.into();
        facts.public_key_algorithm = "RSA".into();
        facts.public_key_size = Some(bits);
        Certificate::read(Arc::new(facts)).unwrap()
    };
    let leaf = read(&leaf, "SHA1-RSA", 2047);
    let middle = read(&middle.der, "MD5-RSA", 1024);
    let root = read(&root.der, "MD2-RSA", 1024);
    let path = [&leaf, &middle, &root];
    let all = [
        warnings::SHA1_SIGNATURE,
        warnings::SMALL_RSA_KEY,
        warnings::ISSUER_MD5_SIGNATURE,
        warnings::ISSUER_SMALL_RSA_KEY,
    ];
    assert_eq!(warnings::of(&path, true, Side::Client), all);
    // Trusted or not, each word is there once.
    assert_eq!(warnings::of(&path, false, Side::Client), all);
    assert_eq!(
        warnings::of(&[&root], true, Side::Client),
        [
            warnings::SMALL_RSA_KEY,
            warnings::LONG_CLIENT_VALIDITY,
            warnings::NO_ALTERNATIVE_NAME
        ]
    );
    assert!(all.iter().all(|word| warnings::ALL.contains(word)));
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
