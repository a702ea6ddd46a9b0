//! `docs/alerts.md` as its readers find their way in it: sections with anchors, the alerts that they name, their expressions.

use std::path::Path;

use anyhow::{Context, Result};

/// What is under one heading of the second level.
#[derive(Debug)]
pub struct Section {
    /// What a link to the heading has after `#`.
    pub anchor: String,
    /// The alerts that it names.
    pub alerts: Vec<String>,
    /// The text of its `promql` blocks.
    pub expressions: Vec<String>,
}

/// The sections of the document; what is before the first is the first, without an anchor.
///
/// # Errors
/// When it cannot be read, or a block does not end.
pub fn sections() -> Result<Vec<Section>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/alerts.md");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let parts = format!("\n{text}");
    parts.split("\n## ").map(section).collect()
}

fn section(text: &str) -> Result<Section> {
    let heading = text.lines().next().unwrap_or_default();
    let blocks = text.split("```promql\n").skip(1);
    let expressions = blocks
        .map(|block| {
            block
                .split_once("```")
                .map(|(expression, _)| expression.to_owned())
        })
        .collect::<Option<_>>();
    let alerts = text
        .split('`')
        .filter(|word| word.starts_with("Tls") && word.chars().all(char::is_alphanumeric));
    Ok(Section {
        anchor: anchor(heading),
        alerts: alerts.map(str::to_owned).collect(),
        expressions: expressions.with_context(|| format!("a block without an end under {heading}"))?,
    })
}

/// As the usual renderers make it of a heading: small letters, hyphens for spaces, no punctuation.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|character| match character {
            ' ' | '-' => Some('-'),
            other => other.is_alphanumeric().then(|| other.to_ascii_lowercase()),
        })
        .collect()
}
