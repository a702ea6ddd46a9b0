//! Several sources together, and files of several CRLs.

use rcgen::{CertificateParams, DnType, Issuer, KeyPair, KeyUsagePurpose};
use tls_observer::verify::revocation::{Answer, Crl, RevocationSources};
use tls_observer::verify::{Link, Revocation};

use super::authority::{Authority, EC, Member, Row, authority, plan, responder};

/// 2024-06-01T00:00:00Z
const TIME: i64 = 1_717_200_000;
const DAY: i64 = 86_400;
/// Seconds that clocks may differ by.
const SKEW: i64 = 300;
const OTHERS: Row<'_> = ("63", Some("240301000000Z"));
const REVOKED: Row<'_> = ("05", Some("240301000000Z,superseded"));

fn sources(files: &[&[u8]]) -> RevocationSources {
    RevocationSources::new(files.iter().flat_map(|file| Crl::parse_file(file).unwrap()))
}

/// An authority, a leaf with serial number 5, and means to make answers about it.
struct Scene {
    home: Authority,
    leaf: Member,
}

impl Scene {
    fn new() -> Self {
        let home = Authority::new(authority("Works"), &EC);
        let leaf = home.issue(&home.ca, "leaf", plan("leaf", 5));
        Self { home, leaf }
    }

