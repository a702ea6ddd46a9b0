//! The table of what pyca cryptography and OpenSSL say of each certificate, and the certificates themselves.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// One line of the table, by its column names.
pub struct Row(HashMap<String, String>);

impl Row {
    /// A column; "" when the table has none of that name.
    pub fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// The first file that holds the certificate, else the certificate's SHA-256.
    pub fn name(&self) -> &str {
        match self.get("file").split(';').next() {
            Some(name) if !name.is_empty() => name,
            _ => self.get("sha256"),
        }
    }

    /// What pyca says of a column, unless it refuses the certificate or fails on this part of it.
    pub fn pyca(&self, column: &str) -> Option<&str> {
        let failed = |part: &str| {
            let failure = part.split(':').next().unwrap_or_default();
            failure == "load" || failure == column
        };
        (!self.get("pyca_status").split(" | ").any(failed)).then(|| self.get(column))
    }

    /// What OpenSSL says of a column of its own, unless it refuses the certificate.
    pub fn openssl(&self, column: &str) -> Option<&str> {
        (self.get("openssl_status") == "ok").then(|| self.get(column))
    }

    /// Whether both libraries read all of the certificate.
    pub fn is_sound(&self) -> bool {
        self.get("pyca_status") == "ok" && self.get("openssl_status") == "ok"
    }

    /// Whether neither library reads all of the certificate.
    pub fn is_refused(&self) -> bool {
        self.get("pyca_status") != "ok" && self.get("openssl_status") != "ok"
    }
}

/// The lines of a tab-separated file with column names in its first line; none without the file.
pub fn table(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split('\t').map(unquoted));
    let columns: Vec<String> = lines.next().into_iter().flatten().collect();
    lines
        .map(|cells| Row(columns.iter().cloned().zip(cells).collect()))
        .collect()
}

/// A cell without the quotation marks that one with such marks inside has around it.
fn unquoted(cell: &str) -> String {
    let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
    inner.map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// The certificate of a row of `x509/reference.tsv`: a DER file, or the block of a PEM file that the hash tells.
pub fn from_file(folder: &Path, row: &Row) -> Vec<u8> {
    let path = folder.join(row.name().split('#').next().unwrap());
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let blocks = pem_blocks(&bytes);
    let candidates = blocks.into_iter().chain([bytes]);
    candidates
        .into_iter()
        .find(|der| sha256(der) == row.get("sha256"))
        .unwrap_or_else(|| panic!("{}: no certificate with the hash of the table", row.name()))
}

/// The certificates of `certs.tsv` that lie in one piece in any file under `folder`, by their hash.
pub fn in_captures(folder: &Path, rows: &[Row]) -> HashMap<String, Vec<u8>> {
    let sizes: Vec<usize> = rows
        .iter()
        .filter_map(|row| row.get("bytes").parse().ok())
        .collect();
    let mut found = HashMap::new();
    for bytes in files(folder) {
        for start in 0..bytes.len().saturating_sub(4) {
            let [0x30, 0x82, high, low] = bytes[start..start + 4] else {
                continue;
            };
            let size = 4 + usize::from(u16::from_be_bytes([high, low]));
            if let Some(der) = bytes.get(start..start + size).filter(|_| sizes.contains(&size)) {
                found.insert(sha256(der), der.to_vec());
            }
        }
    }
    found
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut contents = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            contents.extend(files(&path));
        } else {
            contents.extend(fs::read(&path));
        }
    }
    contents
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The contents of the blocks of a PEM file (RFC 7468), whatever their labels.
fn pem_blocks(file: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(file);
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with("-----BEGIN ") {
            block = Some(String::new());
        } else if line.starts_with("-----END ") {
            blocks.extend(block.take().map(|base64| decode(&base64)));
        } else if let Some(block) = &mut block {
            block.push_str(line);
        }
    }
    blocks
}

/// Base64 (RFC 4648, section 4); what is not of its alphabet is skipped.
fn decode(text: &str) -> Vec<u8> {
    let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']);
    let values: HashMap<char, u32> = alphabet.zip(0..).collect();
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = Vec::new();
    for value in text.chars().filter_map(|character| values.get(&character)) {
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
