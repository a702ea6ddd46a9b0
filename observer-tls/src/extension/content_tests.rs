use bytes::Bytes;

use super::*;
use crate::codepoints::*;
use crate::support::*;

use ExtensionContent as Content;
use ExtensionContext::*;

/// The contexts in which these bytes are an extension of this type with this content.
fn is(typ: ExtensionType, data: &[u8], contexts: &[ExtensionContext], content: Content) {
    for context in contexts {
        let extension = Extension {
            typ,
            data: Bytes::copy_from_slice(data),
        };
        assert_eq!(
            extension.content(*context).as_ref(),
            Ok(&content),
            "{typ} in {context:?}"
        );
    }
}

/// The bytes are not an extension of this type, cut or with a byte more.
fn is_broken(typ: ExtensionType, data: &[u8], context: ExtensionContext) {
    let content = |data: &[u8]| {
        Extension {
            typ,
            data: Bytes::copy_from_slice(data),
        }
        .content(context)
    };
    content(data).unwrap();
    for end in 1..data.len() {
        assert!(content(&data[..end]).is_err(), "{typ} of {end} bytes");
    }
    assert!(content(&[data, &[0]].concat()).is_err(), "{typ} with a byte more");
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

mod keys;

#[test]
fn names() {
    let list = vec16(&[vec![0], vec16(b"a.example"), vec![9], vec16(b"b")].concat());
    let name = |name_type, name: &str| ServerName {
        name_type,
        name: text(name),
    };
    let names = Content::ServerNames(vec![name(0, "a.example"), name(9, "b")]);
    is(ExtensionType::SERVER_NAME, &list, &[ClientHello], names);
    is(
        ExtensionType::SERVER_NAME,
        &[],
        &[ServerHello, EncryptedExtensions, ClientHello],
        Content::Present,
    );
    is(
        ExtensionType::SERVER_NAME,
        &vec16(&[]),
        &[ClientHello],
        Content::ServerNames(vec![]),
    );

    for data in [&[0][..], &[0, 9], &[0, 9, 0], &[0, 3, 0, 0, 1]] {
        let extension = Extension {
            typ: ExtensionType::SERVER_NAME,
            data: Bytes::copy_from_slice(data),
        };
        assert!(extension.content(ClientHello).is_err(), "{data:?}");
    }

    let list = vec16(&[vec8(b"h2"), vec8(b""), vec8(&[0x0a, 0x0a])].concat());
    let names = Content::ProtocolNames(vec![text("h2"), text(""), text("\n\n")]);
    is(
        ExtensionType::ALPN,
        &list,
        &[ClientHello, ServerHello, EncryptedExtensions],
        names.clone(),
    );
    is_broken(ExtensionType::ALPN, &list, ClientHello);
    for typ in [
        ExtensionType::APPLICATION_SETTINGS,
        ExtensionType::APPLICATION_SETTINGS_NEW,
    ] {
        is(typ, &list, &[ClientHello], names.clone());
        is(
            typ,
            b"raw",
            &[EncryptedExtensions],
            Content::ApplicationSettings(text("raw")),
        );
    }
    is(
        ExtensionType::NEXT_PROTOCOL_NEGOTIATION,
        &[],
        &[ClientHello],
        Content::Present,
    );
    let names = Content::NextProtocols(vec![text("spdy/3"), text("http/1.1")]);
    let list = [vec8(b"spdy/3"), vec8(b"http/1.1")].concat();
    is(
        ExtensionType::NEXT_PROTOCOL_NEGOTIATION,
        &list,
        &[ServerHello],
        names,
    );
    is(
        ExtensionType::SRP,
        &vec8(b"user"),
        &[ClientHello],
        Content::SrpUser(text("user")),
    );
}

#[test]
fn status_requests_and_answers() {
    let ocsp = [vec16(&[vec16(b"id1"), vec16(b"id2")].concat()), vec16(b"ext")].concat();
    let request = |status_type| StatusRequest {
        status_type,
        responder_ids: vec![text("id1"), text("id2")],
        request_extensions: text("ext"),
    };
    let v1 = [vec![1], ocsp.clone()].concat();
    let content = Content::StatusRequest(request(CertificateStatusType::OCSP));
    is(
        ExtensionType::STATUS_REQUEST,
        &v1,
        &[ClientHello, CertificateRequest],
        content,
    );
    is_broken(ExtensionType::STATUS_REQUEST, &v1, ClientHello);
    let v2 = vec16(&[vec![2], vec16(&ocsp), vec![1], vec16(&ocsp)].concat());
    let content = Content::StatusRequests(vec![
        request(CertificateStatusType::OCSP_MULTI),
        request(CertificateStatusType::OCSP),
    ]);
    is(ExtensionType::STATUS_REQUEST_V2, &v2, &[ClientHello], content);
    is_broken(ExtensionType::STATUS_REQUEST_V2, &v2, ClientHello);
    let silent = [ServerHello, EncryptedExtensions, CertificateRequest];
    is(ExtensionType::STATUS_REQUEST, &[], &silent, Content::Present);
    is(
        ExtensionType::STATUS_REQUEST_V2,
        &[],
        &[ServerHello],
        Content::Present,
    );
    let stapled = [vec![1], vec24(b"response")].concat();
    let content = Content::StapledStatus(StapledStatus {
        status_type: CertificateStatusType::OCSP,
        responses: vec![text("response")],
    });
    is(ExtensionType::STATUS_REQUEST, &stapled, &[Certificate], content);
    is_broken(ExtensionType::STATUS_REQUEST, &stapled, Certificate);
}

#[test]
fn certificate_transparency() {
    let sct = [
        vec![0],
        vec![0xab; 32],
        vec![0, 0, 1, 0x72, 0x53, 0x4b, 0x97, 0xa5],
        vec16(&[]),
        u16s(&[0x0403]),
        vec16(&[1; 70]),
    ]
    .concat();
    let later = [vec![7], vec![1, 2, 3]].concat();
    let list = vec16(&[vec16(&sct), vec16(&later)].concat());
    let timestamps = Content::SignedCertificateTimestamps(vec![
        SignedCertificateTimestamp {
            version: 0,
            log_id: [0xab; 32],
            timestamp_ms: 1_590_535_362_469,
            signature_scheme: SignatureScheme::ECDSA_SECP256R1_SHA256,
            raw: sct.into(),
        },
        SignedCertificateTimestamp {
            version: 7,
            log_id: [0; 32],
            timestamp_ms: 0,
            signature_scheme: SignatureScheme(0),
            raw: later.into(),
        },
    ]);
    let typ = ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP;
    is(typ, &list, &[ServerHello, Certificate], timestamps);
    is_broken(typ, &list, Certificate);
    is(typ, &[], &[ClientHello, CertificateRequest], Content::Present);
    is(
        ExtensionType::TRANSPARENCY_INFO,
        &[],
        &[ClientHello],
        Content::Present,
    );
    let items = Content::TransparencyInfo(vec![text("item")]);
    is(
        ExtensionType::TRANSPARENCY_INFO,
        &vec16(&vec16(b"item")),
        &[Certificate, ServerHello],
        items,
    );
}

#[test]
fn kinds_of_certificates_and_authorities() {
    let types = Content::CertificateTypes(vec![CertificateType::RAW_PUBLIC_KEY, CertificateType::X509]);
    let chosen = Content::CertificateType(CertificateType::RAW_PUBLIC_KEY);
    for typ in [
        ExtensionType::CERT_TYPE,
        ExtensionType::CLIENT_CERTIFICATE_TYPE,
        ExtensionType::SERVER_CERTIFICATE_TYPE,
    ] {
        is(typ, &[2, 2, 0], &[ClientHello], types.clone());
        is(typ, &[2], &[ServerHello, EncryptedExtensions], chosen.clone());
    }
    let names = vec16(&[vec16(b"dn1"), vec16(b"dn2")].concat());
    let authorities = Content::CertificateAuthorities(vec![text("dn1"), text("dn2")]);
    let both = [ClientHello, CertificateRequest];
    is(ExtensionType::CERTIFICATE_AUTHORITIES, &names, &both, authorities);
    is_broken(ExtensionType::CERTIFICATE_AUTHORITIES, &names, CertificateRequest);
    let filters = vec16(&[vec8(b"oid"), vec16(b"values")].concat());
    let filter = OidFilter {
        oid: text("oid"),
        values: text("values"),
    };
    is(
        ExtensionType::OID_FILTERS,
        &filters,
        &[CertificateRequest],
        Content::OidFilters(vec![filter]),
    );
    let algorithms = vec8(&u16s(&[2, 1, 3]));
    let compress = Content::CompressCertificate(vec![
        CertificateCompressionAlgorithm::BROTLI,
        CertificateCompressionAlgorithm::ZLIB,
        CertificateCompressionAlgorithm::ZSTD,
    ]);
    is(ExtensionType::COMPRESS_CERTIFICATE, &algorithms, &both, compress);
    is_broken(ExtensionType::COMPRESS_CERTIFICATE, &algorithms, ClientHello);
    let anchors = vec16(&[vec8(&[0x81, 0x7d, 1]), vec8(&[5])].concat());
    let content = Content::TrustAnchors(vec![
        Bytes::from_static(&[0x81, 0x7d, 1]),
        Bytes::from_static(&[5]),
    ]);
    is(
        ExtensionType::TRUST_ANCHORS,
        &anchors,
        &[ClientHello, EncryptedExtensions],
        content,
    );
    is(
        ExtensionType::TRUST_ANCHORS,
        &[],
        &[Certificate],
        Content::Present,
    );
}

#[test]
fn signature_schemes_and_delegated_credentials() {
    let list = vec16(&u16s(&[0x0403, 0x0804]));
    let schemes = Content::SignatureSchemes([0x0403, 0x0804].map(SignatureScheme).to_vec());
    for typ in [
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::SIGNATURE_ALGORITHMS_CERT,
        ExtensionType::DELEGATED_CREDENTIAL,
    ] {
        is(typ, &list, &[ClientHello, CertificateRequest], schemes.clone());
        is(
            typ,
            &vec16(&[]),
            &[ClientHello],
            Content::SignatureSchemes(vec![]),
        );
        is_broken(typ, &list, ClientHello);
    }
    let credential = [
        vec![0, 9, 0x3a, 0x80],
        u16s(&[0x0807]),
        vec24(b"spki"),
        u16s(&[0x0804]),
        vec16(&[1; 256]),
    ]
    .concat();
    let content = Content::DelegatedCredential(DelegatedCredential {
        valid_time: 604_800,
        certificate_verify_algorithm: SignatureScheme::ED25519,
        public_key: text("spki"),
        algorithm: SignatureScheme::RSA_PSS_RSAE_SHA256,
        signature_length: 256,
    });
    is(
        ExtensionType::DELEGATED_CREDENTIAL,
        &credential,
        &[Certificate],
        content,
    );
    is_broken(ExtensionType::DELEGATED_CREDENTIAL, &credential, Certificate);
}

#[test]
fn what_is_not_known_stays_raw() {
    let every = [
        ClientHello,
        ServerHello,
        HelloRetryRequest,
        EncryptedExtensions,
        CertificateRequest,
        Certificate,
        NewSessionTicket,
    ];
    for typ in [0x0a0a, 0xabcd, 57].map(ExtensionType) {
        is(typ, b"raw", &every, Content::Raw(text("raw")));
    }
    // Known ones, in messages that they do not belong in.
    is(
        ExtensionType::KEY_SHARE,
        b"raw",
        &[Certificate, NewSessionTicket],
        Content::Raw(text("raw")),
    );
    is(
        ExtensionType::ALPN,
        b"raw",
        &[Certificate],
        Content::Raw(text("raw")),
    );
}
