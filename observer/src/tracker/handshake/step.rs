//! Where a handshake stands: what came last of the messages that follow from each other (RFC 5246, section 7.3; RFC 8446,
//! section 2).
//!
//! The step is computed from what was seen and not kept, for a capture does not always have both directions' packets in
//! the order of the network.

use super::Handshake;
use crate::observation::ClientCertificate;
use crate::outcome::Rule;

/// Where a handshake stands. Only TLS 1.2 and before show what is behind [`Step::ServerHello`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing of the server but, perhaps, a HelloRetryRequest.
    ClientHello,
    /// The server has answered; its flight goes on, or is hidden.
    ServerHello,
    /// The server's flight is complete.
    ServerHelloDone,
    /// The client's flight has begun.
    ClientFlight,
    /// The client has finished, the server has not.
    ClientFinished,
    /// The server has finished, the client has not: a resumed session.
    ServerFinished,
    /// Both have finished.
    Finished,
}

impl Step {
    /// The rule of a connection that is closed here, after what became of the client's certificate; `answers`: the server
    /// closed it where its Finished was due.
    pub(super) fn closed(self, certificate: ClientCertificate, answers: bool) -> Rule {
        match self {
            Self::ClientHello => Rule::ClosedBeforeServerHello,
            Self::ServerHello => Rule::ClosedAfterServerHello,
            Self::ServerHelloDone => Rule::ClosedAfterServerFlight,
            Self::ClientFlight => Rule::ClosedInClientFlight,
            Self::ServerFinished => Rule::ClosedAfterServerFinished,
            Self::ClientFinished | Self::Finished => match certificate {
                ClientCertificate::RequestedNotSent if answers => Rule::ServerClosedAfterEmptyCertificate,
                ClientCertificate::Sent if answers => Rule::ServerClosedAfterCertificate,
                ClientCertificate::RequestedNotSent => Rule::ClosedAfterEmptyCertificate,
                ClientCertificate::Sent => Rule::ClosedAfterCertificate,
                ClientCertificate::NotRequested | ClientCertificate::Unknown => {
                    Rule::ClosedAfterClientFinished
                }
            },
        }
    }
}

impl Handshake {
    /// Where it stands.
    pub(super) fn step(&self) -> Step {
        match (self.finished.client.is_some(), self.finished.server.is_some()) {
            (true, true) => Step::Finished,
            (true, false) => Step::ClientFinished,
            (false, true) => Step::ServerFinished,
            (false, false) if !self.server_hello => Step::ClientHello,
            (false, false) if self.is_tls13() => Step::ServerHello,
            (false, false) if self.timings.client_flight.is_some() => Step::ClientFlight,
            (false, false) if self.server_hello_done => Step::ServerHelloDone,
            (false, false) => Step::ServerHello,
        }
    }
}
