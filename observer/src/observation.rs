//! The output model: everything the agent knows of one handshake (or one late alert), in typed form.
//!
//! The tracker fills it; the outputs turn it into JSON events, text lines and metrics and never look further back.
//! Times are nanoseconds since the Unix epoch, durations nanoseconds. `None` and empty mean "not seen".

mod bare;
mod library;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use observer_tls::alert::Alert;
use observer_tls::codepoints::{
    CipherSuite, ContentType, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use observer_tls::fingerprint::{Ja3, Ja4};
use observer_tls::stream::ItemBody;
use observer_tls::x509::CertificateFacts;

use crate::outcome::Rule;
use crate::verify::{CertificateVerdict, Disagreement};
pub use library::{CertificateSource, Contradiction, EndTold, Sockets, Told};
pub use session::{SessionName, SessionNames};

/// Encrypted records of one handshake that are kept.
pub const MAX_OPAQUE: usize = 64;
/// Alerts of one handshake that are kept.
pub const MAX_ALERTS: usize = 16;

/// Takes what the flow table finds out.
pub trait Sink {
    /// A handshake with its outcome, or a late alert.
    fn observation(&mut self, seen: Observation);

    /// Something that was read of a connection, in the order in which it was complete.
    fn message(&mut self, _seen: &MessageSeen<'_>) {}
}

/// Keeps the observations.
impl Sink for Vec<Observation> {
    fn observation(&mut self, seen: Observation) {
        self.push(seen);
    }
}

/// One thing that one side sent.
#[derive(Clone, Copy, Debug)]
pub struct MessageSeen<'a> {
    /// When the piece passed that completed it, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// What it is.
    pub body: &'a ItemBody,
}

/// One end of a connection, in TLS terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Sent the ClientHello.
    Client,
    /// Answered it.
    Server,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What an observation tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// One handshake, with its outcome.
    Handshake,
    /// An alert on a connection whose handshake was reported before.
    LateAlert,
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Both sides finished.
    Established,
    /// One side refused with an alert.
    Rejected,
    /// The connection ended by FIN or RST, without an alert.
    Aborted,
    /// Nothing more came within the handshake timeout.
    TimedOut,
    /// The agent could not see enough to tell.
    Incomplete,
}

/// How sure an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Read on the wire, or told by the TLS library of one end.
    Observed,
    /// Follows from what was read and the rules of the protocol.
    Derived,
    /// Guessed from sizes, order and times of encrypted records.
    Inferred,
}

/// Why a handshake failed: the vocabulary of `handshake.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// About the certificate of `Side`.
    Certificate(Side, CertificateFault),
    /// The peers share no protocol version.
    NoSharedVersion,
    /// The peers share no cipher suite.
    NoSharedCipher,
    /// The peers share no key exchange group.
    NoSharedGroup,
    /// The peers share no ALPN protocol.
    NoApplicationProtocol,
    /// The server does not know the name the client asked for.
    UnrecognizedName,
    /// A message could not be parsed by the peer.
    DecodeError,
    /// A signature, MAC or Finished did not check out.
    DecryptError,
    /// A message broke the protocol.
    ProtocolError,
    /// The peer failed for reasons of its own.
    InternalError,
    /// The bytes sent to a TLS port were not TLS.
    NotTls,
    /// RST.
    Reset,
    /// FIN or close_notify before the handshake was done.
    Closed,
    /// Nothing more came.
    TimedOut,
    /// None of the above.
    Other,
}

/// What was wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateFault {
    /// None was sent (clients only).
    Missing,
    /// Its issuer is not trusted.
    UnknownCa,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It was revoked.
    Revoked,
    /// It is not meant for this use.
    WrongPurpose,
    /// It does not match the name asked for (servers only).
    NameMismatch,
    /// It is corrupt or its signature is wrong.
    Bad,
    /// Refused; no more is known.
    Rejected,
}

