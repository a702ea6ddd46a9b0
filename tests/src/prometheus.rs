//! A real Prometheus, and promtool.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::copies::program_in_path;
use crate::http;
use crate::netns::Namespace;
use crate::process::{Confine, Process};
use crate::target;

/// Where it serves; it always runs in a namespace of the tests, so the port is free.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
/// The rules that are shipped.
pub const RULES: &str = "tls-observer.rules.yaml";
/// The job of its targets, which the rules and `scrape.yaml` know.
pub const JOB: &str = "tls-observer";

/// How long promtool may take: its tests are of days.
const PROMTOOL_PATIENCE: Duration = Duration::from_secs(300);

/// Where the shipped rules and their tests are.
pub fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus")
}

/// `prometheus` or `promtool`: in `PATH`, or where `cargo xtask setup --stacks` unpacks it, in Cargo's target directory.
///
/// # Errors
/// When there is none.
pub fn program(name: &str) -> Result<PathBuf> {
    if let Some(found) = program_in_path(name) {
        return Ok(found);
    }
    target::installed(
        Path::new("prometheus/usr/bin").join(name),
        "cargo xtask setup --stacks",
    )
}

/// Runs promtool to its end.
///
/// # Errors
/// When it is missing, takes too long or objects, with what it said.
pub fn promtool<'a>(command: &[&str], files: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let mut promtool = Process::spawn(Command::new(program("promtool")?).args(command).args(files))?;
    let status = promtool.wait(PROMTOOL_PATIENCE)?;
    ensure!(status.success(), "{status}: {}", promtool.transcript());
    Ok(())
}

/// A running Prometheus that scrapes and evaluates each second. Dropping it kills it.
pub struct Prometheus {
    _process: Process,
    namespace: Namespace,
    // Its data and configuration, which go with the guard.
    _directory: TempDir,
}

/// Labels of a series or an alert.
pub type Labels = BTreeMap<String, String>;

/// One series of an answer.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// Value.
    pub value: f64,
}

impl Prometheus {
    /// Starts it in a namespace, with these files of rules, and waits until it is ready.
    ///
    /// # Errors
    /// When it is missing, or ends, with what it said.
    pub fn start(namespace: &Namespace, rules: &[&Path], targets: &[SocketAddr]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tlsobs-prometheus-").tempdir()?;
        let configuration = directory.path().join("prometheus.json");
        let rules = rules
            .iter()
            .map(|file| file.canonicalize().with_context(|| file.display().to_string()))
            .collect::<Result<Vec<_>>>()?;
        // YAML takes JSON as it is.
        let settings = serde_json::json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" },
            "rule_files": rules,
            "scrape_configs": [{ "job_name": JOB, "static_configs": [{ "targets": targets }] }],
        });
        std::fs::write(&configuration, settings.to_string())?;
        let mut command = Command::new(program("prometheus")?);
        command
            .arg("--config.file")
            .arg(&configuration)
            .arg("--storage.tsdb.path")
            .arg(directory.path().join("data"))
            .args(["--web.listen-address", &LISTEN.to_string()])
            .args(["--enable-feature", "exemplar-storage"])
            .args(["--log.level", "warn"]);
        let mut process = Process::spawn(command.confine(Some(namespace), None)?)?;
        http::wait(&mut process, namespace, LISTEN, "/-/ready")?;
        Ok(Self {
            _process: process,
            namespace: namespace.share()?,
            _directory: directory,
        })
    }

    /// The `data` that its API gives for `path`, below `/api/v1/`.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let path = format!("/api/v1/{path}?{}", parameters.join("&"));
        let (status, body) = http::get(&self.namespace, LISTEN, &path)?;
        ensure!(status == 200, "{path}: {status}: {body}");
        let mut answer: Value = serde_json::from_str(&body).with_context(|| body.clone())?;
        Ok(answer["data"].take())
    }

    /// The answer to an expression whose value is an instant vector, as of now.
    ///
    /// # Errors
    /// When it has another.
    pub fn query(&self, expression: &str) -> Result<Vec<Sample>> {
        let data = self.api("query", &[("query", expression)])?;
        let result = data["result"].as_array().context("no result")?;
        result
            .iter()
            .map(|series| {
                Ok(Sample {
                    labels: serde_json::from_value(series["metric"].clone())?,
                    value: series["value"][1].as_str().context("no value")?.parse()?,
                })
            })
            .collect()
    }

    /// All pending and firing alerts.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn alerts(&self) -> Result<Vec<Value>> {
        let mut data = self.api("alerts", &[])?;
        serde_json::from_value(data["alerts"].take()).context("alerts")
    }

    /// All rules, of all groups.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn rules(&self) -> Result<Vec<Value>> {
        let data = self.api("rules", &[])?;
        let groups = data["groups"].as_array().context("groups")?;
        let rules = groups.iter().flat_map(|group| group["rules"].as_array());
        Ok(rules.flatten().cloned().collect())
    }
}

/// For the query of a URL (RFC 3986, section 2.1).
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
