//! What a probe can learn in each TLS library, and at which function.
//!
//! A file is known by functions that it defines. That a library is cut in two, as OpenSSL is, or is part of a program does
//! not matter: each component is looked for by itself in each file.

use super::code::Arguments;
use super::names::Name;
pub use table::COMPONENTS;
pub(super) use table::OPENSSL_VERSION;

mod table;

/// The libraries, as the operator chooses among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// OpenSSL 1.1.1 and later.
    OpenSsl,
    /// GnuTLS.
    GnuTls,
    /// Go's `crypto/tls`.
    Go,
    /// rustls, with aws-lc-rs as its cryptography.
    RustlsAwsLc,
    /// rustls, with ring or another.
    RustlsRing,
    /// BoringSSL.
    BoringSsl,
    /// AWS-LC, as a C library.
    AwsLc,
    /// LibreSSL.
    LibreSsl,
}

impl Family {
    /// Its name in settings, events and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenSsl => "openssl",
            Self::GnuTls => "gnutls",
            Self::Go => "go",
            Self::RustlsAwsLc => "rustls-aws-lc",
            Self::RustlsRing => "rustls-ring",
            Self::BoringSsl => "boringssl",
            Self::AwsLc => "aws-lc",
            Self::LibreSsl => "libressl",
        }
    }

    /// The name of its probes in metrics and logs.
    pub const fn probe(self) -> &'static str {
        match self {
            Self::OpenSsl => "uprobe:openssl",
            Self::GnuTls => "uprobe:gnutls",
            Self::Go => "uprobe:go",
            Self::RustlsAwsLc => "uprobe:rustls-aws-lc",
            Self::RustlsRing => "uprobe:rustls-ring",
            Self::BoringSsl => "uprobe:boringssl",
            Self::AwsLc => "uprobe:aws-lc",
            Self::LibreSsl => "uprobe:libressl",
        }
    }
}

/// What is learned at a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A certificate, DER, as it is parsed.
    Certificate,
    /// The chain of the peer when it is a client.
    ClientChain,
    /// The chain of the peer when it is a server.
    ServerChain,
    /// Which certificate a verification is of.
    Verification,
    /// Whether the process is the client or the server, by what it verifies for.
    OwnRole,
    /// Whether a chain was found good.
    VerifyResult,
    /// The error that the library keeps of a verification.
    VerifyError,
    /// An error: the reason of a failure, or an alert received.
    LibraryError,
    /// The peer's certificate as the service asks for it: none, or one.
    PeerCertificate,
    /// The peer's certificate in the session that a handshake goes on from.
    Session,
    /// An alert sent.
    AlertSent,
    /// The alert received last.
    AlertReceived,
    /// The end of a handshake, with its result.
    HandshakeResult,
    /// A record after decryption. It may be application data: only handshake messages and alerts may be copied.
    Opened,
    /// A record before encryption; as [`Opened`](Self::Opened).
    Sealed,
}

/// When a probe is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// When the function is entered: its arguments.
    Entry,
    /// When it has returned, by a return probe: its result.
    Return,
    /// Both.
    EntryAndReturn,
    /// At each of its return instructions: its result, where a return probe would break the program, as with Go's stacks,
    /// which move.
    EachReturnInstruction,
}

/// Whether a library can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Facts are missing without it.
    Required,
    /// It adds to what the others tell.
    Optional,
    /// One of those of the same role is enough.
    OneOfRole,
}

/// A function at which something is learned.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Hook {
    /// What is learned.
    pub role: Role,
    /// The function.
    pub name: Name,
    /// The kernel program that is run where it is entered; where it returns, it is the one whose name has `_return` behind
    /// it.
    pub program: &'static str,
    /// When.
    pub when: When,
    /// Whether it must be there.
    pub need: Need,
    /// The arguments that are read when it is entered.
    pub arguments: Arguments,
}

impl Hook {
    /// The kernel programs, and how each is attached.
    pub fn programs(&self) -> impl Iterator<Item = (String, Attach)> {
        let entry = || (self.program.to_owned(), Attach::Instruction);
        let left = |attach| (format!("{}_return", self.program), attach);
        let programs = match self.when {
            When::Entry => [Some(entry()), None],
            When::Return => [None, Some(left(Attach::Return))],
            When::EntryAndReturn => [Some(entry()), Some(left(Attach::Return))],
            When::EachReturnInstruction => [None, Some(left(Attach::Instruction))],
        };
        programs.into_iter().flatten()
    }
}

/// How a kernel program is attached to the places of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// To the instruction itself.
    Instruction,
    /// To the return of the function that was entered there.
    Return,
}

/// A library, or a part of one that may be in a file of its own.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Component {
    /// Which library.
    pub family: Family,
    /// Which part and generation of it.
    pub part: &'static str,
    /// Functions by which it is known: of each group one at least is defined.
    pub marks: &'static [&'static [Name]],
    /// Functions that it does not have, but others that have its marks.
    pub without: &'static [Name],
    /// Where to learn what. None where probes were never tried: the library is only reported.
    pub hooks: &'static [Hook],
}

/// All names that a component is known by or probed at.
pub fn names() -> impl Iterator<Item = Name> {
    COMPONENTS
        .iter()
        .flat_map(|component| {
            let marks = component.marks.iter().copied().flatten();
            let hooks = component.hooks.iter().map(|hook| &hook.name);
            marks.chain(component.without).chain(hooks).copied()
        })
        .chain([OPENSSL_VERSION])
}
