//! A real Prometheus with the shipped rules scrapes a real agent, and finds certificate stuffing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use observer_tests::agent;
use observer_tests::events::at;
use observer_tests::peers::crowd::{self, Member};
use observer_tests::peers::tls::Offer;
use observer_tests::peers::{ClientAuth, Version, rustls};
use observer_tests::pki::members::Standing;
use observer_tests::poll::{self, PATIENCE};
use observer_tests::process::Process;
use observer_tests::prometheus::{JOB, Labels, Prometheus, RULES, shipped};
use observer_tests::world::{Mode, World};
use serde_json::Value;

const fn server(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
/// Whom many bad clients attack.
const ORDERS: SocketAddr = server(4433);
/// Where a few bad clients are nothing new.
const MAIL: SocketAddr = server(4434);
/// Good clients of `ORDERS`, and as many bad ones.
const MANY: u32 = 200;
/// Bad clients of `MAIL`.
const FEW: u32 = 20;
/// What stands in the event of a handshake, and in no other.
const HANDSHAKE: &str = r#""action":"tls-handshake""#;

/// Clients of both versions with these certificates, numbered from `first`.
fn members(world: &World, first: u32, standings: &[Standing], count: u32) -> Result<Vec<Member>> {
    let numbered = (first..first + count).zip(standings.iter().cycle());
    numbered
        .map(|(number, standing)| {
            let leaf = world.pki.member(number, *standing)?;
            Ok(Member {
                identity: leaf.map(|leaf| (leaf.files.certificate, leaf.files.key)),
                version: match (number / 5).is_multiple_of(2) {
                    true => Version::Tls12,
                    false => Version::Tls13,
                },
            })
        })
        .collect()
}

/// Sends them to a server, and demands that exactly so many are served.
fn meet(world: &World, address: SocketAddr, members: &[Member], served: u32) -> Result<()> {
    let trusted = &world.pki.server_ca.files.certificate;
    let fates = crowd::converse(world.place(), trusted, address, members, world.pki.directory())?;
    let answered = fates.iter().filter(|fate| fate.answered).count();
    ensure!(
        answered == usize::try_from(served)?,
        "{answered} were served: {fates:#?}"
    );
    Ok(())
}

fn serve(world: &World, address: SocketAddr) -> Result<Process> {
    let offer = Offer::default();
    let mut command = rustls::server(&world.pki, address, &offer, ClientAuth::Required)?;
    world.place().serve(&mut command, address)
}

/// The values of an expression by these of its labels.
fn counts(prometheus: &Prometheus, expression: &str, labels: &[&str]) -> Result<BTreeMap<Vec<String>, u64>> {
    let mut counts = BTreeMap::new();
    for sample in prometheus.query(expression)? {
        let key = labels
            .iter()
            .map(|label| sample.labels.get(*label).cloned().unwrap_or_default());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and small"
        )]
        counts.insert(key.collect(), sample.value as u64);
    }
    Ok(counts)
}

fn keyed<const N: usize>(counts: &[([&str; N], u32)]) -> BTreeMap<Vec<String>, u64> {
    let text = |key: &[&str; N]| key.iter().map(ToString::to_string).collect();
    counts
        .iter()
        .map(|(key, count)| (text(key), u64::from(*count)))
        .collect()
}

