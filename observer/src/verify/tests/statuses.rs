//! Each status, alone and with others, and what is said of it.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};

use super::authorities::{Authority, authority_parameters, leaf_parameters, self_signed, valid};
use super::*;
use crate::verify::certificate::Certificate;
use crate::verify::explain::explain;
use crate::verify::path::Inspection;
use crate::verify::revocation::{Crl, RevocationSources};

const SERVER_AUTH: ExtendedKeyUsagePurpose = ExtendedKeyUsagePurpose::ServerAuth;

/// A status with its detail, for comparisons.
fn said(verdict: &CertificateVerdict) -> (Status, &str) {
    (verdict.status, verdict.detail.as_deref().unwrap_or_default())
}

fn leaf_with(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut parameters = leaf_parameters();
    change(&mut parameters);
    parameters
}

#[test]
fn a_good_chain_is_valid_in_any_order_and_with_more_than_it_needs() {
    let root = Authority::root("Root");
    let middle = root.authority("Middle");
    let stranger = Authority::root("Stranger");
    let leaf = middle.leaf();
    let bundle = bundle(&[&root.der]);
    for others in [
        &[middle.der.as_slice()][..],
        &[&middle.der, &root.der],
        &[&root.der, &leaf, &middle.der, &middle.der],
        &[&stranger.der, b"no certificate", &middle.der],
    ] {
        let verdict = judge(&bundle, &[&[leaf.as_slice()], others].concat());
        assert_eq!(
            (verdict.status, verdict.revocation),
            (Status::Valid, Revocation::NotChecked)
        );
        assert_eq!(verdict.trust_bundle.as_deref(), Some("clients"));
    }
    assert_eq!(judge(&bundle, &[&leaf, &middle.der]).detail, None);
}

#[test]
fn webpki_settles_what_is_ordinary_and_the_second_look_agrees() {
    let old = Authority::root("Old");
    let root = Authority::root("Root");
    let middle = root.authority("Middle");
    let crossed = root.cross_signed_by(&old);
    let (anchors, _) = Anchors::from_der([&old.der]);
    let read = |der: &[u8]| Certificate::read(Arc::new(CertificateFacts::parse(der))).unwrap();
    let leaf = read(&middle.leaf());
    let others = [read(&crossed), read(&middle.der)];
    let inspection = Inspection::new(Side::Client, NOW);
    let suits = |path: &[&Certificate]| inspection.faults(path, true).is_empty();
    let titles = |path: &[&Certificate]| path.iter().map(|one| one.facts.sha256).collect::<Vec<_>>();
    let by_library = library::path(&leaf, &others, &anchors, NOW, suits).unwrap();
    let second = explain(&leaf, &others, &anchors, "clients", &inspection);
    assert!(second.faults.is_empty() && second.is_trusted);
    assert_eq!(titles(&by_library), titles(&second.path));
    // webpki goes on where a path does not suit, and gives up where none does.
    assert!(library::path(&leaf, &others, &anchors, NOW, |_| false).is_none());
    assert!(library::path(&leaf, &others[..1], &anchors, NOW, suits).is_none());
}

#[test]
fn who_is_not_trusted_is_told_with_the_missing_issuer() {
    let root = Authority::root("Root");
    let middle = root.authority("Middle");
    let leaf = middle.leaf();
    let other = bundle(&[&Authority::root("Other").der]);
    let prefix = "no chain to a trusted certificate: ";
    for (chain, detail) in [
        (
            &[leaf.as_slice()][..],
            "the issuer of the certificate, CN=Middle, is neither sent nor among the 1 certificates of bundle clients",
        ),
        (
            &[&leaf, &middle.der],
            "the issuer of the issuer CN=Middle, CN=Root, is neither sent nor among the 1 certificates of bundle clients",
        ),
        (
            &[&leaf, &middle.der, &root.der],
            "the issuer CN=Root is self-signed and not among the 1 certificates of bundle clients",
        ),
    ] {
        let verdict = judge(&other, chain);
        assert_eq!(
            said(&verdict),
            (Status::Untrusted, format!("{prefix}{detail}").as_str())
        );
    }
    let namesake = bundle(&[&Authority::root("Root").der]);
    let verdict = judge(&namesake, &[&leaf, &middle.der]);
    let detail = "the issuer CN=Middle names CN=Root as its issuer, but another key than that of this name in bundle clients";
    assert_eq!(
        said(&verdict),
        (Status::Untrusted, format!("{prefix}{detail}").as_str())
    );
}

