//! Certificates that are odd or broken: what can be read is given, and what cannot is said.

#[path = "support/odd_certificate.rs"]
mod odd_certificate;

use observer_tls::x509::CertificateFacts;
use odd_certificate::*;

/// 2030-01-01 and 2031-01-01, midnight UTC.
const YEAR_2030: (Option<i64>, Option<i64>) = (Some(1_893_456_000), Some(1_924_992_000));

fn facts(certificate: &OddCertificate) -> CertificateFacts {
    CertificateFacts::parse(&certificate.der())
}

/// The facts of a certificate about which nothing is malformed.
fn sound(certificate: &OddCertificate) -> CertificateFacts {
    let facts = facts(certificate);
    assert_eq!(facts.malformed, None);
    assert_eq!(facts.public_key_curve.as_deref(), Some("P-256"));
    facts
}

fn with_extensions(extensions: &[Vec<u8>]) -> OddCertificate {
    OddCertificate {
        extensions: extensions.to_vec(),
        ..OddCertificate::default()
    }
}

#[test]
fn serials_may_be_negative_or_long() {
    let serial = |content: &[u8]| OddCertificate {
        serial: tlv(2, content),
        ..OddCertificate::default()
    };
    assert_eq!(sound(&serial(&[0xff, 0x00])).serial_number, "-0100");
    let long = [&[0, 0x80][..], &[0x11; 30]].concat();
    assert_eq!(
        sound(&serial(&long)).serial_number,
        format!("80{}", "11".repeat(30))
    );
    for broken in [&[][..], &[0, 1], &[0x11; 5000]] {
        let facts = facts(&serial(broken));
        assert_eq!(facts.serial_number, "");
        assert!(facts.malformed.unwrap().starts_with("serialNumber: "));
        assert_eq!(facts.subject, "CN=subject");
    }
}

#[test]
fn names_may_be_of_old_types_empty_or_broken() {
    let subject = |subject: Vec<u8>| OddCertificate {
        subject,
        ..OddCertificate::default()
    };
    let umlaut = sound(&subject(common_name(0x1e, &[0, b'M', 0, 0xfc])));
    assert_eq!(umlaut.subject, "CN=Mü");
    assert_eq!(umlaut.subject_attributes.common_name, ["Mü"]);
    assert_eq!(sound(&subject(common_name(0x14, b"M\xfc"))).subject, "CN=Mü");
    assert_eq!(sound(&subject(tlv(0x30, b""))).subject, "");

    let without_attributes = facts(&subject(tlv(0x30, &tlv(0x31, b""))));
    assert_eq!(without_attributes.subject, "");
    assert!(without_attributes.malformed.unwrap().starts_with("subject: "));
    let half_a_character = facts(&subject(common_name(0x1e, b"M")));
    assert_eq!(half_a_character.subject, "CN=#1E014D");
    assert!(half_a_character.malformed.unwrap().starts_with("subject: "));
    let no_name = facts(&subject(tlv(0x30, b"\x31\x05M")));
    assert_eq!(
        (no_name.subject.as_str(), no_name.issuer.as_str()),
        ("", "CN=issuer")
    );
    assert_eq!((no_name.not_before, no_name.not_after), YEAR_2030);
    assert!(no_name.malformed.is_some());
}

#[test]
fn who_issues_to_the_same_name_issues_to_itself() {
    assert!(!sound(&OddCertificate::default()).self_issued);
    let same = OddCertificate {
        issuer: common_name(0x13, b"subject"),
        ..OddCertificate::default()
    };
    assert!(sound(&same).self_issued);
    let unreadable = OddCertificate {
        issuer: tlv(0x30, b"?"),
        subject: tlv(0x30, b"?"),
        ..OddCertificate::default()
    };
    assert!(!facts(&unreadable).self_issued);
}

#[test]
fn validity_may_be_centuries_away_or_unreadable() {
    let validity = |from: Vec<u8>, to: Vec<u8>| OddCertificate {
        validity: sequence(&[from, to]),
        ..OddCertificate::default()
    };
    let ever = sound(&validity(
        tlv(0x18, b"19000101000000Z"),
        tlv(0x18, b"99991231235959Z"),
    ));
    assert_eq!(
        (ever.not_before, ever.not_after),
        (Some(-2_208_988_800), Some(253_402_300_799))
    );
    let odd = facts(&validity(tlv(0x17, b"soon"), tlv(0x17, b"310101000000Z")));
    assert_eq!((odd.not_before, odd.not_after), (None, YEAR_2030.1));
    assert_eq!(odd.malformed.as_deref(), Some("notBefore: not a time"));
}

