//! Each rule, with a connection that makes it speak.

use std::collections::BTreeSet;

use super::wire::*;
use crate::observation::{CertificateFault, ClientCertificate, Observation, Outcome, Reason, Side};
use crate::outcome::Rule;
use crate::output::words::Word;
use crate::segment::SegmentFlags;

const SESSION: [u8; 32] = [4; 32];
const CCS: u8 = 20;

fn hello(extensions: &[Vec<u8>]) -> Vec<u8> {
    client_hello(1, &SESSION, extensions)
}

/// A ClientHello of TLS 1.2.
fn begun() -> Play {
    let mut play = Play::new();
    play.client(&[hello(&[])]);
    play
}

/// TLS 1.2, up to the client's Finished, with `certificate` for its Certificate, or without a request.
fn client_finished(certificate: Option<Vec<u8>>) -> Play {
    let mut play = begun();
    play.server(&[server_flight(certificate.is_some())]).client(&[
        certificate.unwrap_or_default(),
        client_key_exchange(),
        finished(),
    ]);
    play
}

/// TLS 1.2, a resumed session, up to the server's Finished.
fn server_finished() -> Play {
    let mut play = begun();
    play.server(&[server_hello(ECDHE, &SESSION, &[]), finished()]);
    play
}

/// TLS 1.2, refused by a server that judged this certificate.
fn refused(certificate_of_client: &[u8], code: u8) -> Play {
    let mut play = client_finished(Some(certificate(&[certificate_of_client])));
    play.server(&[alert(2, code)]);
    play
}

/// TLS 1.2, refused by the server's first word.
fn refused_at_once(extensions: &[Vec<u8>]) -> Play {
    let mut play = Play::new();
    play.client(&[hello(extensions)]).server(&[alert(2, 40)]);
    play
}

/// TLS 1.3 with SHA-384, up to the server's flight of these records.
fn tls13_server(flight: &[usize]) -> Play {
    let mut play = Play::new();
    play13(&mut play, flight);
    play
}

fn play13(play: &mut Play, flight: &[usize]) {
    let modes = extension(45, &[1, 1]);
    let answer = server_hello(AES_256, &SESSION, &[chooses_tls13()]);
    play.client(&[hello(&[offers_tls13(), modes])])
        .server(&[answer, record(CCS, &[1]), encrypted(flight)]);
}

const ASKED: [usize; 5] = [23, 100, 800, 96, 69];
const UNASKED: [usize; 4] = [23, 800, 96, 69];

/// TLS 1.3, up to the client's flight of these records, of which several are an answer to a request.
fn tls13(flight: &[usize]) -> Play {
    let mut play = tls13_server(if flight.len() > 1 { &ASKED } else { &UNASKED });
    play.client(&[record(CCS, &[1]), encrypted(flight)]);
    play
}

/// A flight with a certificate, and one without a request.
const SENT: [usize; 3] = [881, 96, 69];
const FINISHED: [usize; 1] = [69];

/// All padded to blocks of 512 bytes.
fn padded() -> Play {
    let mut play = tls13_server(&[528, 528, 1552, 528, 528]);
    play.client(&[record(CCS, &[1]), encrypted(&[1040, 528, 528])]);
    play
}

/// Another connection to the same server, played by `then` after its greeting was seen three times.
fn to_a_greeter(flight: &[usize], then: impl Fn(&mut Play)) -> Play {
    let mut play = Play::new();
    for index in 0..4 {
        play.client.set_port(50_000 + index);
        play.reconnect(&[Place {
            scope: 1,
            born: u64::from(index),
        }]);
        play13(&mut play, &UNASKED);
        play.client(&[record(CCS, &[1]), encrypted(flight)]);
        if index < 3 {
            play.server(&[encrypted(&[250])]);
            assert_eq!(play.only().outcome, Outcome::Established);
        }
    }
    then(&mut play);
    play
}

/// DER of a certificate that is valid from one date (`YYMMDD`) to another, as far as anyone looks.
fn dated(not_before: &str, not_after: &str) -> Vec<u8> {
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, content.len() as u8], content].concat()
    }
    let algorithm = der(0x30, &der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
    let time = |date: &str| der(0x17, format!("{date}000000Z").as_bytes());
    let key = der(
        0x30,
        &[der(0x30, &der(0x06, &[0x2b, 0x65, 0x70])), der(0x03, &[0; 33])].concat(),
    );
    let body = [
        der(0x02, &[1]),
        algorithm.clone(),
        der(0x30, &[]),
        der(0x30, &[time(not_before), time(not_after)].concat()),
        der(0x30, &[]),
        key,
    ];
    der(
        0x30,
        &[der(0x30, &body.concat()), algorithm, der(0x03, &[0; 9])].concat(),
    )
}