#[test]
fn dates_are_those_of_the_handshake_and_of_the_whole_path() {
    let root = Authority::root("Root");
    let mut short = authority_parameters("Short");
    valid(&mut short, 2024, 2025);
    let short = root.authority_with(short);
    let leaf = short.leaf();
    let bundle = bundle(&[&root.der]);
    let verdict = judge(&bundle, &[&leaf, &short.der]);
    assert_eq!(
        said(&verdict),
        (
            Status::Expired,
            "the issuer CN=Short expired 2025-01-01T00:00:00Z"
        )
    );
    // In 2024 the issuer was valid, and the leaf was not yet.
    const IN_2024: i64 = 1_720_000_000;
    let verdict = judge_at(IN_2024, &bundle, &[&leaf, &short.der]);
    let detail = "the certificate is not valid before 2025-01-01T00:00:00Z";
    assert_eq!(said(&verdict), (Status::NotYetValid, detail));
    let mut both = leaf_parameters();
    valid(&mut both, 2023, 2026);
    assert_eq!(
        judge_at(IN_2024, &bundle, &[&short.leaf_with(&both), &short.der]).status,
        Status::Valid
    );
}

#[test]
fn roots_expire_too() {
    let mut old = authority_parameters("Old");
    valid(&mut old, 2010, 2020);
    let old = Authority::root_with(old);
    let verdict = judge(&bundle(&[&old.der]), &[&old.leaf()]);
    assert_eq!(
        said(&verdict),
        (Status::Expired, "the issuer CN=Old expired 2020-01-01T00:00:00Z")
    );
}

#[test]
fn purposes_are_those_of_the_side() {
    let root = Authority::root("Root");
    let bundle = bundle(&[&root.der]);
    let server = root.leaf_with(&leaf_with(|leaf| leaf.extended_key_usages = vec![SERVER_AUTH]));
    assert_eq!(
        judge_server(&bundle, &[&server], Some("leaf.example.org")).status,
        Status::Valid
    );
    let verdict = judge(&bundle, &[&server]);
    let detail = "the certificate: extended key usage is serverAuth, clientAuth is needed";
    assert_eq!(said(&verdict), (Status::WrongPurpose, detail));
    let usage = root.leaf_with(&leaf_with(|leaf| {
        leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment]
    }));
    let verdict = judge(&bundle, &[&usage]);
    let detail = "the certificate: key usage is keyEncipherment, digitalSignature or keyAgreement is needed";
    assert_eq!(said(&verdict), (Status::WrongPurpose, detail));
    let any = root.leaf_with(&leaf_with(|leaf| leaf.extended_key_usages.clear()));
    assert_eq!(judge(&bundle, &[&any]).status, Status::Valid);
}

#[test]
fn a_server_has_the_name_that_was_asked_for() {
    let root = Authority::root("Root");
    let bundle = bundle(&[&root.der]);
    let leaf = root.leaf_with(&leaf_with(|leaf| {
        leaf.extended_key_usages = vec![SERVER_AUTH];
        leaf.subject_alt_names = vec![
            SanType::DnsName("*.example.org".try_into().unwrap()),
            SanType::IpAddress([10, 0, 0, 1].into()),
        ];
    }));
    for name in ["a.example.org", "10.0.0.1"] {
        assert_eq!(
            said(&judge_server(&bundle, &[&leaf], Some(name))),
            (Status::Valid, "")
        );
    }
    let verdict = judge_server(&bundle, &[&leaf], Some("example.org"));
    let detail = "the certificate does not have the name example.org that the client asked for: it has *.example.org, 10.0.0.1";
    assert_eq!(said(&verdict), (Status::NameMismatch, detail));
    let verdict = judge_server(&bundle, &[&leaf], None);
    assert_eq!(
        said(&verdict),
        (
            Status::Valid,
            "the client asked for no name, so names were not compared"
        )
    );
}

