//! The settings of the watching: when refusals are a burst, how long to learn before a certificate is news, and how many
//! certificates are kept.

use std::fmt;
use std::time::Duration;

use super::settings::Settings;
use super::values::{Count, FromText, Span, milliseconds, text_value};

/// Default of [`Watching::burst`].
pub const DEFAULT_BURST: Rate = Rate {
    count: 60,
    window: Duration::from_secs(60),
};
/// Default of [`Watching::learning`].
pub const DEFAULT_LEARNING: Duration = Duration::from_secs(24 * 3600);
/// Default of [`Watching::inventory`].
pub const DEFAULT_INVENTORY: usize = 4096;

/// What of the traffic is watched beyond single handshakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watching {
    /// The rate from which on refusals are a burst; `None`: never.
    pub burst: Option<Rate>,
    /// How long certificates are learned before a new one is an event; `None`: there are no such events.
    pub learning: Option<Duration>,
    /// Leaf certificates in the inventory; 0: there is none.
    pub inventory: usize,
    /// Certificates with a metric of their own.
    pub metric: usize,
}

impl Default for Watching {
    fn default() -> Self {
        Self {
            burst: Some(DEFAULT_BURST),
            learning: Some(DEFAULT_LEARNING),
            inventory: DEFAULT_INVENTORY,
            metric: 0,
        }
    }
}

impl Watching {
    /// What the settings say, with the defaults where they are silent.
    pub(super) fn from_settings(settings: &Settings) -> Self {
        let default = Self::default();
        let count = |setting: Option<u32>, default| setting.map_or(default, |count| count as usize);
        Self {
            burst: settings.refusal_burst.map_or(default.burst, |burst| burst.0),
            learning: settings
                .certificate_learning
                .map_or(default.learning, |learning| learning.0),
            inventory: count(
                settings.certificate_inventory.map(|count| count.0),
                default.inventory,
            ),
            metric: count(settings.certificate_metric.map(|count| count.0), default.metric),
        }
    }
}

/// So many within so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub count: u32,
    /// At least a millisecond.
    pub window: Duration,
}

/// `COUNT/TIME`, as it is written.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.window.as_millis() {
            minutes if minutes % 60_000 == 0 => (minutes / 60_000, "m"),
            seconds if seconds % 1_000 == 0 => (seconds / 1_000, "s"),
            milliseconds => (milliseconds, "ms"),
        };
        write!(f, "{}/{number}{unit}", self.count)
    }
}

/// The rate from which on refusals are a burst, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalBurst(pub Option<Rate>);

impl FromText for RefusalBurst {
    fn from_text(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let rate = text.split_once('/').and_then(|(count, window)| {
            let count = Count::<1, 1_000_000>::from_text(count).ok()?;
            let window = Span::from_text(window).ok()?;
            Some(Rate {
                count: count.0,
                window: window.0,
            })
        });
        rate.map(|rate| Self(Some(rate))).ok_or_else(|| {
            format!(
                "{text:?} is not a rate of 1 to 1000000 refusals in 1ms to 60m; write 60/1m, 20/10s or off"
            )
        })
    }
}

/// How long certificates are learned, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learning(pub Option<Duration>);

impl Learning {
    /// The longest time.
    const MAX_DAYS: u64 = 90;
}

impl FromText for Learning {
    fn from_text(text: &str) -> Result<Self, String> {
        const DAY: u64 = 86_400_000;
        if text == "off" {
            return Ok(Self(None));
        }
        let units = &[
            ("ms", 1),
            ("s", 1_000),
            ("m", 60_000),
            ("h", 3_600_000),
            ("d", DAY),
        ];
        match milliseconds(text, units) {
            Some(time) if (1..=Self::MAX_DAYS * DAY).contains(&time) => {
                Ok(Self(Some(Duration::from_millis(time))))
            }
            _ => Err(format!(
                "{text:?} is not a time from 1ms to {}d; write 30m, 24h, 7d or off",
                Self::MAX_DAYS
            )),
        }
    }
}

text_value!(RefusalBurst, Learning);

/// Leaf certificates in the inventory; 0 turns it off. One takes some kibibytes.
pub type InventoryCount = Count<0, 65_536>;
/// Certificates with a metric of their own.
pub type MetricCount = Count<0, 10_000>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for (text, count, seconds) in [("60/1m", 60, 60), ("20/10s", 20, 10), ("1/60m", 1, 3600)] {
            let RefusalBurst(Some(rate)) = RefusalBurst::from_text(text).unwrap() else {
                panic!("off")
            };
            assert_eq!((rate.count, rate.window.as_secs()), (count, seconds));
            assert_eq!(RefusalBurst::from_text(&rate.to_string()).unwrap().0, Some(rate));
        }
        assert_eq!(RefusalBurst::from_text("off"), Ok(RefusalBurst(None)));
        for text in [
            "",
            "60",
            "/1m",
            "60/",
            "0/1m",
            "60/0s",
            "60/2h",
            "-1/1m",
            "1000001/1m",
            "6/1/1m",
        ] {
            let error = RefusalBurst::from_text(text).unwrap_err();
            assert!(error.contains("60/1m"), "{error}");
        }
    }

    #[test]
    fn learning_times() {
        for (text, seconds) in [("1s", 1), ("24h", 86_400), ("7d", 604_800)] {
            let wanted = Learning(Some(Duration::from_secs(seconds)));
            assert_eq!(Learning::from_text(text), Ok(wanted), "{text}");
        }
        assert_eq!(Learning::from_text("off"), Ok(Learning(None)));
        for text in ["", "24", "0h", "91d", "1w", "99999999999999999999d"] {
            assert!(Learning::from_text(text).is_err(), "{text}");
        }
    }
}
