//! OCSP responses put together by hand: what is read of them, and what is refused.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/odd_certificate.rs"]
mod odd_certificate;

use observer_tls::codepoints::{CrlReason, OcspResponseStatus};
use observer_tls::ocsp::{Answer, CertificateId, CertificateStatus, ResponderId, Response};
use odd_certificate::*;

/// 2030-01-01T00:00:00Z
const YEAR_2030: i64 = 1_893_456_000;
const DAY: i64 = 86_400;
const SHA1: &[u8] = &[0x2b, 14, 3, 2, 26];
/// id-pkix-ocsp-basic
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1];

const GOOD: &[u8] = &[0x80, 0];
const UNKNOWN: &[u8] = &[0x82, 0];

fn time(day: u32) -> Vec<u8> {
    tlv(0x18, format!("203001{day:02}000000Z").as_bytes())
}

/// A SingleResponse about this serial number, of the second day, with what stands behind that.
fn single(serial: &[u8], status: &[u8], rest: &[Vec<u8>]) -> Vec<u8> {
    let hash = sequence(&[tlv(6, SHA1), tlv(5, b"")]);
    let id = sequence(&[hash, tlv(4, b"name"), tlv(4, b"key"), tlv(2, serial)]);
    sequence(&[id, status.to_vec(), time(2), rest.concat()])
}

fn by_key() -> Vec<u8> {
    tlv(0xa2, &tlv(4, b"hash"))
}

/// The parts of a response.
struct Parts {
    status: u8,
    kind: Vec<u8>,
    responder: Vec<u8>,
    answers: Vec<Vec<u8>>,
    extensions: Vec<u8>,
    certificates: Vec<u8>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            status: 0,
            kind: BASIC.to_vec(),
            responder: by_key(),
            answers: vec![single(&[1], GOOD, &[])],
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }
}

impl Parts {
    fn der(&self) -> Vec<u8> {
        let answers = sequence(&self.answers);
        let data = sequence(&[self.responder.clone(), time(1), answers, self.extensions.clone()]);
        let algorithm = sequence(&[tlv(6, &[0x2a, 3])]);
        let basic = sequence(&[data, algorithm, tlv(3, &[0, 0x77]), self.certificates.clone()]);
        let bytes = sequence(&[tlv(6, &self.kind), tlv(4, &basic)]);
        sequence(&[tlv(0x0a, &[self.status]), tlv(0xa0, &bytes)])
    }
}

fn error(parts: Parts) -> String {
    Response::parse(&parts.der()).unwrap_err().to_string()
}

#[test]
fn what_a_response_says_is_read() {
    let revoked = tlv(0xa1, &[time(1), tlv(0xa0, &tlv(0x0a, &[4]))].concat());
    let without_reason = tlv(0xa1, &time(1));
    let der = Parts {
        answers: vec![
            single(&[1], GOOD, &[tlv(0xa0, &time(9))]),
            single(&[2], &revoked, &[]),
            single(&[3], &without_reason, &[]),
            single(&[4], UNKNOWN, &[]),
        ],
        certificates: tlv(0xa0, &sequence(&[sequence(&[tlv(5, b"")]), sequence(&[])])),
        ..Parts::default()
    }
    .der();
    let response = Response::parse(&der).unwrap();
    assert_eq!(response.status, OcspResponseStatus::SUCCESSFUL);
    let basic = response.basic.unwrap();
    assert_eq!(basic.responder, ResponderId::KeyHash(b"hash"));
    assert_eq!(basic.produced_at, YEAR_2030);
    assert_eq!(basic.unknown_critical, None);
    assert_eq!(basic.certificates, [&[0x30, 2, 5, 0][..], &[0x30, 0]]);
    assert_eq!(
        (basic.signed.algorithm, basic.signed.signature),
        (&[6, 2, 0x2a, 3][..], &[0x77][..])
    );
    assert!(basic.signed.message.starts_with(&[0x30]));
    let answer = |serial_number, status, next_update| Answer {
        certificate: CertificateId {
            hash_algorithm: SHA1,
            issuer_name_hash: b"name",
            issuer_key_hash: b"key",
            serial_number,
        },
        status,
        this_update: YEAR_2030 + DAY,
        next_update,
    };
    let since = |reason| CertificateStatus::Revoked {
        at: YEAR_2030,
        reason,
    };
    assert_eq!(
        basic.answers,
        [
            answer(&[1], CertificateStatus::Good, Some(YEAR_2030 + 8 * DAY)),
            answer(&[2], since(Some(CrlReason::SUPERSEDED)), None),
            answer(&[3], since(None), None),
            answer(&[4], CertificateStatus::Unknown, None),
        ]
    );
}