    /// A CRL of these days of 2024, month and day.
    fn crl(&self, rows: &[Row<'_>], from: &str, until: &str) -> Vec<u8> {
        let time = |day: &str| format!("24{day}000000Z");
        self.home.crl(&self.home.ca, rows, &time(from), &time(until), "")
    }

    /// A response of now about the leaf.
    fn response(&self, state: Row<'_>) -> Vec<u8> {
        self.home.ocsp(&self.home.ca, &[state], "05", &["-ndays", "7"])
    }

    fn check(&self, files: &[&[u8]], time: i64, staple: Option<&[u8]>) -> Answer {
        sources(files).check(&[self.leaf.link(&self.home.ca)], time, staple)
    }
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs().try_into().unwrap()
}

#[test]
fn without_sources_nothing_is_said() {
    let scene = Scene::new();
    let nothing = Answer {
        revocation: Revocation::NotChecked,
        detail: None,
        chain_revoked: false,
        until: None,
        provisional: false,
    };
    assert_eq!(scene.check(&[], TIME, None), nothing);
    assert_eq!(
        sources(&[&scene.crl(&[], "0501", "0701")]).check(&[], TIME, Some(b"x")),
        nothing
    );
}

#[test]
fn revoked_counts_more_than_good_and_good_more_than_nothing() {
    let scene = Scene::new();
    let (good, bad) = (scene.response(("05", None)), scene.response(REVOKED));
    let long = |rows| {
        scene
            .home
            .crl(&scene.home.ca, rows, "240501000000Z", "440501000000Z", "")
    };
    let (clean, listing) = (long(&[OTHERS]), long(&[REVOKED]));
    let stale = scene.crl(&[OTHERS], "0401", "0501");
    for (files, staple, revocation, words) in [
        (
            &[&listing[..]][..],
            Some(&good[..]),
            Revocation::Revoked,
            "by the CRL of CN=Works",
        ),
        (
            &[&clean[..]],
            Some(&bad[..]),
            Revocation::Revoked,
            "by the stapled OCSP response",
        ),
        (
            &[&clean[..], &listing[..]],
            None,
            Revocation::Revoked,
            "by the CRL",
        ),
        (
            &[&stale[..]],
            Some(&good[..]),
            Revocation::Good,
            "by the stapled OCSP response",
        ),
        (
            &[&stale[..], &clean[..]],
            None,
            Revocation::Good,
            "good until 2044-05-01",
        ),
        (
            &[&clean[..]],
            Some(b"x"),
            Revocation::Good,
            "good until 2044-05-01",
        ),
        (
            &[&stale[..]],
            Some(b"x"),
            Revocation::Unknown,
            "the stapled OCSP response cannot be read: ",
        ),
    ] {
        let answer = scene.check(files, now(), staple);
        assert_eq!(answer.revocation, revocation, "{answer:?}");
        assert!(answer.detail.as_ref().unwrap().contains(words), "{answer:?}");
        assert!(!answer.chain_revoked && !answer.provisional);
    }
    let answer = scene.check(&[&stale], now(), Some(b"x"));
    assert!(
        answer
            .detail
            .unwrap()
            .ends_with("; the CRL of CN=Works of 2024-04-01T00:00:00Z is stale since 2024-05-01T00:00:00Z")
    );
}

#[test]
fn an_answer_tells_how_long_it_stays_the_same() {
    let scene = Scene::new();
    let until = |files: &[&[u8]], time| {
        let answer = scene.check(files, time, None);
        (answer.revocation, answer.until)
    };
    let june = scene.crl(&[OTHERS], "0501", "0630");
    let july = scene.crl(&[OTHERS], "0602", "0730");
    let last = 1_719_705_600 + SKEW;
    assert_eq!(until(&[&june], TIME), (Revocation::Good, Some(last)));
    assert_eq!(until(&[&june], last), (Revocation::Good, Some(last)));
    assert_eq!(until(&[&june], last + 1), (Revocation::Unknown, None));
    // Another list begins to count a day later.
    let begins = TIME + DAY - SKEW;
    assert_eq!(until(&[&july], TIME), (Revocation::Unknown, Some(begins - 1)));
    assert_eq!(until(&[&june, &july], TIME), (Revocation::Good, Some(begins - 1)));
    assert_eq!(until(&[&july], begins).0, Revocation::Good);
    assert_eq!(
        until(&[&scene.crl(&[REVOKED], "0501", "0630")], TIME),
        (Revocation::Revoked, None)
    );

    // What a responder says counts no longer than his certificate.
    let mut delegate = responder("Responder");
    delegate.not_after = rcgen::date_time_ymd(2028, 1, 1);
    let delegate = scene.home.issue(&scene.home.ca, "delegate", delegate);
    let response = scene
        .home
        .ocsp(&delegate, &[("05", None)], "05", &["-ndays", "3000"]);
    let answer = scene.check(&[], now(), Some(&response));
    assert_eq!(
        (answer.revocation, answer.until),
        (Revocation::Good, Some(1_830_297_600 + SKEW))
    );
}

#[test]
fn a_responder_that_was_revoked_does_not_count() {
    let scene = Scene::new();
    // Its serial number is 200.
    let delegate = scene
        .home
        .issue(&scene.home.ca, "delegate", responder("Responder"));
    let response = scene
        .home
        .ocsp(&delegate, &[("05", None)], "05", &["-ndays", "7"]);
    let other = scene.crl(&[OTHERS], "0401", "0501");
    assert_eq!(
        scene.check(&[&other], now(), Some(&response)).revocation,
        Revocation::Good
    );
    let listing = scene.crl(&[("C8", Some("240301000000Z"))], "0401", "0501");
    let answer = scene.check(&[&listing], now(), Some(&response));
    assert_eq!(answer.revocation, Revocation::Unknown, "{answer:?}");
    let start =
        "the stapled OCSP response is signed by CN=Responder, whose certificate is revoked 2024-03-01";
    assert!(answer.detail.as_ref().unwrap().starts_with(start), "{answer:?}");
}

#[test]
fn only_crls_of_the_issuer_and_its_key_count() {
    let scene = Scene::new();
    let stranger = Authority::new(authority("Others"), &EC);
    let others = stranger.crl(&stranger.ca, &[], "240501000000Z", "240701000000Z", "");
    let answer = scene.check(&[&others], TIME, None);
    assert_eq!(answer.revocation, Revocation::Unknown);
    assert_eq!(answer.detail.as_deref(), Some("no CRL of CN=Works is configured"));

    let namesake = Authority::new(authority("Works"), &EC);
    let list = namesake.crl(&namesake.ca, &[REVOKED], "240501000000Z", "240701000000Z", "");
    let answer = scene.check(&[&list], TIME, None);
    assert_eq!(answer.revocation, Revocation::Unknown);
    assert!(
        answer
            .detail
            .unwrap()
            .ends_with("is signed by another key of that name")
    );
    let own = scene.crl(&[OTHERS], "0501", "0701");
    assert_eq!(
        scene.check(&[&list, &own], TIME, None).revocation,
        Revocation::Good
    );
}

#[test]
fn a_changed_crl_does_not_count() {
    let scene = Scene::new();
    let pem = scene.crl(&[OTHERS], "0501", "0701");
    let der = openssl_der(&scene, &pem);
    assert_eq!(scene.check(&[&der], TIME, None).revocation, Revocation::Good);
    let lists = Crl::parse_file(&der).unwrap();
    let signed = lists[0].list().signed();
    let signature = der.len() - signed.signature.len();
    // The tag and the length of all come before what is signed.
    let message = 3..3 + signed.message.len();
    assert_eq!(&der[message.clone()], signed.message);
    for place in message.chain(signature..der.len()) {
        let mut changed = der.clone();
        changed[place] ^= 1;
        // Many a change makes it no CRL, or one of another issuer.
        let Ok(lists) = Crl::parse_file(&changed) else {
            continue;
        };
        let answer = RevocationSources::new(lists).check(&[scene.leaf.link(&scene.home.ca)], TIME, None);
        assert_eq!(answer.revocation, Revocation::Unknown, "byte {place}: {answer:?}");
    }
}

/// The CRL as DER.
fn openssl_der(scene: &Scene, pem: &[u8]) -> Vec<u8> {
    let [from, to] = ["from.pem", "to.der"].map(|file| scene.home.path().join(file));
    std::fs::write(&from, pem).unwrap();
    let mut command = std::process::Command::new("openssl");
    super::authority::run(
        command
            .args(["crl", "-outform", "DER", "-in"])
            .arg(from)
            .arg("-out")
            .arg(&to),
    );
    std::fs::read(to).unwrap()
}

#[test]
fn an_issuer_that_may_not_sign_crls_signs_none() {
    let home = Authority::new(authority("Works"), &EC);
    let mut middle = authority("Middle");
    middle.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let middle = home.issue(&home.ca, "middle", middle);
    let leaf = home.issue(&middle, "leaf", plan("leaf", 5));
    let list = home.crl(&middle, &[REVOKED], "240501000000Z", "240701000000Z", "");
    let links = [leaf.link(&middle), middle.link(&home.ca)];
    let answer = sources(&[&list]).check(&links, TIME, None);
    assert_eq!(answer.revocation, Revocation::Unknown);
    assert_eq!(
        answer.detail.as_deref(),
        Some("the certificate of CN=Middle is not for CRLs")
    );
}

#[test]
fn names_that_differ_in_case_are_of_one_issuer() {
    let scene = Scene::new();
    let mut shouting = authority("x");
    shouting.distinguished_name = rcgen::DistinguishedName::new();
    shouting.distinguished_name.push(DnType::CommonName, "WORKS");
    let key = KeyPair::from_pem(&std::fs::read_to_string(&scene.home.ca.key).unwrap()).unwrap();
    let list = crl_of(shouting, key);
    assert_eq!(scene.check(&[&list], TIME, None).revocation, Revocation::Good);
}

/// An empty CRL of rcgen.
fn crl_of(issuer: CertificateParams, key: KeyPair) -> Vec<u8> {
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 5, 1),
        next_update: rcgen::date_time_ymd(2024, 7, 1),
        crl_number: vec![1].into(),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    list.signed_by(&Issuer::new(issuer, key)).unwrap().der().to_vec()
}

