//! OCSP responses of OpenSSL, and what `openssl ocsp` says of them.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use observer_tls::ocsp::Response;
use rcgen::date_time_ymd;
use tls_observer::verify::Revocation;
use tls_observer::verify::revocation::{Answer, RevocationSources};

use super::authority::{Authority, EC, Member, Row, authority, plan, responder};

/// Certificate 5 is good, 6 is revoked, and 9 unknown.
const ROWS: [Row<'_>; 2] = [("05", None), ("06", Some("240301000000Z,superseded"))];
const DAY: i64 = 86_400;

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .try_into()
        .unwrap()
}

fn check(home: &Authority, leaf: &Member, time: i64, response: &[u8]) -> Answer {
    RevocationSources::default().check(&[leaf.link(&home.ca)], time, Some(response))
}

/// What `openssl ocsp` says: whether somebody who may signed the response, and what it says of the certificate.
fn openssl_ocsp(home: &Authority, serial: &str, hash: &str, time: i64, response: &[u8]) -> (bool, String) {
    let path = home.path().join("asked.der");
    fs::write(&path, response).unwrap();
    let output = Command::new("openssl")
        .args(["ocsp", "-no_nonce", hash, "-attime", &time.to_string(), "-issuer"])
        .arg(&home.ca.certificate)
        .args(["-serial", &format!("0x{serial}"), "-CAfile"])
        .arg(&home.ca.certificate)
        .arg("-respin")
        .arg(path)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("0x{serial}: ")));
    (
        text.contains("Response verify OK"),
        status.unwrap_or(&text).to_owned(),
    )
}

#[test]
fn responses_tell_what_openssl_says() {
    use Revocation::{Good, Revoked, Unknown};
    let home = Authority::new(authority("Works"), &EC);
    let other = Authority::new(authority("Others"), &EC);
    let delegate = home.issue(&home.ca, "delegate", responder("Responder"));
    let useless = home.issue(&home.ca, "useless", plan("Useless", 201));
    let mut expired = responder("Expired");
    expired.not_after = date_time_ymd(2024, 1, 1);
    let expired = home.issue(&home.ca, "expired", expired);
    let stranger = home.issue(&other.ca, "stranger", responder("Stranger"));

    let week = &["-ndays", "7"][..];
    let by_key = &["-ndays", "7", "-resp_key_id"][..];
    let sha256 = &["-ndays", "7", "-sha256"][..];
    let sha512 = &["-ndays", "7", "-sha512"][..];
    let md5 = &["-ndays", "7", "-md5"][..];
    let alone = &["-ndays", "7", "-resp_no_certs"][..];
    // Signer, serial number, arguments, days from now, answer, part of its detail, whether OpenSSL trusts the response.
    let cases = [
        (
            &home.ca,
            "05",
            week,
            0,
            Good,
            "not revoked by the stapled OCSP response of ",
            true,
        ),
        (
            &home.ca,
            "06",
            week,
            0,
            Revoked,
            "revoked 2024-03-01T00:00:00Z (superseded) by the stapled OCSP",
            true,
        ),
        (
            &home.ca,
            "09",
            week,
            0,
            Unknown,
            "says that the responder does not know it",
            true,
        ),
        (&home.ca, "05", by_key, 0, Good, "", true),
        (&home.ca, "05", sha256, 0, Good, "", true),
        (&home.ca, "05", sha512, 0, Good, "", true),
        (
            &home.ca,
            "05",
            md5,
            0,
            Unknown,
            "names its certificate with a hash that is not known",
            true,
        ),
        (&delegate, "05", week, 0, Good, "", true),
        (&delegate, "06", week, 0, Revoked, "superseded", true),
        (&delegate, "05", by_key, 0, Good, "", true),
        (
            &delegate,
            "05",
            alone,
            0,
            Unknown,
            "is not signed by the issuer",
            false,
        ),
        (
            &useless,
            "05",
            week,
            0,
            Unknown,
            "signed by CN=Useless, whose certificate is not for OCSP",
            false,
        ),
        (
            &expired,
            "05",
            week,
            0,
            Unknown,
            "signed by CN=Expired, whose certificate expired 2024-01-01",
            false,
        ),
        (
            &stranger,
            "05",
            week,
            0,
            Unknown,
            "signed by CN=Stranger, whose certificate the issuer did not sign",
            false,
        ),
        (&home.ca, "05", week, 8, Unknown, "is stale since ", true),
        (&home.ca, "06", week, 8, Revoked, "which is stale since ", true),
        (
            &home.ca,
            "05",
            week,
            -1,
            Unknown,
            "was issued after the handshake",
            true,
        ),
        (&home.ca, "06", week, -1, Revoked, "revoked 2024-03-01", true),
        // Without a next update.
        (
            &home.ca,
            "05",
            &[],
            0,
            Good,
            "does not say for how long it is good",
            true,
        ),
        (
            &home.ca,
            "05",
            &[],
            8,
            Unknown,
            "is too old, and does not say for how long",
            true,
        ),
    ];
    for (number, (signer, serial, arguments, days, revocation, detail, trusted)) in
        cases.into_iter().enumerate()
    {
        let serial_number = u8::from_str_radix(serial, 16).unwrap();
        let leaf = home.issue(&home.ca, "leaf", plan("leaf", serial_number));
        let response = home.ocsp(signer, &ROWS, serial, arguments);
        let time = now() + days * DAY;
        let answer = check(&home, &leaf, time, &response);
        assert_eq!(answer.revocation, revocation, "case {number}: {answer:?}");
        assert!(
            answer.detail.as_ref().unwrap().contains(detail),
            "case {number}: {answer:?}"
        );

        let hash = arguments
            .get(2)
            .filter(|hash| ["-sha256", "-sha512", "-md5"].contains(hash));
        let (verified, status) = openssl_ocsp(&home, serial, hash.unwrap_or(&"-sha1"), time, &response);
        assert_eq!(verified, trusted, "case {number}: OpenSSL says {status}");
        let word = match ROWS.iter().find(|(row, _)| *row == serial) {
            Some((_, Some(_))) => "revoked",
            Some(_) => "good",
            None => "unknown",
        };
        assert!(
            status.contains(word) || !trusted,
            "case {number}: OpenSSL says {status}"
        );
    }
}

