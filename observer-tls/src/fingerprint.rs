//! Fingerprints of hello messages: JA3 and JA3S (Salesforce), JA4 for TLS over TCP (FoxIO).
//!
//! They name an implementation by what it offers. JA3 and JA3S are the MD5 of decimal lists in the order sent; JA4 sorts
//! its lists and puts a readable part in front of two truncated SHA-256. GREASE values (RFC 8701) count nowhere.

use std::fmt::{self, Debug, Display};

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::client_hello::ClientHello;
use crate::codepoints::{ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::error::ParseError;
use crate::extension::Extension;
use crate::reader::Reader;
use crate::server_hello::ServerHello;

/// A fingerprint of `N` ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint<const N: usize>([u8; N]);

/// JA3 or JA3S: an MD5 as lowercase hex.
pub type Ja3 = Fingerprint<32>;
/// JA4: ten readable characters and two truncated SHA-256 as lowercase hex, joined by underscores.
pub type Ja4 = Fingerprint<36>;

impl<const N: usize> Fingerprint<N> {
    /// A fingerprint computed elsewhere; `None` when `text` is not `N` ASCII characters.
    pub fn new(text: &str) -> Option<Self> {
        let characters = text.as_bytes().try_into().ok()?;
        text.is_ascii().then_some(Self(characters))
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> Display for Fingerprint<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> Debug for Fingerprint<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(self.as_str(), f)
    }
}

/// JA3 of a ClientHello: the MD5 of legacy version, cipher suites, extension types, groups and point formats.
pub fn ja3(hello: &ClientHello) -> Ja3 {
    let mut text = Text::for_values(hello.cipher_suites.len() + hello.extensions.len());
    text.decimal(hello.legacy_version.0);
    text.push(b',');
    let suites = hello.cipher_suites.iter().filter(|suite| !suite.is_grease());
    text.decimals(suites.map(|suite| suite.0));
    text.push(b',');
    text.decimals(extension_types(&hello.extensions));
    text.push(b',');
    let groups = u16s(sole_vector(hello, ExtensionType::SUPPORTED_GROUPS, Reader::vec16));
    text.decimals(groups.filter(|group| !NamedGroup(*group).is_grease()));
    text.push(b',');
    let formats = sole_vector(hello, ExtensionType::EC_POINT_FORMATS, Reader::vec8);
    text.decimals(formats.iter().copied().map(u16::from));
    text.md5()
}

/// JA3S of a ServerHello or HelloRetryRequest: the MD5 of legacy version, cipher suite and extension types.
pub fn ja3s(hello: &ServerHello) -> Ja3 {
    let mut text = Text::for_values(2 + hello.extensions.len());
    text.decimal(hello.legacy_version.0);
    text.push(b',');
    text.decimal(hello.cipher_suite.0);
    text.push(b',');
    text.decimals(extension_types(&hello.extensions));
    text.md5()
}

/// JA4 of a ClientHello that was sent over TCP.
pub fn ja4(hello: &ClientHello) -> Ja4 {
    let offered = hello.cipher_suites.iter().filter(|suite| !suite.is_grease());
    let mut suites = Vec::with_capacity(hello.cipher_suites.len());
    suites.extend(offered.map(|suite| suite.0));
    let mut extensions = Vec::with_capacity(hello.extensions.len());
    extensions.extend(extension_types(&hello.extensions));
    let version = version_code(hello);
    let sni = match hello.extension(ExtensionType::SERVER_NAME) {
        Some(_) => b'd',
        None => b'i',
    };
    let [suites_tens, suites_ones] = count_code(suites.len());
    let [extensions_tens, extensions_ones] = count_code(extensions.len());
    let [alpn_first, alpn_last] = alpn_code(hello);

    suites.sort_unstable();
    let mut text = Text::for_values(suites.len().max(extensions.len()));
    text.hex_values(suites);
    let suites_hash = text.sha256_start();

    extensions.retain(|typ| ![ExtensionType::SERVER_NAME.0, ExtensionType::ALPN.0].contains(typ));
    extensions.sort_unstable();
    text.clear();
    text.hex_values(extensions);
    let signatures = sole_vector(hello, ExtensionType::SIGNATURE_ALGORITHMS, Reader::vec16);
    let mut signatures = u16s(signatures)
        .filter(|scheme| !SignatureScheme(*scheme).is_grease())
        .peekable();
    if signatures.peek().is_some() {
        text.push(b'_');
        text.hex_values(signatures);
    }
    let extensions_hash = text.sha256_start();

    let mut code = [b'_'; 36];
    let readable = [
        b't',
        version[0],
        version[1],
        sni,
        suites_tens,
        suites_ones,
        extensions_tens,
        extensions_ones,
        alpn_first,
        alpn_last,
    ];
    code[..10].copy_from_slice(&readable);
    code[11..23].copy_from_slice(&suites_hash);
    code[24..].copy_from_slice(&extensions_hash);
    Fingerprint(code)
}

/// The highest version of supported_versions, else the legacy version, in JA4's two characters.
fn version_code(hello: &ClientHello) -> [u8; 2] {
    let offered = u16s(sole_vector(
        hello,
        ExtensionType::SUPPORTED_VERSIONS,
        Reader::vec8,
    ))
    .map(ProtocolVersion)
    .filter(|version| !version.is_grease())
    .max();
    match offered.unwrap_or(hello.legacy_version) {
        ProtocolVersion::TLS13 => *b"13",
        ProtocolVersion::TLS12 => *b"12",
        ProtocolVersion::TLS11 => *b"11",
        ProtocolVersion::TLS10 => *b"10",
        ProtocolVersion::SSL3 => *b"s3",
        ProtocolVersion::SSL2 => *b"s2",
        // The versions of DTLS: some clients put them into a hello over TCP.
        ProtocolVersion(0xfeff) => *b"d1",
        ProtocolVersion(0xfefd) => *b"d2",
        ProtocolVersion(0xfefc) => *b"d3",
        _ => *b"00",
    }
}

/// A count as two digits, at most 99.
fn count_code(count: usize) -> [u8; 2] {
    // Both digits fit: the count is below 100.
    let count = count.min(99) as u8;
    [b'0' + count / 10, b'0' + count % 10]
}

/// The first ALPN protocol's first and last character. When one of them is not a letter or digit, the first and last
/// digit of its bytes in hex; "00" without a protocol.
fn alpn_code(hello: &ClientHello) -> [u8; 2] {
    let list = sole_vector(hello, ExtensionType::ALPN, Reader::vec16);
    let mut reader = Reader::new(list);
    let mut name = &[][..];
    while let Ok(mut next) = reader.vec8("ProtocolName") {
        name = next.rest();
        if !is_grease_name(name) {
            break;
        }
        name = &[];
    }
    match (name.first(), name.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
            [*first, *last]
        }
        (Some(first), Some(last)) => [hex_digit(first >> 4), hex_digit(*last)],
        _ => *b"00",
    }
}