/// A connection that makes `rule` speak; `None` for those of verdicts, which come after the flow table.
fn example(rule: Rule) -> Option<Play> {
    let empty = || Some(certificate(&[]));
    let some = || Some(certificate(&[b"client"]));
    let tls13_only = || extension(43, &[2, 3, 4]);
    let x25519_only = || extension(10, &vector(2, &[0, 29]));
    let mut play;
    match rule {
        Rule::NotTls => {
            play = Play::new();
            play.flagged(SegmentFlags {
                not_tls: true,
                ..SegmentFlags::default()
            })
            .piece(Side::Client, &[], 100)
            .server(&[alert(2, 22)]);
        }
        Rule::WrongPurpose => play = refused(b"client", 43),
        Rule::ExpiredBeforeStart => play = refused(&dated("330101", "340101"), 45),
        Rule::RefusedBeforeStart => play = refused(&dated("330101", "340101"), 42),
        Rule::RefusedAfterEnd => play = refused(&dated("130101", "140101"), 46),
        Rule::AccessDenied => play = refused(b"client", 49),
        Rule::FailureAfterEmptyCertificate => {
            play = client_finished(empty());
            play.server(&[alert(2, 40)]);
        }
        // As GnuTLS says it.
        Rule::AlertAfterEmptyCertificate => {
            play = client_finished(empty());
            play.server(&[alert(2, 50)]);
        }
        Rule::FailureToOldVersions => {
            play = Play::new();
            let hello = client_hello_of([3, 2], &[0xc0, 0x13], 1, &[], &[]);
            play.client(&[hello]).server(&[alert(2, 40)]);
        }
        Rule::FailureAtOnce => play = refused_at_once(&[]),
        Rule::FailureAtOnceTls13 => play = refused_at_once(&[offers_tls13()]),
        Rule::FewGroups => {
            play = Play::new();
            let hello = client_hello_with(&[0x13, 0x01], 1, &[], &[tls13_only(), x25519_only()]);
            play.client(&[hello]).server(&[alert(2, 40)]);
        }
        Rule::RetryRefused => {
            play = Play::new();
            let retry = server_hello_with(
                observer_tls::server_hello::HELLO_RETRY_REQUEST_RANDOM,
                AES_256,
                &SESSION,
                &[chooses_tls13(), extension(51, &[0, 24])],
            );
            play.client(&[hello(&[offers_tls13()])])
                .server(&[retry])
                .client(&[alert(2, 47)]);
        }
        Rule::EncryptedAlert => {
            play = server_finished();
            play.client(&[record(CCS, &[1]), opaque(21, 26)]);
        }
        Rule::EncryptedClose => {
            play = client_finished(None);
            play.client(&[opaque(21, 26)]);
        }
        Rule::EncryptedRefusal => {
            play = client_finished(None);
            play.server(&[record(CCS, &[1])]).client(&[opaque(21, 26)]);
        }
        Rule::RenegotiationAlert => {
            play = Play::new();
            mutual(&mut play);
            play.only();
            play.client(&[opaque(22, 200), opaque(21, 26)]);
        }
        Rule::ClosedBeforeServerHello => {
            play = begun();
            play.rst(Side::Server);
        }
        Rule::ClosedAfterServerHello => {
            play = begun();
            play.server(&[server_hello(ECDHE, &[], &[])]).rst(Side::Server);
        }
        Rule::ClosedAfterServerFlight => {
            play = begun();
            play.server(&[server_flight(true)]).rst(Side::Client);
        }
        Rule::ClosedInClientFlight => {
            play = begun();
            play.server(&[server_flight(true)])
                .client(&[certificate(&[])])
                .rst(Side::Server);
        }
        Rule::ClosedAfterClientFinished => {
            play = client_finished(None);
            play.rst(Side::Server);
        }
        Rule::ClosedAfterEmptyCertificate => {
            play = client_finished(empty());
            play.rst(Side::Client);
        }
        Rule::ClosedAfterCertificate => {
            play = client_finished(some());
            play.rst(Side::Client);
        }
        Rule::ServerClosedAfterEmptyCertificate => {
            play = client_finished(empty());
            play.rst(Side::Server);
        }
        Rule::ServerClosedAfterCertificate => {
            play = client_finished(some());
            play.fin(Side::Server).fin(Side::Client);
        }
        Rule::ClosedAfterServerFinished => {
            play = server_finished();
            play.rst(Side::Client);
        }
        Rule::ServerRecord => {
            play = tls13(&SENT);
            play.server(&[encrypted(&[682])]);
        }
        Rule::ServerRecords => {
            play = padded();
            play.server(&[encrypted(&[528, 528, 528])]);
        }
        Rule::ShortestRecord => {
            play = padded();
            play.server(&[encrypted(&[528])]).rst(Side::Server);
        }
        Rule::ShortestRecordUnclear => {
            play = padded();
            play.server(&[encrypted(&[528])]).rst(Side::Client);
        }
        Rule::ServerAlertAtOnce => play = tls13_server(&[19]),
        Rule::ServerAlert => {
            play = tls13(&SENT);
            play.server(&[encrypted(&[19])]);
        }
        Rule::ServerAlertForTicket => {
            play = to_a_greeter(&FINISHED, |play| {
                play.server(&[encrypted(&[19])]);
            });
        }
        Rule::AlertOrClose => {
            play = tls13(&FINISHED);
            play.server(&[encrypted(&[19])]);
        }
        Rule::BothClosed => {
            play = tls13(&FINISHED);
            play.client(&[encrypted(&[19])]).server(&[encrypted(&[19])]);
        }
        Rule::EarlyDataAnswered => {
            let hello = hello(&[offers_tls13(), extension(42, &[]), extension(41, &[0; 40])]);
            let answer = server_hello(AES_256, &SESSION, &[chooses_tls13(), extension(41, &[0, 0])]);
            play = Play::new();
            play.client(&[hello, record(CCS, &[1]), encrypted(&[300])])
                .server(&[answer, encrypted(&[30, 69, 162, 19])])
                .fin(Side::Server)
                .client(&[encrypted(&[21, 69])]);
        }
        Rule::ClientAlert => {
            play = tls13_server(&ASKED);
            play.client(&[record(CCS, &[1]), encrypted(&[19])]);
        }
        Rule::ServerClosed => {
            play = tls13(&SENT);
            play.fin(Side::Server).fin(Side::Client);
        }
        Rule::NoAnswer => {
            play = tls13(&FINISHED);
            play.rst(Side::Server);
        }
        Rule::ClientLeft => {
            play = tls13(&FINISHED);
            play.fin(Side::Client).fin(Side::Server);
        }
        Rule::ClientLeftUnanswered => {
            play = tls13(&SENT);
            play.fin(Side::Client).fin(Side::Server);
        }
        Rule::NoFlightEnd => {
            play = tls13_server(&ASKED);
            play.client(&[encrypted(&[25])]).rst(Side::Client);
        }
        Rule::Settled => {
            play = tls13(&SENT);
            play.wait(2 * SECOND);
        }
        Rule::LateAlert => {
            play = tls13(&SENT);
            play.wait(2 * SECOND);
            play.only();
            play.server(&[encrypted(&[19])]);
        }
        Rule::ServerClosedAfterInvalid
        | Rule::ServerClosedAfterVerification
        | Rule::VerdictExpired
        | Rule::VerdictNotYetValid
        | Rule::VerdictUntrusted
        | Rule::VerdictRevoked
        | Rule::VerdictWrongPurpose
        | Rule::VerdictNameMismatch
        | Rule::VerdictMalformed
        | Rule::LibraryGaveUp
        | Rule::LibraryAlert
        | Rule::LibraryVerification
        | Rule::LibraryFinished
        | Rule::ServerWentOn
        | Rule::LibraryClientFinished => return None,
    }
    Some(play)
}

