//! Times as text.

use std::borrow::Cow;
use std::fmt::{self, Display};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::super::json::writer::Plain;
use super::text::text_schema;

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

impl Time {
    /// The text, in the first bytes of a buffer, and its length.
    fn text(self) -> ([u8; 27], usize) {
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
        match self.micros {
            Some(micros) => {
                put(20, 6, i64::from(micros));
                (text, 27)
            }
            None => {
                text[19] = b'Z';
                (text, 20)
            }
        }
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = self.text();
        f.write_str(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (text, length) = self.text();
        Plain(std::str::from_utf8(&text[..length]).unwrap_or_default()).serialize(serializer)
    }
}
text_schema!(Time, { "type": "string", "format": "date-time" });

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
}
