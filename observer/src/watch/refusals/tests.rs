//! Who is counted, when a burst begins and ends, and what is told of it.

use std::time::Duration;

use super::*;
use crate::observation::CertificateFault;
use crate::output::samples;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * SECOND;
const RATE: Rate = Rate {
    count: 20,
    window: Duration::from_secs(10),
};

/// A refusal by the server, of a client that showed no certificate.
fn refused(client: &str) -> Observation {
    Observation {
        client: format!("{client}:40000").parse().unwrap(),
        reason: Some(Reason::NoSharedCipher),
        client_chain: vec![],
        ..samples::refused_client()
    }
}

/// The bursts that `refusals` of `seen`, one each `interval_ms`, begin.
fn bursts(
    watch: &mut Refusals,
    seen: &Observation,
    start_ns: u64,
    number: u64,
    interval_ms: u64,
) -> Vec<RefusalBurst> {
    let mut reports = Vec::new();
    for step in 0..number {
        watch.observe(seen, start_ns + step * interval_ms * 1_000_000, &mut reports);
    }
    let burst = |report| match report {
        Report::RefusalBurst(burst) => *burst,
        other => panic!("{other:?}"),
    };
    reports.into_iter().map(burst).collect()
}

#[test]
fn a_burst_is_told_once_when_the_rate_is_passed() {
    let mut watch = Refusals::new(RATE);
    let found = bursts(&mut watch, &refused("10.0.0.2"), START, 300, 100);
    let [burst] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert_eq!((burst.count, burst.total, burst.first_ns), (20, 20, START));
    assert_eq!(burst.time_ns, START + 1_900_000_000);
    assert_eq!(burst.reason, Some(Reason::NoSharedCipher));
    assert_eq!(burst.servers, ["10.0.0.1:8443".parse().unwrap()]);
    assert!(!burst.more_servers);
    assert!(matches!(
        burst.refused,
        Refused::Source { client, .. } if client == IpAddr::from([10, 0, 0, 2])
    ));
}

#[test]
fn a_rate_below_is_none() {
    let mut watch = Refusals::new(RATE);
    assert!(bursts(&mut watch, &refused("10.0.0.2"), START, 1_000, 600).is_empty());
    assert!(bursts(&mut watch, &refused("10.0.0.3"), START, 19, 1).is_empty());
}

#[test]
fn it_is_over_when_the_count_falls_below_half_and_may_come_again() {
    let mut watch = Refusals::new(RATE);
    let seen = refused("10.0.0.2");
    assert_eq!(bursts(&mut watch, &seen, START, 30, 100).len(), 1);
    // 1.5 a second: below the rate, above half of it.
    let later = START + 3 * SECOND;
    assert_eq!(bursts(&mut watch, &seen, later, 60, 666).len(), 0);
    let later = later + 40 * SECOND;
    assert_eq!(
        bursts(&mut watch, &seen, later, 50, 100).len(),
        0,
        "still the same burst"
    );
    // One in two seconds: below half.
    let later = later + 5 * SECOND;
    assert_eq!(bursts(&mut watch, &seen, later, 10, 2_000).len(), 0);
    let again = bursts(&mut watch, &seen, later + 20 * SECOND, 50, 100);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].first_ns, START, "it was never silent for a window");
    let third = bursts(&mut watch, &seen, later + 100 * SECOND, 50, 100);
    assert_eq!(third.len(), 1);
    assert_eq!((third[0].first_ns, third[0].total), (later + 100 * SECOND, 20));
}

#[test]
fn with_a_rate_of_one_every_refusal_after_a_window_of_silence_is_a_burst() {
    let mut watch = Refusals::new(Rate { count: 1, ..RATE });
    assert_eq!(bursts(&mut watch, &refused("10.0.0.2"), START, 5, 1_000).len(), 1);
    assert_eq!(
        bursts(&mut watch, &refused("10.0.0.2"), START + 60 * SECOND, 3, 11_000).len(),
        3
    );
}

#[test]
fn only_refusals_by_the_server_count_for_a_source() {
    let mut watch = Refusals::new(RATE);
    for outcome in [
        Outcome::Aborted,
        Outcome::TimedOut,
        Outcome::Incomplete,
        Outcome::Established,
    ] {
        let seen = Observation {
            outcome,
            ..samples::refused_client()
        };
        assert!(bursts(&mut watch, &seen, START, 100, 1).is_empty(), "{outcome:?}");
    }
    let by_client = Observation {
        rejected_by: Some(Side::Client),
        ..refused("10.0.0.2")
    };
    assert!(bursts(&mut watch, &by_client, START, 100, 1).is_empty());
}

