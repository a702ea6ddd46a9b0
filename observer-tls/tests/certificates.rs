//! Certificates made by another library, read out of a TLS 1.2 Certificate message.

mod support;

use observer_tls::handshake::Message;
use observer_tls::stream::{ItemBody, Stream};
use observer_tls::x509::CertificateFacts;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    SerialNumber, date_time_ymd,
};
use support::*;

/// 2026-01-02 and 2027-01-02, midnight UTC.
const NOT_BEFORE: i64 = 1_767_312_000;
const NOT_AFTER: i64 = 1_798_848_000;

fn authority() -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "DE");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Works, Inc.");
    params.distinguished_name.push(DnType::CommonName, "Works Root");
    (
        params,
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
    )
}

/// A leaf and its root, DER.
fn chain() -> (Vec<u8>, Vec<u8>) {
    let (root_params, root_key) = authority();
    let root = root_params.self_signed(&root_key).unwrap().der().to_vec();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::LocalityName, "Köln");
    params.distinguished_name.push(DnType::StateOrProvinceName, "NRW");
    params
        .distinguished_name
        .push(DnType::OrganizationalUnitName, "Payments");
    params.distinguished_name.push(DnType::CommonName, "billing");
    params.serial_number = Some(SerialNumber::from_slice(&[0x8f, 0x00, 0x0a]));
    params.not_before = date_time_ymd(2026, 1, 2);
    params.not_after = date_time_ymd(2027, 1, 2);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    params.subject_alt_names = vec![
        SanType::DnsName("billing.example".try_into().unwrap()),
        SanType::IpAddress("192.0.2.7".parse().unwrap()),
        SanType::IpAddress("2001:db8::7".parse().unwrap()),
        SanType::URI("spiffe://prod.example/ns/pay/sa/billing".try_into().unwrap()),
        SanType::Rfc822Name("billing@example.org".try_into().unwrap()),
    ];
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let leaf = params
        .signed_by(&key, &Issuer::new(root_params, root_key))
        .unwrap()
        .der()
        .to_vec();
    (leaf, root)
}

/// Sends the chain through a stream in small records and pieces.
fn seen_on_the_wire(certificates: &[&[u8]]) -> Vec<CertificateFacts> {
    let mut stream = Stream::new();
    let mut out = Vec::new();
    let bytes = records(HANDSHAKE, &certificate(certificates), 300);
    for (index, piece) in bytes.chunks(128).enumerate() {
        stream.push(index as u32 * 128, piece, piece.len() as u32, 0, &mut out);
    }
    let [item] = out.as_slice() else { panic!("{out:?}") };
    let ItemBody::Handshake {
        message: Message::Certificate(list),
        ..
    } = &item.body
    else {
        panic!("{item:?}")
    };
    list.certificates
        .iter()
        .cloned()
        .map(CertificateFacts::from_bytes)
        .collect()
}

