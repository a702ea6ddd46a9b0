//! TLS that begins inside of another protocol: STARTTLS and HTTP CONNECT.

use anyhow::Result;

use super::Plan;
use crate::netns::Namespace;
use crate::peers::{ClientAuth, Place};
use crate::record::openssl;
use crate::record::preamble::{Front, Line, PROTOCOLS};
use crate::record::stage::{Stage, local};
use crate::record::{Account, Scenario};

const CONNECT: &[Line] = &[(b"\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n")];

/// All of them.
pub fn scenarios() -> Vec<Scenario> {
    let mut found = Vec::new();
    for (index, protocol) in PROTOCOLS.iter().enumerate() {
        // Either version in turn.
        let (version, both) = match index % 2 {
            0 => ("TLS 1.2", &["-tls1_2"][..]),
            _ => ("TLS 1.3", &["-tls1_3"][..]),
        };
        let client: &'static [&'static str] = Box::leak(Box::new(["-starttls", protocol.name]));
        let about = format!("{version} after STARTTLS in {}", protocol.name);
        let plan = Plan {
            both,
            client,
            port: protocol.port,
            shows_server: true,
            ..Plan::new(&format!("starttls-{}", protocol.name), &about)
        };
        found.push(fronted(plan, protocol.lines));
    }
    for (name, about, both) in [
        (
            "http-connect-tls12",
            "TLS 1.2 through an HTTP proxy by CONNECT",
            &["-tls1_2"][..],
        ),
        (
            "http-connect-tls13",
            "TLS 1.3 through an HTTP proxy by CONNECT",
            &["-tls1_3"][..],
        ),
    ] {
        let plan = Plan {
            both,
            client: &["-proxy", "127.0.0.1:3128"],
            port: 3128,
            shows_server: true,
            ..Plan::new(name, about)
        };
        found.push(fronted(plan, CONNECT));
    }
    found
}

fn fronted(plan: Plan, lines: &'static [Line]) -> Scenario {
    let (name, about) = (plan.name.clone(), plan.about.clone());
    let play = move |stage: &Stage<'_>| -> Result<Account> {
        let address = local(plan.port);
        let behind = Namespace::new()?;
        let place = Place {
            namespace: &behind,
            ..stage.place()
        };
        let _server = openssl::serve_at(stage, place, address, ClientAuth::None, plan.both)?;
        let front = Front::start(stage, address, lines, &behind)?;
        let heard = plan.call(stage, address, &[])?;
        front.finish()?;
        Ok(Account {
            peers: plan.peers(stage),
            port: plan.port,
            events: vec![plan.event(stage, &heard)?],
            messages: Some(openssl::plaintext(&heard.logged)),
        })
    };
    Scenario {
        name,
        about,
        play: Box::new(play),
    }
}