#[test]
fn every_rule_speaks_and_is_as_sure_as_it_says() {
    for rule in Rule::ALL {
        let Some(mut play) = example(*rule) else { continue };
        let seen = play.only();
        assert_eq!(seen.rule, Some(*rule), "{}", rule.name());
        assert_eq!(seen.evidence, rule.evidence(), "{}", rule.name());
    }
}

/// The wire gives every reason but one: no alert says that a certificate has another name, and the verdict that does is not
/// the wire's.
#[test]
fn every_reason_can_be_read() {
    let alerts = (0..=u8::MAX).flat_map(|code| {
        let by_client = {
            let mut play = begun();
            play.server(&[server_flight(true)]).client(&[alert(2, code)]);
            play
        };
        [refused(b"client", code), by_client]
    });
    let mut dated_server = begun();
    let expired_later = |server: &mut Play, code| {
        let chain = certificate(&[&dated("330101", "340101")]);
        server
            .server(&[server_hello(ECDHE, &[9; 32], &[]), chain, server_hello_done()])
            .client(&[alert(2, code)]);
    };
    expired_later(&mut dated_server, 45);
    let mut silent = begun();
    silent.wait(20 * SECOND);
    let examples = Rule::ALL.iter().copied().filter_map(example);
    let told: BTreeSet<&str> = examples
        .chain(alerts)
        .chain([dated_server, silent])
        .flat_map(|mut play| play.observed())
        .filter_map(|seen: Observation| seen.reason)
        .map(Reason::word)
        .collect();
    let untold: Vec<&str> = Reason::WORDS
        .iter()
        .copied()
        .filter(|word| !told.contains(word))
        .collect();
    assert_eq!(untold, ["server_certificate_name_mismatch"]);
}

