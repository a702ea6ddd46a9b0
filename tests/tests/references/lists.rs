//! Lists of messages as a reference has them: a table with a row for each message.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use observer_tests::fixtures::What;
use serde_json::{Value, json};

/// Columns of a list with the observer's name for the same and how their text is read.
const FIELDS: [(&str, &str, Form); 14] = [
    ("random", "random", Form::Text),
    ("session_id", "session_id", Form::Text),
    ("sni", "server_name", Form::Text),
    ("ja3", "ja3", Form::Text),
    ("ja3s", "ja3s", Form::Text),
    ("ja4", "ja4", Form::Text),
    ("ciphers", "ciphers", Form::Numbers),
    ("ext_types", "extensions", Form::Numbers),
    ("alpn", "alpn", Form::Texts),
    ("groups", "groups", Form::Numbers),
    ("key_share_groups", "key_shares", Form::Numbers),
    ("supported_versions", "supported_versions", Form::Numbers),
    ("alert_level", "alert_level", Form::Number),
    ("alert_desc", "alert_code", Form::Number),
];
/// The leaf's and its issuers' hashes.
const CERTIFICATES: (&str, &str) = ("cert_sha256", "certificates_sha256");

/// How a cell is read.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Texts,
    Number,
    Numbers,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Direction {
    pub source: (IpAddr, u16),
    pub destination: (IpAddr, u16),
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its place among all messages of the capture.
    pub place: usize,
    /// `handshake TYPE`, `alert` or `sslv2`.
    pub kind: String,
    /// What is known of it, by the observer's names.
    pub fields: BTreeMap<&'static str, Value>,
}

/// The messages of each direction in order.
pub type Messages = BTreeMap<Direction, Vec<Message>>;

/// A capture and its list.
pub struct Entry {
    pub path: String,
    pub reference: String,
}

/// The kind of a message that a peer told of.
pub fn kind_of(what: &What) -> String {
    match what {
        What::Handshake(typ, _) => format!("handshake {typ}"),
        What::Alert(..) => "alert".to_owned(),
    }
}

/// Names of the fields that lists have.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(_, name, _)| *name).chain([CERTIFICATES.1])
}

/// The captures of a folder that have a list.
pub fn index(folder: &Path) -> Result<Vec<Entry>> {
    let rows = table(&folder.join("INDEX.tsv"))?;
    let entries = rows.into_iter().map(|row| {
        Ok(Entry {
            path: row.get("path").context("no path")?.clone(),
            reference: row.get("reference").context("no reference")?.clone(),
        })
    });
    let mut entries: Vec<Entry> = entries.collect::<Result<_>>()?;
    let is_there = |name: &str| folder.join(name).is_file();
    entries.retain(|entry| {
        entry.reference.ends_with(".msgs.tsv") && is_there(&entry.reference) && is_there(&entry.path)
    });
    ensure!(
        !entries.is_empty(),
        "no capture with a reference in {}",
        folder.display()
    );
    Ok(entries)
}

/// A list's messages over TCP.
pub fn messages(path: &Path) -> Result<Messages> {
    let mut found = Messages::new();
    for (place, row) in table(path)?.into_iter().enumerate() {
        let cell = |name: &str| row.get(name).map_or("", String::as_str);
        if cell("proto") != "tls" || cell("l4") != "tcp" || cell("sport").is_empty() {
            continue;
        }
        let kind = match cell("kind") {
            "handshake" => format!("handshake {}", cell("hs_type")),
            other => other.to_owned(),
        };
        let direction = Direction {
            source: (cell("src").parse()?, cell("sport").parse()?),
            destination: (cell("dst").parse()?, cell("dport").parse()?),
        };
        let mut fields = BTreeMap::new();
        for (column, name, form) in FIELDS
            .into_iter()
            .chain([(CERTIFICATES.0, CERTIFICATES.1, Form::Texts)])
        {
            if !cell(column).is_empty() {
                fields.insert(
                    name,
                    form.read(cell(column))
                        .with_context(|| format!("{column}: {}", cell(column)))?,
                );
            }
        }
        let message = Message { place, kind, fields };
        found.entry(direction).or_default().push(message);
    }
    Ok(found)
}

impl Form {
    fn read(self, cell: &str) -> Result<Value> {
        let parts = cell
            .split([',', ';'])
            .map(str::trim)
            .filter(|part| !part.is_empty());
        Ok(match self {
            Self::Text => json!(cell),
            Self::Texts => parts.map(Value::from).collect(),
            Self::Number => number(cell)?,
            Self::Numbers => parts.map(number).collect::<Result<_>>()?,
        })
    }
}

/// A number, decimal or with 0x; an S before it marks what a server chose.
fn number(text: &str) -> Result<Value> {
    let text = text.trim_start_matches('S');
    Ok(json!(match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)?,
        None => text.parse()?,
    }))
}

/// A table with a head line and tabs.
fn table(path: &Path) -> Result<Vec<BTreeMap<String, String>>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let row = |line: &str| {
        let cells = head.iter().copied().zip(line.split('\t').map(unquote));
        cells.map(|(name, cell)| (name.to_owned(), cell)).collect()
    };
    Ok(lines.map(row).collect())
}

/// A cell without the quotes around one that has quotes in it.
fn unquote(cell: &str) -> String {
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => cell.to_owned(),
    }
}
