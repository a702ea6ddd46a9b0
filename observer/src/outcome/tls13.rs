//! What the sizes, order and times of encrypted TLS 1.3 records give away.
//!
//! After the ServerHello a passive onlooker sees record headers only. A record's length is that of its plaintext, one
//! byte of content type and the AEAD tag (RFC 8446, section 5.2), so messages of fixed size can be told: Finished, an
//! empty Certificate, an alert. From these follow, as guesses, what the client did about its certificate and how the
//! server took it. Every answer of this module is inferred and names its rule; where two readings are possible, the
//! outcome is incomplete. A server that refuses above TLS is outside of what it can see.

mod flights;
mod habits;
mod sizes;

#[cfg(test)]
mod tests;

use observer_tls::codepoints::CipherSuite;

use super::{Cause, Conclusion, Rule, is_soon, patience};
use crate::observation::{CertificateFault, ClientCertificate, OpaqueRecord, Reason, Side};
use flights::{client_flight, is_encrypted, is_from_client, is_requested};
pub use habits::{Habits, Kind};
pub use sizes::Sizes;

/// How long a client waits in vain that leaves a connection in which nobody spoke, at least: a server that has not refused
/// by then will hardly do so in the moment in which the client leaves.
const QUIET_NS: u64 = 250_000_000;

/// Records of a server that refuses, at most: GnuTLS sends two alerts.
const MAX_REFUSAL_RECORDS: usize = 2;

/// The encrypted records of a TLS 1.3 handshake, with what is needed to interpret their lengths.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// Records behind the ServerHello, in the order seen.
    pub records: &'a [OpaqueRecord],
    /// The suite: it gives the lengths of hash and tag.
    pub cipher: Option<CipherSuite>,
    /// The server took a pre-shared key.
    pub psk: bool,
    /// The client said that early data follows its hello.
    pub early_data: bool,
    /// When the ServerHello came, in nanoseconds since the ClientHello.
    pub server_hello_ns: u64,
    /// When the client's FIN came, if that was the first close; in nanoseconds since the ClientHello.
    pub client_closed_ns: Option<u64>,
    /// What the server is known to do after handshakes.
    pub habits: Habits,
    /// The client can use tickets. To others a server may send none, whatever its habits.
    pub takes_tickets: bool,
}

/// What a [`Sequence`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the client did about its certificate; unknown unless a shape matches exactly.
    pub client_certificate: ClientCertificate,
    /// Index of the first record of the client's flight.
    pub flight_start: Option<usize>,
    /// When that came, in nanoseconds since the ClientHello.
    pub flight_start_ns: Option<u64>,
    /// Index of its last record, as far as the flight seems complete.
    pub flight_end: Option<usize>,
    /// When that came, in nanoseconds since the ClientHello.
    pub flight_end_ns: Option<u64>,
    /// The flight has a known shape that ends with a Finished.
    pub recognised: bool,
    /// The Finished is in a record of its size, so that nothing of the flight can be missing.
    pub finished: bool,
    /// The client sent something behind its flight before the server answered.
    pub client_spoke: bool,
    /// When it sent what may have been a close_notify, in nanoseconds since the ClientHello.
    pub client_left_ns: Option<u64>,
    /// The server pads, and answered with no more than a refusal may be: as few records, and none longer than its shortest.
    pub short_answer: bool,
    /// Resumed, with or without a request for a certificate. One with a request has something that the server may refuse.
    pub kind: Kind,
    /// The outcome, once there is one.
    pub conclusion: Option<Conclusion>,
}

impl Reading {
    const NOTHING: Self = Self {
        client_certificate: ClientCertificate::Unknown,
        flight_start: None,
        flight_start_ns: None,
        flight_end: None,
        flight_end_ns: None,
        recognised: false,
        finished: false,
        client_spoke: false,
        client_left_ns: None,
        short_answer: false,
        kind: Kind::Asked,
        conclusion: None,
    };

