//! What certificates say of their issuer's key and of where to ask about their revocation.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/odd_certificate.rs"]
mod odd_certificate;

use observer_tls::x509::{CertificateFacts, CertificateParts, PublicKeyParts};
use odd_certificate::*;

/// Last arcs under 2.5.29.
const SUBJECT_KEY: u8 = 14;
const DISTRIBUTION_POINTS: u8 = 31;
const AUTHORITY_KEY: u8 = 35;

fn facts(extensions: &[Vec<u8>]) -> CertificateFacts {
    let extensions = extensions.to_vec();
    CertificateFacts::parse(
        &OddCertificate {
            extensions,
            ..OddCertificate::default()
        }
        .der(),
    )
}

/// authorityInfoAccess with these locations: last arc under id-ad, identifier and content of the name.
fn access(locations: &[(u8, u8, &str)]) -> Vec<u8> {
    let descriptions = locations.iter().map(|(arc, identifier, name)| {
        let method = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 48, *arc]);
        sequence(&[method, tlv(*identifier, name.as_bytes())])
    });
    let value = sequence(&descriptions.collect::<Vec<_>>());
    sequence(&[tlv(6, &[0x2b, 6, 1, 5, 5, 7, 1, 1]), tlv(4, &value)])
}

/// A distribution point with these URIs, and what stands behind them.
fn point(uris: &[&str], rest: &[u8]) -> Vec<u8> {
    let names: Vec<_> = uris.iter().map(|uri| tlv(0x86, uri.as_bytes())).collect();
    sequence(&[tlv(0xa0, &tlv(0xa0, &names.concat())), rest.to_vec()])
}

#[test]
fn keys_and_places_are_read() {
    let facts = facts(&[
        extension(SUBJECT_KEY, &tlv(4, b"own")),
        extension(
            AUTHORITY_KEY,
            &sequence(&[tlv(0x80, b"issuer's"), tlv(0xa1, b""), tlv(0x82, &[1])]),
        ),
        access(&[
            (1, 0x86, "http://a/"),
            (2, 0x86, "http://ca/"),
            (1, 0x82, "dns"),
            (1, 0x86, "http://b/"),
        ]),
        extension(
            DISTRIBUTION_POINTS,
            &sequence(&[
                point(&["http://c/1", "ldap://c/1"], b""),
                point(&["http://c/2"], &tlv(0x81, &[0, 0x40])),
                point(&["http://c/3"], &tlv(0xa2, b"")),
                sequence(&[tlv(0xa2, b"")]),
            ]),
        ),
    ]);
    assert_eq!(facts.malformed, None);
    assert_eq!(facts.subject_key_id.as_deref(), Some(&b"own"[..]));
    assert_eq!(facts.authority_key_id.as_deref(), Some(&b"issuer's"[..]));
    assert_eq!(facts.ocsp_urls, ["http://a/", "http://b/"]);
    let points: Vec<_> = facts
        .crl_distribution_points
        .iter()
        .map(|point| {
            let uris: Vec<_> = point.names.iter().filter_map(|name| name.uri()).collect();
            (uris.join(" "), point.some_reasons, point.other_issuer)
        })
        .collect();
    let expected = [
        ("http://c/1 ldap://c/1", false, false),
        ("http://c/2", true, false),
        ("http://c/3", false, true),
        ("", false, true),
    ];
    assert_eq!(
        points,
        expected.map(|(uris, reasons, other)| (uris.to_owned(), reasons, other))
    );
}

#[test]
fn what_is_broken_or_too_much_costs_only_itself() {
    let names = alternative_names(&[(0x82, b"a.example")]);
    let many = |count: usize| {
        extension(
            DISTRIBUTION_POINTS,
            &sequence(&vec![point(&["http://c/"], b""); count]),
        )
    };
    for (broken, reason, points, urls) in [
        (extension(SUBJECT_KEY, b"x"), "subjectKeyIdentifier: ", 0, 0),
        (
            extension(AUTHORITY_KEY, &tlv(4, b"x")),
            "authorityKeyIdentifier: ",
            0,
            0,
        ),
        (
            many(17),
            "cRLDistributionPoints: more of them than are kept",
            16,
            0,
        ),
        (
            extension(DISTRIBUTION_POINTS, &sequence(&[point(&["http://c/"; 17], b"")])),
            "cRLDistributionPoints: more names",
            0,
            0,
        ),
        (
            extension(DISTRIBUTION_POINTS, &sequence(&[point(&[], &tlv(5, b""))])),
            "cRLDistributionPoints: ",
            0,
            0,
        ),
        (
            access(&[(1, 0x86, "http://a/"); 9]),
            "authorityInfoAccess: more OCSP responders than are kept",
            0,
            8,
        ),
    ] {
        let facts = facts(&[broken, names.clone()]);
        assert_eq!(facts.dns_names, ["a.example"]);
        let malformed = facts.malformed.unwrap();
        assert!(malformed.starts_with(reason), "{reason}: {malformed}");
        assert_eq!(
            (facts.crl_distribution_points.len(), facts.ocsp_urls.len()),
            (points, urls),
            "{reason}"
        );
    }
    assert_eq!(facts(&[many(16)]).malformed, None);
}

#[test]
fn the_parts_of_a_certificate_are_where_they_stand() {
    let whole = OddCertificate {
        serial: tlv(2, &[0, 0xff]),
        ..OddCertificate::default()
    };
    let der = whole.der();
    let parts = CertificateParts::read(&der).unwrap();
    assert_eq!(parts.serial_number, [0, 0xff]);
    assert_eq!((parts.issuer, parts.subject), (&*whole.issuer, &*whole.subject));
    assert_eq!(parts.public_key, whole.key);
    assert_eq!(parts.signed.signature, [0x77, 0x77]);
    assert!(der[3..].starts_with(parts.signed.message));
    let key = PublicKeyParts::read(parts.public_key).unwrap();
    assert_eq!(key.algorithm.len(), 19);
    assert_eq!(key.key, [&[4][..], &[0x5a; 64]].concat());
    for end in 0..der.len() {
        assert!(CertificateParts::read(&der[..end]).is_err(), "{end} bytes");
    }
    assert!(PublicKeyParts::read(&whole.issuer).is_err());
}
