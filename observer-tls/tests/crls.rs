//! CRLs put together by hand: what is read of them, and what is refused.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/odd_certificate.rs"]
mod odd_certificate;

use bytes::Bytes;
use observer_tls::ParseError;
use observer_tls::codepoints::CrlReason;
use observer_tls::crl::{CertificateList, Entry, Scope};
use observer_tls::x509::GeneralName;
use odd_certificate::*;

/// 2030-01-01T00:00:00Z
const YEAR_2030: i64 = 1_893_456_000;
const DAY: i64 = 86_400;

/// Last arcs under 2.5.29.
const REASON: u8 = 21;
const INVALIDITY_DATE: u8 = 24;
const DELTA: u8 = 27;
const DISTRIBUTION_POINT: u8 = 28;
const CERTIFICATE_ISSUER: u8 = 29;
const AUTHORITY_KEY: u8 = 35;

fn algorithm() -> Vec<u8> {
    sequence(&[tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])])
}

fn time(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

fn critical(arc: u8, value: &[u8]) -> Vec<u8> {
    sequence(&[tlv(6, &[0x55, 29, arc]), tlv(1, &[0xff]), tlv(4, value)])
}

/// An entry of the list, revoked when 2030 began.
fn entry(serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = match extensions {
        [] => Vec::new(),
        extensions => sequence(extensions),
    };
    sequence(&[tlv(2, serial), time("300101000000Z"), extensions])
}

/// The elements between version and signature; then the list with them.
fn list_of(parts: &[Vec<u8>]) -> Vec<u8> {
    let body = sequence(&[&[tlv(2, &[1]), algorithm()][..], parts].concat());
    sequence(&[body, algorithm(), tlv(3, &[0, 0x77])])
}

/// A list of 2030-01-02 until 2030-01-03.
fn list(entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = match extensions {
        [] => Vec::new(),
        extensions => tlv(0xa0, &sequence(extensions)),
    };
    list_of(&[
        common_name(0x0c, b"issuer"),
        time("300102000000Z"),
        time("300103000000Z"),
        sequence(entries),
        extensions,
    ])
}

fn parse(der: &[u8]) -> Result<CertificateList, ParseError> {
    CertificateList::parse(&Bytes::copy_from_slice(der))
}

fn scope(extension: Vec<u8>) -> Scope {
    parse(&list(&[], &[extension])).unwrap().scope
}

#[test]
fn a_list_tells_who_made_it_and_when() {
    let read = parse(&list(
        &[],
        &[extension(AUTHORITY_KEY, &sequence(&[tlv(0x80, b"key")]))],
    ))
    .unwrap();
    assert_eq!(read.issuer, common_name(0x0c, b"issuer"));
    assert_eq!(read.this_update, YEAR_2030 + DAY);
    assert_eq!(read.next_update, Some(YEAR_2030 + 2 * DAY));
    assert_eq!(read.authority_key_id.as_deref(), Some(&b"key"[..]));
    assert_eq!(read.scope, Scope::default());
    assert!(read.is_empty());
    let signed = read.signed();
    assert_eq!(
        (signed.algorithm, signed.signature),
        (&algorithm()[2..], &[0x77][..])
    );
    assert!(signed.message.starts_with(&[0x30]));

    let short = parse(&list_of(&[
        common_name(0x0c, b"issuer"),
        tlv(0x18, b"20300101000000Z"),
    ]))
    .unwrap();
    assert_eq!(
        (short.this_update, short.next_update, short.len()),
        (YEAR_2030, None, 0)
    );
}

#[test]
fn entries_are_found_by_their_serial_number() {
    let reason = |code: u8| vec![extension(REASON, &tlv(0x0a, &[code]))];
    let entries = [
        entry(&[9], &reason(1)),
        entry(&[0, 0xff], &[]),
        entry(
            &[0xff],
            &[extension(INVALIDITY_DATE, &tlv(0x18, b"20290101000000Z"))],
        ),
        entry(&[1; 20], &reason(6)),
        entry(&[5], &reason(8)),
        entry(&[4], &reason(8)),
        entry(&[4], &reason(3)),
    ];
    let read = parse(&list(&entries, &[])).unwrap();
    assert_eq!(read.len(), 7);
    let found = |serial: &[u8]| read.find(serial).map(|entry| entry.reason);
    assert_eq!(
        read.find(&[9]),
        Some(Entry {
            revoked_at: YEAR_2030,
            reason: Some(CrlReason::KEY_COMPROMISE)
        })
    );
    assert_eq!(found(&[0, 0xff]), Some(None));
    assert_eq!(found(&[0xff]), Some(None));
    assert_eq!(found(&[1; 20]), Some(Some(CrlReason::CERTIFICATE_HOLD)));
    assert_eq!(found(&[5]), None, "it was removed from the list");
    assert_eq!(found(&[4]), Some(Some(CrlReason::AFFILIATION_CHANGED)));
    for serial in [&[][..], &[1], &[8], &[10], &[1; 19], &[1; 21], &[0xff, 0xff]] {
        assert_eq!(found(serial), None, "{serial:?}");
    }
}

#[test]
fn a_hundred_thousand_entries_take_four_bytes_each() {
    let serial = |number: u32| [&[1][..], &number.wrapping_mul(0x9e37_79b1).to_be_bytes()].concat();
    let entries: Vec<_> = (0..100_000).map(|number| entry(&serial(number), &[])).collect();
    let der = list(&entries, &[]);
    let read = parse(&der).unwrap();
    assert_eq!(read.len(), 100_000);
    assert!(
        read.weight() <= der.len() + 400_000,
        "{} for {}",
        read.weight(),
        der.len()
    );
    assert!((0..100_000).all(|number| read.find(&serial(number)).is_some()));
    assert!((100_000..101_000).all(|number| read.find(&serial(number)).is_none()));
}

#[test]
fn the_scope_is_told() {
    let point = |content: &[u8]| scope(critical(DISTRIBUTION_POINT, &tlv(0x30, content)));
    assert!(point(&tlv(0x81, &[0xff])).only_user_certificates);
    assert!(!point(&tlv(0x81, &[0])).only_user_certificates);
    assert!(point(&tlv(0x82, &[0xff])).only_ca_certificates);
    assert!(point(&tlv(0x83, &[1, 0x40])).only_some_reasons);
    assert!(point(&tlv(0x84, &[0xff])).indirect);
    assert!(point(&tlv(0x85, &[1])).only_attribute_certificates);
    let full = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/")));
    let name = GeneralName {
        identifier: 0x86,
        content: (*b"http://a.example/").into(),
    };
    assert_eq!(name.uri(), Some("http://a.example/"));
    assert_eq!(point(&full).distribution_point, Some(vec![name]));
    let relative = tlv(0xa0, &tlv(0xa1, b"x"));
    let name = GeneralName {
        identifier: 0xa1,
        content: (*b"x").into(),
    };
    assert_eq!(name.uri(), None);
    assert_eq!(point(&relative).distribution_point, Some(vec![name]));
    assert!(scope(critical(DELTA, &tlv(2, &[1]))).delta);
}

#[test]
fn critical_extensions_that_are_not_known_are_named() {
    let unknown = |entries: &[Vec<u8>], extensions: &[Vec<u8>]| {
        parse(&list(entries, extensions)).unwrap().scope.unknown_critical
    };
    assert_eq!(unknown(&[], &[extension(99, b"x")]), None);
    assert_eq!(unknown(&[entry(&[1], &[extension(99, b"x")])], &[]), None);
    assert_eq!(
        unknown(&[], &[critical(99, b"x"), critical(98, b"x")]).as_deref(),
        Some("2.5.29.99")
    );
    let of_other = [
        entry(&[1], &[]),
        entry(&[2], &[critical(CERTIFICATE_ISSUER, b"x")]),
    ];
    assert_eq!(unknown(&of_other, &[]).as_deref(), Some("2.5.29.29"));
}

#[test]
fn what_is_broken_is_named() {
    let whole = list(&[entry(&[1], &[])], &[]);
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).is_err(), "{end} bytes");
    }
    let other = sequence(&[tlv(6, &[0x2a, 3])]);
    let body = sequence(&[algorithm(), common_name(0x0c, b"issuer"), time("300101000000Z")]);
    let long_list = |extension: Vec<u8>| list(&[], &[extension]);
    for (broken, reason) in [
        ([&whole[..], &[0]].concat(), "CertificateList: 1 bytes too many"),
        (
            sequence(&[body.clone(), other, tlv(3, &[0])]),
            "signature: another algorithm",
        ),
        (sequence(&[body, algorithm(), tlv(3, &[])]), "signature: "),
        (list(&[sequence(&[tlv(2, &[1])])], &[]), "revocationDate: "),
        (
            list(&[sequence(&[time("300101000000Z")])], &[]),
            "userCertificate: ",
        ),
        (
            list(&[entry(&[1], &[extension(REASON, &tlv(0x0a, &[1, 1]))])], &[]),
            "reasonCode: not one byte",
        ),
        (
            list(&[entry(&[1], &[extension(REASON, &tlv(2, &[1]))])], &[]),
            "reasonCode: ",
        ),
        (list(&[], &[sequence(&[])]), "extension: "),
        (
            long_list(critical(DISTRIBUTION_POINT, &sequence(&[tlv(0x86, b"")]))),
            "issuingDistributionPoint: ",
        ),
        (
            long_list(extension(AUTHORITY_KEY, b"x")),
            "authorityKeyIdentifier: ",
        ),
        (
            list_of(&[common_name(0x0c, b"issuer"), time("300101000000Z"), tlv(4, b"")]),
            "tbsCertList: 2 bytes too many",
        ),
        (
            list_of(&[common_name(0x0c, b"issuer"), time("no time")]),
            "thisUpdate: not a time",
        ),
    ] {
        let error = parse(&broken).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{reason}: {error}");
    }
}
