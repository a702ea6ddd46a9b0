//! `handshake.*`: what ECS has no names for.

use observer_tls::codepoints::{AlertDescription, AlertLevel};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::words::Worded;
use super::is_empty;
use super::offer::{Offer, Part};
use super::text::Named;
use crate::observation::{
    AlertSeen, CertificateSource, ClientCertificate, Completeness, Contradiction, EndTold, Evidence,
    Observation, Outcome, Reason, Resumption, Side, Source, Timings, Told,
};
use crate::outcome::Rule;

/// How the handshake went, and what was seen of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Handshake<'a> {
    /// How it ended.
    pub outcome: Worded<Outcome>,
    /// Who refused it, when it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<Worded<Side>>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Worded<Reason>>,
    /// How sure outcome and reason are: read on the wire or told by a peer's TLS library, following from protocol rules, or guessed from sizes and
    /// timing.
    pub evidence: Worded<Evidence>,
    /// The rule that gave a derived or inferred answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Worded<Rule>>,
    /// Which probes told.
    pub source: Worded<Source>,
    /// How much of the handshake was seen: all its plaintext, cut short by a limit, with bytes missing, or only from
    /// its middle on.
    pub completeness: Worded<Completeness>,
    /// How the earlier session was named, when one was resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumption: Option<Worded<Resumption>>,
    /// It was made under the encryption of an earlier handshake on the connection: its messages cannot be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renegotiation: bool,
    /// What became of the client's certificate.
    pub client_certificate: Worded<ClientCertificate>,
    /// Where the certificates were learned, if not on the wire: from the TLS library of a peer, or from the session
    /// that was resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_source: Option<Worded<CertificateSource>>,
    /// What a TLS library found of its peer's certificate, in its own terms, whatever the service made of that. Where both
    /// ends' libraries told, it is one that found a fault before one that found none, and the server's before the
    /// client's; `libraries` has both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_verify: Option<&'a str>,
    /// The TLS libraries that told of the handshake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<LibraryEvent<'a>>,
    /// Where what a library told does not fit to what the wire showed. It was not believed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<Worded<Contradiction>>,
    /// Names of the certificate authorities that the server asked for (RFC 4514).
    #[serde(skip_serializing_if = "is_empty")]
    pub certificate_authorities: &'a [String],
    /// Alerts, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertEvent>,
    /// The server sent a HelloRetryRequest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello_retry: Option<bool>,
    /// The key exchange group is, or contains, a post-quantum KEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_quantum: Option<bool>,
    /// The client sent an encrypted_client_hello extension. Clients without a key for the server send one too, as
    /// GREASE; an onlooker cannot tell the two apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ech: Option<bool>,
    /// The ClientHello contains GREASE values (RFC 8701).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grease: Option<bool>,
    /// What the client offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Part<'a, Offer<'a>>>,
    /// When its steps were taken.
    #[serde(skip_serializing_if = "Steps::is_empty")]
    pub timings: Steps,
    /// Headers of the encrypted records of a TLS 1.3 handshake, in order. Their sizes are what an onlooker can know of
    /// the certificates and alerts in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encrypted_records: Vec<EncryptedRecord>,
}

/// A TLS library that told of the handshake.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Library")]
pub struct LibraryEvent<'a> {
    /// At which end.
    pub side: Worded<Side>,
    /// Which.
    pub name: &'static str,
    /// What it found of the peer's certificate, in its own terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<&'a str>,
    /// Why it gave the handshake up, in its own terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

impl<'a> LibraryEvent<'a> {
    fn new(side: Side, told: &'a EndTold) -> Self {
        Self {
            side: Worded(side),
            name: told.family.name(),
            verify: told.verification.as_ref().map(|found| &*found.term),
            error: told.failure.as_deref(),
        }
    }

    fn all(told: &'a Told) -> Vec<Self> {
        let of = |side| Some(Self::new(side, told.by(side)?));
        [Side::Client, Side::Server].into_iter().filter_map(of).collect()
    }
}

