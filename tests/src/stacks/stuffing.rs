//! Certificate stuffing: two hundred bad clients within ten seconds, among as many good ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use crate::events::at;
use crate::metrics::Metrics;
use crate::peers::Version;
use crate::pki::members::Standing;
use crate::pki::{Leaf, Pki};

use super::case::Case;
use super::cell::Cell;
use super::certificates::Certificates;
use super::client::{Client, View};
use super::expectation::{Expectation, Want};
use super::page;
use super::prove::fault;
use super::run::Scene;
use super::service::{Deployment, NAME, Stack};

/// Clients; every other one is good.
const CLIENTS: u32 = 400;
/// Between the beginnings of two clients: all of them in eight seconds.
const PAUSE: Duration = Duration::from_millis(20);
/// The most that all of them may take.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// How many clients may be under way at once.
const AT_ONCE: u32 = 16;
/// What bad clients are.
const BAD: [Standing; 4] = [
    Standing::Missing,
    Standing::Expired,
    Standing::NotYetValid,
    Standing::UnknownCa,
];

/// One client.
struct Member {
    number: u32,
    case: Case,
    version: Version,
    leaf: Option<Leaf>,
}

impl Member {
    fn new(number: u32, pki: &Pki) -> Result<Self> {
        let standing = match number % 2 {
            0 => Standing::Good,
            _ => *BAD
                .iter()
                .cycle()
                .nth((number / 2) as usize)
                .context("no standing")?,
        };
        // In step with no standing.
        let version = match (number / 8) % 2 {
            0 => Version::Tls12,
            _ => Version::Tls13,
        };
        Ok(Self {
            number,
            case: match standing {
                Standing::Good => Case::Accepted,
                Standing::Missing => Case::Missing,
                Standing::Expired => Case::Expired,
                Standing::NotYetValid => Case::NotYetValid,
                Standing::UnknownCa => Case::UnknownCa,
            },
            version,
            leaf: pki.member(number, standing)?,
        })
    }

    fn call(&self, pki: &Pki) -> Result<View> {
        let client = Client {
            address: Deployment::Usual.address(),
            version: self.version,
            shows: self.leaf.as_ref().map(|leaf| &leaf.files),
            trusted: &pki.server_ca.files.certificate,
            name: NAME,
        };
        client.request(&client.config()?)
    }

    /// All that is wrong with its event.
    fn faults(&self, stack: &Stack, with: &Certificates, event: &Value) -> Vec<String> {
        let expectation = Expectation {
            stack,
            case: self.case,
            version: self.version,
            with,
        };
        let of_all = [
            Cell::Outcome,
            Cell::Reason,
            Cell::RejectedBy,
            Cell::ClientCertificate,
            Cell::Verdict,
            Cell::Disagreement,
        ];
        let mut faults: Vec<String> = of_all
            .into_iter()
            .filter_map(|cell| fault(cell, event, &expectation.of(cell)))
            .collect();
        // Whose certificate it was: its own or nobody's.
        let serial = match (expectation.of(Cell::Serial), &self.leaf) {
            (Want::Is(_), Some(leaf)) => Want::Is(leaf.serial.clone().into()),
            (other, _) => other,
        };
        faults.extend(fault(Cell::Serial, event, &serial));
        faults
            .into_iter()
            .map(|fault| {
                format!(
                    "client {}, {:?}, TLS {}: {fault}",
                    self.number,
                    self.case,
                    self.version.text()
                )
            })
            .collect()
    }
}