#[test]
fn certificates_are_counted_by_the_side_that_the_reason_is_about() {
    let mut watch = Refusals::new(RATE);
    let mut reports = Vec::new();
    for step in 0..40_u8 {
        // From many places, so that no source has many.
        let mut seen = samples::refused_client();
        seen.client.set_ip(IpAddr::from([10, 0, 1, step]));
        seen.server.set_port(8000 + u16::from(step));
        watch.observe(&seen, START, &mut reports);
    }
    let [Report::RefusalBurst(burst)] = reports.as_slice() else {
        panic!("{reports:#?}")
    };
    assert!(
        matches!(&burst.refused, Refused::Certificate { side: Side::Client, leaf } if leaf.subject.starts_with("CN=alice"))
    );
    assert_eq!(burst.servers.len(), RefusalBurst::MAX_SERVERS);
    assert!(burst.more_servers);

    let servers = Observation {
        rejected_by: Some(Side::Client),
        reason: Some(Reason::Certificate(Side::Server, CertificateFault::UnknownCa)),
        ..samples::refused_client()
    };
    let found = bursts(&mut watch, &servers, START, 20, 1);
    assert_eq!(found.len(), 1, "the same certificate, but of a server");
    assert!(matches!(
        found[0].refused,
        Refused::Certificate {
            side: Side::Server,
            ..
        }
    ));

    let unread = Observation {
        client_chain: vec![],
        client: "10.0.9.9:1".parse().unwrap(),
        ..samples::refused_client()
    };
    let found = bursts(&mut watch, &unread, START, 20, 1);
    assert!(matches!(
        found.as_slice(),
        [RefusalBurst {
            refused: Refused::Source { .. },
            ..
        }]
    ));
}

#[test]
fn the_most_frequent_reason_is_told() {
    let mut watch = Refusals::new(RATE);
    let reasons = [
        Reason::Other,
        Reason::DecodeError,
        Reason::NoSharedVersion,
        Reason::DecodeError,
        Reason::ProtocolError,
        Reason::DecodeError,
        Reason::DecryptError,
        Reason::DecodeError,
    ];
    let mut reports = Vec::new();
    for (step, reason) in reasons.into_iter().cycle().take(24).enumerate() {
        let seen = Observation {
            reason: Some(reason),
            ..refused("10.0.0.2")
        };
        watch.observe(&seen, START + step as u64, &mut reports);
    }
    let [Report::RefusalBurst(burst)] = reports.as_slice() else {
        panic!("{reports:#?}")
    };
    assert_eq!(burst.reason, Some(Reason::DecodeError));
}

#[test]
fn global_ipv6_is_counted_by_subnet_and_all_else_by_address() {
    for (address, network) in [
        ("10.0.0.2", "10.0.0.2/32"),
        ("::ffff:10.0.0.2", "10.0.0.2/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fd00::2", "fd00::2/128"),
        ("fe80::2", "fe80::2/128"),
        ("::1", "::1/128"),
    ] {
        let Network { address, prefix } = Network::of(address.parse().unwrap());
        assert_eq!(format!("{address}/{prefix}"), network);
    }
    let mut watch = Refusals::new(RATE);
    let mut reports = Vec::new();
    for host in 0..20_u16 {
        let mut seen = refused("10.0.0.2");
        seen.client
            .set_ip(IpAddr::from([0x2001, 0xdb8, 0, 1, host, 0, 0, host]));
        watch.observe(&seen, START, &mut reports);
    }
    assert_eq!(reports.len(), 1);
}

#[test]
fn a_flood_of_sources_hides_no_busy_one() {
    let mut watch = Refusals::new(RATE);
    let mut reports = Vec::new();
    for step in 0..50_000_u32 {
        let flood = refused(&IpAddr::from((0x0b00_0000 + step).to_be_bytes()).to_string());
        watch.observe(&flood, START + u64::from(step) * 100_000, &mut reports);
        if step % 500 == 0 {
            watch.observe(
                &refused("10.0.0.2"),
                START + u64::from(step) * 100_000,
                &mut reports,
            );
        }
    }
    let of_the_busy = reports.iter().filter(|report| {
        matches!(report, Report::RefusalBurst(burst)
            if matches!(burst.refused, Refused::Source { client, .. } if client == IpAddr::from([10, 0, 0, 2])))
    });
    assert_eq!((reports.len(), of_the_busy.count()), (1, 1));
    assert!(watch.displaced() > 40_000);
    watch.clear();
    assert!(bursts(&mut watch, &refused("10.0.0.2"), START, 19, 1).is_empty());
}
