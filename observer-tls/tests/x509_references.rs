//! Certificates as other libraries read them.
//!
//! With `TLS_OBSERVER_CAPTURES` naming a folder that holds `x509/reference.tsv` and the files it lists, and `certs.tsv`
//! beside captures with certificates in them, each row is compared field by field with what pyca cryptography and
//! OpenSSL say. Differences that we hold to be right are in `x509_exceptions.tsv`. With or without, certificates made
//! here are compared with what the crate x509-parser says.

#[path = "x509_references/compare.rs"]
mod compare;
#[path = "x509_references/names.rs"]
mod names;
#[path = "x509_references/rows.rs"]
mod rows;

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use observer_tls::x509::CertificateFacts;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
    SerialNumber, date_time_ymd,
};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const FOLDER: &str = "TLS_OBSERVER_CAPTURES";

#[test]
fn facts_are_those_of_other_libraries() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else {
        println!("{FOLDER} is not set: no references to compare with");
        return;
    };
    let files = rows::table(&folder.join("x509/reference.tsv"));
    assert!(!files.is_empty(), "{}: no x509/reference.tsv", folder.display());
    let on_the_wire = rows::table(&folder.join("certs.tsv"));
    let captured = rows::in_captures(&folder, &on_the_wire);
    println!(
        "{} certificates in files, {} on the wire, {} of them in one piece",
        files.len(),
        on_the_wire.len(),
        on_the_wire
            .iter()
            .filter(|row| captured.contains_key(row.get("sha256")))
            .count(),
    );

    let from_files = files
        .iter()
        .map(|row| (row, rows::from_file(&folder.join("x509"), row)));
    let from_wire = on_the_wire
        .iter()
        .filter_map(|row| Some((row, captured.get(row.get("sha256"))?.clone())));
    let mut found = Vec::new();
    for (row, der) in from_files.chain(from_wire) {
        let facts = CertificateFacts::parse(&der);
        let hash: String = facts.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, row.get("sha256"), "{}", row.name());
        found.extend(compare::differences(row, &facts));
    }

    let listed = rows::table(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/x509_exceptions.tsv"));
    let mut stale: BTreeSet<_> = listed
        .iter()
        .map(|row| (row.get("file"), row.get("field")))
        .collect();
    let unlisted: Vec<_> = found
        .iter()
        .filter(|difference| {
            let key = (difference.name.as_str(), difference.field);
            stale.remove(&key);
            !listed
                .iter()
                .any(|row| (row.get("file"), row.get("field")) == key)
        })
        .map(ToString::to_string)
        .collect();
    assert!(
        unlisted.is_empty(),
        "{} differences:\n{}",
        unlisted.len(),
        unlisted.join("\n")
    );
    assert!(stale.is_empty(), "listed, but no difference: {stale:?}");
}

/// A certificate with all kinds of facts.
fn generated() -> Vec<u8> {
    let mut params = CertificateParams::new(["a.example".to_owned(), "*.b.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from_slice(&[0x41; 20]));
    params.not_before = date_time_ymd(1949, 12, 31);
    params.not_after = date_time_ymd(2050, 1, 1);
    let address = "192.0.2.7".parse().unwrap();
    params.subject_alt_names.push(SanType::IpAddress(address));
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn hex_without_zeros(number: &[u8]) -> String {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    significant.map(|byte| format!("{byte:02X}")).collect()
}

/// Asserts that the facts of what x509-parser takes for a certificate are those that it reads, or that we say what is
/// wrong with it: that library does not look at the class of all elements. Tells whether both read it.
fn assert_agreement(der: &[u8]) -> bool {
    let Ok((_, theirs)) = X509Certificate::from_der(der) else {
        return false;
    };
    let ours = CertificateFacts::parse(der);
    if ours.malformed.is_some() {
        return false;
    }
    let serial = theirs.raw_serial();
    if serial[0] < 0x80 {
        assert_eq!(ours.serial_number, hex_without_zeros(serial));
    }
    assert_eq!(ours.version, theirs.version().0 + 1);
    let validity = theirs.validity();
    for (ours, theirs) in [
        (ours.not_before, &validity.not_before),
        (ours.not_after, &validity.not_after),
    ] {
        assert_eq!(ours, Some(theirs.timestamp()));
    }
    assert_eq!(ours.self_issued, theirs.subject() == theirs.issuer());
    if let Ok(Some(constraints)) = theirs.basic_constraints() {
        assert_eq!(ours.is_ca, constraints.value.ca);
    }
    if let Ok(Some(names)) = theirs.subject_alternative_name() {
        let names = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(*name),
            _ => None,
        });
        assert_eq!(ours.dns_names, names.collect::<Vec<_>>());
    }
    true
}

#[test]
fn facts_are_those_of_a_third_library_with_any_byte_changed() {
    let der = generated();
    assert!(assert_agreement(&der));
    assert_eq!(CertificateFacts::parse(&der).malformed, None);
    let mut read_by_both = 0;
    for at in 0..der.len() {
        for value in [der[at] ^ 1, der[at] ^ 0x20, der[at] ^ 0x80, 0, 0xff] {
            let mut changed = der.clone();
            changed[at] = value;
            read_by_both += usize::from(assert_agreement(&changed));
        }
    }
    // Most bytes are inside of values.
    assert!(read_by_both > der.len(), "{read_by_both}");
}
