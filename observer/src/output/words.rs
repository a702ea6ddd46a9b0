//! The fixed vocabularies of events and metrics: one word for each value of the model's enums.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::json::writer::Plain;
use crate::observation::{
    Action, CertificateFault, CertificateSource, ClientCertificate, Completeness, Contradiction, Evidence,
    Outcome, Reason, Resumption, Side, Source,
};
use crate::outcome::Rule;
use crate::verify::{Disagreement, Revocation, Status};

/// A value of a closed vocabulary.
pub trait Word: Copy {
    /// The vocabulary's name in the JSON Schema.
    const NAME: &'static str;
    /// Every word of it.
    const WORDS: &'static [&'static str];
    /// The value's word, one of [`Word::WORDS`].
    fn word(self) -> &'static str;
}

/// A [`Word`] as a JSON string; its schema lists the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Worded<T>(pub T);

impl<T: Word> Serialize for Worded<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Plain(self.0.word()).serialize(serializer)
    }
}

impl<T: Word> JsonSchema for Worded<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": T::WORDS })
    }
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl Word for $type {
            const NAME: &'static str = stringify!($type);
            const WORDS: &'static [&'static str] = &[$($word),*];
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    )*};
}

words! {
    Side { Client = "client", Server = "server" }
    Action { Handshake = "tls-handshake", LateAlert = "tls-alert" }
    Outcome {
        Established = "established",
        Rejected = "rejected",
        Aborted = "aborted",
        TimedOut = "timed_out",
        Incomplete = "incomplete",
    }
    Evidence { Observed = "observed", Derived = "derived", Inferred = "inferred" }
    Resumption { SessionId = "session_id", Ticket = "ticket", Psk = "psk" }
    Source { Wire = "wire", Library = "library", Both = "both" }
    CertificateSource { Wire = "wire", Library = "library", Resumption = "resumption" }
    Contradiction {
        Role = "role",
        Address = "address",
        ChainSize = "chain_size",
        Chain = "chain",
        ClientCertificate = "client_certificate",
        Alert = "alert",
        Outcome = "outcome",
        Reason = "reason",
    }
    Completeness { Complete = "complete", Truncated = "truncated", Gap = "gap", Midstream = "midstream" }
    ClientCertificate {
        NotRequested = "not_requested",
        RequestedNotSent = "requested_not_sent",
        Sent = "sent",
        Unknown = "unknown",
    }
    Status {
        Valid = "valid",
        Expired = "expired",
        NotYetValid = "not_yet_valid",
        Untrusted = "untrusted",
        Revoked = "revoked",
        WrongPurpose = "wrong_purpose",
        NameMismatch = "name_mismatch",
        Malformed = "malformed",
        NotChecked = "not_checked",
    }
    Revocation { Good = "good", Revoked = "revoked", Unknown = "unknown", NotChecked = "not_checked" }
    Disagreement { AcceptedButInvalid = "accepted_but_invalid", RejectedButValid = "rejected_but_valid" }
}

impl Word for Rule {
    const NAME: &'static str = "Rule";
    const WORDS: &'static [&'static str] = Self::NAMES;

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for Reason {
    const NAME: &'static str = "Reason";
    const WORDS: &'static [&'static str] = &[
        "client_certificate_missing",
        "client_certificate_unknown_ca",
        "client_certificate_expired",
        "client_certificate_not_yet_valid",
        "client_certificate_revoked",
        "client_certificate_wrong_purpose",
        "client_certificate_bad",
        "client_certificate_rejected",
        "server_certificate_unknown_ca",
        "server_certificate_expired",
        "server_certificate_not_yet_valid",
        "server_certificate_revoked",
        "server_certificate_wrong_purpose",
        "server_certificate_name_mismatch",
        "server_certificate_bad",
        "server_certificate_rejected",
        "no_shared_version",
        "no_shared_cipher",
        "no_shared_group",
        "no_application_protocol",
        "unrecognized_name",
        "decode_error",
        "decrypt_error",
        "protocol_error",
        "internal_error",
        "not_tls",
        "reset",
        "closed",
        "timed_out",
        "other",
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Certificate(Side::Client, fault) => match fault {
                CertificateFault::Missing => "client_certificate_missing",
                CertificateFault::UnknownCa => "client_certificate_unknown_ca",
                CertificateFault::Expired => "client_certificate_expired",
                CertificateFault::NotYetValid => "client_certificate_not_yet_valid",
                CertificateFault::Revoked => "client_certificate_revoked",
                CertificateFault::WrongPurpose => "client_certificate_wrong_purpose",
                CertificateFault::Bad => "client_certificate_bad",
                // Only servers are asked for by name.
                CertificateFault::NameMismatch | CertificateFault::Rejected => "client_certificate_rejected",
            },
            Self::Certificate(Side::Server, fault) => match fault {
                CertificateFault::UnknownCa => "server_certificate_unknown_ca",
                CertificateFault::Expired => "server_certificate_expired",
                CertificateFault::NotYetValid => "server_certificate_not_yet_valid",
                CertificateFault::Revoked => "server_certificate_revoked",
                CertificateFault::WrongPurpose => "server_certificate_wrong_purpose",
                CertificateFault::NameMismatch => "server_certificate_name_mismatch",
                CertificateFault::Bad => "server_certificate_bad",
                // Only clients may go without.
                CertificateFault::Missing | CertificateFault::Rejected => "server_certificate_rejected",
            },
            Self::NoSharedVersion => "no_shared_version",
            Self::NoSharedCipher => "no_shared_cipher",
            Self::NoSharedGroup => "no_shared_group",
            Self::NoApplicationProtocol => "no_application_protocol",
            Self::UnrecognizedName => "unrecognized_name",
            Self::DecodeError => "decode_error",
            Self::DecryptError => "decrypt_error",
            Self::ProtocolError => "protocol_error",
            Self::InternalError => "internal_error",
            Self::NotTls => "not_tls",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_about_a_certificate_is_in_the_vocabulary() {
        use CertificateFault as F;
        let faults = [
            F::Missing,
            F::UnknownCa,
            F::Expired,
            F::NotYetValid,
            F::Revoked,
            F::WrongPurpose,
            F::NameMismatch,
            F::Bad,
            F::Rejected,
        ];
        for side in [Side::Client, Side::Server] {
            for fault in faults {
                let word = Reason::Certificate(side, fault).word();
                assert!(
                    Reason::WORDS.contains(&word) && word.starts_with(side.word()),
                    "{word}"
                );
            }
        }
        assert!(Reason::WORDS.contains(&Reason::NotTls.word()));
    }
}
