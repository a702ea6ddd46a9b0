//! Alerts after the handshake.

use observer_tls::codepoints::AlertDescription as A;

use super::*;

fn late() -> Observation {
    let alert_ns = 500 * MS;
    Observation {
        action: Action::LateAlert,
        time_ns: START + alert_ns,
        duration_ns: alert_ns,
        rule: Some(Rule::LateAlert),
        opaque: vec![],
        alerts: vec![AlertSeen {
            sender: Side::Server,
            alert: None,
            encrypted: true,
            offset_ns: alert_ns,
        }],
        ..tls13()
    }
}

fn released(late_alerts: LateAlerts, facts: impl IntoIterator<Item = Fact>) -> Vec<Observation> {
    let mut join = Join::new(true, late_alerts);
    let mut out = Vec::new();
    join.observation(tls13(), &mut out);
    join.observation(late(), &mut out);
    facts.into_iter().for_each(|fact| join.fact(fact));
    join.flush(&mut out);
    out
}

#[test]
fn a_late_alert_that_a_library_read_is_named() {
    let received = fact(Side::Client, 501, FactBody::AlertReceived(A::CERTIFICATE_REVOKED));
    let made = fact(Side::Server, 499, FactBody::AlertSent(A::CERTIFICATE_REVOKED));
    for told in [received, made] {
        let out = released(LateAlerts::Unexpected, [told]);
        let [_, late] = out.as_slice() else {
            panic!("{out:?}")
        };
        assert_eq!(late.alerts[0].alert.unwrap().description, A::CERTIFICATE_REVOKED);
        assert!(late.alerts[0].encrypted);
        assert_eq!(
            (late.evidence, late.rule),
            (Evidence::Observed, Some(Rule::LibraryAlert))
        );
        assert_eq!((late.outcome, late.source), (Outcome::Established, Source::Both));
    }
}

#[test]
fn an_orderly_close_is_no_news() {
    let closed = || fact(Side::Client, 501, FactBody::AlertReceived(A::CLOSE_NOTIFY));
    assert_eq!(released(LateAlerts::Unexpected, [closed()]).len(), 1);
    let all = released(LateAlerts::All, [closed()]);
    assert_eq!(all[1].alerts[0].alert.unwrap().description, A::CLOSE_NOTIFY);
    assert_eq!(
        released(LateAlerts::Unexpected, []).len(),
        2,
        "it may be one or not"
    );
}
