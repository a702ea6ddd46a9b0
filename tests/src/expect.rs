//! What a whole event should be: every field either has its exact value, or obeys a named rule; any other field is an
//! error, and so is one that is missing.

mod consistency;
mod rules;
mod verdict;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use crate::events::leaves;
use crate::peers::Version;
use crate::pki::{Leaf, SERVER_NAME};
use rules::{Rule, is_duration, is_id, is_ja4, is_list, is_md5, is_port, is_recent, is_record_list, is_rule};

/// The event that a test expects.
#[derive(Clone)]
pub struct Expected {
    exact: BTreeMap<String, Value>,
    rules: BTreeMap<String, Rule>,
    alerts: Vec<Value>,
}

/// What a server said by an alert that could be read.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// `client` or `server`.
    pub sender: &'static str,
    /// Its number.
    pub code: u8,
    /// Its name in the IANA registry.
    pub description: &'static str,
}

impl Expected {
    /// A handshake in which a client of `client` asked `server` for [`SERVER_NAME`], seen on the wire and in whole; no
    /// answer was seen, and the outcome is not set.
    pub fn hello(client: IpAddr, server: SocketAddr) -> Self {
        let mut expected = Self {
            exact: BTreeMap::new(),
            rules: BTreeMap::new(),
            alerts: Vec::new(),
        };
        let family = if server.is_ipv4() { "ipv4" } else { "ipv6" };
        expected = expected
            .set("event.kind", "event")
            .set("event.category", json!(["network"]))
            .set("event.action", "tls-handshake")
            .set("client.ip", client.to_string())
            .set("source.ip", client.to_string())
            .set("server.ip", server.ip().to_string())
            .set("server.port", server.port())
            .set("destination.ip", server.ip().to_string())
            .set("destination.port", server.port())
            .set("network.transport", "tcp")
            .set("network.type", family)
            .set("network.protocol", "tls")
            .set("handshake.source", "wire")
            .set("handshake.completeness", "complete")
            .set("handshake.ech", false)
            .set("handshake.grease", false)
            .set("handshake.client.legacy_version", "1.2")
            .set("tls.client.server_name", SERVER_NAME)
            .rule("@timestamp", is_recent)
            .rule("event.duration", is_duration)
            .rule("event.id", is_id)
            .rule("client.port", is_port)
            .rule("source.port", is_port)
            .rule("network.community_id", Value::is_string);
        for list in ["groups", "signature_algorithms", "extensions"] {
            expected = expected.rule(&format!("handshake.client.{list}"), is_list);
        }
        expected
            .rule("tls.client.supported_ciphers", is_list)
            .rule("tls.client.ja3", is_md5)
            .rule("tls.client.ja4", is_ja4)
    }

    /// The client offered this version alone. `listed`: it named it in supported_versions.
    #[must_use]
    pub fn offering(mut self, version: Version, listed: bool) -> Self {
        if listed {
            self = self.set("handshake.client.versions", json!([version.text()]));
        }
        if version == Version::Tls13 {
            self.rule("handshake.client.key_shares", is_list)
        } else {
            self
        }
    }

    /// The server answered with this version, cipher suite and group, and a full handshake began.
    #[must_use]
    pub fn answered(mut self, version: Version, cipher: &str, group: Option<&str>) -> Self {
        self = self
            .set("tls.version", version.text())
            .set("tls.version_protocol", "tls")
            .set("tls.cipher", cipher)
            .set("tls.resumed", false)
            .set("handshake.hello_retry", false)
            .rule("handshake.timings.server_hello", is_duration)
            .rule("tls.server.ja3s", is_md5);
        if let Some(group) = group {
            self = self.set("tls.curve", group).set("handshake.post_quantum", false);
        }
        if version == Version::Tls13 {
            self.rule("handshake.encrypted_records", is_record_list)
        } else {
            self
        }
    }

    /// The client answered the server's flight.
    #[must_use]
    pub fn client_flight(self) -> Self {
        self.rule("handshake.timings.client_flight", is_duration)
    }

    /// Both sides finished. TLS 1.3 hides that, so there it is inferred.
    #[must_use]
    pub fn established(self, version: Version) -> Self {
        let evidence = if version == Version::Tls13 {
            "inferred"
        } else {
            "observed"
        };
        self.client_flight()
            .outcome("established", &["connection", "allowed"], "success", evidence)
            .set("tls.established", true)
            .rule("handshake.timings.finished", is_duration)
    }

    /// `by` refused for `reason`.
    #[must_use]
    pub fn rejected(self, by: &str, reason: &str, evidence: &str) -> Self {
        self.outcome("rejected", &["connection", "denied"], "failure", evidence)
            .set("handshake.rejected_by", by)
            .set("handshake.reason", reason)
            .set("tls.established", false)
    }

    /// It ended otherwise: `outcome` is `aborted` or `timed_out`.
    #[must_use]
    pub fn failed(mut self, outcome: &str, reason: &str) -> Self {
        // The rule tells where the handshake stood when it was closed.
        if matches!(reason, "closed" | "reset") {
            self = self.rule("handshake.rule", is_rule);
        }
        self.outcome(outcome, &["connection", "error"], "failure", "observed")
            .set("handshake.reason", reason)
            .set("tls.established", false)
    }

    fn outcome(mut self, outcome: &str, types: &[&str], success: &str, evidence: &str) -> Self {
        if evidence != "observed" {
            self = self.rule("handshake.rule", is_rule);
        }
        self.set("handshake.outcome", outcome)
            .set("handshake.evidence", evidence)
            .set("event.type", json!(types))
            .set("event.outcome", success)
    }

