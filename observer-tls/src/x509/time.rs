//! Times of certificates (RFC 5280, section 4.1.2.5) as seconds since the Unix epoch.

use super::der::{CONSTRUCTED, Element, GENERALIZED_TIME, UTC_TIME};
use crate::error::ParseError;
use crate::reader::Reader;

const SECONDS_OF_DAY: i64 = 86_400;

/// The next element as a time. Besides the one form that RFC 5280 allows, seconds may be missing or have a fraction,
/// which is dropped, and an offset from UTC may stand in the place of the `Z` (X.680, sections 46 and 47).
///
/// # Errors
/// [`ParseError`] with `field` when it is none.
pub(crate) fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<i64, ParseError> {
    let element = Element::read(reader, field)?;
    let text = element.octets(field)?;
    let seconds = match element.identifier & !CONSTRUCTED {
        UTC_TIME => seconds(&text, 2),
        GENERALIZED_TIME => seconds(&text, 4),
        _ => None,
    };
    seconds.ok_or(ParseError::Invalid {
        field,
        why: "not a time",
    })
}

fn seconds(text: &[u8], year_digits: usize) -> Option<i64> {
    let mut digits = Digits(text);
    let year = match (digits.number(year_digits)?, year_digits) {
        (short @ 50.., 2) => 1900 + short,
        (short, 2) => 2000 + short,
        (year, _) => year,
    };
    let month = digits.within(1..=12)?;
    let day = digits.within(1..=days_of_month(year, month))?;
    let hour = digits.within(0..=23)?;
    let minute = digits.within(0..=59)?;
    let mut second = 0;
    if digits.0.first()?.is_ascii_digit() {
        second = digits.within(0..=59)?;
        if year_digits == 4 {
            digits.skip_fraction()?;
        }
    }
    let offset = digits.offset()?;
    Some(days(year, month, day) * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second - offset)
}

/// What is left of a time's text.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// The next `count` digits as a number.
    fn number(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    /// The next two digits as a number in `range`.
    fn within(&mut self, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.number(2).filter(|number| range.contains(number))
    }

    /// Passes over a fraction of at least one digit, if there is one.
    fn skip_fraction(&mut self) -> Option<()> {
        if let [b'.', rest @ ..] = self.0 {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.0 = rest.get(digits..).filter(|_| digits > 0)?;
        }
        Some(())
    }

    /// The end of the text: the seconds that local time is before UTC.
    fn offset(&mut self) -> Option<i64> {
        let (sign, rest) = self.0.split_first()?;
        self.0 = rest;
        let sign = match sign {
            b'Z' => 0,
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let offset = if sign == 0 {
            0
        } else {
            self.within(0..=12)? * 3600 + self.within(0..=59)? * 60
        };
        self.0.is_empty().then_some(sign * offset)
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, for years from 0 on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Leap days before the year: those of the years 0 to `year - 1`; the year 0 is one of them.
    let leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let months: i64 = (1..month).map(|month| days_of_month(year, month)).sum();
    // 719,528 days lie between 0000-01-01 and the epoch.
    year * 365 + leap_days + months + day - 1 - 719_528
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<i64> {
        seconds(text.as_bytes(), 2)
    }

    fn generalized(text: &str) -> Option<i64> {
        seconds(text.as_bytes(), 4)
    }

    #[test]
    fn times_are_seconds_since_the_epoch() {
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("500101000000Z"), Some(-631_152_000));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        assert_eq!(utc("000229120000Z"), Some(951_825_600));
        assert_eq!(generalized("99991231235959Z"), Some(253_402_300_799));
        assert_eq!(generalized("00000101000000Z"), Some(-62_167_219_200));
        assert_eq!(generalized("19000301000000Z"), Some(-2_203_891_200));
        assert_eq!(generalized("29690503000001Z"), Some(31_536_000_001));
    }

    #[test]
    fn unusual_forms_are_read() {
        assert_eq!(utc("7001010001Z"), Some(60));
        assert_eq!(utc("700101013000+0130"), Some(0));
        assert_eq!(utc("6912312300-0100"), Some(0));
        assert_eq!(generalized("19700101000001.25Z"), Some(1));
        assert_eq!(generalized("197001010100+0100"), Some(0));
    }

    #[test]
    fn what_is_no_time_is_not_guessed() {
        for text in [
            "",
            "700101",
            "7001010000",
            "700101000000",
            "701301000000Z",
            "700132000000Z",
            "700229000000Z",
            "700101240000Z",
            "700101000060Z",
            "700101000000Zx",
            "700101000000.5Z",
            "70010100000 Z",
            "-00101000000Z",
            "700101000000+01",
            "700101000000+1300",
            "19020701025736Z",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
        for text in ["700101000000Z", "19700101000000.Z", "21000229000000Z"] {
            assert_eq!(generalized(text), None, "{text}");
        }
    }
}
