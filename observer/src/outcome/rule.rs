//! The rules by which an outcome, a reason or the place of a close follows from what was seen. Each has a name that events
//! carry (`handshake.rule`), the evidence that it gives, and a sentence that `docs/outcomes.md` repeats.

use crate::observation::Evidence;

macro_rules! rules {
    ($($(#[doc = $line:literal])+ $rule:ident = $name:literal, $evidence:ident;)+) => {
        /// A rule: what was seen, and what follows from it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rule {
            $($(#[doc = $line])+ $rule,)+
        }

        impl Rule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];
            /// Their names.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Its name, one of [`Rule::NAMES`].
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)+ }
            }

            /// How sure outcome and reason are that it gives.
            pub const fn evidence(self) -> Evidence {
                match self { $(Self::$rule => Evidence::$evidence,)+ }
            }

            /// What it sees and what it concludes, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$rule => concat!($($line),+).trim_start(),)+ }
            }
        }
    };
}

rules! {
    /// A server answers bytes that are no ClientHello with an alert: they were not TLS, `not_tls`.
    NotTls = "alert_after_bytes_that_are_not_tls", Derived;
    /// unsupported_certificate is what peers send for a certificate of another purpose: `…_wrong_purpose`.
    WrongPurpose = "unsupported_certificate_is_wrong_purpose", Derived;
    /// certificate_expired about a leaf before its start, for which there is no alert: `…_not_yet_valid`.
    ExpiredBeforeStart = "certificate_expired_before_not_before", Derived;
    /// bad_certificate or certificate_unknown about a leaf before its start: `…_not_yet_valid`.
    RefusedBeforeStart = "refused_before_not_before", Derived;
    /// bad_certificate or certificate_unknown about a leaf past its end: `…_expired`.
    RefusedAfterEnd = "refused_after_not_after", Derived;
    /// The server's access_denied after a client certificate is about that certificate:
    /// `client_certificate_rejected`.
    AccessDenied = "access_denied_after_client_certificate", Derived;
    /// The server's handshake_failure after an empty Certificate: `client_certificate_missing`.
    FailureAfterEmptyCertificate = "handshake_failure_after_empty_certificate", Derived;
    /// An alert of the server's about a certificate, or decode_error, access_denied or unexpected_message, after an empty
    /// Certificate: `client_certificate_missing`.
    AlertAfterEmptyCertificate = "alert_after_empty_certificate", Derived;
    /// The server's handshake_failure as its first word, to an offer of nothing above TLS 1.1, which nobody may accept any
    /// more (RFC 8996): `no_shared_version`.
    FailureToOldVersions = "handshake_failure_before_server_hello_to_old_versions", Derived;
    /// The same to an offer of TLS 1.2 and not 1.3, without the suites that most servers have, and with enough groups:
    /// `no_shared_cipher`.
    FailureAtOnce = "handshake_failure_before_server_hello", Derived;
    /// The same to an offer with TLS 1.3, where it may as well have been a group or a signature scheme:
    /// `no_shared_cipher`.
    FailureAtOnceTls13 = "handshake_failure_before_server_hello_of_tls13_offer", Inferred;
    /// The same to an offer with the suites that most servers have, and with one group only or without secp256r1:
    /// `no_shared_group`.
    FewGroups = "handshake_failure_before_server_hello_to_few_groups", Inferred;
    /// The client's handshake_failure or illegal_parameter as its answer to a HelloRetryRequest, which names a group:
    /// `no_shared_group`.
    RetryRefused = "hello_retry_request_refused", Derived;
    /// An encrypted alert of a side that has not finished, so that the handshake cannot be complete: rejected by its
    /// sender, `other`.
    EncryptedAlert = "encrypted_alert_before_finished", Derived;
    /// An encrypted alert of the side that finished first, with nothing from the other since: there is nothing to
    /// refuse, so it is close_notify; aborted, `closed`.
    EncryptedClose = "encrypted_alert_while_waiting_for_finished", Derived;
    /// An encrypted alert of the side that finished first, after messages of the other's: it may refuse these;
    /// rejected by its sender, `other`.
    EncryptedRefusal = "encrypted_alert_between_finished", Derived;
    /// An encrypted alert in a renegotiation, of which no message can be read: rejected by its sender, `other`.
    RenegotiationAlert = "encrypted_alert_in_renegotiation", Inferred;
    /// Closed or reset before the server's ServerHello: aborted.
    ClosedBeforeServerHello = "closed_before_server_hello", Observed;
    /// Closed or reset behind the ServerHello, before the end of the server's flight (which TLS 1.3 hides): aborted.
    ClosedAfterServerHello = "closed_after_server_hello", Observed;
    /// Closed or reset behind the server's flight, before the client answered it: aborted.
    ClosedAfterServerFlight = "closed_after_server_flight", Observed;
    /// Closed or reset within the client's flight: aborted.
    ClosedInClientFlight = "closed_in_client_flight", Observed;
    /// Closed or reset behind the client's Finished, before the server's, no certificate asked for: aborted.
    ClosedAfterClientFinished = "closed_after_client_finished", Observed;
    /// The same after an empty Certificate, by the client or late: aborted.
    ClosedAfterEmptyCertificate = "closed_after_empty_certificate", Observed;
    /// The same after a client certificate, by the client or late: aborted.
    ClosedAfterCertificate = "closed_after_client_certificate", Observed;
    /// The server closed or reset first and soon behind the Finished of a client with an empty Certificate, in place of its
    /// own Finished, with which it would have gone on without one (RFC 5246, section 7.4.6): rejected by the server,
    /// `client_certificate_missing`.
    ServerClosedAfterEmptyCertificate = "server_closed_after_empty_certificate", Derived;
    /// The same behind a client certificate in which no fault is known: aborted.
    ServerClosedAfterCertificate = "server_closed_after_client_certificate", Observed;
    /// The same behind a client certificate that is invalid by the agent's own verdict: rejected by the server, for what
    /// the verdict finds.
    ServerClosedAfterInvalid = "server_closed_after_invalid_certificate", Derived;
    /// The server's library found a fault in the client's certificate, or that there is none, and then the server closed or
    /// reset first, in TLS 1.2 in place of its Finished, in TLS 1.3 at once and without a record behind the client's
    /// flight: rejected by the server, for that fault.
    ServerClosedAfterVerification = "server_closed_after_failed_verification", Derived;
    /// Closed or reset behind the Finished of a server that resumes a session, before the client's: aborted.
    ClosedAfterServerFinished = "closed_after_server_finished", Observed;
    /// The server's first record behind the client's flight is larger than an alert: established.
    ServerRecord = "tls13_record_after_client_flight", Inferred;
    /// The server pads, and what it sends behind the client's flight is more than a refusal: three records, or one
    /// that is
    /// longer than its shortest: established.
    ServerRecords = "tls13_padded_records_after_client_flight", Inferred;
    /// The server pads, sends one or two of its shortest records behind the client's flight, and closes: rejected by
    /// the
    /// server, `other` or as below.
    ShortestRecord = "tls13_closed_after_shortest_padded_record", Inferred;
    /// The same, but the client closes first, or nobody: incomplete.
    ShortestRecordUnclear = "tls13_shortest_padded_record_after_client_flight", Inferred;
    /// The server's first encrypted record has the size of an alert: rejected by the server, `other`.
    ServerAlertAtOnce = "tls13_alert_sized_record_instead_of_server_flight", Inferred;
    /// The server's first record behind the client's flight has the size of an alert, comes soon, the client had not
    /// closed, and the server is not known to be silent: rejected by the server; `client_certificate_missing` after
    /// an empty certificate, `client_certificate_rejected` after one, else `other`.
    ServerAlert = "tls13_alert_sized_record_after_client_flight", Inferred;
    /// The same, soon or late, from an address whose server always sent a larger record of itself before; not where the
    /// client left first and there was nothing to refuse: rejected by the server, reasons as before.
    ServerAlertForTicket = "tls13_alert_sized_record_instead_of_usual_record", Inferred;
    /// The same where neither holds: a late one, one after the client has closed, one of a server that mostly sends
    /// nothing of itself, or one where there was nothing to refuse. It may be close_notify: incomplete.
    AlertOrClose = "tls13_alert_or_close_notify_after_client_flight", Inferred;
    /// The client closed first, after a flight that held nothing to refuse or long after its flight, and the server
    /// answered with an alert-sized record: established.
    BothClosed = "tls13_close_notify_after_client_flight", Inferred;
    /// The client finished behind early data that the server had answered: established.
    EarlyDataAnswered = "tls13_early_data_answered", Inferred;
    /// The client answers the server's flight with a record of the size of an alert: rejected by the client;
    /// `server_certificate_rejected`, or `other` in a resumed handshake.
    ClientAlert = "tls13_alert_sized_record_instead_of_client_flight", Inferred;
    /// The client sent a certificate or an empty one, and the server closed or reset the connection first, without a
    /// record: rejected by the server, reasons as before.
    ServerClosed = "tls13_server_closed_after_client_flight", Inferred;
    /// The server closed or reset first, or the client reset, behind a flight that held nothing to refuse, is not known to
    /// have ended, or was not there yet: aborted.
    NoAnswer = "tls13_closed_without_record_after_client_flight", Inferred;
    /// The client closed first after its flight, which held nothing to refuse, and no record answered it:
    /// established.
    ClientLeft = "tls13_client_closed_after_client_flight", Inferred;
    /// The same after a flight that the server may have refused without a word: incomplete.
    ClientLeftUnanswered = "tls13_client_closed_before_answer", Inferred;
    /// The connection closed, and no record of the client's looked like the end of its flight: aborted.
    NoFlightEnd = "tls13_closed_before_end_of_client_flight", Inferred;
    /// The client's flight was complete, and nobody objected within the settle time: established.
    Settled = "tls13_no_refusal_within_settle_time", Inferred;
    /// A handshake was taken for established for want of a refusal, and the server's first record after that has the
    /// size of an alert: a `tls-alert` event, for it may be a late refusal.
    LateAlert = "tls13_alert_sized_record_after_settle_time", Inferred;
    /// A refusal that names no fault, of a certificate that has expired by the agent's own verdict: `…_expired`. As
    /// for all verdicts, inferred where the refusal is or its alert could not be read.
    VerdictExpired = "refused_certificate_is_expired", Derived;
    /// The same of one that is not valid yet: `…_not_yet_valid`.
    VerdictNotYetValid = "refused_certificate_is_not_yet_valid", Derived;
    /// The same of one that no trusted authority issued: `…_unknown_ca`.
    VerdictUntrusted = "refused_certificate_is_untrusted", Derived;
    /// The same of a revoked one: `…_revoked`.
    VerdictRevoked = "refused_certificate_is_revoked", Derived;
    /// The same of one that is not for this side of TLS: `…_wrong_purpose`.
    VerdictWrongPurpose = "refused_certificate_has_wrong_purpose", Derived;
    /// The same of a server's without the name asked for: `server_certificate_name_mismatch`.
    VerdictNameMismatch = "refused_certificate_has_another_name", Derived;
    /// The same of one that cannot be read or is signed by nobody: `…_bad`. Where it cannot be read, decode_error is about
    /// it, too.
    VerdictMalformed = "refused_certificate_is_malformed", Derived;
    /// The TLS library of one side gave the handshake up for a reason of its own, whether its alert was sent or not:
    /// rejected by that side.
    LibraryGaveUp = "library_gave_up", Observed;
    /// The library that sent or received an encrypted alert told what it is: rejected by its sender. Of a later alert:
    /// that is what it is.
    LibraryAlert = "library_alert", Observed;
    /// A refusal that names no fault, of a certificate in which the library of the refusing side found one: that fault.
    /// Inferred where the refusal is.
    LibraryVerification = "library_verification", Observed;
    /// The server's library finished the handshake, or up to TLS 1.2 the client's: established.
    LibraryFinished = "library_finished", Observed;
    /// In TLS 1.3 the server's library verified the client's certificate, whatever it found, and then the server answered with a
    /// record that is larger than an alert; or it did so and its service found behind the client's flight that there is no
    /// certificate: established.
    ServerWentOn = "server_went_on_after_verification", Derived;
    /// The client's library finished the handshake, and of the server no more than an orderly close is known, or nothing.
    /// In TLS 1.3 it may have refused behind that: established.
    LibraryClientFinished = "library_client_finished", Inferred;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Reason;
    use crate::output::docs::{check, read};
    use crate::output::words::Word;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(Rule::ALL.len(), Rule::NAMES.len());
        for (index, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(rule.name(), Rule::NAMES[index]);
            assert!(!Rule::NAMES[..index].contains(&rule.name()), "{}", rule.name());
        }
    }

    #[test]
    fn the_documentation_has_every_rule() {
        const PLACE: [&str; 2] = ["<!-- rules:begin -->\n", "<!-- rules:end -->"];
        let found = read("outcomes.md");
        let (before, rest) = found.split_once(PLACE[0]).unwrap();
        let (_, after) = rest.split_once(PLACE[1]).unwrap();
        let rows = Rule::ALL.iter().map(|rule| {
            let [name, evidence] = [rule.name(), rule.evidence().word()];
            format!("| `{name}` | {evidence} | {} |\n", rule.meaning())
        });
        let table: String =
            std::iter::once("| rule | evidence | what it sees and concludes |\n|---|---|---|\n".to_owned())
                .chain(rows)
                .collect();
        check(
            "outcomes.md",
            &[before, PLACE[0], &table, PLACE[1], after].concat(),
        );
    }

    #[test]
    fn the_documentation_has_every_reason() {
        let found = read("outcomes.md");
        // Nothing is explained that there is not.
        let mut quoted = found.split('`').skip(1).step_by(2);
        let unknown = quoted.find(|word| word.starts_with("tls13_") && !Rule::NAMES.contains(word));
        assert_eq!(unknown, None);
        for word in Reason::WORDS {
            let named = format!("`{word}`");
            let mut rows = found.lines().filter(|line| line.starts_with("| `"));
            assert!(rows.any(|line| line.contains(&named)), "{word}");
        }
    }
}
