//! What the agent must say of a case: for each cell its value, or that it is empty and why.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::peers::Version;
use crate::pki::Leaf;

use super::case::Case;
use super::cell::Cell;
use super::certificates::Certificates;
use super::service::{Library, Refusal, Stack};

/// What a cell must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// This.
    Is(Value),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Text that begins so.
    Begins(&'static str),
    /// Nothing, for this reason.
    Nothing(Why),
    /// Text if the handshake's source says that a library told of it, else nothing.
    IfLibraryTold(&'static str),
}

/// Why a cell is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// There was nothing wrong.
    NotRefused,
    /// Nobody refused: one end just went away, or it was no TLS.
    NobodyRefused,
    /// The client sent none.
    NoneSent,
    /// It came to an end before the client had a word about itself.
    EndedBefore,
    /// TLS 1.3 encrypts it, and no probe sees it in the clear.
    Encrypted,
    /// A resumed handshake of TLS 1.3 shows no certificate, and what leads to the first one is encrypted.
    Resumed,
    /// A resumed handshake checks nothing.
    NothingChecked,
    /// The bytes end before.
    CutOff,
    /// It could not be read, so nothing was found of it.
    Unreadable,
    /// This library's probes do not tell it.
    NotTold,
    /// Service and trust bundle are of one mind, or one of them has not looked.
    Agrees,
    /// Library probes tell it, and none was met here.
    WireAlone,
}

impl Why {
    /// For the foot of a table.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotRefused => "nothing failed",
            Self::NobodyRefused => "nobody refused: an end went away, or it was not TLS",
            Self::NoneSent => "the client sent no certificate",
            Self::EndedBefore => "it ended before the client's certificate",
            Self::Encrypted => "TLS 1.3 encrypts it, and no library probe sees it",
            Self::Resumed => {
                "a resumed handshake shows no certificate, and TLS 1.3 hides whose session it resumes"
            }
            Self::NothingChecked => "a resumed handshake checks no certificate",
            Self::CutOff => "the bytes end before it",
            Self::Unreadable => "it could not be read, so nothing was checked",
            Self::NotTold => "this library's probes do not tell it",
            Self::Agrees => "service and trust bundle agree, or there is nothing to compare",
            Self::WireAlone => "library probes tell it, and none was met",
        }
    }
}

/// A case of a stack in a version.
#[derive(Clone, Copy)]
pub struct Expectation<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The case.
    pub case: Case,
    /// The client's version.
    pub version: Version,
    /// The certificates of the run.
    pub with: &'a Certificates,
}

/// Evidence that is no guess.
const CERTAIN: Want = Want::OneOf(&["observed", "derived"]);

fn is(text: &str) -> Want {
    Want::Is(json!(text))
}

