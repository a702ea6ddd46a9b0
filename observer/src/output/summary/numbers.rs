//! Numbers as people read them.

use std::fmt::Display;

/// Width of a full bar, in characters.
const BAR: usize = 30;

const SECOND: u64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent. Only all is 100 %, and only nothing is 0 %.
pub(super) fn percent(count: u64, total: u64) -> String {
    let share = count as f64 * 100.0 / total.max(1) as f64;
    let shown = if count == 0 || count == total {
        share
    } else {
        share.clamp(0.1, 99.9)
    };
    format!("{shown:>5.1} %")
}

/// A bar as long as the share, in eighths of a character.
pub(super) fn bar(count: u64, total: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (count as f64 / total.max(1) as f64 * (BAR * 8) as f64).ceil() as usize;
    let part = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    "█".repeat(eighths / 8) + part
}

/// A duration in the unit that suits it.
pub(super) fn duration(nanos: u64) -> String {
    let in_unit = |unit: u64, name: &str| format!("{:.1} {name}", nanos as f64 / unit as f64);
    match nanos {
        0..1_000_000 => in_unit(1_000, "µs"),
        1_000_000..SECOND => in_unit(1_000_000, "ms"),
        _ if nanos < 120 * SECOND => in_unit(SECOND, "s"),
        _ if nanos < 7_200 * SECOND => in_unit(60 * SECOND, "min"),
        _ => in_unit(3_600 * SECOND, "h"),
    }
}

/// Seconds as days, or as hours when they are few.
pub(super) fn days(seconds: i64) -> String {
    let of = |count: i64, name: &dyn Display| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    if seconds.abs() < 2 * DAY {
        of(seconds / 3_600, &"hour")
    } else {
        of(seconds / DAY, &"day")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(percent(1, 100_000), "  0.1 %");
        assert_eq!(percent(99_999, 100_000), " 99.9 %");
        assert_eq!(percent(5, 5), "100.0 %");
        assert_eq!(percent(0, 0), "  0.0 %");
    }

    #[test]
    fn durations_have_units_that_suit_them() {
        assert_eq!(duration(1_500), "1.5 µs");
        assert_eq!(duration(2_500_000), "2.5 ms");
        assert_eq!(duration(90 * SECOND), "90.0 s");
        assert_eq!(duration(600 * SECOND), "10.0 min");
        assert_eq!(duration(36_000 * SECOND), "10.0 h");
        assert_eq!(days(3_600), "1 hour");
        assert_eq!(days(90 * DAY), "90 days");
    }

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(1, 1).chars().count(), BAR);
        assert_eq!(bar(1, 2), "█".repeat(BAR / 2));
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 10), "");
    }
}
