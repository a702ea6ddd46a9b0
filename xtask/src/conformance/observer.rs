//! What the observer tells of a capture: `replay --messages --format json`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::message::{Direction, FIELDS, Kind, Message, Messages};

/// Status of a replay that found its capture damaged and told all that came before.
const DAMAGED: i32 = 1;

/// The messages in a capture, and what the observer had to say about a damaged one.
pub fn messages(observer: &Path, capture: &Path) -> Result<(Messages, Option<String>)> {
    let done = Command::new(observer)
        .args(["replay", "--messages", "--format", "json"])
        .arg(capture)
        .output()
        .with_context(|| observer.display().to_string())?;
    let complaint = match done.status.code() {
        Some(0) => None,
        status => {
            let stderr = String::from_utf8_lossy(&done.stderr);
            let last = stderr.lines().last().unwrap_or_default().to_owned();
            if status != Some(DAMAGED) {
                bail!("the observer ended with {}: {last}", done.status);
            }
            Some(last)
        }
    };
    Ok((parse(&String::from_utf8(done.stdout)?)?, complaint))
}

fn parse(text: &str) -> Result<Messages> {
    let mut found = Messages::new();
    for line in text.lines() {
        let (direction, message) =
            parse_line(line).with_context(|| format!("the observer's line: {line}"))?;
        found.entry(direction).or_default().push(message);
    }
    Ok(found)
}

fn parse_line(line: &str) -> Result<(Direction, Message)> {
    let value: Value = serde_json::from_str(line)?;
    let text = |key: &str| value[key].as_str().with_context(|| format!("no {key}"));
    let end = |ip: &str, port: &str| {
        let port = value[port].as_u64().and_then(|port| u16::try_from(port).ok());
        Ok::<_, anyhow::Error>((text(ip)?.parse()?, port.context("no port")?))
    };
    let direction = Direction {
        source: end("src_ip", "src_port")?,
        destination: end("dst_ip", "dst_port")?,
    };
    let kind = match text("kind")? {
        "handshake" => Kind::Handshake(value["type"].as_u64().context("no type")?),
        "alert" => Kind::Alert,
        "sslv2" => Kind::Ssl2,
        other => bail!("unknown kind {other}"),
    };
    let fields = FIELDS.iter().filter_map(|field| {
        let value = value.get(field)?;
        let is_empty = value.is_null() || *value == "" || value.as_array().is_some_and(Vec::is_empty);
        (!is_empty).then(|| (*field, value.clone()))
    });
    let fields = fields.collect();
    Ok((direction, Message { kind, fields }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_become_messages_without_empty_fields() {
        let line = json!({
            "kind": "handshake", "type": 1, "length": 5, "src_ip": "::1", "src_port": 1, "dst_ip": "::2", "dst_port": 2,
            "server_name": "x", "session_id": "", "alpn": [], "unheard_of": 1,
        });
        let found = parse(&format!("{line}\n")).expect("a message");
        let (direction, messages) = found.first_key_value().expect("a direction");
        assert_eq!(direction.to_string(), "::1.1 > ::2.2");
        assert_eq!(messages[0].kind, Kind::Handshake(1));
        let fields: Vec<_> = messages[0].fields.iter().collect();
        assert_eq!(fields, [(&"length", &json!(5)), (&"server_name", &json!("x"))]);
    }

    #[test]
    fn a_line_without_ends_is_an_error() {
        assert!(parse("{\"kind\":\"alert\"}").is_err());
    }
}
