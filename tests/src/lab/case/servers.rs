//! The servers of the cases.

use super::{Materials, Server, Who, identity};
use crate::lab::peer::{Identity, ServerPlan, Service};
use crate::peers::{ClientAuth, Version};
use crate::pki::SERVER_NAME;
use crate::pki::faults::Chain;

/// Block size of padded records, in bytes.
pub const PADDING: u16 = 512;

/// The only ALPN protocol of the server that has one.
pub const PROTOCOL: &str = "http/1.1";

macro_rules! servers {
    ($($(#[$about:meta])* $constant:ident $name:literal $adjust:expr;)*) => {
        $($(#[$about])* pub const $constant: Server = Server { name: $name, who: Who::AnyStack, adjust: $adjust };)*
        /// The names, in the order of running: those of cases of all pairs first.
        const NAMES: &[&str] = &[$($name),*];
    };
}

servers! {
    /// Both versions, all defaults.
    PLAIN "plain" |_, _| {};
    /// Asks for a certificate and goes on without.
    OPTIONAL "optional" |plan, _| plan.auth = ClientAuth::Optional;
    /// Demands a certificate.
    REQUIRED "required" |plan, _| plan.auth = ClientAuth::Required;
    /// Demands one that is not revoked.
    REVOKING "required, CRL" |plan, with| {
        plan.auth = ClientAuth::Required;
        plan.crl = Some(&with.faults.clients.crl);
    };
    /// Its CA is not known.
    UNKNOWN_CA "server of an unknown CA" |plan, with| plan.identity = identity(&with.faults.server_unknown_ca);
    /// Its certificate has expired.
    EXPIRED "server expired" |plan, with| plan.identity = identity(&with.faults.server_expired);
    /// Its certificate has another name.
    OTHER_NAME "server with another name" |plan, with| plan.identity = identity(&with.faults.server_other_name);
    /// Gives no ticket, and demands a certificate.
    NO_TICKET_REQUIRED "required, tickets 0" |plan, _| {
        plan.tickets = Some(0);
        plan.auth = ClientAuth::Required;
    };
    /// Demands one below the long chain's root.
    BIG_CLIENTS "required, big root" |plan, with| {
        plan.auth = ClientAuth::Required;
        plan.client_ca = &with.faults.big_client.root;
    };
    /// Shows a long chain.
    BIG "big chain" |plan, with| plan.identity = chain(&with.faults.big_server);
    /// Shows one RSA certificate.
    RSA "RSA" |plan, with| plan.identity = chain(&with.faults.server_rsa);
    /// Gives no ticket.
    NO_TICKET "tickets 0" |plan, _| plan.tickets = Some(0);
    /// Gives one ticket.
    ONE_TICKET "tickets 1" |plan, _| plan.tickets = Some(1);
    /// Gives two tickets.
    TWO_TICKETS "tickets 2" |plan, _| plan.tickets = Some(2);
    /// Pads.
    PADDED "padded" |plan, _| plan.padding = Some(PADDING);
    /// Pads, and demands a certificate.
    PADDED_REQUIRED "required, padded" |plan, _| {
        plan.padding = Some(PADDING);
        plan.auth = ClientAuth::Required;
    };
    /// Takes early data.
    EARLY "early data" |plan, _| plan.early_data = true;
    /// Takes another group than clients guess.
    OTHER_GROUP "secp384r1 only" |plan, _| plan.group = Some("secp384r1");
    /// The same, and demands a certificate.
    OTHER_GROUP_REQUIRED "required, secp384r1 only" |plan, _| {
        plan.group = Some("secp384r1");
        plan.auth = ClientAuth::Required;
    };
    /// Speaks first.
    SPEAKS_FIRST "speaks first" |plan, _| plan.service = Service::SpeaksFirst;
    /// Speaks first, and demands a certificate.
    SPEAKS_FIRST_REQUIRED "required, speaks first" |plan, _| {
        plan.service = Service::SpeaksFirst;
        plan.auth = ClientAuth::Required;
    };
    /// Closes first.
    CLOSES "closes at once" |plan, _| plan.service = Service::Closes;
    /// Closes first, gives no ticket, demands a certificate.
    CLOSES_REQUIRED "required, tickets 0, closes at once" |plan, _| {
        plan.service = Service::Closes;
        plan.tickets = Some(0);
        plan.auth = ClientAuth::Required;
    };
    /// Asks for the certificate later.
    POST_HANDSHAKE "post-handshake authentication" |plan, _| {
        plan.post_handshake_auth = true;
        plan.auth = ClientAuth::Required;
    };
    /// Speaks TLS 1.2 only.
    ONLY_12 "TLS 1.2 only" |plan, _| plan.version = Some(Version::Tls12);
    /// Speaks TLS 1.3 only.
    ONLY_13 "TLS 1.3 only" |plan, _| plan.version = Some(Version::Tls13);
    /// Has one suite of TLS 1.2.
    SUITE_12 "one suite, TLS 1.2" |plan, _| {
        plan.version = Some(Version::Tls12);
        plan.cipher = Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    };
    /// Has one suite of TLS 1.3.
    SUITE_13 "one suite, TLS 1.3" |plan, _| {
        plan.version = Some(Version::Tls13);
        plan.cipher = Some("TLS_AES_128_GCM_SHA256");
    };
    /// Has CCM_8, whose records are 8 bytes shorter.
    CCM_8 "CCM_8" |plan, _| {
        plan.version = Some(Version::Tls13);
        plan.cipher = Some("TLS_AES_128_CCM_8_SHA256");
        plan.auth = ClientAuth::Required;
    };
    /// Has CCM.
    CCM "CCM" |plan, _| {
        plan.version = Some(Version::Tls13);
        plan.cipher = Some("TLS_AES_128_CCM_SHA256");
    };
    /// Speaks a protocol that clients are not asked for.
    ALPN "ALPN" |plan, _| plan.alpn = Some(PROTOCOL);
    /// Refuses other names.
    ONLY_NAME "one name" |plan, _| plan.only_name = Some(SERVER_NAME);
    /// Its certificate is not valid yet.
    NOT_YET "server not yet valid" |plan, with| plan.identity = identity(&with.faults.server_not_yet_valid);
    /// Its certificate is one for clients.
    WRONG_PURPOSE "server with a client's certificate" |plan, with| plan.identity = identity(&with.faults.server_wrong_purpose);
    /// Its CA is not known, and it demands a certificate itself.
    UNKNOWN_CA_REQUIRED "required, server of an unknown CA" |plan, with| {
        plan.identity = identity(&with.faults.server_unknown_ca);
        plan.auth = ClientAuth::Required;
    };
}

/// Where a server stands in the order of running; programs that speak no TLS come last.
pub fn rank(name: &str) -> usize {
    NAMES
        .iter()
        .position(|known| *known == name)
        .unwrap_or(NAMES.len())
}

/// A chain as an identity.
pub fn chain(chain: &Chain) -> Identity<'_> {
    Identity {
        chain: &chain.chain,
        key: &chain.key,
    }
}

/// A program that speaks no TLS.
pub const fn stranger(name: &'static str) -> Server {
    fn nothing<'a>(_: &mut ServerPlan<'a>, _: &'a Materials) {}
    Server {
        name,
        who: Who::Stranger(name),
        adjust: nothing,
    }
}
