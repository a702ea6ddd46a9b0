//! Values that JSON shows as text, written without intermediate strings.

use std::borrow::Cow;
use std::fmt::{self, Display};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use data_encoding::{HEXLOWER, HEXUPPER};
use observer_tls::codepoints::{
    AlertDescription, AlertLevel, CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion,
    SignatureScheme,
};
use observer_tls::fingerprint::Fingerprint;
use observer_tls::x509::CertificateFacts;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Gives a text type its schema: a string with what `$extra` adds.
macro_rules! text_schema {
    ($type:ty, $($extra:tt)*) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($extra)*)
            }
        }
    };
}

/// A time as RFC 3339 text in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    seconds: i64,
    micros: Option<u32>,
}

impl Time {
    /// With microseconds.
    pub fn from_nanos(nanos: u64) -> Self {
        let seconds = (nanos / 1_000_000_000).cast_signed();
        Self {
            seconds,
            micros: Some((nanos % 1_000_000_000 / 1_000) as u32),
        }
    }

    /// In whole seconds, as certificates have them.
    pub fn from_seconds(seconds: i64) -> Self {
        Self {
            seconds,
            micros: None,
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar. Certificates without expiry end
/// on 9999-12-31 (RFC 5280, section 4.1.2.5), later than the time library's own timestamps reach.
fn civil(day: i64) -> (i64, i64, i64) {
    // Years begin on 1 March here, so that the leap day is the last of its year; 719,468 days lie between 0000-03-01
    // and the epoch, and the calendar repeats after 146,097.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (
        era * 400 + year_of_era + i64::from(month <= 2),
        month,
        day_of_month,
    )
}

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        // Digits by hand into one buffer: a format string with seven padded numbers costs several times as much.
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |from: usize, width: usize, mut value: i64| {
            for slot in text.iter_mut().skip(from).take(width).rev() {
                *slot = b'0' + (value % 10).unsigned_abs() as u8;
                value /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, hour);
        put(14, 2, minute);
        put(17, 2, second);
        let length = match self.micros {
            Some(micros) => {
                put(20, 6, i64::from(micros));
                26
            }
            None => 19,
        };
        f.write_str(std::str::from_utf8(text.get(..length).unwrap_or_default()).unwrap_or_default())?;
        f.write_str("Z")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
text_schema!(Time, { "type": "string", "format": "date-time" });

/// A handshake's id, as 32 lowercase hex digits.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// The digits.
    pub fn digits(self) -> [u8; 32] {
        let mut digits = [0; 32];
        HEXLOWER.encode_mut(&self.0, &mut digits);
        digits
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}
text_schema!(Id, { "type": "string", "pattern": "^[0-9a-f]{32}$" });

/// A SHA-256 digest, as 64 uppercase hex digits (ECS).
#[derive(Clone, Copy, Debug)]
pub struct Digest<'a>(pub &'a [u8; 32]);

impl Digest<'_> {
    fn digits(self) -> [u8; 64] {
        let mut digits = [0; 64];
        HEXUPPER.encode_mut(self.0, &mut digits);
        digits
    }
}

impl Display for Digest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for Digest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}
text_schema!(Digest<'_>, { "type": "string", "pattern": "^[0-9A-F]{64}$" });

/// A fingerprint of `N` characters.
#[derive(Clone, Copy, Debug)]
pub struct FingerprintText<const N: usize>(pub Fingerprint<N>);

impl<const N: usize> Serialize for FingerprintText<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}
text_schema!(FingerprintText<32>, { "type": "string", "pattern": "^[0-9a-f]{32}$" });
text_schema!(
    FingerprintText<36>,
    { "type": "string", "pattern": "^t[0-9sd]{2}[di][0-9]{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$" }
);

/// A registered number.
pub trait Code: Copy + Display {
    /// Its name in events; `None` for numbers without one, which are shown as hex.
    fn label(self) -> Option<&'static str>;
}

