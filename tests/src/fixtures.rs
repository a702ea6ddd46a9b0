//! The project's own captures under `tests/fixtures`, and what their peers said of them.
//!
//! `MANIFEST.tsv` has a line for each capture. [`crate::record`] makes both; the tests read them.

mod segments;
mod told;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use data_encoding::HEXLOWER;
use pcap_file::pcapng::{Block, PcapNgReader};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use segments::{Captured, segments};
pub use told::{Told, What};

/// The list of captures, beside them.
const MANIFEST: &str = "MANIFEST.tsv";
/// Its columns.
const COLUMNS: [&str; 9] = [
    "file", "scenario", "peers", "recorded", "made", "port", "sha256", "events", "messages",
];

/// One capture.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    /// Name of the file, in [`directory`].
    pub file: String,
    /// What happens in it.
    pub scenario: String,
    /// Client and server, with their versions.
    pub peers: String,
    /// The day on which it was recorded.
    pub recorded: String,
    /// By what means.
    pub made: String,
    /// The server's port: packets to it are the client's.
    pub port: u16,
    /// Of the file, lower-case hexadecimal.
    pub sha256: String,
    /// What the peers said of each handshake, as dotted paths of an event with their values, in the order of the hellos.
    pub events: Vec<Map<String, Value>>,
    /// The handshake and alert messages in plaintext, as the peers logged them; `None` where neither keeps such a log.
    /// In the order of each side; how the sides interleave is not told.
    pub messages: Option<Vec<Told>>,
}

/// One captured packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// From the Ethernet header on.
    pub frame: Vec<u8>,
}

/// Where the captures are.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Reads the manifest.
///
/// # Errors
/// When it is missing or malformed.
pub fn load() -> Result<Vec<Fixture>> {
    load_from(&directory())
}

/// Reads the manifest of another folder.
///
/// # Errors
/// When it is missing or malformed.
pub fn load_from(directory: &Path) -> Result<Vec<Fixture>> {
    let path = directory.join(MANIFEST);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    ensure!(head == COLUMNS.join("\t"), "{MANIFEST}: unknown columns: {head}");
    lines
        .map(|line| Fixture::parse(line).with_context(|| format!("{MANIFEST}: {line}")))
        .collect()
}

/// Writes the manifest of a folder.
///
/// # Errors
/// When it cannot be written.
pub fn store(directory: &Path, fixtures: &[Fixture]) -> Result<()> {
    let mut text = COLUMNS.join("\t") + "\n";
    for fixture in fixtures {
        writeln!(text, "{}", fixture.line()?)?;
    }
    std::fs::write(directory.join(MANIFEST), text).context(MANIFEST)
}

impl Fixture {
    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split('\t').collect();
        let [
            file,
            scenario,
            peers,
            recorded,
            made,
            port,
            sha256,
            events,
            messages,
        ] = cells.as_slice()
        else {
            bail!("{} columns", cells.len());
        };
        let messages = match *messages {
            "-" => None,
            list => Some(list.split_whitespace().map(str::parse).collect::<Result<_>>()?),
        };
        Ok(Self {
            file: (*file).to_owned(),
            scenario: (*scenario).to_owned(),
            peers: (*peers).to_owned(),
            recorded: (*recorded).to_owned(),
            made: (*made).to_owned(),
            port: port.parse()?,
            sha256: (*sha256).to_owned(),
            events: serde_json::from_str(events)?,
            messages,
        })
    }

    fn line(&self) -> Result<String> {
        let messages = self.messages.as_ref().map_or("-".to_owned(), |list| {
            list.iter().map(Told::to_string).collect::<Vec<_>>().join(" ")
        });
        let cells = [
            &self.file,
            &self.scenario,
            &self.peers,
            &self.recorded,
            &self.made,
            &self.port.to_string(),
            &self.sha256,
            &serde_json::to_string(&self.events)?,
            &messages,
        ];
        ensure!(
            cells.iter().all(|cell| !cell.contains(['\t', '\n'])),
            "{}: a cell with a tab",
            self.file
        );
        Ok(cells.map(String::as_str).join("\t"))
    }

    /// The file's bytes, which must have the hash of the manifest.
    ///
    /// # Errors
    /// When it is missing or was changed.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let bytes = std::fs::read(directory().join(&self.file)).with_context(|| self.file.clone())?;
        ensure!(
            sha256(&bytes) == self.sha256,
            "{} is not what was recorded",
            self.file
        );
        Ok(bytes)
    }

    /// The packets in it.
    ///
    /// # Errors
    /// Like [`Fixture::bytes`].
    pub fn packets(&self) -> Result<Vec<Packet>> {
        let bytes = self.bytes()?;
        let mut reader = PcapNgReader::new(bytes.as_slice())?;
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block? {
                packets.push(Packet {
                    time_ns: u64::try_from(packet.timestamp.as_nanos())?,
                    frame: packet.data.into_owned(),
                });
            }
        }
        Ok(packets)
    }
}

/// SHA-256 as the manifest has it.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let event = json!({ "tls.version": "1.2", "tls.resumed": false });
        let fixture = Fixture {
            file: "a.pcapng".into(),
            scenario: "two of them".into(),
            peers: "x 1.0, y 2.0".into(),
            recorded: "2030-01-02".into(),
            made: "by hand".into(),
            port: 443,
            sha256: sha256(b""),
            events: vec![event.as_object().unwrap().clone()],
            messages: Some(vec!["c1:20".parse().unwrap(), "s!2/40".parse().unwrap()]),
        };
        let without = Fixture {
            messages: None,
            ..fixture.clone()
        };
        let both = [fixture, without];
        store(folder.path(), &both).unwrap();
        assert_eq!(load_from(folder.path()).unwrap(), both);
    }

    #[test]
    fn a_tab_in_a_cell_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let line = format!("a\tb\tc\td\te\t1\t{}\t[]\t-", sha256(b""));
        let fixture = Fixture {
            scenario: "a\tb".into(),
            ..Fixture::parse(&line).unwrap()
        };
        assert!(store(folder.path(), &[fixture]).is_err());
    }
}
