//! Bundles from files: what is read, what is refused and how it is said, which is chosen, and what a change does.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use observer_tls::x509::CertificateFacts;
use tempfile::TempDir;

use super::reload::Reloader;
use super::*;
use crate::config::service::Service;
use crate::config::values::FromText;
use crate::observation::Side;
use crate::verify::tests::authorities::{Authority, NOW};
use crate::verify::{CertificateVerdict, Request, Status};

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// Files of a test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }
}

fn loader(texts: &[String]) -> Loader {
    let bundles: Vec<_> = texts.iter().map(|text| Trust::from_text(text).unwrap()).collect();
    Loader::without_fetching(&bundles)
}

/// The verdict of the one bundle in `store` on a client's leaf.
fn verdict(store: &Store, leaf: &[u8]) -> CertificateVerdict {
    let chain = [Arc::new(CertificateFacts::parse(leaf))];
    store.bundles[0].bundle.judge(&Request {
        side: Side::Client,
        chain: &chain,
        time: NOW,
        server_name: None,
        stapled: None,
    })
}

#[test]
fn certificates_and_lists_are_read_as_pem_and_der_from_files_and_directories() {
    let folder = Folder::new();
    let roots = ["A", "B", "C", "D"].map(Authority::root);
    let leaves = roots.each_ref().map(Authority::leaf);
    let both = pem("CERTIFICATE", &roots[0].der) + "a remark\n" + &pem("CERTIFICATE", &roots[1].der);
    let pem_file = folder.write("both.pem", both);
    folder.write("more/c.der", &roots[2].der);
    folder.write("more/README", "not read");
    folder.write("more/c.crl", roots[2].revocation_list(&[7]));
    let list = folder.write("lists/a.pem", pem("X509 CRL", &roots[0].revocation_list(&[7])));
    let text = format!(
        "mesh={pem_file};ca={}/more/c.der;crl={list};crl={0}/more/c.crl",
        folder.path()
    );
    let store = loader(&[text]).load().unwrap();
    let statuses = leaves.map(|leaf| verdict(&store, &leaf).status);
    assert_eq!(
        statuses,
        [Status::Revoked, Status::Valid, Status::Revoked, Status::Untrusted]
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_bundle_and_key() {
    let folder = Folder::new();
    let root = Authority::root("A");
    let good = folder.write("good.pem", pem("CERTIFICATE", &root.der));
    let broken = folder.write("broken.pem", pem("CERTIFICATE", &root.der[..100]));
    let key = folder.write("key.pem", pem("PRIVATE KEY", b"x"));
    let list = folder.write("a.crl", "rubbish");
    fs::create_dir(folder.0.path().join("empty")).unwrap();
    let base = folder.path();
    for (text, wanted) in [
        (
            format!("m={base}/none.pem"),
            format!("ca: {base}/none.pem: No such file"),
        ),
        (
            format!("m={good};ca={broken}"),
            format!("ca: {broken}: certificate 1: "),
        ),
        (
            format!("m={key}"),
            format!("ca: {key}: there is no certificate in it"),
        ),
        (
            format!("m={base}/empty"),
            format!("ca: {base}/empty: there is no certificate in it"),
        ),
        (format!("m={good};crl={list}"), format!("crl: {list}: ")),
        (format!("m={good};crl={good}"), format!("crl: {good}: ")),
        (
            format!("m={good};crl={base}/gone"),
            format!("crl: {base}/gone: No such file"),
        ),
    ] {
        let error = loader(std::slice::from_ref(&text))
            .load()
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("trust \"m\": {wanted}")),
            "{text}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
    let no_lists_yet = format!("m={good};crl={base}/empty");
    assert!(loader(&[no_lists_yet]).load().is_ok());
}

#[test]
fn bundles_for_some_handshakes_come_before_those_for_all_others() {
    let folder = Folder::new();
    let ca = folder.write("ca.pem", pem("CERTIFICATE", &Authority::root("A").der));
    let store = loader(&[
        format!("servers={ca};side=server"),
        format!("rest={ca}"),
        format!("never={ca}"),
        format!("web={ca};port=443"),
        format!("api={ca};port=443;address=10.0.0.1"),
        format!("named={ca};service=mail"),
    ])
    .load()
    .unwrap();
    let services = ServiceNames::new(&[Service::from_text("mail=465").unwrap()]);
    let chosen = |side, server: &str| {
        let target = Target {
            side,
            server: server.parse().unwrap(),
            server_name: None,
        };
        let (_, bundle) = store.bundle(&target, &services).unwrap();
        bundle.bundle.name.to_string()
    };
    assert_eq!(
        chosen(Side::Client, "10.0.0.1:443"),
        "web",
        "the first in the order of the file"
    );
    assert_eq!(chosen(Side::Server, "10.0.0.1:465"), "named");
    assert_eq!(chosen(Side::Server, "10.0.0.1:1"), "servers");
    assert_eq!(chosen(Side::Client, "10.0.0.1:1"), "rest");
    let target = Target {
        side: Side::Client,
        server: "10.0.0.1:1".parse().unwrap(),
        server_name: None,
    };
    let store = loader(&[format!("servers={ca};side=server")]).load().unwrap();
    assert!(store.bundle(&target, &services).is_none());
}

/// Waits for what comes of a change.
fn news(reloader: &Reloader) -> Result<Store, TrustError> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(result) = reloader.poll() {
            return result;
        }
        assert!(Instant::now() < deadline, "nothing came of it");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn changed_files_are_read_again_and_bad_ones_told_once() {
    let folder = Folder::new();
    let root = Authority::root("A");
    let leaf = root.leaf();
    let ca = folder.write("ca.pem", pem("CERTIFICATE", &root.der));
    folder.write("lists/a.crl", root.revocation_list(&[]));
    let loader = loader(&[format!("m={ca};crl={}/lists", folder.path())]);
    let (stamps, store) = (loader.stamps(), loader.load().unwrap());
    assert_eq!(verdict(&store, &leaf).status, Status::Valid);
    let reloader = Reloader::start(loader, stamps, Duration::from_millis(20)).unwrap();

    folder.write("lists/b.crl", root.revocation_list(&[7]));
    assert_eq!(
        verdict(&news(&reloader).unwrap(), &leaf).status,
        Status::Revoked,
        "a new file"
    );

    let bad = folder.write("lists/b.crl", "rubbish");
    let error = news(&reloader).unwrap_err().to_string();
    assert!(error.contains(&bad), "{error}");
    std::thread::sleep(Duration::from_millis(500));
    assert!(reloader.poll().is_none(), "once for each change");

    fs::remove_file(bad).unwrap();
    assert_eq!(
        verdict(&news(&reloader).unwrap(), &leaf).status,
        Status::Valid,
        "a file gone"
    );

    reloader.reload();
    assert!(news(&reloader).is_ok(), "unchanged, but asked for");
}