#[test]
fn a_response_counts_for_its_certificate_only_and_unchanged() {
    let home = Authority::new(authority("Works"), &EC);
    let namesake = Authority::new(authority("Works"), &EC);
    let leaf = home.issue(&home.ca, "leaf", plan("leaf", 5));
    let response = home.ocsp(&home.ca, &ROWS, "05", &["-ndays", "7"]);
    assert_eq!(check(&home, &leaf, now(), &response).revocation, Revocation::Good);
    let unknown = |home: &Authority, leaf: &Member, response: &[u8], detail: &str| {
        let answer = check(home, leaf, now(), response);
        assert_eq!(answer.revocation, Revocation::Unknown, "{answer:?}");
        assert_eq!(answer.detail.as_deref(), Some(detail));
    };

    let sibling = home.issue(&home.ca, "sibling", plan("sibling", 7));
    unknown(
        &home,
        &sibling,
        &response,
        "the stapled OCSP response is about another certificate",
    );
    let cousin = namesake.issue(&namesake.ca, "cousin", plan("cousin", 5));
    unknown(
        &namesake,
        &cousin,
        &response,
        "the stapled OCSP response is about another certificate",
    );
    for (status, name) in [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (5, "sigRequired"),
        (6, "unauthorized"),
        (9, "0x09"),
    ] {
        let said = format!("the stapled OCSP response is none: the responder said {name}");
        unknown(&home, &leaf, &[0x30, 3, 0x0a, 1, status], &said);
    }
    unknown(
        &home,
        &leaf,
        b"",
        "the stapled OCSP response cannot be read: OCSPResponse: 1 bytes needed, 0 left",
    );

    // Whatever byte is changed: it does not count, or what it says stays the same.
    let basic = Response::parse(&response).unwrap().basic.unwrap();
    let message = basic.signed.message;
    let start = response
        .windows(message.len())
        .position(|bytes| bytes == message)
        .unwrap();
    for place in 0..response.len() {
        let mut changed = response.clone();
        changed[place] ^= 1;
        let answer = check(&home, &leaf, now(), &changed);
        let is_signed = (start..start + message.len()).contains(&place);
        match answer.revocation {
            Revocation::Good => assert!(!is_signed, "byte {place}"),
            other => assert_eq!(other, Revocation::Unknown, "byte {place}: {answer:?}"),
        }
    }
}

#[test]
fn long_names_are_cut() {
    let home = Authority::new(authority("Works"), &EC);
    let leaf = home.issue(&home.ca, "leaf", plan("leaf", 5));
    let other = Authority::new(authority("Others"), &EC);
    let stranger = home.issue(&other.ca, "stranger", responder(&"ä".repeat(2000)));
    let response = home.ocsp(&stranger, &ROWS, "05", &["-ndays", "7"]);
    let detail = check(&home, &leaf, now(), &response).detail.unwrap();
    let name = format!("CN={}", "ä".repeat(126));
    assert!(
        detail.contains(&format!("signed by {name}, whose certificate")),
        "{detail}"
    );
}

#[test]
fn every_reason_is_named() {
    let home = Authority::new(authority("Works"), &EC);
    let leaf = home.issue(&home.ca, "leaf", plan("leaf", 6));
    for reason in [
        "keyCompromise",
        "CACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
    ] {
        // OpenSSL writes the cause and what goes with it behind a hold.
        let revoked = match reason {
            "certificateHold" => "240301000000Z,holdInstruction,holdInstructionReject".to_owned(),
            reason => format!("240301000000Z,{reason}"),
        };
        let response = home.ocsp(&home.ca, &[("06", Some(&revoked))], "06", &["-ndays", "7"]);
        let answer = check(&home, &leaf, now(), &response);
        let detail = answer.detail.unwrap().to_lowercase();
        assert!(
            detail.contains(&format!("({})", reason.to_lowercase())),
            "{reason}: {detail}"
        );
    }
}