#[test]
fn what_was_refused_follows_from_what_the_client_sent() {
    let missing = "client_certificate_missing";
    let cases: [(&[usize], &str, ClientCertificate); 2] = [
        (&[25, 69], missing, ClientCertificate::RequestedNotSent),
        (&SENT, "client_certificate_rejected", ClientCertificate::Sent),
    ];
    for (flight, reason, certificate) in cases {
        for ending in [
            |play: &mut Play| {
                play.server(&[encrypted(&[19])]);
            },
            |play: &mut Play| {
                play.fin(Side::Server).fin(Side::Client);
            },
            |play: &mut Play| {
                play.rst(Side::Server);
            },
            // The RST of a server that had data to read overtakes nothing: the FIN went before it.
            |play: &mut Play| {
                play.fin(Side::Server).client(&[encrypted(&[77])]);
                play.rst(Side::Server);
            },
        ] {
            let mut play = tls13(flight);
            ending(&mut play);
            let seen = play.only();
            assert_eq!(seen.rejected_by, Some(Side::Server));
            assert_eq!(seen.reason.map(Reason::word), Some(reason));
            assert_eq!(seen.client_certificate, certificate);
        }
    }
}

#[test]
fn a_server_that_closes_where_its_finished_is_due_is_told_from_others() {
    let empty = || Some(certificate(&[]));
    let some = || Some(certificate(&[b"client"]));
    let refused = (
        Outcome::Rejected,
        Some(Reason::Certificate(Side::Client, CertificateFault::Missing)),
        Some(Rule::ServerClosedAfterEmptyCertificate),
    );
    let aborted = |rule| (Outcome::Aborted, Some(Reason::Closed), Some(rule));
    let after = [
        (empty(), refused, Rule::ClosedAfterEmptyCertificate),
        (
            some(),
            aborted(Rule::ServerClosedAfterCertificate),
            Rule::ClosedAfterCertificate,
        ),
    ];
    let told = |mut play: Play| {
        let seen = play.only();
        (seen.outcome, seen.reason, seen.rule)
    };
    for (flight, at_once, otherwise) in after {
        // The client's answer to the close is none of the handshake's.
        let mut play = client_finished(flight.clone());
        play.fin(Side::Server).client(&[opaque(21, 26)]);
        assert_eq!(told(play), at_once);
        // Who has waited has waited for something.
        let mut play = client_finished(flight.clone());
        play.wait(2 * SECOND).fin(Side::Server).fin(Side::Client);
        assert_eq!(told(play), aborted(otherwise));
        let mut play = client_finished(flight.clone());
        play.fin(Side::Client).fin(Side::Server);
        assert_eq!(told(play), aborted(otherwise));
        // Whoever has sent its Finished has accepted, whenever it closes.
        let mut play = client_finished(flight);
        play.server(&[finished()]).fin(Side::Server).fin(Side::Client);
        assert_eq!(told(play), (Outcome::Established, None, None));
    }
    // Closed before the client's flight was there.
    let mut play = begun();
    play.server(&[server_flight(true)]).fin(Side::Server).client(&[
        certificate(&[b"client"]),
        client_key_exchange(),
        finished(),
    ]);
    play.fin(Side::Client);
    assert_eq!(told(play), aborted(Rule::ClosedAfterCertificate));
}

#[test]
fn a_server_that_took_any_certificate_may_close_an_idle_connection() {
    // With tickets, and with none.
    for greeting in [&[250][..], &[]] {
        let mut play = tls13(&SENT);
        play.server(&[encrypted(greeting)]);
        play.client(&[encrypted(&[71])]).wait(3 * SECOND);
        assert_eq!(play.only().outcome, Outcome::Established);
        play.fin(Side::Server).fin(Side::Client).nothing();
    }
}
