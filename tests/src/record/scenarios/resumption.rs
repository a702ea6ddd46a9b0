//! Sessions taken up again, each with the full handshake before.

use std::process::Command;

use anyhow::{Result, anyhow, ensure};
use serde_json::Value;

use super::Plan;
use crate::poll::PATIENCE;
use crate::process::Process;
use crate::record::openssl::{self, Heard};
use crate::record::stage::{Stage, local};
use crate::record::{Account, Scenario};

/// Two connections of one client with one server, or with one that has started anew in between.
struct Pair {
    plan: Plan,
    /// What is added to the client's second call.
    second: &'static [&'static str],
    /// The server reads early data.
    early: bool,
    /// The server keeps its keys between the two.
    server_remembers: bool,
}

/// All of them.
pub fn scenarios() -> Vec<Scenario> {
    let pair = |name, about, both, server| Pair {
        plan: Plan {
            both,
            server,
            client: &["-sess_out", "{own}/session"],
            shows_server: true,
            ..Plan::new(name, about)
        },
        second: &["-sess_in", "{own}/session"],
        early: false,
        server_remembers: true,
    };
    let tls12 = &["-tls1_2"][..];
    let tls13 = &["-tls1_3"][..];
    let pairs = [
        pair(
            "tls12-resumed-session-id",
            "TLS 1.2, resumed by session id",
            &["-tls1_2", "-no_ticket"][..],
            &[],
        ),
        pair("tls12-resumed-ticket", "TLS 1.2, resumed by ticket", tls12, &[]),
        Pair {
            server_remembers: false,
            ..pair(
                "tls12-ticket-refused",
                "TLS 1.2, the server does not take the ticket: full handshake",
                tls12,
                &[],
            )
        },
        pair(
            "tls13-resumed-psk",
            "TLS 1.3, resumed by a pre-shared key",
            tls13,
            &[],
        ),
        pair(
            "tls10-resumed-ticket",
            "TLS 1.0, resumed by ticket",
            &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
            &[],
        ),
        Pair {
            second: &["-sess_in", "{own}/session", "-early_data", "{own}/early"],
            early: true,
            ..pair(
                "tls13-early-data",
                "TLS 1.3, resumed with early data",
                tls13,
                &["-early_data"],
            )
        },
        Pair {
            server_remembers: false,
            second: &["-sess_in", "{own}/session", "-early_data", "{own}/early"],
            early: true,
            ..pair(
                "tls13-early-data-refused",
                "TLS 1.3, the server takes neither the pre-shared key nor the early data",
                tls13,
                &["-early_data"],
            )
        },
    ];
    pairs.into_iter().map(Pair::scenario).collect()
}

impl Pair {
    fn scenario(self) -> Scenario {
        Scenario {
            name: self.plan.name.clone(),
            about: self.plan.about.clone(),
            play: Box::new(move |stage| self.play(stage)),
        }
    }

    fn play(&self, stage: &Stage<'_>) -> Result<Account> {
        let plan = &self.plan;
        let address = local(plan.port);
        std::fs::write(stage.file("early"), "early bird\n")?;
        let arguments = [plan.both, plan.server].concat();
        let serve = || match self.early {
            false => openssl::serve(stage, address, plan.auth, &arguments),
            true => serve_early(stage, &arguments),
        };
        let mut server = serve()?;
        let first = answering(&mut server, self.early, 1, || plan.call(stage, address, &[]))?;
        let count = if self.server_remembers {
            2
        } else {
            drop(server);
            server = serve()?;
            1
        };
        let second = answering(&mut server, self.early, count, || {
            plan.call(stage, address, self.second)
        })?;
        drop(server);
        let messages = |heard: &Heard| openssl::plaintext(&heard.logged);
        let mut resumed = plan.event(stage, &second)?;
        if self.server_remembers {
            ensure!(
                resumed.get("tls.resumed") == Some(&Value::Bool(true)),
                "not resumed: {second:#?}"
            );
            resumed.insert("handshake.client_certificate".into(), "unknown".into());
            resumed.remove("tls.server.hash.sha256");
        }
        Ok(Account {
            peers: plan.peers(stage),
            port: plan.port,
            events: vec![plan.event(stage, &first)?, resumed],
            messages: Some([messages(&first), messages(&second)].concat()),
        })
    }
}

/// A server that reads early data, which OpenSSL's does not when it turns lines round.
fn serve_early(stage: &Stage<'_>, arguments: &[&str]) -> Result<Process> {
    let address = local(443);
    let files = &stage.pki().server.files;
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", &address.to_string()]);
    command
        .arg("-cert")
        .arg(&files.certificate)
        .arg("-key")
        .arg(&files.key);
    stage.place().serve(command.args(arguments), address)
}

/// Runs `call`; when `by_hand`, the server is told its answer once it has printed the call for the `count`th time.
fn answering(
    server: &mut Process,
    by_hand: bool,
    count: usize,
    call: impl FnOnce() -> Result<Heard> + Send,
) -> Result<Heard> {
    if !by_hand {
        return call();
    }
    std::thread::scope(|scope| {
        let call = scope.spawn(call);
        let heard = |lines: &[String]| {
            let calls = lines.iter().filter(|line| line.contains(openssl::CALL)).count();
            (calls >= count).then_some(())
        };
        server.wait_stdout("the call", PATIENCE, heard)?;
        server.write(format!("{}\n", openssl::CALL).as_bytes())?;
        call.join().map_err(|_| anyhow!("the client's thread panicked"))?
    })
}
