//! The alerts that are shipped: they do what their own tests say, the document tells of each, and a real Prometheus beside a
//! real agent finds certificate stuffing.

mod alerts {
    pub mod document;
    mod stuffing;
}

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use observer_tests::netns::Namespace;
use observer_tests::prometheus::{Prometheus, RULES, promtool, shipped};
use serde_json::{Value, json};

const RULE_TESTS: [&str; 2] = ["tls-observer.rules.test.yaml", "tls-observer.days.test.yaml"];

#[test]
#[ignore = "needs promtool"]
fn the_rules_are_sound_and_pass_their_tests() -> Result<()> {
    let directory = shipped();
    promtool(&["check", "rules"], [&*directory.join(RULES)])?;
    promtool(&["check", "config"], [&*directory.join("scrape.yaml")])?;
    let tests = RULE_TESTS.map(|name| directory.join(name));
    promtool(&["test", "rules"], tests.iter().map(AsRef::as_ref))
}

/// The names of the alerts that the rules' tests expect to fire, and of those that they expect not to.
fn tested() -> Result<[BTreeSet<String>; 2]> {
    let mut tested = [BTreeSet::new(), BTreeSet::new()];
    for name in RULE_TESTS {
        let text = std::fs::read_to_string(shipped().join(name)).context(name)?;
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            if let Some(alert) = line.strip_prefix("alertname: ") {
                let fires = lines.peek().is_some_and(|next| next.starts_with("exp_alerts:"));
                let [firing, quiet] = &mut tested;
                if fires { firing } else { quiet }.insert(alert.to_owned());
            }
        }
    }
    Ok(tested)
}

/// Prometheus itself reads the rules and the document's expressions, so both are compared as it understands them.
#[test]
#[ignore = "needs root"]
fn the_document_has_a_section_on_each_alert_with_its_expression() -> Result<()> {
    let sections = alerts::document::sections()?;
    let directory = tempfile::tempdir()?;
    let written = directory.path().join("document.json");
    let name = |section: usize, block: usize| format!("document:{section}:{block}");
    let records = sections.iter().enumerate().flat_map(|(number, section)| {
        let blocks = section.expressions.iter().enumerate();
        blocks.map(move |(block, expression)| json!({ "record": name(number, block), "expr": expression }))
    });
    let records: Vec<Value> = records.collect();
    std::fs::write(
        &written,
        json!({ "groups": [{ "name": "document", "rules": records }] }).to_string(),
    )?;
    promtool(&["check", "rules"], [&*written])?;

    let namespace = Namespace::new()?;
    let prometheus = Prometheus::start(&namespace, &[&shipped().join(RULES), &written], &[])?;
    let text = |rule: &Value, field: &str| rule[field].as_str().unwrap_or_default().to_owned();
    let (of_document, of_rules): (Vec<_>, Vec<_>) = prometheus
        .rules()?
        .into_iter()
        .partition(|rule| text(rule, "name").starts_with("document:"));
    ensure!(of_document.len() == records.len(), "{of_document:#?}");
    let understood: BTreeMap<String, String> = of_document
        .iter()
        .map(|rule| (text(rule, "name"), text(rule, "query")))
        .collect();
    let has = |section: usize, query: &str| {
        let mut blocks = 0..sections[section].expressions.len();
        blocks.any(|block| {
            understood
                .get(&name(section, block))
                .is_some_and(|found| found == query)
        })
    };

    let [firing, quiet] = tested()?;
    let mut known = BTreeSet::new();
    for rule in &of_rules {
        let (alert, query) = (text(rule, "name"), text(rule, "query"));
        if rule["type"] == "recording" {
            let told = (0..sections.len()).any(|section| has(section, &query));
            ensure!(told, "no section has {alert}: {query}");
            continue;
        }
        let runbook = text(&rule["annotations"], "runbook");
        let (_, anchor) = runbook
            .split_once("docs/alerts.md#")
            .with_context(|| format!("{alert} has the runbook {runbook}"))?;
        let number = sections
            .iter()
            .position(|section| section.anchor == anchor)
            .with_context(|| format!("no section has the anchor of {alert}, {anchor}"))?;
        ensure!(
            sections[number].alerts.contains(&alert),
            "{anchor} does not name {alert}"
        );
        ensure!(
            has(number, &query),
            "{anchor} has not the expression of {alert}: {query}"
        );
        for annotation in ["summary", "description"] {
            ensure!(
                !text(&rule["annotations"], annotation).is_empty(),
                "{alert}: {annotation}"
            );
        }
        let severity = text(&rule["labels"], "severity");
        ensure!(
            ["critical", "warning", "info"].contains(&&*severity),
            "{alert}: {severity}"
        );
        ensure!(firing.contains(&alert), "no test has {alert} fire");
        ensure!(quiet.contains(&alert), "no test has {alert} not fire");
        known.insert(alert);
    }
    ensure!(!known.is_empty(), "no alerts");
    let unknown: Vec<_> = sections
        .iter()
        .flat_map(|section| &section.alerts)
        .filter(|alert| !known.contains(*alert))
        .collect();
    ensure!(
        unknown.is_empty(),
        "the document speaks of {unknown:?}, which no rule has"
    );
    Ok(())
}
