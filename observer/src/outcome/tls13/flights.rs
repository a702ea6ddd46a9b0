//! Where the flights of both sides begin and end, and what their shapes say of the client's certificate.

use observer_tls::codepoints::ContentType;

use super::Sequence;
use super::sizes::Sizes;
use crate::observation::{ClientCertificate, OpaqueRecord, Side};

/// Shortest record taken for one with a certificate when it stands alone: the smallest seen had 463 bytes, and all that is
/// no certificate stays well below.
const MIN_CERTIFICATE_RECORD: u16 = 250;

/// Records of a server's flight that has one message in each, without a CertificateRequest: EncryptedExtensions,
/// Certificate, CertificateVerify, Finished (RFC 8446, section 2).
const MESSAGES_WITHOUT_REQUEST: usize = 4;

/// The client's flight: where it ends, if it has, what it says, and whether its shape is known.
pub(super) struct Flight {
    pub end: Option<usize>,
    pub certificate: ClientCertificate,
    pub recognised: bool,
    /// Its last record holds a Finished, by its size.
    pub finished: bool,
}

/// Whether the server asked for a client certificate, where its flight has a record for each message.
pub(super) fn is_requested(flight: impl Iterator<Item = u16> + Clone, sizes: &Sizes) -> Option<bool> {
    let length = |index| flight.clone().nth(index);
    if length(MESSAGES_WITHOUT_REQUEST - 1)? == sizes.finished {
        return Some(false);
    }
    let with_request = length(MESSAGES_WITHOUT_REQUEST)? == sizes.finished;
    // A long Certificate takes several records, and of these the first is the longest of all.
    let cut = length(1) >= flight.clone().max();
    (with_request && !cut).then_some(true)
}

/// Finds the client's flight, which begins at `start`. The client may send application data right behind it. `plain`: the
/// server does not pad, so neither does the client, as far as it goes.
pub(super) fn client_flight(sequence: &Sequence<'_>, sizes: &Sizes, start: usize, plain: bool) -> Flight {
    use ClientCertificate::{NotRequested, RequestedNotSent, Sent, Unknown};

    let records = &sequence.records[start..];
    // Records of the client without one of the server between them. No message of a flight is as short as an alert.
    let run = records
        .iter()
        .take_while(|record| is_from_client(record) && record.length != sizes.alert)
        .count();
    let run = &records[..run];
    let finished = run.iter().position(|record| record.length == sizes.finished);
    let ends = |index: usize, certificate| Flight {
        end: Some(start + index),
        certificate,
        recognised: true,
        finished: true,
    };
    let vague = |certificate| Flight {
        end: Some(start + run.len() - 1),
        certificate,
        recognised: false,
        finished: false,
    };

    if sequence.early_data {
        return flight_behind_early_data(records, sizes, start, finished);
    }
    if sequence.psk {
        return match finished {
            Some(0) => ends(0, Unknown),
            _ => vague(Unknown),
        };
    }
    let first = records[0].length;
    if first == sizes.empty_certificate {
        // The Finished may be in the next piece, or cross a record of the server.
        return match records[1..].iter().position(is_from_client) {
            Some(next) if records[1 + next].length == sizes.finished => ends(1 + next, RequestedNotSent),
            Some(_) => vague(Unknown),
            None => Flight {
                end: None,
                certificate: Unknown,
                recognised: false,
                finished: false,
            },
        };
    }
    if first == sizes.empty_certificate_and_finished {
        return ends(0, RequestedNotSent);
    }
    let long = first >= MIN_CERTIFICATE_RECORD && plain;
    let lengths = || run.iter().map(|record| record.length);
    let padded = || sizes.may_be_padded(lengths());
    match finished {
        Some(0) => ends(0, NotRequested),
        // A raw public key or a compressed certificate is short, but has its CertificateVerify with it.
        Some(index) if long || index >= 2 => ends(index, Sent),
        Some(index) => ends(index, Unknown),
        // As rustls and BoringSSL send it.
        None if !long || padded() => vague(Unknown),
        None if sizes.is_one_run(lengths()) => Flight {
            finished: false,
            ..ends(run.len() - 1, Sent)
        },
        None => vague(Sent),
    }
}

/// Early data may have any length; EndOfEarlyData closes it when the server took it (RFC 8446, section 4.5).
fn flight_behind_early_data(
    records: &[OpaqueRecord],
    sizes: &Sizes,
    start: usize,
    finished: Option<usize>,
) -> Flight {
    let end = records.windows(2).position(|pair| {
        pair.iter().all(is_from_client)
            && pair[0].length == sizes.end_of_early_data
            && pair[1].length == sizes.finished
    });
    let end = end.map(|index| index + 1).or(finished);
    Flight {
        end: end.map(|index| start + index),
        certificate: ClientCertificate::Unknown,
        recognised: end.is_some(),
        finished: end.is_some(),
    }
}

pub(super) fn is_encrypted(record: &OpaqueRecord) -> bool {
    record.content_type == ContentType::APPLICATION_DATA
}

pub(super) fn is_from_client(record: &OpaqueRecord) -> bool {
    record.sender == Side::Client
}
