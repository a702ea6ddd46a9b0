//! The types of the settings. Each is read from the same text in a flag, an environment variable and the file, and holds
//! only what is valid, so that an error names the place where the value stands.

mod many;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

pub use many::{Many, One};

/// A setting's value as text. The error says what was expected.
pub trait FromText: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// A sentence that tells what is wrong and what would be right.
    fn from_text(text: &str) -> Result<Self, String>;
}

/// Lists are comma-separated in one environment variable.
impl<T: FromText> FromText for Vec<T> {
    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',').map(|part| T::from_text(part.trim())).collect()
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("{text:?} is neither true nor false"))
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for PathBuf {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

/// Takes strings, integers and booleans, and hands their text to [`FromText`].
pub(super) struct TextVisitor<T>(pub std::marker::PhantomData<T>);

impl<T: FromText> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }
}

/// Gives a type with [`FromText`] the two other doors: `FromStr` for flags and `Deserialize` for the file.
macro_rules! text_value {
    ($($type:ty),* $(,)?) => {$(
        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::from_text(text)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::config::values::TextVisitor(std::marker::PhantomData))
            }
        }
    )*};
}
pub(super) use text_value;

/// An enum whose values are words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
        }
        impl FromText for $name {
            fn from_text(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("{text:?} is none of {}", [$($word),*].join(", "))),
                }
            }
        }
        text_value!($name);
    };
}

words! {
    /// What goes to standard output.
    Format {
        /// One JSON object a line.
        Json = "json",
        /// A table for people.
        Text = "text",
    }
}

words! {
    /// How log lines look.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

words! {
    /// The least severe log lines to show.
    LogLevel {
        /// Errors alone.
        Error = "error",
        /// Warnings too.
        Warn = "warn",
        /// Start, stop and what changes in between.
        Info = "info",
        /// Details for those who look for a fault.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

words! {
    /// Which alerts after an established handshake become events of their own.
    LateAlerts {
        /// All but an orderly close.
        Unexpected = "unexpected",
        /// Every one.
        All = "all",
    }
}

words! {
    /// What is fetched from the URLs that certificates name, to know whether they are revoked.
    RevocationFetch {
        /// Nothing.
        Off = "off",
        /// The answers of OCSP responders.
        Ocsp = "ocsp",
        /// Revocation lists.
        Crl = "crl",
        /// Both.
        Both = "both",
    }
}

/// Size of the ring buffer in bytes: a power of two and a multiple of the page size, as the kernel asks for
/// (`BPF_MAP_TYPE_RINGBUF`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingBytes(pub u32);

impl RingBytes {
    /// The smallest size: one page.
    pub const MIN: u32 = 4096;
    /// The largest size: 1 GiB.
    pub const MAX: u32 = 1 << 30;
}

impl FromText for RingBytes {
    fn from_text(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match text[digits.len()..].trim() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => 0,
        };
        let bytes = digits
            .parse()
            .ok()
            .and_then(|count: u64| count.checked_mul(unit))
            .filter(|bytes| *bytes > 0);
        let Some(bytes) = bytes else {
            return Err(format!("{text:?} is not a size; write 4194304, 4096KiB or 4MiB"));
        };
        match u32::try_from(bytes) {
            Ok(size) if size.is_power_of_two() && (Self::MIN..=Self::MAX).contains(&size) => Ok(Self(size)),
            _ => Err(format!(
                "{bytes} bytes is not a power of two from 4096 (4KiB) to 1073741824 (1GiB)"
            )),
        }
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> FromText for Count<MIN, MAX> {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(count) if (MIN..=MAX).contains(&count) => Ok(Self(count)),
            _ => Err(format!("{text:?} is not a whole number from {MIN} to {MAX}")),
        }
    }
}

/// Entries of the kernel's flow map. One takes some hundred bytes of kernel memory.
pub type FlowCount = Count<16, 4_194_304>;
/// Connections in the agent's flow table.
pub type ConnectionCount = Count<16, 4_194_304>;
/// Events that wait for one output.
pub type QueueLength = Count<1, 1_048_576>;

/// A span of time from a millisecond to an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// The milliseconds of a whole number with one of `units`, each of which stands with its own.
pub(super) fn milliseconds(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.trim();
    let (_, unit) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*unit)
}

impl FromText for Span {
    fn from_text(text: &str) -> Result<Self, String> {
        match milliseconds(text, &[("ms", 1), ("s", 1_000), ("m", 60_000)]) {
            Some(span @ 1..=3_600_000) => Ok(Self(Duration::from_millis(span))),
            _ => Err(format!(
                "{text:?} is not a time from 1ms to 60m; write 500ms, 10s or 2m"
            )),
        }
    }
}

/// Where metrics and health are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// On this address.
    At(SocketAddr),
}