/// How much of a handshake the agent saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Completeness {
    /// All of its plaintext.
    Complete,
    /// A limit cut it short.
    Truncated,
    /// Bytes are missing.
    Gap,
    /// It began before the agent watched.
    Midstream,
}

/// What became of the client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientCertificate {
    /// The server did not ask.
    NotRequested,
    /// The server asked; the client sent an empty list.
    RequestedNotSent,
    /// The client sent one.
    Sent,
    /// Encrypted, resumed or not reached.
    Unknown,
}

/// How a resumed session was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resumption {
    /// The server echoed the session id (RFC 5246, section 7.3).
    SessionId,
    /// Session ticket (RFC 5077).
    Ticket,
    /// TLS 1.3 pre-shared key (RFC 8446, section 2.2).
    Psk,
}

/// Where facts came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Packets.
    Wire,
    /// Library probes.
    Library,
    /// Both.
    Both,
}

/// An alert record of this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertSeen {
    /// Who sent it.
    pub sender: Side,
    /// Level and description; `None` when it was encrypted, unless a library told.
    pub alert: Option<Alert>,
    /// It was encrypted on the wire.
    pub encrypted: bool,
    /// Nanoseconds since the ClientHello.
    pub offset_ns: u64,
}

/// An encrypted record: its header is all that can be read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpaqueRecord {
    /// Who sent it.
    pub sender: Side,
    /// The outer content type.
    pub content_type: ContentType,
    /// Payload length in bytes, without the header.
    pub length: u16,
    /// Nanoseconds since the ClientHello.
    pub offset_ns: u64,
}

/// What one side offered in its ClientHello, in the order offered, GREASE included. The order of extensions is no part of
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientOffer {
    /// `legacy_version` of the hello.
    pub legacy_version: ProtocolVersion,
    /// supported_versions (RFC 8446, section 4.2.1).
    pub versions: Vec<ProtocolVersion>,
    /// Cipher suites.
    pub cipher_suites: Vec<CipherSuite>,
    /// supported_groups.
    pub groups: Vec<NamedGroup>,
    /// Groups of the key shares.
    pub key_shares: Vec<NamedGroup>,
    /// signature_algorithms.
    pub signature_algorithms: Vec<SignatureScheme>,
    /// ALPN protocols, as bytes shown lossily as UTF-8.
    pub alpn: Vec<String>,
    /// An encrypted_client_hello extension was there.
    pub ech: bool,
    /// Any GREASE value was there (RFC 8701).
    pub grease: bool,
    /// JA4 of the hello; SSL 2.0 hellos have none.
    pub ja4: Option<Ja4>,
}

/// Times of the handshake's steps, in nanoseconds since the ClientHello's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// First byte of the ServerHello.
    pub server_hello: Option<u64>,
    /// First byte of the client's second flight.
    pub client_flight: Option<u64>,
    /// The Finished that completed the handshake.
    pub finished: Option<u64>,
}