#[test]
fn two_thousand_names_are_kept_and_more_are_counted() {
    let certificate = |count: usize| {
        let names: Vec<_> = (0..count)
            .map(|number| format!("host-{number}.example"))
            .collect();
        let names: Vec<_> = names.iter().map(|name| (0x82, name.as_bytes())).collect();
        with_extensions(&[alternative_names(&names)])
    };
    let many = sound(&certificate(2_000));
    assert_eq!(many.dns_names.len(), 2_000);
    assert_eq!(many.dns_names[1_999], "host-1999.example");
    assert_eq!(many.alternative_names_left_out, 0);
    let too_many = sound(&certificate(10_000));
    assert_eq!(
        too_many.dns_names.len() + too_many.alternative_names_left_out,
        10_000
    );
    assert!((2_000..5_000).contains(&too_many.dns_names.len()));
}

#[test]
fn a_spiffe_id_is_not_the_only_one_that_was_kept() {
    let mut names = vec![(0x86, &b"spiffe://prod/a"[..])];
    names.extend(vec![(0x88, &[0x2a_u8][..]); 10_000]);
    names.push((0x86, b"spiffe://prod/b"));
    let facts = sound(&with_extensions(&[alternative_names(&names)]));
    assert_eq!(facts.uris, ["spiffe://prod/a"]);
    assert_eq!(facts.spiffe_id(), None);
}

#[test]
fn every_kind_of_alternative_name_is_read() {
    let upn = [
        tlv(6, &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]),
        tlv(0xa0, &tlv(0x0c, b"a@corp")),
    ]
    .concat();
    let other = [tlv(6, &[0x2a, 3]), tlv(0xa0, &tlv(2, &[1]))].concat();
    let facts = sound(&with_extensions(&[alternative_names(&[
        (0x81, b"a@example.org"),
        (0x82, b"good.example\0.bad.example"),
        (0x82, "bücher.example".as_bytes()),
        (0x87, &[192, 0, 2, 1]),
        (0x86, b"urn:x"),
        (0x88, &[0x2a, 3, 4]),
        (0xa4, &common_name(0x0c, b"directory")),
        (0xa0, &upn),
        (0xa0, &other),
        (0xa3, b"X.400"),
    ])]));
    assert_eq!(facts.emails, ["a@example.org"]);
    // All of a name is shown, so that nobody takes it for another.
    assert_eq!(facts.dns_names, ["good.example\0.bad.example", "bücher.example"]);
    assert_eq!(facts.ip_addresses, ["192.0.2.1"]);
    assert_eq!(facts.uris, ["urn:x"]);
    assert_eq!(facts.registered_ids, ["1.2.3.4"]);
    assert_eq!(facts.directory_names, ["CN=directory"]);
    assert_eq!(facts.user_principal_names, ["a@corp"]);
}

#[test]
fn a_broken_alternative_name_costs_only_itself() {
    for broken in [
        (0x87, &[192, 0, 2, 1, 5][..]),
        (0x82, b"\xff.example"),
        (0x88, b""),
        (0xa4, b"x"),
        (0xa0, b"x"),
    ] {
        let names = alternative_names(&[(0x82, b"a.example"), broken, (0x82, b"b.example")]);
        let facts = facts(&with_extensions(&[names]));
        assert_eq!(facts.dns_names, ["a.example", "b.example"]);
        assert_eq!(facts.ip_addresses.len(), 0);
        assert!(
            facts.malformed.unwrap().starts_with("subjectAltName: "),
            "{broken:x?}"
        );
    }
}

#[test]
fn a_broken_extension_costs_only_itself() {
    let names = alternative_names(&[(0x82, b"a.example")]);
    for (broken, reason) in [
        (
            extension(BASIC_CONSTRAINTS, b"\x30\x05\x01"),
            "basicConstraints: ",
        ),
        (
            extension(BASIC_CONSTRAINTS, &sequence(&[tlv(1, b"")])),
            "basicConstraints: ",
        ),
        (
            extension(EXTENDED_KEY_USAGE, &sequence(&[tlv(6, b"")])),
            "extendedKeyUsage: ",
        ),
        (
            extension(EXTENDED_KEY_USAGE, &tlv(0x31, b"")),
            "extendedKeyUsage: ",
        ),
        (sequence(&[tlv(6, &[0x55, 29, 15]), tlv(3, b"")]), "keyUsage: "),
        (sequence(&[tlv(2, &[1])]), "extension: "),
    ] {
        let facts = facts(&with_extensions(&[broken, names.clone()]));
        assert_eq!(facts.dns_names, ["a.example"], "{reason}");
        let malformed = facts.malformed.unwrap();
        assert!(malformed.starts_with(reason), "{malformed}");
    }
}

#[test]
fn of_two_extensions_of_a_kind_the_first_is_read() {
    let authority = |is_ca: bool| {
        let content = if is_ca { tlv(1, &[0xff]) } else { Vec::new() };
        extension(BASIC_CONSTRAINTS, &tlv(0x30, &content))
    };
    for first in [false, true] {
        let facts = facts(&with_extensions(&[authority(first), authority(!first)]));
        assert_eq!(facts.is_ca, first);
        assert_eq!(facts.malformed.as_deref(), Some("basicConstraints: a second one"));
    }
}