impl FromText for Listen {
    fn from_text(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse()
            .map(Self::At)
            .map_err(|_| format!("{text:?} is not an address; write 127.0.0.1:9465, [::1]:9465 or off"))
    }
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// Standard output, in the chosen format.
    Stdout,
    /// JSON lines appended to a file, which SIGHUP reopens.
    File(PathBuf),
}

impl FromText for OutputKind {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "stdout" => Ok(Self::Stdout),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            _ => Err(format!("{text:?} is not an output; write stdout or file:PATH")),
        }
    }
}

/// Name of a network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromText for InterfaceName {
    fn from_text(text: &str) -> Result<Self, String> {
        // The kernel's own rules: IFNAMSIZ is 16 with the closing NUL; no slash, colon or white space.
        let valid =
            matches!(text.len(), 1..=15) && !text.contains(|c: char| c.is_whitespace() || "/:\0".contains(c));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not an interface name; `ip link` lists those of this host"
            ))
        }
    }
}

text_value!(RingBytes, Span, Listen, OutputKind, InterfaceName);

impl<const MIN: u32, const MAX: u32> FromStr for Count<MIN, MAX> {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_text(text)
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("4096", 4096),
            ("4MiB", 4 << 20),
            ("512KiB", 512 << 10),
            ("1 GiB", 1 << 30),
        ] {
            assert_eq!(RingBytes::from_text(text), Ok(RingBytes(bytes)), "{text}");
        }
        for text in [
            "",
            "MiB",
            "4MB",
            "-4096",
            "0",
            "2048",
            "5000",
            "3MiB",
            "2GiB",
            "99999999999999999999",
            "é",
        ] {
            assert!(RingBytes::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans() {
        for (text, ms) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("2m", 120_000),
            ("60m", 3_600_000),
        ] {
            assert_eq!(
                Span::from_text(text),
                Ok(Span(Duration::from_millis(ms))),
                "{text}"
            );
        }
        for text in ["", "10", "0s", "61m", "1h", "-1s", "s"] {
            assert!(Span::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn listen_outputs_and_interfaces() {
        assert_eq!(Listen::from_text("off"), Ok(Listen::Off));
        assert_eq!(
            Listen::from_text("[::1]:80"),
            Ok(Listen::At("[::1]:80".parse().unwrap()))
        );
        assert!(Listen::from_text("9465").is_err());
        assert_eq!(OutputKind::from_text("stdout"), Ok(OutputKind::Stdout));
        assert_eq!(
            OutputKind::from_text("file:/a:b"),
            Ok(OutputKind::File("/a:b".into()))
        );
        assert!(OutputKind::from_text("file:").is_err() && OutputKind::from_text("kafka:x").is_err());
        assert!(InterfaceName::from_text("eth0.100").is_ok());
        for text in ["", "a/b", "a b", "0123456789abcdef"] {
            assert!(InterfaceName::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_and_words() {
        assert_eq!(QueueLength::from_text("8192"), Ok(Count(8192)));
        assert!(QueueLength::from_text("0").is_err() && FlowCount::from_text("x").is_err());
        assert_eq!(
            Format::from_text("xml").unwrap_err(),
            "\"xml\" is none of json, text"
        );
    }
}