macro_rules! codes {
    ($($type:ident: |$value:ident| $label:expr),* $(,)?) => {
        $(impl Code for $type {
            fn label(self) -> Option<&'static str> {
                let $value = self;
                $label
            }
        })*
    };
}

/// `name`, or GREASE for the values of RFC 8701.
fn greased(grease: bool, name: Option<&'static str>) -> Option<&'static str> {
    if grease { Some("GREASE") } else { name }
}

codes! {
    CipherSuite: |code| greased(code.is_grease(), code.name()),
    NamedGroup: |code| greased(code.is_grease(), code.name()),
    SignatureScheme: |code| greased(code.is_grease(), code.name()),
    ExtensionType: |code| greased(code.is_grease(), code.name()),
    ProtocolVersion: |code| greased(code.is_grease(), ProtocolVersion::label(code)),
    AlertLevel: |code| code.name(),
    HandshakeType: |code| code.name(),
    AlertDescription: |code| code.name(),
}

/// A [`Code`] by name, or as `0x…`.
#[derive(Clone, Copy, Debug)]
pub struct Named<T>(pub T);

impl<T: Code> Display for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.label() {
            Some(label) => f.write_str(label),
            None => write!(f, "{}", self.0),
        }
    }
}

impl<T: Code> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.label() {
            Some(label) => serializer.serialize_str(label),
            None => serializer.collect_str(&self.0),
        }
    }
}

impl<T> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// The schema of a list of strings.
fn strings() -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
}

/// A list of [`Code`]s.
#[derive(Clone, Copy, Debug)]
pub struct NamedList<'a, T>(pub &'a [T]);

impl<T> NamedList<'_, T> {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Code> Serialize for NamedList<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|code| Named(*code)))
    }
}

impl<T> JsonSchema for NamedList<'_, T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        strings()
    }
}

/// Lists of strings shown as one.
#[derive(Clone, Copy, Debug)]
pub struct Joined<'a, const N: usize>(pub [&'a [String]; N]);

impl<const N: usize> Joined<'_, N> {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|list| list.is_empty())
    }
}

impl<const N: usize> Serialize for Joined<'_, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|list| list.iter()))
    }
}

impl<const N: usize> JsonSchema for Joined<'_, N> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Strings".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        strings()
    }
}

/// A certificate chain as base64 DER, leaf first.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a [Arc<CertificateFacts>]);

impl Chain<'_> {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Chain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Base64<'a>(&'a [u8]);
        impl Serialize for Base64<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
            }
        }
        serializer.collect_seq(self.0.iter().map(|certificate| Base64(&certificate.der)))
    }
}

impl JsonSchema for Chain<'_> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Chain".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        strings()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_agree_with_the_time_library() {
        for seconds in [
            0,
            951_782_399,
            951_782_400,
            1_735_689_599,
            4_107_542_400,
            -1,
            -2_203_891_200,
        ] {
            let wanted = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            assert_eq!(Time::from_seconds(seconds).to_string(), wanted);
        }
        // A day in each month of four centuries.
        for day in (0..146_097).step_by(29) {
            let seconds = day * 86_400 + 45_296;
            let wanted = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            assert_eq!(Time::from_seconds(seconds).to_string(), wanted);
        }
    }

    #[test]
    fn the_end_of_certificates_without_expiry_can_be_shown() {
        assert_eq!(
            Time::from_seconds(253_402_300_799).to_string(),
            "9999-12-31T23:59:59Z"
        );
    }

    #[test]
    fn event_times_have_microseconds() {
        assert_eq!(
            Time::from_nanos(1_700_000_000_000_001_999).to_string(),
            "2023-11-14T22:13:20.000001Z"
        );
    }

    #[test]
    fn code_points_without_a_name_are_hex_and_grease_is_named() {
        let groups = [NamedGroup(0x2a2a), NamedGroup::X25519, NamedGroup(0xee01)];
        let json = serde_json::to_string(&NamedList(&groups)).unwrap();
        assert_eq!(json, r#"["GREASE","x25519","0xEE01"]"#);
        assert_eq!(Named(ProtocolVersion::TLS13).to_string(), "1.3");
    }
}