/// An alert record.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Alert")]
pub struct AlertEvent {
    /// Who sent it.
    pub sender: Worded<Side>,
    /// "warning" or "fatal"; absent when encrypted, unless a library told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Named<AlertLevel>>,
    /// The number of the alert; absent when encrypted, unless a library told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Its name in the IANA registry, or the number as hex; absent when encrypted, unless a library told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Named<AlertDescription>>,
    /// Whether it was encrypted on the wire.
    pub encrypted: bool,
    /// Nanoseconds since the ClientHello.
    pub offset_ns: u64,
}

impl From<&AlertSeen> for AlertEvent {
    fn from(seen: &AlertSeen) -> Self {
        Self {
            sender: Worded(seen.sender),
            level: seen.alert.map(|alert| Named(alert.level)),
            code: seen.alert.map(|alert| alert.description.0),
            description: seen.alert.map(|alert| Named(alert.description)),
            encrypted: seen.encrypted,
            offset_ns: seen.offset_ns,
        }
    }
}

/// Nanoseconds from the ClientHello's first byte to each step.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Timings")]
pub struct Steps {
    /// First byte of the ServerHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_hello: Option<u64>,
    /// First byte of the client's second flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_flight: Option<u64>,
    /// The Finished that completed the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
}

impl Steps {
    fn is_empty(&self) -> bool {
        self.server_hello.is_none() && self.client_flight.is_none() && self.finished.is_none()
    }
}

impl From<Timings> for Steps {
    fn from(timings: Timings) -> Self {
        let Timings {
            server_hello,
            client_flight,
            finished,
        } = timings;
        Self {
            server_hello,
            client_flight,
            finished,
        }
    }
}

/// The header of an encrypted record.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EncryptedRecord {
    /// Who sent it.
    pub sender: Worded<Side>,
    /// Payload length in bytes, without the record header.
    pub length: u16,
    /// Nanoseconds since the ClientHello.
    pub offset_ns: u64,
}

impl<'a> Handshake<'a> {
    /// The fields of `seen`.
    pub fn new(seen: &'a Observation) -> Self {
        let opaque = if seen.is_tls13() {
            seen.opaque.as_slice()
        } else {
            &[]
        };
        let told = seen.told.as_deref();
        Self {
            outcome: Worded(seen.outcome),
            rejected_by: seen.rejected_by.map(Worded),
            reason: seen.reason.map(Worded),
            evidence: Worded(seen.evidence),
            rule: seen.rule.map(Worded),
            source: Worded(seen.source),
            completeness: Worded(seen.completeness),
            resumption: seen.resumption.map(Worded),
            renegotiation: seen.renegotiation,
            client_certificate: Worded(seen.client_certificate),
            certificate_source: (seen.certificate_source != CertificateSource::Wire)
                .then_some(Worded(seen.certificate_source)),
            library_verify: told.and_then(Told::verification).map(|(_, found)| &*found.term),
            libraries: told.map(LibraryEvent::all).unwrap_or_default(),
            contradictions: told
                .map(|told| told.contradictions.iter().copied().map(Worded).collect())
                .unwrap_or_default(),
            certificate_authorities: &seen.certificate_authorities,
            alerts: seen.alerts.iter().map(AlertEvent::from).collect(),
            hello_retry: (seen.hello_retry || seen.version.is_some()).then_some(seen.hello_retry),
            post_quantum: seen.group.map(|group| group.is_post_quantum()),
            ech: seen.offer.as_ref().map(|offer| offer.ech),
            grease: seen.offer.as_ref().map(|offer| offer.grease),
            client: (seen.offer.as_deref())
                .map(|offer| Part::New(Offer::from((offer, seen.extensions.as_slice())))),
            timings: seen.timings.into(),
            encrypted_records: opaque
                .iter()
                .map(|record| EncryptedRecord {
                    sender: Worded(record.sender),
                    length: record.length,
                    offset_ns: record.offset_ns,
                })
                .collect(),
        }
    }
}