#[test]
fn a_chain_tells_its_facts() {
    let (leaf, root) = chain();
    let facts = seen_on_the_wire(&[&leaf, &root]);
    let [leaf_facts, root_facts] = facts.as_slice() else {
        panic!("{} certificates", facts.len())
    };

    assert_eq!(leaf_facts.der, leaf);
    assert_eq!(leaf_facts.malformed, None);
    assert_eq!(leaf_facts.version, 3);
    assert_eq!(leaf_facts.subject, "CN=billing,OU=Payments,ST=NRW,L=Köln");
    assert_eq!(leaf_facts.issuer, "CN=Works Root,O=Works\\, Inc.,C=DE");
    assert_eq!(leaf_facts.subject_attributes.common_name, ["billing"]);
    assert_eq!(leaf_facts.subject_attributes.organizational_unit, ["Payments"]);
    assert_eq!(leaf_facts.subject_attributes.locality, ["Köln"]);
    assert_eq!(leaf_facts.subject_attributes.state_or_province, ["NRW"]);
    assert_eq!(leaf_facts.issuer_attributes.organization, ["Works, Inc."]);
    assert_eq!(leaf_facts.issuer_attributes.country, ["DE"]);
    assert_eq!(leaf_facts.serial_number, "8F000A");
    assert_eq!(
        (leaf_facts.not_before, leaf_facts.not_after),
        (Some(NOT_BEFORE), Some(NOT_AFTER))
    );
    assert_eq!(leaf_facts.dns_names, ["billing.example"]);
    assert_eq!(leaf_facts.ip_addresses, ["192.0.2.7", "2001:db8::7"]);
    assert_eq!(leaf_facts.emails, ["billing@example.org"]);
    assert_eq!(
        leaf_facts.spiffe_id(),
        Some("spiffe://prod.example/ns/pay/sa/billing")
    );
    assert_eq!(leaf_facts.alternative_names().len(), 5);
    assert_eq!(leaf_facts.signature_algorithm, "ECDSA-SHA384");
    assert_eq!(leaf_facts.public_key_algorithm, "ECDSA");
    assert_eq!(leaf_facts.public_key_curve.as_deref(), Some("P-256"));
    assert_eq!(leaf_facts.public_key_size, Some(256));
    assert_eq!(leaf_facts.public_key_exponent, None);
    assert_eq!(leaf_facts.extended_key_usage, ["clientAuth", "serverAuth"]);
    assert!(!leaf_facts.is_ca);

    assert!(root_facts.is_ca);
    assert_eq!(root_facts.subject, root_facts.issuer);
    assert_eq!(root_facts.public_key_curve.as_deref(), Some("P-384"));
    assert_ne!(root_facts.sha256, leaf_facts.sha256);
}

#[test]
fn ed25519_keys_have_one_name() {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let der = CertificateParams::new(["a.example".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let facts = CertificateFacts::parse(der.der());
    assert_eq!(facts.signature_algorithm, "Ed25519");
    assert_eq!(facts.public_key_algorithm, "Ed25519");
    assert_eq!(facts.public_key_size, Some(256));
    assert_eq!(facts.dns_names, ["a.example"]);
}

#[test]
fn broken_certificates_are_reported_not_dropped() {
    let (leaf, _) = chain();
    let cut = &leaf[..leaf.len() / 2];
    let longer = [&leaf[..], &[0, 0, 0]].concat();
    let facts = seen_on_the_wire(&[cut, &longer, b""]);
    assert_eq!(facts.len(), 3);
    assert!(facts.iter().all(|facts| facts.malformed.is_some()));
    assert_eq!(facts[0].der, cut);
    assert_eq!(
        facts[1].malformed.as_deref(),
        Some("3 bytes after the certificate")
    );
    assert_eq!(facts[1].subject_attributes.common_name, ["billing"]);
}

#[test]
fn a_changed_byte_never_panics() {
    let (leaf, _) = chain();
    for at in 0..leaf.len() {
        for value in [0x00, 0x7f, 0x80, 0xff, leaf[at] ^ 1] {
            let mut changed = leaf.clone();
            changed[at] = value;
            let facts = CertificateFacts::parse(&changed);
            assert_eq!(facts.der, changed);
        }
    }
}

/// Made with OpenSSL 3.0: `req -x509 -newkey rsa:2048 -sha384 -sigopt rsa_padding_mode:pss -set_serial 0x0102`.
const RSA_PSS: &[u8] = include_bytes!("fixtures/rsa_pss_sha384.der");

#[test]
fn rsa_keys_have_size_and_exponent() {
    let facts = CertificateFacts::parse(RSA_PSS);
    assert_eq!(facts.malformed, None);
    assert_eq!(facts.signature_algorithm, "SHA384-RSAPSS");
    assert_eq!(facts.public_key_algorithm, "RSA");
    assert_eq!(facts.public_key_size, Some(2048));
    assert_eq!(facts.public_key_exponent, Some(65537));
    assert_eq!(facts.public_key_curve, None);
    assert_eq!(facts.serial_number, "0102");
    assert_eq!(facts.subject, "emailAddress=a@example.org,CN=rsa.example");
    assert!(facts.is_ca);
}