impl Expectation<'_> {
    /// What a cell must hold.
    pub fn of(&self, cell: Cell) -> Want {
        match cell {
            Cell::Outcome => is(self.outcome()),
            Cell::Reason => self.reason(),
            Cell::RejectedBy => self.rejected_by(),
            Cell::Evidence => self.evidence(),
            Cell::Source => self.source(),
            Cell::ClientCertificate => is(self.client_certificate()),
            Cell::LibraryVerify => self.library_verify(),
            Cell::Subject => self.of_certificate(cell, |leaf| json!(leaf.subject.text())),
            Cell::Issuer => self.of_certificate(cell, |leaf| json!(leaf.issuer.text())),
            Cell::Serial => self.of_certificate(cell, |leaf| json!(leaf.serial)),
            Cell::Names => self.of_certificate(cell, |leaf| json!(leaf.alternative_names)),
            Cell::Fingerprint => self.of_certificate(cell, |leaf| json!(leaf.sha256)),
            Cell::Verdict => self.of_certificate(cell, |_| json!(self.verdict())),
            Cell::Revocation => self.of_certificate(cell, |_| json!(self.revocation())),
            Cell::Disagreement => self.disagreement(),
            Cell::Process => Want::IfLibraryTold(self.stack.process),
        }
    }

    /// The session is taken up again, and no certificate shown.
    pub fn is_resumed(&self) -> bool {
        self.case == Case::Resumed && self.stack.resumes
    }

    /// The handshake is over when the service turns to the client's certificate.
    fn is_refused_above(&self) -> bool {
        let refused = self.case.fault().is_some() && self.case != Case::Broken;
        refused && self.stack.refusal == Refusal::Answer
    }

    /// Messages after the ServerHello are known: on the wire, or from the library.
    fn is_open(&self) -> bool {
        self.version == Version::Tls12 || self.stack.library.tells_reasons()
    }

    fn outcome(&self) -> &'static str {
        match self.case {
            Case::Accepted | Case::Resumed | Case::RevokedUnnoticed => "established",
            _ if self.is_refused_above() => "established",
            Case::ClientAborts => "aborted",
            Case::PlainHttp if self.stack.alerts_strangers => "rejected",
            Case::PlainHttp => "aborted",
            _ => "rejected",
        }
    }

    fn reason(&self) -> Want {
        if self.outcome() == "established" {
            return Want::Nothing(Why::NotRefused);
        }
        is(match self.case {
            Case::ClientAborts => "closed",
            Case::PlainHttp => "not_tls",
            Case::NoSharedVersion => "no_shared_version",
            Case::ServerUnknownCa if self.is_open() => "server_certificate_unknown_ca",
            Case::ServerOtherName if self.version == Version::Tls12 => "server_certificate_name_mismatch",
            // The alert says no more, and a server's probes do not show its own certificate.
            Case::ServerOtherName if self.is_open() => "server_certificate_bad",
            Case::ServerUnknownCa | Case::ServerOtherName => "server_certificate_rejected",
            Case::Missing => "client_certificate_missing",
            Case::Broken if !self.is_open() => "client_certificate_rejected",
            // The agent's own verdict says why a certificate is refused that it can see.
            _ if self.is_open() || self.stack.library.shows_certificates() => {
                self.case.fault().unwrap_or_default()
            }
            _ => "client_certificate_rejected",
        })
    }

    fn rejected_by(&self) -> Want {
        match self.outcome() {
            "established" => Want::Nothing(Why::NotRefused),
            "aborted" => Want::Nothing(Why::NobodyRefused),
            _ => match self.case {
                Case::ServerUnknownCa | Case::ServerOtherName => is("client"),
                _ => is("server"),
            },
        }
    }

    fn evidence(&self) -> Want {
        if self.version == Version::Tls12 {
            return CERTAIN;
        }
        match self.case {
            Case::ClientAborts | Case::PlainHttp | Case::NoSharedVersion => CERTAIN,
            // Without a ticket's session nobody looks at a certificate.
            _ if self.is_resumed() && !self.stack.library.shows_tickets() => is("inferred"),
            _ if self.outcome() == "established" && self.is_open() => CERTAIN,
            _ if self.is_open() => CERTAIN,
            // The library tells that it was refused, and the agent's own verdict why.
            _ if self.case.fault().is_some() && matches!(self.of(Cell::Serial), Want::Is(_)) => CERTAIN,
            _ => is("inferred"),
        }
    }

    fn source(&self) -> Want {
        let judged = self.case.leaf(self.with).is_some() && !self.is_resumed();
        match self.stack.library {
            Library::Stripped => is("wire"),
            Library::AwsLc if self.version == Version::Tls12 => is("wire"),
            _ if judged => is("both"),
            _ => Want::OneOf(&["wire", "both"]),
        }
    }

    fn client_certificate(&self) -> &'static str {
        match self.case {
            Case::Missing => "requested_not_sent",
            _ if self.is_resumed() => "unknown",
            Case::Broken => "sent",
            _ if self.case.leaf(self.with).is_some() => "sent",
            _ => "unknown",
        }
    }

    fn library_verify(&self) -> Want {
        let [good, bad, unreadable] = match self.stack.library {
            Library::OpenSsl => [
                is("X509_V_OK (0)"),
                Want::Begins("X509_V_ERR_"),
                Want::Nothing(Why::Unreadable),
            ],
            // It is met where records of TLS 1.3 are encrypted.
            Library::AwsLc if self.version == Version::Tls13 => [
                is("ClientCertVerified"),
                Want::Begins("alert "),
                Want::Begins("alert "),
            ],
            Library::Ring => [
                Want::Nothing(Why::NotTold),
                is("send_cert_verify_error_alert"),
                Want::Nothing(Why::Unreadable),
            ],
            Library::AwsLc | Library::Stripped => return Want::Nothing(Why::NotTold),
        };
        match self.case {
            _ if self.is_resumed() => Want::Nothing(Why::NothingChecked),
            Case::Missing => Want::Nothing(Why::NoneSent),
            Case::Broken => unreadable,
            _ if self.case.leaf(self.with).is_none() => Want::Nothing(Why::EndedBefore),
            _ if self.case.fault().is_some() => bad,
            _ => good,
        }
    }

    /// Something of the client's certificate, if it can be seen.
    fn of_certificate(&self, cell: Cell, value: impl FnOnce(&Leaf) -> Value) -> Want {
        let hidden = self.version == Version::Tls13 && !self.stack.library.shows_certificates();
        match (self.case, self.case.leaf(self.with)) {
            (Case::Missing, _) => Want::Nothing(Why::NoneSent),
            (Case::Broken, _) => self.of_broken(cell),
            (_, None) => Want::Nothing(Why::EndedBefore),
            (_, Some(_)) if self.is_resumed() && self.forgets_sessions() => Want::Nothing(Why::Resumed),
            (_, Some(_)) if hidden => Want::Nothing(Why::Encrypted),
            (_, Some(leaf)) => Want::Is(value(leaf)),
        }
    }

    fn forgets_sessions(&self) -> bool {
        let library = self.stack.library;
        self.version == Version::Tls13 && !library.shows_tickets() && !library.shows_sessions()
    }

    /// What can be read of a certificate whose last third is missing: a good one's, but for the names at its end.
    fn of_broken(&self, cell: Cell) -> Want {
        let (good, broken) = (&self.with.pki.good, &self.with.faults.broken);
        if !self.is_open() {
            return Want::Nothing(Why::Encrypted);
        }
        match cell {
            Cell::Subject => is(&good.subject.text()),
            Cell::Issuer => is(&good.issuer.text()),
            Cell::Serial => is(&good.serial),
            Cell::Fingerprint => is(&data_encoding::HEXUPPER.encode(&Sha256::digest(&broken.der))),
            Cell::Verdict => is("malformed"),
            Cell::Revocation => is("not_checked"),
            _ => Want::Nothing(Why::CutOff),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.case {
            Case::Expired => "expired",
            Case::NotYetValid => "not_yet_valid",
            Case::UnknownCa | Case::SelfSigned => "untrusted",
            Case::Revoked | Case::RevokedUnnoticed => "revoked",
            Case::WrongPurpose => "wrong_purpose",
            _ => "valid",
        }
    }

    fn revocation(&self) -> &'static str {
        match self.case {
            Case::Revoked | Case::RevokedUnnoticed => "revoked",
            // Nobody's list is for them.
            Case::UnknownCa | Case::SelfSigned => "not_checked",
            _ => "good",
        }
    }

    fn disagreement(&self) -> Want {
        let accepted = self.outcome() == "established";
        let seen = matches!(self.of(Cell::Verdict), Want::Is(_));
        match self.case {
            Case::RevokedUnnoticed if seen => is("accepted_but_invalid"),
            _ if accepted && seen && self.verdict() != "valid" => is("accepted_but_invalid"),
            // The agent trusts the server's authority, and this client does not.
            Case::ServerUnknownCa if self.version == Version::Tls12 => is("rejected_but_valid"),
            _ => Want::Nothing(Why::Agrees),
        }
    }
}
