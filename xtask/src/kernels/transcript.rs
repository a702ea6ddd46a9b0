//! What the virtual machine told, and whether it is what it should be.

use serde_json::Value;

/// The lines of the init script, without those of the firmware and the kernel.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: Vec<String>,
}

/// One expectation.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// What is expected.
    pub name: String,
    /// What was there instead.
    pub failure: Option<String>,
}

/// The three clients, in the order in which they come: version, outcome, who refused, reason, evidence, which probes told.
/// In TLS 1.3 only the library knows for certain.
const HANDSHAKES: [[&str; 6]; 3] = [
    ["1.2", "established", "-", "-", "observed", "both"],
    [
        "1.2",
        "rejected",
        "server",
        "client_certificate_missing",
        "derived",
        "both",
    ],
    [
        "1.3",
        "rejected",
        "server",
        "client_certificate_missing",
        "observed",
        "both",
    ],
];

impl Transcript {
    /// Reads what came from the console.
    pub fn read(console: &str) -> Self {
        let lines = console.lines().filter_map(|line| line.split_once("@@ "));
        Self {
            lines: lines.map(|(_, line)| line.trim_end().to_owned()).collect(),
        }
    }

    /// The kernel's release.
    pub fn kernel(&self) -> Option<&str> {
        self.all("kernel").next()
    }

    /// What the agent logged.
    pub fn log(&self) -> impl Iterator<Item = &str> {
        self.all("log")
    }

    /// Features that this kernel lacks, and what serves instead, as `check` names them.
    pub fn fallbacks(&self) -> Vec<String> {
        self.findings()
            .filter(|finding| finding["status"] == "degraded")
            .map(|finding| format!("{}: {}", text(&finding["feature"]), text(&finding["detail"])))
            .collect()
    }

    /// Everything that is expected.
    pub fn checks(&self) -> Vec<Check> {
        let mut checks = vec![
            check("check finds that the agent can run", true, self.able()),
            check(
                "the machine came to its end",
                true,
                self.all("end").next().is_some(),
            ),
        ];
        for how in ["cgroup", "interface"] {
            let handshakes = self.handshakes(how);
            for (index, expected) in HANDSHAKES.into_iter().enumerate() {
                let seen = handshakes.get(index).map(|seen| seen.join(" "));
                let name = format!("{how}: event {} tells what happened", index + 1);
                checks.push(check(&name, Some(expected.join(" ")), seen));
            }
            let name = format!("{how}: one event for each handshake");
            checks.push(check(&name, HANDSHAKES.len(), handshakes.len()));
            let name = format!("{how}: the agent ends well");
            checks.push(check(&name, Some("0"), self.all(&format!("exit {how}")).next()));
        }
        // One for each direction; links go with their process.
        let outlive = if self.lacks("tcx") { "2" } else { "0" };
        for (name, how, expected) in [
            ("filters after a kill are as documented", "killed", outlive),
            ("no filter after a normal end", "interface", "0"),
        ] {
            let seen = self.all(&format!("filters {how}")).next();
            checks.push(check(&format!("interface: {name}"), Some(expected), seen));
        }
        checks
    }

    /// The rest of every line that begins with these words.
    fn all<'a>(&'a self, words: &str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| {
            let rest = line.strip_prefix(words)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start())
        })
    }

    fn report(&self) -> Value {
        let report = self.all("check").next().unwrap_or_default();
        serde_json::from_str(report).unwrap_or_default()
    }

    fn able(&self) -> bool {
        self.report()["able"] == true
    }

    fn findings(&self) -> impl Iterator<Item = Value> {
        let findings = self.report()["findings"].take();
        let findings = match findings {
            Value::Array(findings) => findings,
            _ => Vec::new(),
        };
        findings.into_iter()
    }

    fn lacks(&self, feature: &str) -> bool {
        self.findings()
            .any(|finding| finding["feature"] == feature && finding["status"] != "ok")
    }

    /// The handshakes told of, in the order of their ClientHellos, in the form of [`HANDSHAKES`].
    fn handshakes(&self, how: &str) -> Vec<[String; 6]> {
        let words = format!("event {how}");
        let mut events: Vec<Value> = self
            .all(&words)
            .filter_map(|event| serde_json::from_str(event).ok())
            .filter(|event: &Value| event["event"]["action"] == "tls-handshake")
            .collect();
        events.sort_by_key(|event| text(&event["@timestamp"]));
        let facts = events.iter().map(|event| {
            let handshake = &event["handshake"];
            [
                &event["tls"]["version"],
                &handshake["outcome"],
                &handshake["rejected_by"],
                &handshake["reason"],
                &handshake["evidence"],
                &handshake["source"],
            ]
            .map(text)
        });
        facts.collect()
    }
}

