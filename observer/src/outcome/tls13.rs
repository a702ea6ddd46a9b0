//! What the sizes and order of encrypted TLS 1.3 records give away.
//!
//! After the ServerHello a passive onlooker sees record headers only. A record's length is that of its plaintext, one
//! byte of content type and the AEAD tag (RFC 8446, section 5.2), so messages of fixed size can be told: Finished, an
//! empty Certificate, an alert. From these follow, as guesses, what the client did about its certificate and how the
//! server took it. Every answer of this module is inferred and names its rule. Padding, compressed certificates,
//! post-handshake authentication and a server that refuses above TLS are outside of what it can see.

#[cfg(test)]
mod tests;

use observer_tls::codepoints::{CipherSuite, ContentType};

use super::{Cause, Conclusion};
use crate::observation::{CertificateFault, ClientCertificate, OpaqueRecord, Reason, Side};

/// Rule: the first record of the server behind the client's flight has the size of an alert.
pub const RULE_SERVER_ALERT: &str = "tls13_alert_sized_record_after_client_flight";
/// Rule: the first record of the server behind the client's flight is larger than an alert.
pub const RULE_SERVER_RECORD: &str = "tls13_record_after_client_flight";
/// Rule: both sides sent an alert-sized record behind a flight that held nothing to refuse, the client first.
pub const RULE_BOTH_CLOSED: &str = "tls13_close_notify_after_client_flight";
/// Rule: the client answers the server's flight with a record of the size of an alert.
pub const RULE_CLIENT_ALERT: &str = "tls13_alert_sized_record_instead_of_client_flight";
/// Rule: the connection closed, and no record answered the client's flight.
pub const RULE_NO_ANSWER: &str = "tls13_closed_without_record_after_client_flight";
/// Rule: the connection closed, and no record of the client's looked like the end of its flight.
pub const RULE_NO_FLIGHT_END: &str = "tls13_closed_before_end_of_client_flight";
/// Rule: the client's flight was complete and nobody objected within the settle time.
pub const RULE_SETTLED: &str = "tls13_no_refusal_within_settle_time";

/// Shortest record taken for one with a certificate: the smallest seen had 463 bytes, and all that is no certificate
/// stays well below.
const MIN_CERTIFICATE_RECORD: u16 = 250;

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
}

/// What a [`Sequence`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the client did about its certificate; unknown unless a rule matches exactly.
    pub client_certificate: ClientCertificate,
    /// Index of the first record of the client's flight.
    pub flight_start: Option<usize>,
    /// Index of its last record, as far as the flight seems complete.
    pub flight_end: Option<usize>,
    /// The flight has a known shape that ends with a Finished.
    pub recognised: bool,
    /// The outcome, once there is one.
    pub conclusion: Option<Conclusion>,
}

impl Reading {
    /// The conclusion when the connection closes now. `reason` tells how it closed.
    pub fn at_close(&self, reason: Reason) -> Conclusion {
        let closed = Conclusion::aborted(reason);
        self.conclusion
            .unwrap_or(match (self.flight_start, self.flight_end) {
                (_, Some(_)) => closed.inferred(RULE_NO_ANSWER),
                (Some(_), None) => closed.inferred(RULE_NO_FLIGHT_END),
                (None, None) => closed,
            })
    }

    /// The conclusion when nothing more came within the settle time.
    pub fn at_settle_time(&self) -> Conclusion {
        self.conclusion.unwrap_or(match self.recognised {
            true => Conclusion::ESTABLISHED.inferred(RULE_SETTLED),
            false => Conclusion::INCOMPLETE,
        })
    }
}

/// Lengths of the records that can be told by their size.
struct Sizes {
    alert: u16,
    end_of_early_data: u16,
    finished: u16,
    empty_certificate: u16,
    empty_certificate_and_finished: u16,
}

impl Sizes {
    fn of(cipher: Option<CipherSuite>) -> Self {
        let hash = if cipher == Some(CipherSuite::TLS_AES_256_GCM_SHA384) {
            48
        } else {
            32
        };
        let tag = if cipher == Some(CipherSuite::TLS_AES_128_CCM_8_SHA256) {
            8
        } else {
            16
        };
        let overhead = 1 + tag;
        Self {
            alert: 2 + overhead,
            end_of_early_data: 4 + overhead,
            finished: 4 + hash + overhead,
            empty_certificate: 8 + overhead,
            empty_certificate_and_finished: 8 + 4 + hash + overhead,
        }
    }
}

/// The client's flight: where it ends, if it has, what it says, and whether its shape is known.
struct Flight {
    end: Option<usize>,
    certificate: ClientCertificate,
    recognised: bool,
}

