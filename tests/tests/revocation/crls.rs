//! CRLs of OpenSSL, and what `openssl verify` says by them.

use std::fs;
use std::process::Command;

use tls_observer::verify::Revocation;
use tls_observer::verify::revocation::{Crl, RevocationSources};

use super::authority::{Authority, EC, Member, Row, authority, plan};

/// 2024-06-01T00:00:00Z
const TIME: i64 = 1_717_200_000;
const RSA: [&str; 4] = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const NOT_LISTED: Row<'_> = ("07", Some("240301000000Z"));
const FRESH: [&str; 2] = ["240501000000Z", "240701000000Z"];
const STALE: [&str; 2] = ["240401000000Z", "240501000000Z"];
const LATER: [&str; 2] = ["240801000000Z", "240901000000Z"];

fn sources(files: &[&[u8]]) -> RevocationSources {
    RevocationSources::new(files.iter().flat_map(|file| Crl::parse_file(file).unwrap()))
}

/// What `openssl verify` says of `leaf`: the words of its errors, which are none when it is satisfied.
fn openssl_verify(home: &Authority, anchor: &Member, leaf: &Member, crls: &[u8], time: i64) -> Vec<String> {
    let list = home.path().join("all.pem");
    fs::write(&list, crls).unwrap();
    let output = Command::new("openssl")
        .args([
            "verify",
            "-crl_check",
            "-extended_crl",
            "-attime",
            &time.to_string(),
            "-CAfile",
        ])
        .arg(&anchor.certificate)
        .arg("-CRLfile")
        .arg(list)
        .arg(&leaf.certificate)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = text.lines().filter_map(|line| line.split_once(" lookup: "));
    let errors: Vec<String> = lines.map(|(_, error)| error.to_owned()).collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{text}");
    errors
}

/// A CRL and what is to be said of certificate 5 by it.
struct Case<'a> {
    rows: &'a [Row<'a>],
    period: [&'a str; 2],
    extensions: &'a str,
    revocation: Revocation,
    /// Part of the detail.
    detail: &'a str,
    /// Part of OpenSSL's first error.
    openssl: Option<&'a str>,
}

#[test]
fn crls_tell_what_openssl_says() {
    use Revocation::{Good, Revoked, Unknown};
    let revoked = ("05", Some("240301000000Z,keyCompromise"));
    let listed = [NOT_LISTED, revoked];
    let not_listed = [NOT_LISTED];
    let case = |rows, period, extensions, revocation, detail, openssl| Case {
        rows,
        period,
        extensions,
        revocation,
        detail,
        openssl,
    };
    let cases = [
        case(
            &not_listed[..],
            FRESH,
            "",
            Good,
            "not revoked by the CRL of CN=Works of 2024-05-01T00:00:00Z, which is good until 2024-07-01T00:00:00Z",
            None,
        ),
        case(&[], FRESH, "", Good, "not revoked", None),
        case(
            &listed,
            FRESH,
            "",
            Revoked,
            "revoked 2024-03-01T00:00:00Z (keyCompromise) by the CRL of CN=Works of 2024-05-01T00:00:00Z",
            Some("certificate revoked"),
        ),
        case(
            &not_listed,
            STALE,
            "",
            Unknown,
            "is stale since 2024-05-01T00:00:00Z",
            Some("CRL has expired"),
        ),
        case(
            &listed,
            STALE,
            "",
            Revoked,
            ", which is stale since 2024-05-01T00:00:00Z",
            Some("CRL has expired"),
        ),
        case(
            &not_listed,
            LATER,
            "",
            Unknown,
            "was issued after the handshake",
            Some("CRL is not yet valid"),
        ),
        case(
            &listed,
            LATER,
            "",
            Revoked,
            "revoked 2024-03-01",
            Some("CRL is not yet valid"),
        ),
        case(
            &not_listed,
            FRESH,
            "1.2.3=critical,DER:0500",
            Unknown,
            "a critical extension that is not known, 1.2.3",
            Some("unhandled critical CRL extension"),
        ),
        case(&not_listed, FRESH, "1.2.3=DER:0500", Good, "not revoked", None),
        case(
            &listed,
            FRESH,
            "1.2.3=critical,DER:0500",
            Revoked,
            "keyCompromise",
            Some("unhandled critical CRL extension"),
        ),
        case(
            &not_listed,
            FRESH,
            "deltaCRL=critical,DER:020101",
            Unknown,
            "is a delta CRL",
            Some("unable to get certificate CRL"),
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nonlyuser=TRUE",
            Good,
            "",
            None,
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nonlyCA=TRUE",
            Unknown,
            "is only about CA certificates",
            Some("different CRL scope"),
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nonlyAA=TRUE",
            Unknown,
            "is only about attribute certificates",
            Some("different CRL scope"),
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nindirectCRL=TRUE",
            Unknown,
            "an indirect CRL",
            None,
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nonlysomereasons=keyCompromise",
            Unknown,
            "is only about some reasons",
            Some("unable to get certificate CRL"),
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nfullname=URI:http://crl.example/1",
            Good,
            "",
            None,
        ),
        case(
            &not_listed,
            FRESH,
            "issuingDistributionPoint=critical,@i\n[i]\nfullname=URI:http://crl.example/2",
            Unknown,
            "is of another distribution point",
            Some("different CRL scope"),
        ),
    ];
    for key in [&EC, &RSA] {
        let home = Authority::new(authority("Works"), key);
        let mut leaf = plan("leaf", 5);
        let uris = vec!["http://crl.example/1".to_owned()];
        leaf.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris }];
        let leaf = home.issue(&home.ca, "leaf", leaf);
        for case in &cases {
            let crl = home.crl(
                &home.ca,
                case.rows,
                case.period[0],
                case.period[1],
                case.extensions,
            );
            let answer = sources(&[&crl]).check(&[leaf.link(&home.ca)], TIME, None);
            let label = format!("{:?} {}: {answer:?}", case.period, case.extensions);
            assert_eq!(answer.revocation, case.revocation, "{label}");
            assert!(answer.detail.as_ref().unwrap().contains(case.detail), "{label}");
            let errors = openssl_verify(&home, &home.ca, &leaf, &crl, TIME);
            match case.openssl {
                None => assert_eq!(errors.as_slice(), &[] as &[String], "{label}"),
                Some(error) => assert!(errors[0].contains(error), "{label}: OpenSSL says {errors:?}"),
            }
        }
    }
}
