//! Handshakes of which nothing was seen on the wire: what the libraries at their ends tell is all there is.

use sha1::{Digest as _, Sha1};

use super::waiting::Group;
use crate::facts::{Fact, FactBody};
use crate::observation::{Action, Observation, Side, Sockets, Source};

/// A handshake with the addresses and times that the facts of one socket give, which is all that it says yet; and which end
/// told. `None` where they do not say enough: who is who, or anything of a handshake.
pub(super) fn observation(cookie: u64, group: &Group) -> Option<(Side, Observation)> {
    let facts = group.facts.as_slice();
    let (first, last) = (facts.first()?, facts.last()?);
    let (own, peer) = group.ends?;
    let side = facts.iter().find_map(|fact| fact.own_side)?;
    let of_handshake = |fact: &Fact| {
        !matches!(
            fact.body,
            FactBody::AlertReceived(_) | FactBody::AlertSent(_) | FactBody::Ticket(_) | FactBody::Session(_)
        )
    };
    if !facts.iter().any(of_handshake) {
        return None;
    }
    let (client, server) = match side {
        Side::Client => (own, peer),
        Side::Server => (peer, own),
    };
    let mut sockets = Sockets::default();
    sockets.set(side, cookie);
    let mut hash = Sha1::new();
    hash.update(cookie.to_be_bytes());
    hash.update(first.time_ns.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    let seen = Observation {
        duration_ns: last.time_ns.saturating_sub(first.time_ns),
        source: Source::Library,
        sockets,
        ..Observation::bare(Action::Handshake, id, first.time_ns, client, server)
    };
    Some((side, seen))
}

/// The other end told, too.
pub(super) fn add_peer(seen: &mut Observation, side: Side, cookie: u64, group: &Group) {
    seen.sockets.set(side, cookie);
    let (Some(first), Some(last)) = (group.facts.first(), group.facts.last()) else {
        return;
    };
    let end_ns = last.time_ns.max(seen.time_ns.saturating_add(seen.duration_ns));
    seen.time_ns = seen.time_ns.min(first.time_ns);
    seen.duration_ns = end_ns.saturating_sub(seen.time_ns);
}