#[test]
fn a_responder_may_be_named() {
    let name = common_name(0x0c, b"responder");
    let der = Parts {
        responder: tlv(0xa1, &name),
        ..Parts::default()
    }
    .der();
    let basic = Response::parse(&der).unwrap().basic.unwrap();
    assert_eq!(basic.responder, ResponderId::Name(&name));
}

#[test]
fn a_responder_may_refuse() {
    for (status, name) in [
        (1, "malformedRequest"),
        (3, "tryLater"),
        (6, "unauthorized"),
        (77, "0x4D"),
    ] {
        let der = sequence(&[tlv(0x0a, &[status])]);
        let response = Response::parse(&der).unwrap();
        assert_eq!(
            (response.status.to_string().as_str(), response.basic),
            (name, None)
        );
    }
    let nothing = Response::parse(&[0x30, 3, 0x0a, 1, 0]).unwrap_err();
    assert_eq!(nothing.to_string(), "responseBytes: missing");
}

#[test]
fn critical_extensions_are_named_wherever_they_are() {
    let list = |critical: &[u8]| {
        let extension = sequence(&[tlv(6, &[0x2a, 3]), tlv(1, critical), tlv(4, b"x")]);
        tlv(0xa1, &sequence(&[extension]))
    };
    for (critical, expected) in [(&[0xff], Some("1.2.3")), (&[0], None)] {
        let outside = Parts {
            extensions: list(critical),
            ..Parts::default()
        };
        let inside = Parts {
            answers: vec![single(&[1], GOOD, &[list(critical)])],
            ..Parts::default()
        };
        for parts in [outside, inside] {
            let der = parts.der();
            let basic = Response::parse(&der).unwrap().basic.unwrap();
            assert_eq!(basic.unknown_critical.as_deref(), expected);
        }
    }
}

#[test]
fn what_is_broken_is_named() {
    let whole = Parts::default().der();
    for end in 0..whole.len() {
        assert!(Response::parse(&whole[..end]).is_err(), "{end} bytes");
    }
    assert!(Response::parse(&[&whole[..], &[0]].concat()).is_err());
    let answers = |answers: Vec<Vec<u8>>| {
        error(Parts {
            answers,
            ..Parts::default()
        })
    };
    assert_eq!(
        answers(vec![single(&[1], &[0x83, 0], &[])]),
        "certStatus: none of good, revoked and unknown"
    );
    assert_eq!(
        answers(vec![single(&[1], &tlv(0xa1, b""), &[])]),
        "revocationTime: 1 bytes needed, 0 left"
    );
    assert_eq!(
        answers(vec![single(&[1], GOOD, &[tlv(5, b"")])]),
        "singleResponse: 2 bytes too many"
    );
    assert_eq!(
        answers(vec![single(&[1], GOOD, &[tlv(0xa0, b"")])]),
        "nextUpdate: 1 bytes needed, 0 left"
    );
    assert_eq!(
        answers(vec![single(&[1], GOOD, &[]); 257]),
        "responses: more of them than are read"
    );
    let certificates = tlv(0xa0, &sequence(&vec![sequence(&[]); 17]));
    assert_eq!(
        error(Parts {
            certificates,
            ..Parts::default()
        }),
        "certs: more of them than are read"
    );
    let kind = vec![0x2a, 3];
    assert_eq!(
        error(Parts {
            kind,
            ..Parts::default()
        }),
        "responseType: not a basic response"
    );
    let responder = tlv(0xa3, b"");
    assert_eq!(
        error(Parts {
            responder,
            ..Parts::default()
        }),
        "responderID: neither a name nor the hash of a key"
    );
}
