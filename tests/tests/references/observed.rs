//! What the observer reads: `tls-observer replay --messages --format json`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use observer_tests::agent;
use serde_json::Value;

use super::lists::{Direction, Message, Messages, field_names};

/// The messages in a capture. A damaged capture gives those before the damage.
pub fn messages(capture: &Path) -> Result<Messages> {
    let done = Command::new(agent::binary()?)
        .args(["replay", "--messages", "--format", "json"])
        .arg(capture)
        .output()
        .context("tls-observer")?;
    ensure!(
        matches!(done.status.code(), Some(0 | 1)),
        "{}: {}: {}",
        capture.display(),
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    let mut found = Messages::new();
    for (place, line) in std::str::from_utf8(&done.stdout)?.lines().enumerate() {
        let (direction, message) = parse(place, line).with_context(|| line.to_owned())?;
        found.entry(direction).or_default().push(message);
    }
    Ok(found)
}

fn parse(place: usize, line: &str) -> Result<(Direction, Message)> {
    let value: Value = serde_json::from_str(line)?;
    let end = |ip: &str, port: &str| {
        let ip = value[ip].as_str().context("no address")?.parse()?;
        Ok::<_, anyhow::Error>((ip, u16::try_from(value[port].as_u64().context("no port")?)?))
    };
    let direction = Direction {
        source: end("src_ip", "src_port")?,
        destination: end("dst_ip", "dst_port")?,
    };
    let kind = match value["kind"].as_str().context("no kind")? {
        "handshake" => format!("handshake {}", value["type"]),
        other => other.to_owned(),
    };
    let fields = field_names().filter_map(|name| Some((name, value.get(name)?.clone())));
    let fields = fields.collect();
    Ok((direction, Message { place, kind, fields }))
}
