//! Series, their values and the generated reference.

use super::reference::{all, reference};
use super::*;
use crate::config::values::FromText;
use crate::config::watching::Watching;
use crate::output::docs::check;
use crate::output::samples;

fn services(names: &[&str]) -> Vec<Service> {
    names
        .iter()
        .map(|text| Service::from_text(text).unwrap())
        .collect()
}

fn lines_of<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(name)).collect()
}

#[test]
fn a_failure_is_counted_with_its_event() {
    let metrics = Metrics::new(&[]);
    metrics.record(&samples::refused_client());
    let text = metrics.open_metrics();
    for line in [
        r#"tls_handshakes_total{outcome="rejected",version="1.2",resumed="false"} 1"#,
        r#"tls_alerts_total{sender="server",level="fatal",description="certificate_expired"} 1"#,
        r#"tls_client_certificates_total{state="sent"} 1"#,
        r#"tls_negotiated_ciphers_total{cipher="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"} 1"#,
        r#"tls_negotiated_groups_total{group="x25519",post_quantum="false"} 1"#,
        r#"tls_handshake_duration_seconds_count{version="1.2",resumed="false"} 0"#,
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
    let failure = r#"tls_handshake_failures_total{rejected_by="server",reason="client_certificate_expired",evidence="observed"} 1 # {event_id="11111111111111111111111111111111"} 1"#;
    assert!(text.lines().any(|line| line.starts_with(failure)), "{text}");
}

#[test]
fn verdicts_and_disagreements_are_counted() {
    let metrics = Metrics::new(&[]);
    metrics.record(&samples::refused_client());
    metrics.record(&samples::wrongly_accepted());
    metrics.count_trust_reload(false);
    let text = metrics.open_metrics();
    for line in [
        r#"tls_certificate_verdicts_total{side="client",status="expired"} 1"#,
        r#"tls_certificate_verdicts_total{side="client",status="revoked"} 1"#,
        r#"tls_certificate_verdicts_total{side="server",status="valid"} 2"#,
        r#"tls_certificate_verdicts_total{side="server",status="not_checked"} 0"#,
        r#"tls_verdict_disagreements_total{kind="accepted_but_invalid"} 1"#,
        r#"tls_verdict_disagreements_total{kind="rejected_but_valid"} 0"#,
        r#"tls_observer_trust_reloads_total{result="success"} 0"#,
        r#"tls_observer_trust_reloads_total{result="failure"} 1"#,
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

#[test]
fn established_handshakes_are_timed() {
    let metrics = Metrics::new(&[]);
    metrics.record(&samples::established_13());
    let text = metrics.open_metrics();
    let labels = r#"version="1.3",resumed="true""#;
    for line in [
        format!(r#"tls_handshakes_total{{outcome="established",{labels}}} 1"#),
        format!(r#"tls_handshake_duration_seconds_bucket{{le="0.0025",{labels}}} 0"#),
        format!(r#"tls_handshake_duration_seconds_bucket{{le="0.005",{labels}}} 1"#),
        r#"tls_negotiated_groups_total{group="X25519MLKEM768",post_quantum="true"} 1"#.to_owned(),
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

#[test]
fn late_alerts_are_no_handshakes() {
    let metrics = Metrics::new(&[]);
    metrics.record(&samples::late_alert());
    let text = metrics.open_metrics();
    assert!(text.contains(r#"tls_alerts_total{sender="client",level="unknown",description="encrypted"} 1"#));
    assert!(
        lines_of(&text, "tls_handshakes_total")
            .iter()
            .all(|line| line.ends_with(" 0"))
    );
}

#[test]
fn recording_common_handshakes_makes_no_new_series() {
    let metrics = Metrics::new(&services(&["api=8443"]));
    let before = metrics.open_metrics().lines().count();
    for seen in [
        samples::refused_client(),
        samples::established_13(),
        samples::not_tls(),
        samples::wrongly_accepted(),
    ] {
        metrics.record(&seen);
    }
    assert_eq!(metrics.open_metrics().lines().count(), before);
}

#[test]
fn every_reason_exists_from_the_start() {
    let text = Metrics::new(&[]).open_metrics();
    for reason in def::REASON.values {
        let label = format!("reason=\"{reason}\"");
        assert!(
            lines_of(&text, "tls_handshake_failures_total")
                .iter()
                .any(|line| line.contains(&label)),
            "{reason}"
        );
    }
    assert!(text.contains(r#"reason="client_certificate_missing",evidence="derived""#));
    assert!(text.contains(r#"reason="client_certificate_rejected",evidence="inferred""#));
    assert!(text.contains(r#"tls_observer_events_dropped_total{stage="ring",reason="full"} 0"#));
    assert!(!text.contains("service="), "no services, no label");
}

#[test]
fn services_name_listeners_by_address_then_port() {
    let metrics = Metrics::new(&services(&["api=10.0.0.1:8443", "web=8443", "mail=465"]));
    metrics.record(&samples::refused_client());
    let mut elsewhere = samples::refused_client();
    elsewhere.server = "[::ffff:10.0.0.9]:8443".parse().unwrap();
    metrics.record(&elsewhere);
    elsewhere.server.set_port(1);
    metrics.record(&elsewhere);
    let text = metrics.open_metrics();
    for (service, count) in [("api", 1), ("web", 1), ("other", 1), ("mail", 0)] {
        let line = format!(r#"tls_client_certificates_total{{state="sent",service="{service}"}} {count}"#);
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[test]
fn kernel_totals_and_gauges_are_taken_over() {
    let metrics = Metrics::new(&[]);
    metrics.set_kernel_counter(KernelCounter::RingFull, 7);
    metrics.set_kernel_counter(KernelCounter::RingFull, 5);
    metrics.set_kernel_counter(KernelCounter::EmittedBytes, 4096);
    metrics.set_kernel_counter(KernelCounter::Emitted, 1);
    metrics.set_probe_attached("cgroup_skb/ingress", "/sys/fs/cgroup", true);
    metrics.set_flows(3);
    metrics.set_buffer_bytes(100);
    metrics.drop_counter("flows", "evicted").inc();
    let text = metrics.open_metrics();
    for line in [
        r#"tls_observer_events_dropped_total{stage="ring",reason="full"} 7"#,
        r#"tls_observer_events_dropped_total{stage="flows",reason="evicted"} 1"#,
        "tls_observer_ring_bytes_total 4096",
        r#"tls_observer_probe_attached{hook="cgroup_skb/ingress",target="/sys/fs/cgroup"} 1"#,
        "tls_observer_flows 3",
        "tls_observer_buffer_bytes 100",
        concat!(
            r#"tls_observer_build_info{version=""#,
            env!("CARGO_PKG_VERSION"),
            r#""} 1"#
        ),
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

#[test]
fn the_reference_names_what_is_registered() {
    let mut metrics = Metrics::new(&[]);
    metrics.add_expiry(SharedInventory::new(&Watching::default()).unwrap());
    metrics.set_probe_attached("cgroup_skb/ingress", "/", true);
    let text = metrics.open_metrics();
    let registered: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
            Some(match kind {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name.to_owned(),
            })
        })
        .collect();
    let documented: Vec<_> = all().iter().map(|metric| metric.name()).collect();
    assert_eq!(registered, documented);
    check("metrics.md", &reference());
}
