//! Reads what `/metrics` says (OpenMetrics text).

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// What counts losses: of what was seen, and of what was believed.
const LOSSES: [&str; 2] = [
    "tls_observer_events_dropped_total",
    "tls_library_contradictions_total",
];

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Metric name, suffix included.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Value.
    pub value: f64,
    /// The line as written.
    pub line: String,
}

/// All samples of one scrape, in order.
#[derive(Clone, Debug)]
pub struct Metrics(pub Vec<Sample>);

impl Metrics {
    /// Reads a scrape.
    ///
    /// # Errors
    /// At the first line that is no sample.
    pub fn parse(text: &str) -> Result<Self> {
        let samples = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        samples
            .map(|line| sample(line).with_context(|| format!("not a sample: {line}")))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// The sum of the samples called `name` that have all of these labels; `None` when there is no such sample.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |sample: &&Sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(key, value)| sample.labels.get(*key).is_some_and(|found| found == value))
        };
        self.0
            .iter()
            .filter(fits)
            .map(|sample| sample.value)
            .fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// The lines that count losses, without those at 0.
    pub fn losses(&self) -> Vec<String> {
        let counts = self
            .0
            .iter()
            .filter(|sample| sample.value > 0.0 && LOSSES.contains(&sample.name.as_str()));
        counts.map(|sample| sample.line.clone()).collect()
    }
}

fn sample(line: &str) -> Option<Sample> {
    // An exemplar follows " # ".
    let (head, _) = line.split_once(" # ").unwrap_or((line, ""));
    let (series, value) = match head.rfind('}') {
        Some(end) => head.split_at(end + 1),
        None => head.split_once(' ')?,
    };
    let value = value.split_whitespace().next()?.parse().ok()?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, pairs(labels.strip_suffix('}')?)?),
        None => (series, BTreeMap::new()),
    };
    Some(Sample {
        name: name.to_owned(),
        labels,
        value,
        line: line.to_owned(),
    })
}

/// `a="x",b="y"`, with backslash escapes in the values.
fn pairs(mut text: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    while !text.is_empty() {
        let (key, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        found.insert(key.to_owned(), value);
        let rest = rest.get(end..)?;
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn samples_with_and_without_labels_are_read_and_summed() {
        let metrics = Metrics::parse(
            "# TYPE a counter\na_total{x=\"1\",y=\"p\\\"}q\"} 3\na_total{x=\"2\"} 4 # {id=\"z\"} 1\nb 0.5\n# EOF\n",
        )
        .unwrap();
        assert_eq!(metrics.0[0].labels["y"], "p\"}q");
        assert_eq!(metrics.sum("a_total", &[]), Some(7.0));
        assert_eq!(metrics.sum("a_total", &[("x", "2")]), Some(4.0));
        assert_eq!(metrics.sum("a_total", &[("x", "3")]), None);
        assert_eq!(metrics.sum("b", &[]), Some(0.5));
        assert!(Metrics::parse("no value").is_err());
    }
}