#[test]
fn a_client_has_one_of_the_names_expected() {
    let root = Authority::root("Root");
    let leaf = root.leaf_with(&leaf_with(|leaf| {
        leaf.subject_alt_names = vec![SanType::URI("spiffe://prod/ns/a".try_into().unwrap())];
    }));
    let mut bundle = bundle(&[&root.der]);
    bundle.expected_client_names = ExpectedNames(vec!["spiffe://prod/".parse().unwrap()]);
    assert_eq!(judge(&bundle, &[&leaf]).status, Status::Valid);
    bundle.expected_client_names = ExpectedNames(vec![
        "spiffe://prod/ns/b".parse().unwrap(),
        "dns:a.example".parse().unwrap(),
    ]);
    let verdict = judge(&bundle, &[&leaf]);
    let detail = "the certificate does not have one of the names expected, spiffe://prod/ns/b, dns:a.example: it has spiffe://prod/ns/a";
    assert_eq!(said(&verdict), (Status::NameMismatch, detail));
    // Servers are not meant.
    assert_eq!(judge_server(&bundle, &[&leaf], None).status, Status::WrongPurpose);
}

#[test]
fn revoked_goes_before_expired_and_is_told_of_issuers_too() {
    let root = Authority::root("Root");
    let mut parameters = authority_parameters("Middle");
    parameters.serial_number = Some(9_u64.into());
    let middle = root.authority_with(parameters);
    let mut old = leaf_parameters();
    valid(&mut old, 2020, 2025);
    let (leaf, old) = (middle.leaf(), middle.leaf_with(&old));
    let mut bundle = bundle(&[&root.der]);
    let mut judge_by = |list: &[u8], leaf: &[u8]| {
        bundle.revocation = RevocationSources::new(Crl::parse_file(list).unwrap());
        let verdict = judge(&bundle, &[leaf, &middle.der]);
        (verdict.status, verdict.revocation, verdict.detail.unwrap())
    };
    // The serial number of both leaves.
    let revoking = middle.revocation_list(&[7]);
    let (status, revocation, _) = judge_by(&revoking, &leaf);
    assert_eq!((status, revocation), (Status::Revoked, Revocation::Revoked));
    let (status, _, detail) = judge_by(&revoking, &old);
    assert_eq!(status, Status::Revoked);
    assert!(
        detail.ends_with("; the certificate expired 2025-01-01T00:00:00Z"),
        "{detail}"
    );

    let (status, revocation, detail) = judge_by(&root.revocation_list(&[9]), &leaf);
    assert_eq!(status, Status::Revoked);
    assert_ne!(revocation, Revocation::Revoked);
    assert!(detail.contains("CN=Middle"), "{detail}");
    let (status, revocation, _) = judge_by(&middle.revocation_list(&[8]), &leaf);
    assert_eq!((status, revocation), (Status::Valid, Revocation::Good));
}

#[test]
fn nobody_who_is_not_trusted_revokes() {
    let root = Authority::root("Root");
    let leaf = root.leaf();
    let mut other = bundle(&[&Authority::root("Other").der]);
    other.revocation = RevocationSources::new(Crl::parse_file(&root.revocation_list(&[7])).unwrap());
    let verdict = judge(&other, &[&leaf, &root.der]);
    assert_eq!(
        (verdict.status, verdict.revocation),
        (Status::Untrusted, Revocation::NotChecked)
    );
}

#[test]
fn what_cannot_be_read_is_malformed_and_nothing_else() {
    let root = Authority::root("Root");
    let leaf = root.leaf();
    let bundle = bundle(&[&root.der]);
    let trailing = [leaf.as_slice(), &[0, 0]].concat();
    for (der, why) in [
        (b"abc".as_slice(), "the certificate: "),
        (&leaf[..leaf.len() - 9], "the certificate: "),
        (&trailing, "the certificate: there are bytes behind its end"),
    ] {
        let verdict = judge(&bundle, &[der]);
        assert_eq!(verdict.status, Status::Malformed);
        assert!(verdict.detail.as_deref().unwrap().starts_with(why), "{verdict:?}");
    }
}