    /// The conclusion when the connection closes now. `reason` tells how `closer`, which was first to do so, closed it
    /// `closed_ns` nanoseconds after the ClientHello.
    pub fn at_close(&self, reason: Reason, closer: Side, closed_ns: u64) -> Conclusion {
        use ClientCertificate::{RequestedNotSent, Sent};

        let closed = Conclusion::aborted(reason);
        if let Some(conclusion) = self.conclusion {
            return conclusion;
        }
        // A client that has said so leaves in peace, even if tickets that it did not read make its close a reset.
        let (closer, reason) = match self.client_left_ns {
            Some(left_ns) if left_ns < closed_ns => (Side::Client, Reason::Closed),
            _ => (closer, reason),
        };
        if self.flight_end.is_none() {
            return closed.by(Rule::NoFlightEnd);
        }
        if self.short_answer {
            return match closer {
                Side::Server => self.refused_by_server(Rule::ShortestRecord),
                Side::Client => Conclusion::INCOMPLETE.by(Rule::ShortestRecordUnclear),
            };
        }
        match (closer, self.client_certificate) {
            // What it closed before the flight was there, it did not refuse.
            (Side::Server, Sent | RequestedNotSent) if self.flight_start_ns <= Some(closed_ns) => {
                self.refused_by_server(Rule::ServerClosed)
            }
            (Side::Client, _) if reason == Reason::Closed => match self.kind {
                Kind::Resumed | Kind::Unasked if self.recognised => {
                    Conclusion::ESTABLISHED.by(Rule::ClientLeft)
                }
                _ => Conclusion::INCOMPLETE.by(Rule::ClientLeftUnanswered),
            },
            _ => closed.by(Rule::NoAnswer),
        }
    }

    /// The conclusion when nothing more came within the settle time.
    pub fn at_settle_time(&self) -> Conclusion {
        self.conclusion.unwrap_or(match self.recognised {
            _ if self.short_answer => Conclusion::INCOMPLETE.by(Rule::ShortestRecordUnclear),
            true => Conclusion::ESTABLISHED.by(Rule::Settled),
            false => Conclusion::INCOMPLETE,
        })
    }

    fn refused_by_server(&self, rule: Rule) -> Conclusion {
        let reason = match self.client_certificate {
            ClientCertificate::RequestedNotSent => {
                Reason::Certificate(Side::Client, CertificateFault::Missing)
            }
            ClientCertificate::Sent => Reason::Certificate(Side::Client, CertificateFault::Rejected),
            ClientCertificate::NotRequested | ClientCertificate::Unknown => Reason::Other,
        };
        Conclusion::rejected(Side::Server, Cause::by(reason, rule))
    }
}

/// Reads what the sequence tells so far. Cheap enough to be called after each record.
pub fn read(sequence: &Sequence<'_>) -> Reading {
    let records = sequence.records;
    let sizes = Sizes::of(sequence.cipher);
    let is_flight = |record: &OpaqueRecord| is_from_client(record) && is_encrypted(record);
    // EncryptedExtensions, which comes first, is longer than an alert even when it is empty.
    let first = records.iter().find(|record| is_from_server(record));
    if first.is_some_and(|record| record.length == sizes.alert) {
        let cause = Cause::by(Reason::Other, Rule::ServerAlertAtOnce);
        return Reading {
            conclusion: Some(Conclusion::rejected(Side::Server, cause)),
            ..Reading::NOTHING
        };
    }
    let Some(start) = records.iter().position(is_flight) else {
        return Reading::NOTHING;
    };
    if !sequence.early_data && records[start].length == sizes.alert {
        let reason = match sequence.psk {
            true => Reason::Other,
            false => Reason::Certificate(Side::Server, CertificateFault::Rejected),
        };
        let cause = Cause::by(reason, Rule::ClientAlert);
        return Reading {
            conclusion: Some(Conclusion::rejected(Side::Client, cause)),
            ..Reading::NOTHING
        };
    }
    let server_flight = records[..start]
        .iter()
        .filter(|record| is_from_server(record))
        .map(|record| record.length);
    let plain = sizes.hold_for(server_flight.clone());
    let flight = client_flight(sequence, &sizes, start, plain);
    // A server that asked gets a Certificate, and one that did not gets none: else a size has deceived.
    let contradicted = match is_requested(server_flight.clone(), &sizes) {
        Some(true) => flight.certificate == ClientCertificate::NotRequested,
        Some(false) => matches!(
            flight.certificate,
            ClientCertificate::Sent | ClientCertificate::RequestedNotSent
        ),
        None => false,
    };
    let reading = Reading {
        client_certificate: match contradicted && !sequence.psk {
            true => ClientCertificate::Unknown,
            false => flight.certificate,
        },
        flight_start: Some(start),
        flight_start_ns: Some(records[start].offset_ns),
        flight_end: flight.end,
        flight_end_ns: (flight.end)
            .and_then(|end| records.get(end))
            .map(|record| record.offset_ns),
        recognised: flight.recognised && !contradicted,
        finished: flight.finished,
        kind: match flight.certificate {
            _ if sequence.psk => Kind::Resumed,
            ClientCertificate::NotRequested => Kind::Unasked,
            _ => Kind::Asked,
        },
        ..Reading::NOTHING
    };
    let Some(end) = flight.end else { return reading };
    let answer = records[end + 1..].iter().position(is_answer(&sizes));
    let mut since = records[end + 1..]
        .iter()
        .take(answer.unwrap_or(usize::MAX))
        .filter(|record| is_from_client(record));
    let reading = Reading {
        client_spoke: since.clone().next().is_some(),
        client_left_ns: since
            .find(|record| record.length == sizes.alert)
            .map(|record| record.offset_ns),
        ..reading
    };
    let early = sequence.early_data && sequence.psk && flight.recognised;
    if early && answers_early(&records[..end], &sizes) {
        return Reading {
            conclusion: Some(Conclusion::ESTABLISHED.by(Rule::EarlyDataAnswered)),
            ..reading
        };
    }
    if plain {
        return Reading {
            conclusion: answer
                .map(|answer| conclusion_from(answer + end + 1, &reading, end, sequence, &sizes)),
            ..reading
        };
    }
    // With padding, an alert is as long as whatever else fits in a block.
    let shortest = server_flight.min().unwrap_or(u16::MAX);
    let mut sent = records[end + 1..].iter().filter(|record| is_from_server(record));
    let accepted = sent.clone().count() > MAX_REFUSAL_RECORDS || sent.any(|record| record.length > shortest);
    Reading {
        conclusion: accepted.then_some(Conclusion::ESTABLISHED.by(Rule::ServerRecords)),
        short_answer: answer.is_some(),
        ..reading
    }
}