/// Sends all of them and holds events and metrics against what was sent.
///
/// # Errors
/// With each event and each count that is not exact, or where the page shows something else.
pub fn prove(stack: &Stack) -> Result<()> {
    let mut scene = Scene::new(stack, &[Deployment::Usual])?;
    let pki = &scene.certificates.pki;
    let members = (0..CLIENTS)
        .map(|number| Member::new(number, pki))
        .collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    let views = scene.namespace.run(|| send(&members, pki))?;
    let taken = begun.elapsed();
    let mut faults = Vec::new();
    let mut counts = BTreeMap::<String, u32>::new();
    let mut refused = 0;
    for (member, view) in members.iter().zip(&views) {
        let event = scene.claim(Deployment::Usual, view.port)?;
        faults.extend(member.faults(stack, &scene.certificates, &event));
        let is_good = member.case == Case::Accepted;
        let is_served = view.saw == "200 OK";
        if is_good != is_served {
            faults.push(format!("client {} saw {}", member.number, view.saw));
        }
        let text = |cell: Cell| cell.of(&event).as_str().unwrap_or_default().to_owned();
        refused += u32::from(text(Cell::Outcome) == "rejected");
        let outcome = [Cell::Outcome, Cell::Reason, Cell::Disagreement].map(text);
        *counts
            .entry(outcome.map(|text| format!("{text} |")).join(" "))
            .or_default() += 1;
    }
    let metrics = scene.agent.metrics()?;
    faults.extend(of_metrics(&metrics, &scene, refused));
    scene.finish(&[])?;
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    ensure!(taken <= TEN_SECONDS, "it took {taken:?}");
    page::keep(
        stack.name,
        &format!("{}, stuffing", stack.variant),
        &table(&counts),
    )
}

/// All members, one after the other, several at once.
fn send(members: &[Member], pki: &Pki) -> Result<Vec<View>> {
    let begun = Instant::now();
    let lane = |lane: u32| -> Result<Vec<(u32, View)>> {
        let own = members.iter().filter(|member| member.number % AT_ONCE == lane);
        own.map(|member| {
            let due = PAUSE * member.number;
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let view = member
                .call(pki)
                .with_context(|| format!("client {}", member.number))?;
            Ok((member.number, view))
        })
        .collect()
    };
    let mut views = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..AT_ONCE)
            .map(|number| scope.spawn(move || lane(number)))
            .collect();
        let lanes = lanes
            .into_iter()
            .map(|lane| lane.join().map_err(|_| anyhow!("a client panicked"))?);
        lanes.collect::<Result<Vec<_>>>()
    })?
    .concat();
    views.sort_by_key(|(number, _)| *number);
    Ok(views.into_iter().map(|(_, view)| view).collect())
}

/// What the metrics do not count exactly as the events do.
fn of_metrics(metrics: &Metrics, scene: &Scene, refused: u32) -> Vec<String> {
    let service = ("service", Deployment::Usual.service());
    let mut wanted = vec![
        ("tls_handshakes_total", vec![service], CLIENTS),
        (
            "tls_handshakes_total",
            vec![service, ("outcome", "established")],
            CLIENTS - refused,
        ),
        (
            "tls_handshakes_total",
            vec![service, ("outcome", "rejected")],
            refused,
        ),
        (
            "tls_handshake_failures_total",
            vec![service, ("rejected_by", "server")],
            refused,
        ),
    ];
    let mut reasons = BTreeMap::<String, u32>::new();
    let mut disagreements = 0;
    for event in scene.claimed_events() {
        if let Some(reason) = at(event, "handshake.reason").as_str() {
            *reasons.entry(reason.to_owned()).or_default() += 1;
        }
        disagreements += u32::from(at(event, "verdict.disagreement") == "accepted_but_invalid");
    }
    for (reason, count) in &reasons {
        wanted.push((
            "tls_handshake_failures_total",
            vec![service, ("reason", reason)],
            *count,
        ));
    }
    wanted.push((
        "tls_verdict_disagreements_total",
        vec![service, ("kind", "accepted_but_invalid")],
        disagreements,
    ));
    wanted
        .into_iter()
        .filter_map(|(name, labels, count)| {
            let counted = metrics.sum(name, &labels);
            (counted != Some(f64::from(count)))
                .then(|| format!("{name} {labels:?}: {counted:?}, events: {count}"))
        })
        .collect()
}

fn table(counts: &BTreeMap<String, u32>) -> String {
    let mut text = format!(
        "{CLIENTS} clients within ten seconds, half of them good; each of the bad ones has a certificate of its own or none. \
         Each client's event is its own, and the metrics count the same.\n\n\
         | clients | outcome | reason | disagreement |\n|---|---|---|---|\n"
    );
    for (told, count) in counts {
        let _ = writeln!(text, "| {count} | {told}");
    }
    text
}