#[test]
fn no_byte_of_a_leaf_can_be_changed() {
    let root = Authority::root("Root");
    let leaf = root.leaf();
    let bundle = bundle(&[&root.der]);
    for at in 0..leaf.len() {
        for change in [1, 0x80] {
            let mut changed = leaf.clone();
            changed[at] ^= change;
            let verdict = judge(&bundle, &[&changed]);
            assert_ne!(verdict.status, Status::Valid, "byte {at} ^ {change}");
            assert!(verdict.detail.is_some());
        }
    }
}

#[test]
fn all_faults_are_told_the_gravest_first() {
    let root = Authority::root("Root");
    let mut wrong = leaf_with(|leaf| leaf.extended_key_usages = vec![SERVER_AUTH]);
    valid(&mut wrong, 2020, 2025);
    let leaf = root.leaf_with(&wrong);
    let mut trusting = bundle(&[&root.der]);
    trusting.expected_client_names = ExpectedNames(vec!["dns:other.example".parse().unwrap()]);
    let rest = "the certificate expired 2025-01-01T00:00:00Z; \
                the certificate: extended key usage is serverAuth, clientAuth is needed; \
                the certificate does not have one of the names expected, dns:other.example: it has leaf.example.org";
    assert_eq!(said(&judge(&trusting, &[&leaf])), (Status::Expired, rest));

    let mut other = bundle(&[&Authority::root("Other").der]);
    other.expected_client_names = trusting.expected_client_names.clone();
    let untrusted = "no chain to a trusted certificate: the issuer of the certificate, CN=Root, is neither sent nor among \
                     the 1 certificates of bundle clients; ";
    assert_eq!(
        said(&judge(&other, &[&leaf])),
        (Status::Untrusted, format!("{untrusted}{rest}").as_str())
    );

    let mut forged = leaf.clone();
    *forged.last_mut().unwrap() ^= 1;
    let malformed = "the signature of the certificate is not by the key of the issuer CN=Root; ";
    assert_eq!(
        said(&judge(&trusting, &[&forged])),
        (Status::Malformed, format!("{malformed}{rest}").as_str())
    );
}

#[test]
fn what_is_trusted_itself_is_still_judged() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let parameters = leaf_with(|leaf| leaf.is_ca = is_ca);
        let leaf = self_signed(&parameters);
        let pinned = bundle(&[&leaf]);
        assert_eq!(said(&judge(&pinned, &[&leaf])), (Status::Valid, ""));
        assert_eq!(judge_at(1_830_000_000, &pinned, &[&leaf]).status, Status::Expired);
        assert_eq!(judge_server(&pinned, &[&leaf], None).status, Status::WrongPurpose);
        // Its namesake with another key is not trusted.
        let verdict = judge(&pinned, &[&self_signed(&parameters)]);
        let detail = "no chain to a trusted certificate: the certificate is self-signed and not among the 1 certificates of bundle clients";
        assert_eq!(said(&verdict), (Status::Untrusted, detail));
    }
}

#[test]
fn without_anything_to_judge_by_nothing_is_checked() {
    let root = Authority::root("Root");
    let verdict = judge(&bundle(&[]), &[&root.leaf()]);
    assert_eq!(
        said(&verdict),
        (Status::NotChecked, "bundle clients has no certificates")
    );
    assert_eq!(judge(&bundle(&[&root.der]), &[]).status, Status::NotChecked);
}

#[test]
fn bundles_take_der_and_pem_and_say_what_they_do_not() {
    let (root, other) = (Authority::root("Root"), Authority::root("Other"));
    let (mut anchors, bad) = Anchors::from_der([root.der.as_slice(), b"abc", &root.der]);
    assert_eq!((anchors.len(), bad.len(), bad[0].position), (1, 1, 2));
    assert!(bad[0].to_string().starts_with("certificate 2: "), "{}", bad[0]);

    let section = |der: &[u8]| {
        let text = data_encoding::BASE64.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let text = format!(
        "# comment\n{}{key}{}{}",
        section(&root.der),
        section(&other.der),
        section(b"abc")
    );
    let (more, bad) = Anchors::from_pem(text.as_bytes());
    assert_eq!((more.len(), bad.len(), bad[0].position), (2, 1, 3));
    anchors.extend(more);
    assert_eq!(anchors.len(), 2);
    let (none, bad) = Anchors::from_pem(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    assert!(none.is_empty() && bad.len() == 1);
}
