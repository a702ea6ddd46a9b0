//! Whole events, and every kind of event against the schema.

use serde_json::{Value, json};

use super::*;
use crate::output::json::JsonLines;
use crate::output::queue::Render as _;
use crate::output::samples;
use crate::output::schema::event_schema;

fn value(seen: &Observation) -> Value {
    serde_json::to_value(Event::new(seen, EventOptions::default())).unwrap()
}

fn leaf(who: &str) -> Value {
    json!({
        "subject": format!("CN={who},O=Example"),
        "issuer": "CN=Example CA",
        "not_before": "2023-11-14T22:13:20Z",
        "not_after": "2024-11-13T22:13:20Z",
        "hash": { "sha256": "AB".repeat(32) },
        "x509": {
            "version_number": "3",
            "serial_number": "00F1",
            "alternative_names": [
                format!("{who}.example.com"), "10.0.0.7", format!("spiffe://example.com/{who}")
            ],
            "subject": {
                "distinguished_name": format!("CN={who},O=Example"),
                "common_name": [who],
                "organization": ["Example"],
            },
            "issuer": { "distinguished_name": "CN=Example CA", "common_name": ["Example CA"] },
            "not_before": "2023-11-14T22:13:20Z",
            "not_after": "2024-11-13T22:13:20Z",
            "signature_algorithm": "ECDSA-SHA256",
            "public_key_algorithm": "ECDSA",
            "public_key_size": 256,
            "public_key_curve": "P-256",
        },
    })
}

