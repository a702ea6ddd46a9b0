//! Handshakes of unusual shape: resumed ones, padded ones, long chains, each cipher suite.

use super::build::{case, good};
use super::servers::{self as server, PADDING, chain};
use super::{Case, Meant, identity};
use crate::lab::peer::Behaviour::{ClosesAtOnce, UpdatesKey};
use crate::lab::peer::ClientPlan;

/// All of them.
pub fn all() -> Vec<Case> {
    let all = [sessions(), padded(), shapes(), suites_13(), suites_12()].concat();
    all.into_iter().map(Case::few_pairs).collect()
}

/// A handshake that is good.
fn fine(name: &str, server: super::Server) -> Case {
    case(name, server, Meant::Established)
}

/// One that the server refuses.
fn refused(name: &str, server: super::Server) -> Case {
    case(name, server, Meant::ServerRefuses)
}

/// Resumption, tickets, early data.
fn sessions() -> Vec<Case> {
    let resumed = |name, server| fine(name, server).client(|plan, _| plan.resume = true);
    let early = |name, server| {
        fine(name, server).only_13().client(|plan, _| {
            plan.resume = true;
            plan.early_data = true;
        })
    };
    vec![
        resumed("resumes", server::PLAIN).quick(),
        resumed("resumes with certificate", server::REQUIRED).shows(good),
        resumed("resumes and closes at once", server::PLAIN).behaves(ClosesAtOnce),
        fine("no tickets", server::NO_TICKET).only_13(),
        fine("no tickets, with certificate", server::NO_TICKET_REQUIRED)
            .shows(good)
            .only_13(),
        fine("one ticket", server::ONE_TICKET).only_13(),
        fine("two tickets", server::TWO_TICKETS).only_13(),
        early("early data, accepted", server::EARLY).quick(),
        // Tickets of a server that takes no early data forbid it, so clients only resume.
        early("early data, not offered by the server", server::PLAIN),
    ]
}

fn padded() -> Vec<Case> {
    fn pads(plan: &mut ClientPlan<'_>, _: &super::Materials) {
        plan.padding = Some(PADDING);
    }
    let cases = vec![
        fine("padded by the server", server::PADDED),
        fine("padded by the server, with certificate", server::PADDED_REQUIRED).shows(good),
        fine("padded by the client", server::PLAIN).client(pads),
        fine("padded by both, with certificate", server::PADDED_REQUIRED)
            .shows(good)
            .client(pads),
        refused("padded by both, certificate missing", server::PADDED_REQUIRED).client(pads),
        refused("padded by both, certificate expired", server::PADDED_REQUIRED)
            .shows(|with| identity(&with.pki.expired))
            .client(pads),
    ];
    cases.into_iter().map(Case::only_13).collect()
}

fn shapes() -> Vec<Case> {
    vec![
        fine("big server chain", server::BIG)
            .client(|plan, with| plan.trusted = &with.faults.big_server.root),
        fine("big client chain", server::BIG_CLIENTS).shows(|with| chain(&with.faults.big_client)),
        fine("RSA server", server::RSA),
        fine("HelloRetryRequest", server::OTHER_GROUP).quick(),
        fine(
            "HelloRetryRequest, with certificate",
            server::OTHER_GROUP_REQUIRED,
        )
        .shows(good),
        refused(
            "HelloRetryRequest, certificate missing",
            server::OTHER_GROUP_REQUIRED,
        ),
        fine("server speaks first", server::SPEAKS_FIRST),
        fine(
            "server speaks first, with certificate",
            server::SPEAKS_FIRST_REQUIRED,
        )
        .shows(good),
        refused(
            "server speaks first, certificate missing",
            server::SPEAKS_FIRST_REQUIRED,
        ),
        fine("key update", server::PLAIN).behaves(UpdatesKey).only_13(),
        fine("post-handshake authentication", server::POST_HANDSHAKE)
            .shows(good)
            .client(|plan, _| plan.post_handshake_auth = true)
            .only_13(),
        fine("ALPN", server::ALPN).client(|plan, _| plan.alpn = Some(server::PROTOCOL)),
    ]
}

/// A case that is about a cipher suite, which its name ends in.
fn suite(case: Case, suite: &'static str) -> Case {
    Case {
        name: format!("{}suite {suite}", case.name),
        ..case.cipher(suite).once()
    }
}

fn suites_13() -> Vec<Case> {
    const CCM: &str = "TLS_AES_128_CCM_SHA256";
    const CCM_8: &str = "TLS_AES_128_CCM_8_SHA256";
    let each = [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    ]
    .into_iter()
    .flat_map(|name| {
        [
            suite(fine("", server::PLAIN), name),
            suite(fine("with certificate, ", server::REQUIRED).shows(good), name),
            suite(refused("certificate missing, ", server::REQUIRED), name),
        ]
    });
    let rare = [
        suite(fine("", server::CCM), CCM),
        suite(fine("with certificate, ", server::CCM_8).shows(good), CCM_8),
        suite(refused("certificate missing, ", server::CCM_8), CCM_8),
    ];
    each.chain(rare).map(Case::only_13).collect()
}

fn suites_12() -> Vec<Case> {
    let ecdsa = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    ]
    .map(|name| suite(fine("", server::PLAIN), name));
    let rsa = [
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
    ]
    .map(|name| suite(fine("", server::RSA), name));
    ecdsa.into_iter().chain(rsa).map(Case::only_12).collect()
}