/// All that is known of one handshake or late alert.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Handshake or late alert.
    pub action: Action,
    /// Stable id of the handshake: 16 bytes shown as hex; a late alert carries its handshake's id.
    pub id: [u8; 16],
    /// The ClientHello's first byte (or the first byte seen), nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// From the ClientHello to the outcome.
    pub duration_ns: u64,
    /// Who sent the ClientHello.
    pub client: SocketAddr,
    /// Who answered.
    pub server: SocketAddr,
    /// How it ended.
    pub outcome: Outcome,
    /// Who refused or ended it; for [`Outcome::Rejected`] always set.
    pub rejected_by: Option<Side>,
    /// Why it failed; `None` for established ones.
    pub reason: Option<Reason>,
    /// How sure outcome and reason are.
    pub evidence: Evidence,
    /// The rule that gave a derived or inferred answer.
    pub rule: Option<Rule>,
    /// Which probes told.
    pub source: Source,
    /// What libraries told; `None` where none did.
    pub told: Option<Box<Told>>,
    /// The sockets at both ends.
    pub sockets: Sockets,
    /// How much was seen.
    pub completeness: Completeness,
    /// The negotiated version (supported_versions of the ServerHello before its legacy version).
    pub version: Option<ProtocolVersion>,
    /// The suite the server chose.
    pub cipher: Option<CipherSuite>,
    /// JA3S of the ServerHello.
    pub ja3s: Option<Ja3>,
    /// The key exchange group.
    pub group: Option<NamedGroup>,
    /// Whether an earlier session was resumed; `None` when too little was seen to tell.
    pub resumed: Option<bool>,
    /// How the session was resumed; `None` for a full handshake or when unknown.
    pub resumption: Option<Resumption>,
    /// The names of the resumed session and of its own.
    pub sessions: SessionNames,
    /// The ALPN protocol the server chose, where it is visible.
    pub alpn: Option<String>,
    /// What the client offered; `None` when no ClientHello was seen. Clients with the same offer share it.
    pub offer: Option<Arc<ClientOffer>>,
    /// The name that the client asked for (RFC 6066, section 3).
    pub server_name: Option<String>,
    /// Types of the ClientHello's extensions, in order. Some clients send them in another order each time.
    pub extensions: Vec<ExtensionType>,
    /// JA3 of the ClientHello; those of SSL 2.0 have none.
    pub ja3: Option<Ja3>,
    /// A HelloRetryRequest was sent.
    pub hello_retry: bool,
    /// It was made under the encryption of an earlier one (RFC 5246, section 7.4.1.1), so that none of its messages can
    /// be read.
    pub renegotiation: bool,
    /// What became of the client's certificate.
    pub client_certificate: ClientCertificate,
    /// The client's chain, leaf first.
    pub client_chain: Vec<Arc<CertificateFacts>>,
    /// The server's chain, leaf first.
    pub server_chain: Vec<Arc<CertificateFacts>>,
    /// How the chains were learned; of two ways the less direct one.
    pub certificate_source: CertificateSource,
    /// The OCSP response that the server stapled to its leaf, DER.
    pub ocsp_response: Option<Bytes>,
    /// What the agent makes of the client's chain.
    pub client_verdict: Option<Arc<CertificateVerdict>>,
    /// What the agent makes of the server's chain.
    pub server_verdict: Option<Arc<CertificateVerdict>>,
    /// The service did not do what its trust says.
    pub disagreement: Option<Disagreement>,
    /// CA names of the CertificateRequest, as RFC 4514 text.
    pub certificate_authorities: Arc<[String]>,
    /// Alerts, in order.
    pub alerts: Vec<AlertSeen>,
    /// Encrypted records before the outcome, in order, at most [`MAX_OPAQUE`].
    pub opaque: Vec<OpaqueRecord>,
    /// Times of the steps.
    pub timings: Timings,
}

impl Observation {
    /// The chain that `side` sent, leaf first.
    pub fn chain(&self, side: Side) -> &[Arc<CertificateFacts>] {
        match side {
            Side::Client => &self.client_chain,
            Side::Server => &self.server_chain,
        }
    }

    /// The same, to be filled in.
    pub fn chain_mut(&mut self, side: Side) -> &mut Vec<Arc<CertificateFacts>> {
        match side {
            Side::Client => &mut self.client_chain,
            Side::Server => &mut self.server_chain,
        }
    }

    /// Whether TLS 1.3, or a draft of it, was negotiated.
    pub fn is_tls13(&self) -> bool {
        let version = self.version;
        version.is_some_and(|version| version == ProtocolVersion::TLS13 || version.is_tls13_draft())
    }

    /// The leaf that the reason is about, and whose it is, where it could be read.
    pub fn blamed_leaf(&self) -> Option<(Side, &Arc<CertificateFacts>)> {
        let Some(Reason::Certificate(side, _)) = self.reason else {
            return None;
        };
        self.chain(side).first().map(|leaf| (side, leaf))
    }
}
