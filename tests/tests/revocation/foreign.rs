//! CRLs and OCSP responses that others made for tests, where there are copies: read as OpenSSL reads them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use observer_tls::ocsp::Response;
use tls_observer::verify::revocation::Crl;

/// Names a folder whose `x509` has certificates and CRLs.
const CAPTURES: &str = "TLS_OBSERVER_CAPTURES";
/// What only one of both reads, and why.
const DIFFERENT: [(&str, &str); 4] = [
    (
        "crl_inner_outer_mismatch.der",
        "OpenSSL shows it, and does not use it",
    ),
    ("crl_invalid_time.der", "OpenSSL shows it, and does not use it"),
    (
        "resp-successful-no-response-bytes.der",
        "OpenSSL shows it, although the answer is missing",
    ),
    (
        "resp-response-type-unknown-oid.der",
        "OpenSSL says that it does not know the type",
    ),
];

/// What OpenSSL and we read in `path`; `None`: it cannot be read.
fn compare<T: std::fmt::Debug + PartialEq>(path: &Path, openssl: Option<T>, ours: Option<T>) {
    let name = path.file_name().unwrap().to_string_lossy();
    match DIFFERENT.iter().any(|(different, _)| *different == name) {
        true => assert_ne!(openssl.is_some(), ours.is_some(), "{name}"),
        false => assert_eq!(openssl, ours, "{name}"),
    }
}

/// The files in `folder` and below it that may be CRLs.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.to_string_lossy().contains("crl") && path.extension().is_some_and(|end| end != "crt") {
            found.push(path);
        }
    }
}

/// How many certificates OpenSSL lists, or `None` if it cannot read the CRL.
fn openssl(path: &Path, form: &str) -> Option<usize> {
    let mut command = Command::new("openssl");
    let command = command.args(["crl", "-noout", "-text", "-inform", form, "-in"]);
    let output = command.arg(path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    output
        .status
        .success()
        .then(|| text.matches("Serial Number:").count())
}

#[test]
fn crls_of_others_are_read_as_openssl_does() {
    let Some(root) = std::env::var_os(CAPTURES).map(PathBuf::from) else {
        println!("{CAPTURES} is not set");
        return;
    };
    let mut files = Vec::new();
    collect(&root.join("x509/pyca"), &mut files);
    let mut read = 0;
    for path in files {
        let content = fs::read(&path).unwrap();
        let is_pem = content.starts_with(b"-----BEGIN X509 CRL");
        if !is_pem && content.windows(5).any(|bytes| bytes == b"-----") {
            continue;
        }
        let expected = openssl(&path, if is_pem { "PEM" } else { "DER" });
        let ours = Crl::parse_file(&content);
        let ours = ours.map(|lists| lists.iter().map(|list| list.list().len()).sum::<usize>());
        compare(&path, expected, ours.ok());
        read += 1;
    }
    println!("{read} CRLs read");
}

#[test]
fn ocsp_responses_of_others_are_read_as_openssl_does() {
    let Some(root) = std::env::var_os(CAPTURES).map(PathBuf::from) else {
        println!("{CAPTURES} is not set");
        return;
    };
    let Ok(files) = fs::read_dir(root.join("x509/pyca/ocsp")) else {
        println!("no OCSP responses of others");
        return;
    };
    for path in files.map(|file| file.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy();
        if !name.contains("resp") || name.starts_with("req") {
            continue;
        }
        let arguments = ["ocsp", "-noverify", "-resp_text", "-respin"];
        let output = Command::new("openssl")
            .args(arguments)
            .arg(&path)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let shown = ["OCSP Response Status", "Responder Error"]
            .iter()
            .any(|words| text.contains(words));
        let answers = shown.then(|| text.matches("Cert Status: ").count());
        let content = fs::read(&path).unwrap();
        let ours = Response::parse(&content).ok();
        compare(
            &path,
            answers,
            ours.map(|response| response.basic.map_or(0, |basic| basic.answers.len())),
        );
    }
}
