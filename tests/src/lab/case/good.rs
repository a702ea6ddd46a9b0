//! Handshakes with nothing wrong: many ordinary ones, and every way in which their connections end.

use std::time::Duration;

use super::build::{case, good};
use super::servers as server;
use super::{Case, Meant};
use crate::lab::peer::Behaviour::{ClosesAtOnce, Idles};

/// About what an idle client waits before it says nothing for good.
const A_MOMENT: Duration = Duration::from_millis(300);
/// More than the agent's settle time.
const LONGER: Duration = Duration::from_secs(3);

/// All of them.
pub fn all() -> Vec<Case> {
    let endings = endings().into_iter().map(Case::few_pairs_unless_quick);
    ordinary().into_iter().chain(endings).chain(idle()).collect()
}

fn ordinary() -> Vec<Case> {
    let many = |name, server| case(name, server, Meant::Established).often();
    vec![
        many("accepted, none asked", server::PLAIN).quick(),
        many("accepted with certificate, optional", server::OPTIONAL).shows(good),
        many("accepted without certificate, optional", server::OPTIONAL).quick(),
        many("accepted with certificate", server::REQUIRED)
            .shows(good)
            .quick(),
    ]
}

fn endings() -> Vec<Case> {
    let case = |name, server| case(name, server, Meant::Established);
    let closes = |name, server| case(name, server).behaves(ClosesAtOnce);
    vec![
        closes("closes at once", server::PLAIN).quick(),
        closes("closes at once, with certificate", server::REQUIRED).shows(good),
        closes("closes at once, optional certificate not sent", server::OPTIONAL),
        closes("closes at once, no tickets", server::NO_TICKET),
        closes(
            "closes at once, with certificate, no tickets",
            server::NO_TICKET_REQUIRED,
        )
        .shows(good)
        .quick(),
        case("server closes at once", server::CLOSES),
        case(
            "server closes at once, with certificate, no tickets",
            server::CLOSES_REQUIRED,
        )
        .shows(good),
        closes(
            "both close at once, with certificate, no tickets",
            server::CLOSES_REQUIRED,
        )
        .shows(good),
    ]
}

fn idle() -> Vec<Case> {
    let idle = |name, server, time| case(name, server, Meant::Established).behaves(Idles(time)).once();
    vec![
        idle("idle for 0.3 s", server::PLAIN, A_MOMENT).quick(),
        idle("idle for 3 s", server::PLAIN, LONGER).few_pairs().only_13(),
        idle(
            "idle for 0.3 s, with certificate, no tickets",
            server::NO_TICKET_REQUIRED,
            A_MOMENT,
        )
        .shows(good)
        .only_13(),
        idle(
            "idle for 3 s, with certificate, no tickets",
            server::NO_TICKET_REQUIRED,
            LONGER,
        )
        .shows(good)
        .few_pairs()
        .only_13(),
    ]
}