    /// What became of the client's certificate.
    #[must_use]
    pub fn client_certificate(self, state: &str) -> Self {
        self.set("handshake.client_certificate", state)
    }

    /// This alert was seen, after those before.
    #[must_use]
    pub fn alert(mut self, alert: Alert) -> Self {
        let Alert {
            sender,
            code,
            description,
        } = alert;
        self.alerts.push(json!({
            "sender": sender, "level": "fatal", "code": code, "description": description, "encrypted": false,
        }));
        self
    }

    /// The leaf certificate of `side` was seen, and no trust bundle is for it.
    #[must_use]
    pub fn certificate(self, side: &str, leaf: &Leaf) -> Self {
        let path = |field: &str| format!("tls.{side}.{field}");
        let mut expected = self
            .set(&path("subject"), leaf.subject.text())
            .set(&path("issuer"), leaf.issuer.text())
            .set(&path("hash.sha256"), leaf.sha256.as_str())
            .set(&path("x509.version_number"), "3")
            .set(&path("x509.serial_number"), leaf.serial.as_str())
            .set(&path("x509.alternative_names"), json!(leaf.alternative_names))
            .set(&path("x509.signature_algorithm"), "ECDSA-SHA256")
            .set(&path("x509.public_key_algorithm"), "ECDSA")
            .set(&path("x509.public_key_size"), 256)
            .set(&path("x509.public_key_curve"), "P-256");
        for prefix in ["", "x509."] {
            expected = expected
                .set(&path(&format!("{prefix}not_before")), leaf.not_before.as_str())
                .set(&path(&format!("{prefix}not_after")), leaf.not_after.as_str());
        }
        for (whose, name) in [("subject", &leaf.subject), ("issuer", &leaf.issuer)] {
            let path = |field: &str| format!("tls.{side}.x509.{whose}.{field}");
            expected = expected
                .set(&path("distinguished_name"), name.text())
                .set(&path("common_name"), json!([name.common_name]))
                .set(&path("organization"), json!([name.organization]))
                .set(&path("country"), json!([name.country]));
        }
        expected.judged_without_trust(side, leaf)
    }

    /// `path` has this value.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.rules.remove(path);
        self.exact.insert(path.to_owned(), value.into());
        self
    }

    /// `path` is there and obeys the rule.
    #[must_use]
    pub fn rule(mut self, path: &str, rule: Rule) -> Self {
        self.exact.remove(path);
        self.rules.insert(path.to_owned(), rule);
        self
    }

    /// Nothing at `path` or below it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let below = format!("{path}.");
        let keep = |key: &str| key != path && !key.starts_with(&below);
        self.exact.retain(|key, _| keep(key));
        self.rules.retain(|key, _| keep(key));
        self
    }

    /// All that is wrong with `event`, one line each.
    pub fn faults(&self, event: &Value) -> Vec<String> {
        let mut found = leaves(event);
        let mut faults = Vec::new();
        for (path, value) in &self.exact {
            match found.remove(path) {
                Some(actual) if actual == *value => {}
                Some(actual) => faults.push(format!("{path}: {actual}, expected {value}")),
                None => faults.push(format!("{path}: missing, expected {value}")),
            }
        }
        for (path, rule) in &self.rules {
            match found.remove(path) {
                Some(actual) if rule(&actual) => {}
                Some(actual) => faults.push(format!("{path}: {actual} breaks its rule")),
                None => faults.push(format!("{path}: missing")),
            }
        }
        faults.extend(self.alert_faults(found.remove("handshake.alerts")));
        faults.extend(
            found
                .iter()
                .map(|(path, value)| format!("{path}: {value}, expected nothing")),
        );
        faults.extend(consistency::faults(event));
        faults
    }

    fn alert_faults(&self, alerts: Option<Value>) -> Option<String> {
        let mut alerts = match alerts {
            None => Vec::new(),
            Some(Value::Array(alerts)) => alerts,
            Some(other) => return Some(format!("handshake.alerts: {other}")),
        };
        for alert in &mut alerts {
            let offset = alert.as_object_mut().and_then(|alert| alert.remove("offset_ns"));
            if !offset.as_ref().is_some_and(is_duration) {
                return Some(format!("handshake.alerts: offset_ns {offset:?}"));
            }
        }
        (alerts != self.alerts).then(|| format!("handshake.alerts: {alerts:?}, expected {:?}", self.alerts))
    }

    /// Holds `event` against all of it.
    ///
    /// # Panics
    /// With each fault and the whole event.
    pub fn assert(&self, event: &Value, context: &str) {
        let faults = self.faults(event);
        assert!(
            faults.is_empty(),
            "{context}:\n  {}\n{event:#}",
            faults.join("\n  ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_wrong_and_unexpected_fields_are_faults() {
        let expected = Expected {
            exact: BTreeMap::new(),
            rules: BTreeMap::new(),
            alerts: Vec::new(),
        }
        .set("a.b", 1)
        .rule("a.c", is_port);
        assert!(expected.faults(&json!({ "a": { "b": 1, "c": 2 } })).is_empty());
        assert_eq!(
            expected.faults(&json!({ "a": { "b": 2, "c": 0, "d": 3 } })).len(),
            3
        );
        assert_eq!(expected.faults(&json!({ "a": {} })).len(), 2);
        assert_eq!(
            expected
                .faults(&json!({ "a": { "b": 1, "c": 2 }, "handshake": { "alerts": [] } }))
                .len(),
            0
        );
        assert_eq!(
            expected
                .faults(&json!({ "a": { "b": 1, "c": 2 }, "handshake": { "alerts": [{}] } }))
                .len(),
            1
        );
    }
}