/// Whether RFC 8701, section 2, reserves this protocol name.
fn is_grease_name(name: &[u8]) -> bool {
    matches!(name, [high, low] if high == low && low & 0x0f == 0x0a)
}

/// The types of these extensions without GREASE, in order.
fn extension_types(extensions: &[Extension]) -> impl Iterator<Item = u16> {
    extensions
        .iter()
        .filter(|extension| !extension.typ.is_grease())
        .map(|extension| extension.typ.0)
}

/// The content of the vector that the extension of this type consists of; nothing when it is absent or malformed.
fn sole_vector<'a>(
    hello: &'a ClientHello,
    typ: ExtensionType,
    read: fn(&mut Reader<'a>, &'static str) -> Result<Reader<'a>, ParseError>,
) -> &'a [u8] {
    let Some(data) = hello.extension(typ) else {
        return &[];
    };
    let mut reader = Reader::new(data);
    match read(&mut reader, "extension_data") {
        Ok(content) if reader.is_empty() => content.peek(),
        _ => &[],
    }
}

/// The 16-bit values that `list` consists of.
fn u16s(list: &[u8]) -> impl Iterator<Item = u16> {
    list.as_chunks().0.iter().map(|bytes| u16::from_be_bytes(*bytes))
}

/// The low four bits as a lowercase hex digit.
fn hex_digit(bits: u8) -> u8 {
    match bits & 0x0f {
        digit @ 0..=9 => b'0' + digit,
        letter => b'a' + letter - 10,
    }
}

/// `N` hex digits of the first bytes of `digest`.
fn hex_start<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut digits = [b'0'; N];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(*byte)]);
    }
    digits
}

/// The text that is hashed.
struct Text(Vec<u8>);

impl Text {
    /// Room for `values` numbers and what comes with them.
    fn for_values(values: usize) -> Self {
        Self(Vec::with_capacity(6 * values + 128))
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn push(&mut self, character: u8) {
        self.0.push(character);
    }

    fn decimal(&mut self, value: u16) {
        let mut digits = [b'0'; 5];
        let mut start = digits.len();
        let mut rest = value;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            start = at;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.0.extend_from_slice(digits.get(start..).unwrap_or_default());
    }

    /// Decimal numbers joined by `-`.
    fn decimals(&mut self, values: impl Iterator<Item = u16>) {
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.push(b'-');
            }
            self.decimal(value);
        }
    }

    /// Numbers of four hex digits joined by commas.
    fn hex_values(&mut self, values: impl IntoIterator<Item = u16>) {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(b',');
            }
            self.0.extend_from_slice(&hex_start::<4>(&value.to_be_bytes()));
        }
    }

    fn md5(&self) -> Ja3 {
        Fingerprint(hex_start(&Md5::digest(&self.0)))
    }

    /// The first twelve digits of the SHA-256; zeros for no text.
    fn sha256_start(&self) -> [u8; 12] {
        if self.0.is_empty() {
            return [b'0'; 12];
        }
        hex_start(&Sha256::digest(&self.0))
    }
}

#[cfg(test)]
mod tests;
