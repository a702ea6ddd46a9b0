//! What a plan asks for beyond the ordinary, so that a stack can say what it cannot do.

use crate::lab::peer::{Behaviour, ClientPlan, ServerPlan, Service};

/// Something that not every library, or not every program, can be told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Enforces a revocation list.
    Crl,
    /// No session tickets.
    NoTickets,
    /// A given number of session tickets.
    Tickets,
    /// A given cipher suite of TLS 1.2.
    Suite12,
    /// A given cipher suite of TLS 1.3.
    Suite13,
    /// A given key exchange group.
    Group,
    /// ALPN, a server without a protocol in common refusing.
    Alpn,
    /// Record padding.
    Padding,
    /// Early data.
    EarlyData,
    /// Client authentication after the handshake.
    PostHandshakeAuth,
    /// Refuses all server names but one with the alert unrecognized_name.
    OnlyName,
    /// Speaks before it has read.
    SpeaksFirst,
    /// Closes without a word.
    Closes,
    /// Resumes sessions.
    Resume,
    /// Stays silent for a while.
    Idles,
    /// Updates its key.
    UpdatesKey,
    /// Sends a certificate without looking at it.
    Unchecked,
}

impl Feature {
    /// Whether a stack that can do `possible` can do all that is needed.
    pub fn are_all_in(needed: &[Self], possible: &[Self]) -> bool {
        needed.iter().all(|feature| possible.contains(feature))
    }

    /// What this server needs.
    pub fn of_server(plan: &ServerPlan<'_>) -> Vec<Self> {
        let wanted = [
            (Self::Crl, plan.crl.is_some()),
            (Self::NoTickets, plan.tickets == Some(0)),
            (Self::Tickets, plan.tickets.is_some_and(|count| count > 0)),
            (Self::Group, plan.group.is_some()),
            (Self::Alpn, plan.alpn.is_some()),
            (Self::Padding, plan.padding.is_some()),
            (Self::EarlyData, plan.early_data),
            (Self::PostHandshakeAuth, plan.post_handshake_auth),
            (Self::OnlyName, plan.only_name.is_some()),
            (Self::SpeaksFirst, plan.service == Service::SpeaksFirst),
            (Self::Closes, plan.service == Service::Closes),
        ];
        chosen(&wanted, plan.cipher)
    }

    /// What this client needs.
    pub fn of_client(plan: &ClientPlan<'_>) -> Vec<Self> {
        let wanted = [
            (Self::Group, plan.group.is_some()),
            (Self::Alpn, plan.alpn.is_some()),
            (Self::Padding, plan.padding.is_some()),
            (Self::Padding, plan.padding.is_some()),
            (Self::EarlyData, plan.early_data),
            (Self::PostHandshakeAuth, plan.post_handshake_auth),
            (Self::Resume, plan.resume),
            (Self::Closes, plan.behaviour == Behaviour::ClosesAtOnce),
            (Self::Idles, matches!(plan.behaviour, Behaviour::Idles(_))),
            (Self::UpdatesKey, plan.behaviour == Behaviour::UpdatesKey),
            (Self::Unchecked, plan.unchecked_identity),
        ];
        chosen(&wanted, plan.cipher)
    }
}

fn chosen(wanted: &[(Feature, bool)], cipher: Option<&str>) -> Vec<Feature> {
    let suite = cipher.map(|name| match is_tls13_suite(name) {
        true => Feature::Suite13,
        false => Feature::Suite12,
    });
    let others = wanted
        .iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(feature, _)| *feature);
    others.chain(suite).collect()
}

/// Whether an IANA name is that of a cipher suite of TLS 1.3: it names no key exchange.
pub fn is_tls13_suite(iana: &str) -> bool {
    !iana.contains("_WITH_")
}