/// The firing alerts, by their labels.
fn firing(prometheus: &Prometheus) -> Result<BTreeMap<Labels, Value>> {
    let alerts = prometheus.alerts()?.into_iter();
    alerts
        .filter(|alert| alert["state"] == "firing")
        .map(|alert| Ok((serde_json::from_value(alert["labels"].clone())?, alert)))
        .collect()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// Sends the clients, and waits until Prometheus has counted the last. Gives the alert, which names the attacked service.
fn attack(world: &World, prometheus: &Prometheus) -> Result<Value> {
    let bad = &Standing::ALL[1..];
    let few = members(world, 0, bad, FEW)?;
    let mut many = members(world, 1_000, &[Standing::Good], MANY)?;
    many.extend(members(world, 2_000, bad, MANY)?);
    poll::until("two scrapes", PATIENCE, || {
        let scrapes = prometheus.query("sum_over_time(up[1m]) >= 2")?;
        Ok((!scrapes.is_empty()).then_some(()))
    })?;
    meet(world, MAIL, &few, 0)?;
    let begin = Instant::now();
    meet(world, ORDERS, &many, MANY)?;
    println!(
        "{} clients came and went within {:.1?}",
        many.len(),
        begin.elapsed()
    );
    let wanted = labels(&[
        ("alertname", "TlsClientCertificateStuffing"),
        ("severity", "critical"),
        ("job", JOB),
        ("service", "orders"),
    ]);
    let alert = poll::until("the alert", Duration::from_secs(30), || {
        Ok(firing(prometheus)?.remove(&wanted))
    })?;
    let summary = "orders: many clients are refused for their certificates";
    assert_eq!(at(&alert, "annotations.summary"), summary);

    let total = keyed(&[([], FEW + 2 * MANY)]);
    poll::until("all counts", PATIENCE, || {
        Ok((counts(prometheus, "sum(tls_handshakes_total)", &[])? == total).then_some(()))
    })?;
    // No other but that of the one address from which all came.
    let burst = labels(&[
        ("alertname", "TlsRefusalBurst"),
        ("severity", "warning"),
        ("job", JOB),
        ("instance", &agent::LISTEN.to_string()),
        ("by", "source"),
    ]);
    let fired = poll::until("the alert of the burst", PATIENCE, || {
        let fired = firing(prometheus)?;
        Ok(fired.contains_key(&burst).then_some(fired))
    })?;
    let fired: BTreeSet<_> = fired.into_keys().collect();
    assert_eq!(fired, BTreeSet::from([wanted, burst]));
    Ok(alert)
}

/// Holds what Prometheus has counted against what happened, and against the events of the refused.
fn judge_counts(prometheus: &Prometheus, refused: &[&Value]) -> Result<()> {
    let asked = "sum by (service, outcome) (tls_client_authentications_total) > 0";
    assert_eq!(
        counts(prometheus, asked, &["service", "outcome"])?,
        keyed(&[
            (["mail", "rejected"], FEW),
            (["orders", "established"], MANY),
            (["orders", "rejected"], MANY)
        ])
    );
    let blamed = r#"sum by (service) (tls_handshake_failures_total{rejected_by="server",reason=~"client_certificate_.+"}) > 0"#;
    assert_eq!(
        counts(prometheus, blamed, &["service"])?,
        keyed(&[(["mail"], FEW), (["orders"], MANY)])
    );
    let mut told = BTreeMap::new();
    for event in refused {
        let reason = at(event, "handshake.reason").as_str().context("a reason")?;
        *told.entry(vec![reason.to_owned()]).or_insert(0) += 1;
    }
    let by_reason = "sum by (reason) (tls_handshake_failures_total) > 0";
    assert_eq!(counts(prometheus, by_reason, &["reason"])?, told);
    Ok(())
}

/// Each exemplar leads to the event of a handshake that was refused for the reason of its series, at its service.
fn judge_exemplars(prometheus: &Prometheus, refused: &[&Value]) -> Result<()> {
    let now = Timestamp::now();
    let times = [now - SignedDuration::from_mins(5), now].map(|time| time.to_string());
    let asked = [
        ("query", "tls_handshake_failures_total"),
        ("start", &times[0]),
        ("end", &times[1]),
    ];
    let exemplars = prometheus.api("query_exemplars", &asked)?;
    let mut services = BTreeSet::new();
    for series in exemplars.as_array().context("exemplars")? {
        let labels = &series["seriesLabels"];
        let service = labels["service"].as_str().context("a service")?;
        for exemplar in series["exemplars"].as_array().context("exemplars of a series")? {
            let id = at(exemplar, "labels.event_id");
            let event = refused
                .iter()
                .find(|event| at(event, "event.id") == id)
                .with_context(|| format!("no event of {exemplar}"))?;
            assert_eq!(at(event, "handshake.reason"), &labels["reason"]);
            assert_eq!(at(event, "handshake.evidence"), &labels["evidence"]);
            let server = if service == "orders" { ORDERS } else { MAIL };
            assert_eq!(at(event, "server.port"), server.port());
            services.insert(service);
        }
    }
    assert_eq!(services, BTreeSet::from(["mail", "orders"]));
    Ok(())
}

/// How long after the first bad client of `ORDERS` the alert fired.
fn judge_times(alert: &Value, refused: &[&Value]) -> Result<()> {
    let time = |value: &Value| -> Result<Timestamp> { Ok(value.as_str().context("a time")?.parse()?) };
    let times = refused
        .iter()
        .filter(|event| at(event, "server.port") == ORDERS.port())
        .map(|event| time(at(event, "@timestamp")))
        .collect::<Result<BTreeSet<_>>>()?;
    let (first, last) = times.first().zip(times.last()).context("no bad clients")?;
    let attack = last.duration_since(*first);
    let fired = time(&alert["activeAt"])?.duration_since(*first);
    println!("the bad ones came within {attack:#}; the alert fired {fired:#} after the first");
    ensure!(
        attack < SignedDuration::from_secs(10),
        "the bad clients took {attack:#}"
    );
    ensure!(fired < SignedDuration::from_secs(60), "the alert took {fired:#}");
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn two_hundred_bad_clients_among_good_ones_fire_the_alert_and_a_few_do_not() -> Result<()> {
    let flags = ["--service", "orders=4433,mail=4434", "--handshake-timeout", "60s"];
    let world = World::new(Mode::Cgroup, &flags)?;
    let namespace = world.agent()?.namespace();
    let prometheus = Prometheus::start(namespace, &[&shipped().join(RULES)], &[agent::LISTEN])?;
    let _servers = [serve(&world, ORDERS)?, serve(&world, MAIL)?];
    let alert = attack(&world, &prometheus)?;
    let all = usize::try_from(FEW + 2 * MANY)?;
    poll::until("all events", PATIENCE, || {
        let lines = world.agent()?.stdout();
        let told = lines.iter().filter(|line| line.contains(HANDSHAKE)).count();
        Ok((told >= all).then_some(()))
    })?;
    let events = world.agent()?.events()?;
    let refused: Vec<_> = events
        .iter()
        .filter(|event| at(event, "handshake.outcome") == "rejected")
        .collect();
    judge_counts(&prometheus, &refused)?;
    judge_exemplars(&prometheus, &refused)?;
    judge_times(&alert, &refused)
}
