//! Reports of the sample observations.

use std::sync::Arc;

use observer_tls::x509::CertificateFacts;
use serde_json::{Value, json};

use super::*;
use crate::output::samples;

fn summary(observations: &[Observation]) -> Summary {
    let mut summary = Summary::default();
    observations.iter().for_each(|seen| summary.add(seen));
    summary
}

fn report(summary: &Summary) -> Value {
    let mut out = Vec::new();
    summary.write(Format::Json, false, &mut out);
    assert_eq!(out.last(), Some(&b'\n'));
    serde_json::from_slice(&out).unwrap()
}

fn text(summary: &Summary, color: bool) -> String {
    let mut out = Vec::new();
    summary.write(Format::Text, color, &mut out);
    String::from_utf8(out).unwrap()
}

fn entries(table: &Value) -> Vec<(&str, u64)> {
    table["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), entry["count"].as_u64().unwrap()))
        .collect()
}

#[test]
fn handshakes_are_counted_and_late_alerts_are_not_among_them() {
    let report = report(&summary(&samples::all()));
    assert_eq!(
        (&report["handshakes"], &report["late_alerts"]),
        (&json!(5), &json!(1))
    );
    assert_eq!(
        entries(&report["outcomes"]),
        [
            ("established", 2),
            ("aborted", 1),
            ("incomplete", 1),
            ("rejected", 1)
        ]
    );
    assert_eq!(entries(&report["versions"]), [("TLS 1.2", 3), ("TLS 1.3", 1)]);
    assert_eq!(entries(&report["groups"]), [("x25519", 3), ("X25519MLKEM768", 1)]);
    assert_eq!(report["post_quantum"], json!({ "count": 1, "of": 4 }));
    assert_eq!(report["resumed"], json!({ "count": 1, "of": 2 }));
    assert_eq!(entries(&report["completeness"]), [("complete", 4), ("gap", 1)]);
    assert_eq!(
        entries(&report["verdicts"]),
        [
            ("server: valid", 3),
            ("client: expired", 2),
            ("client: revoked", 1)
        ]
    );
    assert_eq!(entries(&report["disagreements"]), [("accepted_but_invalid", 1)]);
    assert_eq!(
        entries(&report["alerts"]),
        [
            ("client: 0x07 0xC8", 1),
            ("client: encrypted", 1),
            ("server: fatal certificate_expired", 1),
        ]
    );
}

#[test]
fn versions_are_told_apart_by_name() {
    let with = |version| Observation {
        version: Some(ProtocolVersion(version)),
        ..samples::established_13()
    };
    let report = report(&summary(&[
        with(0x7f17),
        with(0x0304),
        with(0x7f17),
        with(0x7f1c),
        with(0x0505),
    ]));
    assert_eq!(
        entries(&report["versions"]),
        [
            ("TLS 1.3 draft 23", 2),
            ("0x0505", 1),
            ("TLS 1.3", 1),
            ("TLS 1.3 draft 28", 1)
        ]
    );
}

#[test]
fn failures_tell_why_and_whom() {
    let mut other = samples::refused_client();
    other.client = "10.0.0.3:5555".parse().unwrap();
    let report = report(&summary(&[
        samples::refused_client(),
        samples::not_tls(),
        other.clone(),
        other,
    ]));
    let failures = report["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 2);
    let first = &failures[0];
    assert_eq!(first["count"], 3);
    assert_eq!(first["reason"], "client_certificate_expired");
    assert_eq!(first["rejected_by"], "server");
    assert_eq!(first["evidence"], "observed");
    assert_eq!(entries(&first["clients"]), [("10.0.0.3", 2), ("10.0.0.2", 1)]);
    assert_eq!(entries(&first["servers"]), [("10.0.0.1:8443", 3)]);
    assert_eq!(entries(&first["names"]), [("api.example.com", 3)]);
    assert_eq!(failures[1]["reason"], "not_tls");
}

/// A handshake in which the server shows a certificate that ends so many seconds after it.
fn served(number: u32, expires_in: i64) -> Observation {
    let mut seen = samples::refused_client();
    let mut sha256 = [0; 32];
    sha256[..4].copy_from_slice(&number.to_be_bytes());
    let facts = CertificateFacts {
        subject: format!("CN=server {number}"),
        sha256,
        not_before: Some(0),
        not_after: Some((seen.time_ns / 1_000_000_000) as i64 + expires_in),
        ..CertificateFacts::default()
    };
    seen.client_chain = Vec::new();
    seen.server_chain = vec![Arc::new(facts)];
    seen
}

#[test]
fn expired_certificates_come_first_then_those_that_expire_soonest() {
    let report = report(&summary(&[
        served(1, 900),
        served(2, -5),
        served(3, 30),
        served(3, 30),
        samples::incomplete(),
    ]));
    let certificates = &report["certificates"];
    assert_eq!(
        (&certificates["total"], &certificates["expired"]),
        (&json!(5), &json!(1))
    );
    let list = certificates["entries"].as_array().unwrap();
    let order: Vec<_> = list
        .iter()
        .map(|entry| {
            (
                entry["subject"].as_str().unwrap(),
                entry["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        order,
        [
            ("CN=server 2", "expired"),
            ("CN=server 3", "valid"),
            ("CN=server 1", "valid"),
            ("CN=server,O=Example", "valid"),
            ("", "malformed"),
        ]
    );
    assert_eq!(list[0]["expires_in"], -5);
    assert_eq!(entries(&list[1]["served_by"]), [("10.0.0.1:8443", 2)]);
    assert_eq!(entries(&list[4]["presented_by"]), [("10.0.0.2", 1)]);
}

#[test]
fn what_is_kept_of_certificates_is_bounded_and_what_is_not_is_counted() {
    let mut summary = Summary::default();
    for number in (0..3_000).rev() {
        summary.add(&served(number, 100 + i64::from(number)));
    }
    summary.add(&served(9_000, 90_000));
    let report = report(&summary);
    let certificates = &report["certificates"];
    let (total, unsorted) = (
        certificates["total"].as_u64().unwrap(),
        certificates["unsorted"].as_u64().unwrap(),
    );
    assert!(total < 3_000);
    assert_eq!(total + unsorted, 3_001);
    assert_eq!(certificates["entries"][0]["subject"], "CN=server 0");
    let shown = certificates["entries"].as_array().unwrap().len() as u64;
    assert_eq!(certificates["more"].as_u64(), Some(total - shown));
}

#[test]
fn the_slowest_ten_established_handshakes() {
    let mut summary = Summary::default();
    for duration_ns in (1..=40).chain([7, 40]) {
        summary.add(&Observation {
            duration_ns,
            ..samples::established_13()
        });
    }
    summary.add(&Observation {
        duration_ns: 1_000,
        ..samples::refused_client()
    });
    let report = report(&summary);
    let durations: Vec<_> = report["slowest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slow| slow["duration_ns"].as_u64().unwrap())
        .collect();
    assert_eq!(durations, [40, 40, 39, 38, 37, 36, 35, 34, 33, 32]);
}

#[test]
fn the_text_says_the_same() {
    let summary = summary(&samples::all());
    let text = text(&summary, false);
    for wanted in [
        "5 handshakes, 1 later alerts",
        "established",
        "post-quantum: 1 of 4 (25.0 %)",
        "accepted_but_invalid",
        "client_certificate_expired  rejected by server",
        "clients   10.0.0.2 (1)",
        "server: fatal certificate_expired",
        "CN=server,O=Example                        by CN=Example CA",
        "[2001:db8::1]:443",
    ] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
    assert!(!text.contains('\x1b'));
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
}

#[test]
fn more_than_can_be_shown_is_counted() {
    let mut summary = Summary::default();
    for number in 0..20 {
        summary.add(&Observation {
            cipher: Some(CipherSuite(0xee00 + number)),
            ..samples::established_13()
        });
    }
    assert!(text(&summary, false).contains("and 8 more (8)"));
}

#[test]
fn colors_only_when_wanted_and_none_from_peers() {
    let mut seen = samples::refused_client();
    seen.server_name = Some("\x1b[2Jx".into());
    seen.outcome = Outcome::Established;
    let summary = summary(&[seen]);
    assert!(!text(&summary, false).contains('\x1b'));
    let colored = text(&summary, true);
    assert!(colored.contains("\x1b[32m") && !colored.contains("\x1b[2J"));
}

#[test]
fn nothing_seen_is_said() {
    assert_eq!(
        text(&Summary::default(), false),
        "TLS HANDSHAKES\n  0 handshakes, 0 later alerts\n"
    );
    assert_eq!(report(&Summary::default())["handshakes"], 0);
}
