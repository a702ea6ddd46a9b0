//! The metric of each certificate's end: opt-in, for its labels name certificates.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use super::definitions::SENDER;
use super::series::{Definition, Kind, Label};
use crate::output::event::text::Digest;
use crate::output::words::Word;
use crate::watch::inventory::{Entry, SharedInventory};

/// Longest common name in a label, in characters: the upper bound of RFC 5280, appendix A.1.
const MAX_COMMON_NAME: usize = 64;

/// Who shows a certificate.
static SIDE: Label = Label {
    name: "side",
    values: SENDER.values,
};
/// SHA-256 of the certificate.
static FINGERPRINT: Label = Label {
    name: "fingerprint",
    values: &[],
};
/// The subject's first common name.
static COMMON_NAME: Label = Label {
    name: "common_name",
    values: &[],
};

/// `tls_certificate_not_after_timestamp_seconds`.
pub static NOT_AFTER: Definition<3> = Definition {
    name: "tls_certificate_not_after_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When a leaf certificate ends, seconds since the Unix epoch. Only with the setting certificate_metric, and for as \
           many certificates as it says; tls_observer_forgotten_total counts the others.",
    labels: [&SIDE, &FINGERPRINT, &COMMON_NAME],
    per_service: false,
    initial: "none",
};

/// Reads the series out of the inventory when they are asked for.
#[derive(Debug)]
pub(super) struct Expiry(pub SharedInventory);

impl Collector for Expiry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = NOT_AFTER.help.trim_end_matches('.');
        let mut family = encoder.encode_descriptor(NOT_AFTER.name, help, None, MetricType::Gauge)?;
        let inventory = self.0.lock();
        for entry in inventory.entries().filter(|entry| entry.measured) {
            if let Some(not_after) = entry.leaf.not_after {
                let labels = labels(entry);
                ConstGauge::new(not_after).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn labels(entry: &Entry) -> [(&'static str, String); 3] {
    let common_name = entry.leaf.subject_attributes.common_name.first();
    let common_name = common_name.map(|name| name.chars().take(MAX_COMMON_NAME).collect());
    [
        (SIDE.name, entry.side.word().to_owned()),
        (FINGERPRINT.name, Digest(&entry.leaf.sha256).to_string()),
        (COMMON_NAME.name, common_name.unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::config::watching::Watching;
    use crate::observation::Observation;
    use crate::output::metrics::Metrics;
    use crate::output::samples;
    use crate::watch::inventory::SharedInventory;

    #[test]
    fn as_many_as_wanted_and_names_are_escaped() {
        let settings = Watching {
            metric: 2,
            ..Watching::default()
        };
        let inventory = SharedInventory::new(&settings).unwrap();
        let mut metrics = Metrics::new(&[]);
        metrics.add_expiry(inventory.clone());
        assert!(!metrics.open_metrics().contains("not_after_timestamp_seconds{"));
        for (number, name) in ["server", "a\"b\n\\c", "third"].into_iter().enumerate() {
            let mut leaf = (*samples::certificate(name)).clone();
            leaf.sha256[0] = number as u8;
            let seen = Observation {
                server_chain: vec![Arc::new(leaf)],
                client_chain: vec![],
                ..samples::refused_client()
            };
            inventory.lock().observe(&seen, 0);
        }
        let text = metrics.open_metrics();
        let fingerprint = |first| format!("{first}{}", "AB".repeat(31));
        for line in [
            format!(
                "tls_certificate_not_after_timestamp_seconds{{side=\"server\",fingerprint=\"{}\",common_name=\"server\"}} \
                 1731536000",
                fingerprint("00")
            ),
            format!(
                "tls_certificate_not_after_timestamp_seconds{{side=\"server\",fingerprint=\"{}\",\
                 common_name=\"a\\\"b\\n\\\\c\"}} 1731536000",
                fingerprint("01")
            ),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("third"));
        assert_eq!(inventory.lock().unmeasured(), 1);
    }
}
