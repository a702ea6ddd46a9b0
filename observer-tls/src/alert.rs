//! Alerts (RFC 8446, section 6; RFC 5246, section 7.2).

use std::fmt;

use crate::codepoints::{AlertDescription, AlertLevel};
use crate::error::ParseError;
use crate::reader::Reader;

/// A plaintext alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// Warning or fatal.
    pub level: AlertLevel,
    /// What the sender objects to.
    pub description: AlertDescription,
}

impl Alert {
    /// Parses the two bytes of an alert. Any level and description is taken; [`Alert::is_plausible`] tells whether the
    /// level is a known one.
    ///
    /// # Errors
    /// When `body` is not exactly two bytes.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let level = AlertLevel(reader.u8("alert level")?);
        let description = AlertDescription(reader.u8("alert description")?);
        reader.finish("alert")?;
        Ok(Self { level, description })
    }

    /// Whether the level is warning or fatal. Encrypted bytes seldom look so.
    pub fn is_plausible(self) -> bool {
        matches!(self.level, AlertLevel::WARNING | AlertLevel::FATAL)
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bytes_make_an_alert() {
        let alert = Alert::parse(&[2, 116]).unwrap();
        assert_eq!(alert.to_string(), "fatal certificate_required");
        assert!(alert.is_plausible());
        assert!(!Alert::parse(&[0x5a, 0]).unwrap().is_plausible());
        assert!(Alert::parse(&[2]).is_err());
        assert!(Alert::parse(&[2, 40, 0]).is_err());
    }

    #[test]
    fn unknown_numbers_are_shown_as_hex() {
        assert_eq!(Alert::parse(&[3, 0xfe]).unwrap().to_string(), "0x03 0xFE");
    }
}