#[test]
fn a_refused_client() {
    let mut client = leaf("alice");
    client["server_name"] = json!("api.example.com");
    client["supported_ciphers"] = json!([
        "GREASE",
        "TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    ]);
    client["ja3"] = json!("0123456789abcdef0123456789abcdef");
    client["ja4"] = json!("t13d0202h2_0123456789ab_cdef01234567");
    let mut server = leaf("server");
    server["ja3s"] = json!("fedcba9876543210fedcba9876543210");
    let wanted = json!({
        "@timestamp": "2023-11-14T22:13:20.123456Z",
        "event": {
            "kind": "event",
            "category": ["network"],
            "type": ["connection", "denied"],
            "action": "tls-handshake",
            "outcome": "failure",
            "duration": 3_000_000,
            "id": "11".repeat(16),
        },
        "client": { "ip": "10.0.0.2", "port": 40000 },
        "server": { "ip": "10.0.0.1", "port": 8443 },
        "source": { "ip": "10.0.0.2", "port": 40000 },
        "destination": { "ip": "10.0.0.1", "port": 8443 },
        "network": {
            "transport": "tcp",
            "type": "ipv4",
            "protocol": "tls",
            "community_id": community_id::community_id(
                "10.0.0.1:8443".parse().unwrap(), "10.0.0.2:40000".parse().unwrap()
            ),
        },
        "tls": {
            "version": "1.2",
            "version_protocol": "tls",
            "cipher": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "curve": "x25519",
            "resumed": false,
            "established": false,
            "client": client,
            "server": server,
        },
        "handshake": {
            "outcome": "rejected",
            "rejected_by": "server",
            "reason": "client_certificate_expired",
            "evidence": "observed",
            "source": "wire",
            "completeness": "complete",
            "client_certificate": "sent",
            "certificate_authorities": ["CN=Example CA"],
            "alerts": [{
                "sender": "server",
                "level": "fatal",
                "code": 45,
                "description": "certificate_expired",
                "encrypted": false,
                "offset_ns": 3_000_000,
            }],
            "hello_retry": false,
            "post_quantum": false,
            "ech": false,
            "grease": true,
            "client": {
                "legacy_version": "1.2",
                "versions": ["GREASE", "1.3", "1.2"],
                "groups": ["X25519MLKEM768", "x25519"],
                "key_shares": ["x25519"],
                "signature_algorithms": ["ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"],
                "alpn": ["h2", "http/1.1"],
                "extensions": ["server_name", "0x9999"],
            },
            "timings": { "server_hello": 1_000_000, "client_flight": 2_000_000 },
        },
        "verdict": {
            "client": {
                "status": "expired",
                "revocation": "not_checked",
                "detail": "what speaks against it",
                "trust_bundle": "mesh",
                "warnings": ["no subjectAltName"],
            },
            "server": {
                "status": "valid",
                "revocation": "not_checked",
                "trust_bundle": "mesh",
                "warnings": ["no subjectAltName"],
            },
        },
    });
    assert_eq!(value(&samples::refused_client()), wanted);
}

#[test]
fn a_resumed_tls_13_handshake() {
    let event = value(&samples::established_13());
    assert_eq!(event["event"]["type"], json!(["connection", "allowed"]));
    assert_eq!(event["event"]["outcome"], "success");
    assert_eq!(event["network"]["type"], "ipv6");
    assert_eq!(event["tls"]["resumed"], true);
    assert_eq!(event["tls"]["established"], true);
    assert_eq!(event["handshake"]["post_quantum"], true);
    assert_eq!(
        event["handshake"]["encrypted_records"],
        json!([{ "sender": "server", "length": 53, "offset_ns": 1_500_000 }])
    );
    assert_eq!(
        event["tls"]["server"],
        json!({ "ja3s": "fedcba9876543210fedcba9876543210" }),
        "nothing else is known of the server's side"
    );
}

#[test]
fn a_disagreement_stands_beside_the_verdicts() {
    let event = value(&samples::wrongly_accepted());
    assert_eq!(event["event"]["outcome"], "success");
    assert_eq!(event["verdict"]["disagreement"], "accepted_but_invalid");
    assert_eq!(event["verdict"]["client"]["status"], "revoked");
    assert_eq!(event["verdict"]["client"]["revocation"], "revoked");
}

#[test]
fn what_a_library_told_stands_beside_what_came_of_it() {
    let event = value(&samples::told_by_library());
    let handshake = &event["handshake"];
    assert_eq!(
        (&handshake["source"], &handshake["outcome"]),
        (&json!("both"), &json!("established"))
    );
    assert_eq!(handshake["library_verify"], "X509_V_ERR_CERT_HAS_EXPIRED (10)");
    assert_eq!(
        handshake["libraries"],
        json!([{
            "side": "server",
            "name": "openssl",
            "verify": "X509_V_ERR_CERT_HAS_EXPIRED (10)",
            "error": "SSL_R_CERTIFICATE_VERIFY_FAILED (134)",
        }])
    );
    assert_eq!(handshake["contradictions"], json!(["chain_size"]));
    assert_eq!(handshake["certificate_source"], "library");
    assert_eq!(handshake["alerts"][0]["description"], "close_notify");
    assert_eq!(handshake["alerts"][0]["encrypted"], true);
    assert_eq!(
        event["server"]["process"],
        json!({ "pid": 4711, "name": "nginx", "executable": "/usr/sbin/nginx" })
    );
    assert!(event["client"].get("process").is_none() && event["destination"].get("process").is_none());
    assert_eq!(event["tls"]["client"]["subject"], "CN=alice,O=Example");
    assert_eq!(event["verdict"]["disagreement"], "accepted_but_invalid");
}

#[test]
fn without_certificates_there_is_no_verdict() {
    assert!(value(&samples::established_13()).get("verdict").is_none());
}

#[test]
fn a_late_alert_keeps_its_handshakes_id() {
    let event = value(&samples::late_alert());
    assert_eq!(event["event"]["action"], "tls-alert");
    assert_eq!(
        event["event"]["id"],
        value(&samples::established_13())["event"]["id"]
    );
    assert_eq!(event["event"]["outcome"], "unknown");
    assert_eq!(
        event["handshake"]["alerts"],
        json!([{ "sender": "client", "encrypted": true, "offset_ns": 9_000_000 }])
    );
}

#[test]
fn what_is_not_tls_has_no_tls_fields() {
    let event = value(&samples::not_tls());
    assert_eq!(event["tls"], json!({ "established": false }));
    assert!(event["network"].get("protocol").is_none());
    assert_eq!(event["event"]["type"], json!(["connection", "error"]));
}

#[test]
fn a_malformed_certificate_has_its_hash_and_the_fault() {
    let event = value(&samples::incomplete());
    let x509 = &event["tls"]["client"]["x509"];
    assert_eq!(x509, &json!({ "malformed": "not DER" }));
    assert_eq!(event["tls"]["client"]["hash"]["sha256"], "CD".repeat(32));
    assert_eq!(event["event"]["outcome"], "unknown");
    assert!(event["tls"].get("established").is_none());
    let alert = &event["handshake"]["alerts"][0];
    assert_eq!(
        (&alert["level"], &alert["description"]),
        (&json!("0x07"), &json!("0xC8"))
    );
}

#[test]
fn chains_are_there_when_asked_for() {
    let seen = samples::refused_client();
    let event = serde_json::to_value(Event::new(
        &seen,
        EventOptions {
            certificate_chain: true,
        },
    ))
    .unwrap();
    assert_eq!(
        event["tls"]["client"]["certificate_chain"],
        json!(["MAMCAQc=", "MAMCAQc="])
    );
    assert_eq!(event["tls"]["server"]["certificate_chain"], json!(["MAMCAQc="]));
    assert!(value(&seen)["tls"]["client"].get("certificate_chain").is_none());
}

#[test]
fn every_kind_of_event_is_valid_and_the_schema_can_tell() {
    let validator = jsonschema::validator_for(&event_schema()).unwrap();
    for seen in samples::all().into_iter().chain([samples::told_by_library()]) {
        for certificate_chain in [false, true] {
            let event = serde_json::to_value(Event::new(&seen, EventOptions { certificate_chain })).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&event)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?}\n{event:#}");
        }
    }
    for report in samples::findings() {
        let mut line = Vec::new();
        JsonLines::default().render(&report, &mut line);
        let mut event: Value = serde_json::from_slice(&line).unwrap();
        assert!(validator.is_valid(&event), "{event:#}");
        event["event"]["action"] = json!("tls-handshake");
        assert!(!validator.is_valid(&event), "no fields of a handshake");
    }
    let mut wrong = value(&samples::refused_client());
    wrong["handshake"]["reason"] = json!("bad_luck");
    assert!(!validator.is_valid(&wrong));
    let mut wrong = value(&samples::refused_client());
    wrong["event"].as_object_mut().unwrap().remove("id");
    assert!(!validator.is_valid(&wrong));
    let mut wrong = value(&samples::refused_client());
    wrong["tls"]["client"]["x509"]["serial_number"] = json!(7);
    assert!(!validator.is_valid(&wrong));
    let mut wrong = value(&samples::wrongly_accepted());
    wrong["verdict"]["client"]["status"] = json!("fine");
    assert!(!validator.is_valid(&wrong));
    let mut more = value(&samples::refused_client());
    more["attribution"] = json!({ "node": "a" });
    assert!(validator.is_valid(&more), "later versions may add fields");
}