/// Judges by the server's first record behind the client's flight, the one with the index `answer`.
fn conclusion_from(
    answer: usize,
    reading: &Reading,
    end: usize,
    sequence: &Sequence<'_>,
    sizes: &Sizes,
) -> Conclusion {
    let records = sequence.records;
    if records[answer].length > sizes.alert {
        return Conclusion::ESTABLISHED.by(Rule::ServerRecord);
    }
    // What comes behind the client's FIN may be the answer to a flight that was cut off.
    let cut = sequence.client_closed_ns.is_some() && !reading.finished;
    let refusable = reading.kind == Kind::Asked;
    let client_closed = reading.client_left_ns.or(sequence.client_closed_ns);
    // Who leaves at once may not be greeted any more, or was before: some servers do not wait for the client's Finished.
    let left = client_closed.is_some() && !refusable;
    if sequence.takes_tickets && sequence.habits.greets(reading.kind) && !cut && !left {
        return reading.refused_by_server(Rule::ServerAlertForTicket);
    }
    let since_flight = |offset_ns: u64| offset_ns.saturating_sub(records[end].offset_ns);
    let hello_ns = sequence.server_hello_ns;
    match client_closed {
        Some(closed_ns) if !refusable || since_flight(closed_ns) >= patience(QUIET_NS, hello_ns) => {
            Conclusion::ESTABLISHED.by(Rule::BothClosed)
        }
        None if refusable && is_soon(since_flight(records[answer].offset_ns), hello_ns) => {
            reading.refused_by_server(Rule::ServerAlert)
        }
        _ => Conclusion::INCOMPLETE.by(Rule::AlertOrClose),
    }
}

/// Whether the server sent data behind its flight, before the client's was complete: in answer to early data.
fn answers_early(records: &[OpaqueRecord], sizes: &Sizes) -> bool {
    let mut sent = records.iter().filter(|record| is_from_server(record));
    sent.any(|record| record.length == sizes.finished) && sent.any(|record| record.length > sizes.alert)
}

fn is_from_server(record: &OpaqueRecord) -> bool {
    record.sender == Side::Server && is_encrypted(record)
}

/// Nothing that a server sends is shorter than an alert but empty data.
fn is_answer(sizes: &Sizes) -> impl Fn(&OpaqueRecord) -> bool {
    |record| is_from_server(record) && record.length >= sizes.alert
}
