//! Certificates as other libraries read them.
//!
//! With `TLS_OBSERVER_CAPTURES` naming a folder that holds `x509/reference.tsv` and the files it lists, and `certs.tsv`
//! beside captures with certificates in them, each row is compared field by field with what pyca cryptography and
//! OpenSSL say. Differences that we hold to be right are in `x509_exceptions.tsv`.

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