#[test]
fn of_many_sources_some_are_named() {
    let scene = Scene::new();
    let stale: Vec<_> = (1..=6)
        .map(|day| scene.crl(&[], &format!("020{day}"), "0301"))
        .collect();
    let files: Vec<&[u8]> = stale.iter().map(Vec::as_slice).collect();
    let detail = scene.check(&files, TIME, None).detail.unwrap();
    assert_eq!(detail.matches("is stale since").count(), 4);
    assert!(detail.ends_with("; and 2 more"), "{detail}");
}

#[test]
fn a_certificate_that_cannot_be_read_is_unknown() {
    let scene = Scene::new();
    let link = Link {
        certificate: b"\x30\x03\x02\x01",
        ..scene.leaf.link(&scene.home.ca)
    };
    let answer = sources(&[&scene.crl(&[], "0501", "0701")]).check(&[link], TIME, None);
    assert_eq!(answer.revocation, Revocation::Unknown);
    assert!(
        answer
            .detail
            .unwrap()
            .starts_with("the certificate cannot be read: certificate: ")
    );
}

#[test]
fn files_have_one_crl_or_many() {
    let scene = Scene::new();
    let [one, two] = [&[][..], &[OTHERS]].map(|rows| scene.crl(rows, "0501", "0701"));
    let certificate = std::fs::read(&scene.leaf.certificate).unwrap();
    let many = Crl::parse_file(&[&one[..], b"some words\n", &certificate, &two].concat()).unwrap();
    assert_eq!(
        many.iter().map(|crl| crl.list().len()).collect::<Vec<_>>(),
        [0, 1]
    );
    assert_eq!(many[0].issuer(), "CN=Works");

    let error = |content: &[u8]| Crl::parse_file(content).unwrap_err().to_string();
    assert_eq!(error(&certificate), "no block \"X509 CRL\" in it");
    assert_eq!(error(b""), "no block \"X509 CRL\" in it");
    assert_eq!(
        error(b"\x30\x00"),
        "CRL 1 of the file: tbsCertList: 1 bytes needed, 0 left"
    );
    let broken = String::from_utf8(two).unwrap().replacen("M", "MM", 1);
    let both = [&one[..], broken.as_bytes()].concat();
    assert!(
        error(&both).starts_with("CRL 2 of the file: ") || error(&both).starts_with("block 2 is not PEM: ")
    );
    let cut = [
        &one[..],
        b"-----BEGIN X509 CRL-----\n!!!!\n-----END X509 CRL-----\n",
    ]
    .concat();
    assert!(error(&cut).starts_with("block 2 is not PEM: "), "{}", error(&cut));
}