fn check<T: PartialEq + std::fmt::Debug>(name: &str, expected: T, seen: T) -> Check {
    Check {
        name: name.to_owned(),
        failure: (expected != seen).then(|| format!("expected {expected:?}, seen {seen:?}")),
    }
}

/// A JSON string, or `-` where there is none.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kernel without tcx tells when all is well, as a serial console gives it.
    fn console() -> String {
        let mut lines = vec![
            "\u{1b}[2JSeaBIOS".to_owned(),
            "\u{1b}[7l@@ kernel 6.1.0".to_owned(),
            concat!(
                r#"@@ check {"able":true,"findings":[{"feature":"BTF","status":"ok","detail":"there"},"#,
                r#"{"feature":"tcx","status":"degraded","detail":"a clsact qdisc serves"}]}"#
            )
            .to_owned(),
        ];
        for how in ["cgroup", "interface"] {
            // Events come in the order of their outcomes.
            for (second, [version, outcome, by, reason, evidence, source]) in
                HANDSHAKES.iter().enumerate().rev()
            {
                lines.push(format!(
                    r#"@@ event {how} {{"@timestamp":"2026-01-01T00:00:0{second}Z","event":{{"action":"tls-handshake"}},"tls":{{"version":"{version}"}},"handshake":{{"outcome":"{outcome}","rejected_by":"{by}","reason":"{reason}","evidence":"{evidence}","source":"{source}"}}}}"#
                ));
            }
            lines.push(format!(r#"@@ event {how} {{"event":{{"action":"tls-alert"}}}}"#));
            lines.push(format!("@@ exit {how} 0"));
        }
        lines.push("@@ filters killed 2".to_owned());
        lines.push("@@ filters interface 0".to_owned());
        lines.push("@@ end".to_owned());
        lines.join("\r\n")
    }

    fn failures(console: &str) -> Vec<String> {
        let checks = Transcript::read(console).checks();
        let failed = checks.into_iter().filter(|check| check.failure.is_some());
        failed.map(|check| check.name).collect()
    }

    #[test]
    fn a_good_run_has_no_failures() {
        let transcript = Transcript::read(&console());
        assert_eq!(failures(&console()), [""; 0]);
        assert_eq!(transcript.kernel(), Some("6.1.0"));
        assert_eq!(transcript.fallbacks(), ["tcx: a clsact qdisc serves"]);
    }

    #[test]
    fn each_fault_is_one_failure() {
        for (from, to, failure) in [
            (
                "\"able\":true",
                "\"able\":false",
                "check finds that the agent can run",
            ),
            ("@@ end", "", "the machine came to its end"),
            (
                r#""1.3"},"handshake":{"outcome":"rejected""#,
                r#""1.3"},"handshake":{"outcome":"aborted""#,
                "cgroup: event 3 tells what happened",
            ),
            (
                "exit interface 0",
                "exit interface 101",
                "interface: the agent ends well",
            ),
            (
                "filters killed 2",
                "filters killed 0",
                "interface: filters after a kill are as documented",
            ),
            (
                "filters interface 0",
                "filters interface 1",
                "interface: no filter after a normal end",
            ),
        ] {
            let broken = console().replacen(from, to, 1);
            assert_eq!(failures(&broken), [failure]);
        }
    }

    #[test]
    fn a_machine_that_does_not_boot_fails_everything_else_too() {
        let checks = Transcript::read("SeaBIOS\r\nKernel panic").checks();
        assert!(checks.iter().all(|check| check.failure.is_some()), "{checks:?}");
    }
}