/// Reads what the sequence tells so far. Cheap enough to be called after each record.
pub fn read(sequence: &Sequence<'_>) -> Reading {
    let nothing = Reading {
        client_certificate: ClientCertificate::Unknown,
        flight_start: None,
        flight_end: None,
        recognised: false,
        conclusion: None,
    };
    let records = sequence.records;
    let sizes = Sizes::of(sequence.cipher);
    let is_client = |record: &OpaqueRecord| record.sender == Side::Client && is_encrypted(record);
    let Some(start) = records.iter().position(is_client) else {
        return nothing;
    };
    if !sequence.early_data && records[start].length == sizes.alert {
        let reason = match sequence.psk {
            true => Reason::Other,
            false => Reason::Certificate(Side::Server, CertificateFault::Rejected),
        };
        let conclusion = Conclusion::rejected(Side::Client, Cause::inferred(reason, RULE_CLIENT_ALERT));
        return Reading {
            conclusion: Some(conclusion),
            ..nothing
        };
    }
    let flight = flight(sequence, &sizes, start);
    let reading = Reading {
        client_certificate: flight.certificate,
        flight_start: Some(start),
        flight_end: flight.end,
        recognised: flight.recognised,
        conclusion: None,
    };
    let Some(end) = flight.end else { return reading };
    Reading {
        conclusion: conclusion_from_answer(&records[end + 1..], &sizes, sequence.psk, flight.certificate),
        ..reading
    }
}

/// Finds the client's flight, which begins at `start`. The client may send application data right behind it.
fn flight(sequence: &Sequence<'_>, sizes: &Sizes, start: usize) -> Flight {
    use ClientCertificate::{NotRequested, RequestedNotSent, Sent, Unknown};

    let records = &sequence.records[start..];
    let length = |index: usize| {
        records
            .get(index)
            .filter(|record| record.sender == Side::Client)
            .map(|record| record.length)
    };
    // Records of the client without one of the server between them.
    let run = records
        .iter()
        .take_while(|record| record.sender == Side::Client)
        .count();
    let finished_from = |first: usize| (first..run).find(|&index| length(index) == Some(sizes.finished));
    let ends = |index: usize, certificate| Flight {
        end: Some(start + index),
        certificate,
        recognised: true,
    };
    let vague = |certificate| Flight {
        end: Some(start + run - 1),
        certificate,
        recognised: false,
    };

    if sequence.early_data {
        // Early data may have any length; EndOfEarlyData closes it when the server took it.
        let end = records.windows(2).position(|pair| {
            pair.iter().all(|record| record.sender == Side::Client)
                && pair[0].length == sizes.end_of_early_data
                && pair[1].length == sizes.finished
        });
        let end = end.map(|index| index + 1).or_else(|| finished_from(0));
        let recognised = end.is_some();
        return Flight {
            end: end.map(|index| start + index),
            certificate: Unknown,
            recognised,
        };
    }
    let first = records[0].length;
    if sequence.psk {
        return if first == sizes.finished {
            ends(0, Unknown)
        } else {
            vague(Unknown)
        };
    }
    if first == sizes.finished {
        ends(0, NotRequested)
    } else if first == sizes.empty_certificate_and_finished {
        ends(0, RequestedNotSent)
    } else if first == sizes.empty_certificate {
        // The Finished may be in the next piece, or cross a record of the server.
        match records[1..].iter().position(is_from_client) {
            Some(next) if records[1 + next].length == sizes.finished => ends(1 + next, RequestedNotSent),
            Some(_) => vague(Unknown),
            None => Flight {
                end: None,
                certificate: Unknown,
                recognised: false,
            },
        }
    } else if first >= MIN_CERTIFICATE_RECORD {
        match finished_from(1) {
            Some(index) => ends(index, Sent),
            // All of the flight in one record, as rustls sends it.
            None if run == 1 => ends(0, Sent),
            None => vague(Sent),
        }
    } else {
        finished_from(1).map_or_else(|| vague(Unknown), |index| ends(index, Unknown))
    }
}

/// Judges by the server's first record behind the client's flight.
fn conclusion_from_answer(
    behind: &[OpaqueRecord],
    sizes: &Sizes,
    psk: bool,
    certificate: ClientCertificate,
) -> Option<Conclusion> {
    let answer = behind
        .iter()
        .position(|record| record.sender == Side::Server && is_encrypted(record))?;
    let length = behind[answer].length;
    if length > sizes.alert {
        return Some(Conclusion::ESTABLISHED.inferred(RULE_SERVER_RECORD));
    }
    if length < sizes.alert {
        return None;
    }
    let nothing_to_refuse = psk || certificate == ClientCertificate::NotRequested;
    let client_closed = behind[..answer].iter().any(|record| record.length == sizes.alert);
    if nothing_to_refuse && client_closed {
        return Some(Conclusion::ESTABLISHED.inferred(RULE_BOTH_CLOSED));
    }
    let reason = match certificate {
        ClientCertificate::RequestedNotSent => Reason::Certificate(Side::Client, CertificateFault::Missing),
        ClientCertificate::Sent => Reason::Certificate(Side::Client, CertificateFault::Rejected),
        ClientCertificate::NotRequested | ClientCertificate::Unknown => Reason::Other,
    };
    Some(Conclusion::rejected(
        Side::Server,
        Cause::inferred(reason, RULE_SERVER_ALERT),
    ))
}

fn is_encrypted(record: &OpaqueRecord) -> bool {
    record.content_type == ContentType::APPLICATION_DATA
}

fn is_from_client(record: &OpaqueRecord) -> bool {
    record.sender == Side::Client
}
