//! Many handshakes at once: no certificate may come to stand at another's connection.

use std::collections::HashMap;

use super::*;

/// Pseudo-random numbers (Marsaglia's xorshift), the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What happens next, and when.
enum Step {
    Told(Fact),
    Seen(Box<Observation>),
}

/// Handshake `number`: its observation and what its libraries tell, good and bad mixed.
fn handshake(number: u32, dice: &mut Dice, steps: &mut Vec<(u64, Step)>) {
    let begin = START + dice.below(2_000) * MS;
    let client: SocketAddr = format!("10.0.0.9:{}", 10_000 + number).parse().unwrap();
    let server: SocketAddr = "10.0.0.2:443".parse().unwrap();
    let sockets = Sockets {
        client: u64::from(2 * number + 1),
        // Some servers are elsewhere.
        server: if number.is_multiple_of(7) {
            0
        } else {
            u64::from(2 * number + 2)
        },
    };
    let refused = number.is_multiple_of(3);
    let mut seen = if refused { refused13() } else { tls13() };
    (seen.time_ns, seen.client, seen.sockets) = (begin, client, sockets);
    seen.id[..4].copy_from_slice(&number.to_be_bytes());
    let seen_ns = begin + 11 * MS + dice.below(300) * MS;
    steps.push((seen_ns, Step::Seen(Box::new(seen))));

    let mut tell = |side: Side, at_ms: u64, body: FactBody, dice: &mut Dice| {
        let (cookie, own, peer) = match side {
            Side::Client => (sockets.client, client, server),
            Side::Server => (sockets.server, server, client),
        };
        if cookie == 0 {
            return;
        }
        let mut told = fact(side, 0, body);
        told.time_ns = begin + at_ms * MS;
        told.socket = Socket {
            cookie,
            addresses: Some((own, peer)),
        };
        // Rings are read at other times than they are written.
        steps.push((told.time_ns + dice.below(40) * MS, Step::Told(told)));
    };
    tell(Side::Client, 3, chain(100_000 + number), dice);
    tell(Side::Server, 10, chain(number), dice);
    if refused {
        tell(Side::Server, 10, failed(Some(client_fault(number))), dice);
    } else {
        tell(Side::Server, 10, FactBody::Established, dice);
    }
    // Some readers are wrong, in one of the ways that are found out.
    if number.is_multiple_of(11) {
        tell(Side::Server, 10, chain(number + 1), dice);
    }
}

fn client_fault(number: u32) -> Reason {
    client(match number % 2 {
        0 => CertificateFault::Expired,
        _ => CertificateFault::Revoked,
    })
}

#[test]
fn no_certificate_goes_astray() {
    const HANDSHAKES: u32 = 2_000;
    for seed in 1..=5 {
        let mut dice = Dice(seed);
        let mut steps = Vec::new();
        for number in 0..HANDSHAKES {
            handshake(number, &mut dice, &mut steps);
        }
        steps.sort_by_key(|(time_ns, _)| *time_ns);
        let mut join = Join::new(true, LateAlerts::Unexpected);
        let (flows, mut out) = (flows(), Vec::new());
        for (time_ns, step) in steps {
            match step {
                Step::Told(fact) => join.fact(fact),
                Step::Seen(seen) => join.observation(*seen, &mut out),
            }
            // Facts are behind by at most so much.
            join.release(time_ns - 40 * MS, &flows, &mut out);
        }
        join.flush(&mut out);
        assert_eq!(out.len(), HANDSHAKES as usize);
        let mut certificates = HashMap::new();
        for seen in &out {
            let number = u32::from_be_bytes(seen.id[..4].try_into().unwrap());
            let wrong = number.is_multiple_of(11) && !number.is_multiple_of(7);
            let has_server = !number.is_multiple_of(7) && !wrong;
            let shown = |chain: &[std::sync::Arc<_>]| -> Vec<Bytes> {
                chain
                    .iter()
                    .map(|facts: &std::sync::Arc<observer_tls::x509::CertificateFacts>| facts.der.clone())
                    .collect()
            };
            assert_eq!(shown(&seen.server_chain), [der(100_000 + number)], "{number}");
            match has_server {
                true => assert_eq!(shown(&seen.client_chain), [der(number)], "{number}"),
                false => assert!(seen.client_chain.is_empty(), "{number}"),
            }
            assert_eq!(contradictions(seen).is_empty(), !wrong, "{number}");
            if has_server && number.is_multiple_of(3) {
                assert_eq!(seen.reason, Some(client_fault(number)));
            }
            *certificates.entry(number).or_insert(0) += 1;
        }
        assert!(certificates.values().all(|count| *count == 1));
        let stats = join.stats();
        assert_eq!((stats.facts, stats.without_handshake, stats.too_late), (0, 0, 0));
    }
}