#[test]
fn version_1_may_have_extensions_and_unique_ids() {
    let certificate = OddCertificate {
        version: Vec::new(),
        key: [
            OddCertificate::default().key,
            tlv(0x81, &[0, 1]),
            tlv(0x82, &[0, 2]),
        ]
        .concat(),
        extensions: vec![alternative_names(&[(0x82, b"a.example")])],
        ..OddCertificate::default()
    };
    let facts = sound(&certificate);
    assert_eq!(
        (facts.version, facts.dns_names.as_slice()),
        (1, &["a.example".to_owned()][..])
    );

    let version_8 = OddCertificate {
        version: tlv(0xa0, &tlv(2, &[7])),
        ..OddCertificate::default()
    };
    let facts = CertificateFacts::parse(&version_8.der());
    assert_eq!((facts.version, facts.serial_number.as_str()), (0, "01"));
    assert_eq!(facts.malformed.as_deref(), Some("version: none of 1, 2 and 3"));
}

#[test]
fn lengths_of_ber_are_read() {
    /// The length in eight bytes.
    fn padded(identifier: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u64).to_be_bytes();
        [&[identifier, 0x88], &length[..], content].concat()
    }
    let certificate = with_extensions(&[alternative_names(&[(0x82, b"a.example")])]);
    let mut expected = sound(&certificate);
    for der in [certificate.wrapped(endless), certificate.wrapped(padded)] {
        let facts = CertificateFacts::parse(&der);
        expected.der = facts.der.clone();
        expected.sha256 = facts.sha256;
        assert_eq!(facts, expected);
    }
}

#[test]
fn bytes_too_many_are_said() {
    let certificate = OddCertificate {
        extra: tlv(5, b""),
        ..OddCertificate::default()
    };
    let inside = facts(&certificate);
    assert_eq!(
        inside.malformed.as_deref(),
        Some("tbsCertificate: 2 bytes too many")
    );
    assert_eq!(inside.signature_algorithm, "ECDSA-SHA256");
    let behind = [OddCertificate::default().der(), vec![0; 3]].concat();
    let behind = CertificateFacts::parse(&behind);
    assert_eq!(behind.malformed.as_deref(), Some("3 bytes after the certificate"));
    assert_eq!(behind.subject, "CN=subject");
}

#[test]
fn what_is_no_certificate_has_no_facts() {
    // A CRL begins with its version, a name and times, too (RFC 5280, section 5.1).
    let time = tlv(0x17, b"300101000000Z");
    let list = [
        tlv(2, &[1]),
        sequence(&[]),
        common_name(0x0c, b"issuer"),
        time.clone(),
        time,
    ];
    let list = sequence(&[sequence(&list), sequence(&[]), tlv(3, &[0])]);
    for bytes in [
        list.as_slice(),
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x30\x80",
        b"PEM",
        &[0x30; 300],
    ] {
        let facts = CertificateFacts::parse(bytes);
        let expected = CertificateFacts {
            der: facts.der.clone(),
            sha256: facts.sha256,
            malformed: facts.malformed.clone(),
            ..CertificateFacts::default()
        };
        assert_eq!(facts, expected);
        assert!(facts.malformed.is_some());
    }
}

/// Asserts that `some` has no fact that `all` has not.
fn assert_no_others(some: &CertificateFacts, all: &CertificateFacts) {
    let none = CertificateFacts::default();
    macro_rules! field {
        ($($name:ident),*) => {$(
            assert!(some.$name == none.$name || some.$name == all.$name, "{}: {:?}", stringify!($name), some.$name);
        )*};
    }
    field!(
        version,
        subject,
        issuer,
        subject_attributes,
        issuer_attributes,
        self_issued,
        serial_number
    );
    field!(
        not_before,
        not_after,
        dns_names,
        ip_addresses,
        uris,
        emails,
        directory_names
    );
    field!(
        user_principal_names,
        registered_ids,
        alternative_names_left_out,
        signature_algorithm
    );
    field!(
        public_key_algorithm,
        public_key_size,
        public_key_curve,
        public_key_exponent,
        is_ca
    );
    field!(key_usage, extended_key_usage);
}

#[test]
fn a_cut_certificate_tells_what_is_there_and_nothing_else() {
    let certificate = with_extensions(&[
        alternative_names(&[(0x82, b"a.example"), (0x86, b"spiffe://prod/a")]),
        extension(BASIC_CONSTRAINTS, &sequence(&[tlv(1, &[0xff])])),
    ]);
    let whole = sound(&certificate);
    let der = certificate.der();
    let mut with_names = 0;
    for length in 0..der.len() {
        let cut = CertificateFacts::parse(&der[..length]);
        assert!(cut.malformed.is_some());
        assert_no_others(&cut, &whole);
        with_names += usize::from(cut.dns_names == whole.dns_names);
    }
    // The rest of the extensions and the signature can be missing.
    assert!(with_names > 20, "{with_names}");
}
