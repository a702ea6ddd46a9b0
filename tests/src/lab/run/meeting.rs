//! One client at one server: start, lead, wait, and join what both report.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use jiff::Timestamp;
use nix::sys::signal::Signal;

use super::super::case::{Case, MOST_STARTS};
use super::super::peer::{Behaviour, ClientPlan, Output, PEER_PATIENCE, Report, Stack};
use super::super::proxy;
use super::super::truth::{Circumstances, Reports};
use super::{
    Connection, Laboratory, Meeting, Outcome, Running, Selection, Shown, fingerprint, judged_is_relay,
};
use crate::peers::Version;
use crate::pki::SERVER_NAME;
use crate::poll;
use crate::probed::CONNECTED_PATIENCE;

/// How long a server may take to report a connection that its client has left.
const REPORT_PATIENCE: Duration = Duration::from_secs(3);
/// What a process may take for each connection beyond its patience.
const PER_CONNECTION: Duration = Duration::from_millis(500);
/// A line that is being written when it is read would be incomplete.
const LINE_TIME: Duration = Duration::from_millis(15);

impl Laboratory {
    /// Sends one client of one case to a server, as often as the case asks.
    pub(super) fn meet(
        &self,
        server: &mut Running<'_>,
        client: &dyn Stack,
        case: &Case,
        version: Version,
        selection: &Selection,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let count = selection.count(case, version);
        // A relay takes one connection.
        let loops = client.loops() && case.cut.is_none();
        let (starts, each) = if loops {
            (1, count)
        } else {
            (count.min(MOST_STARTS), 1)
        };
        let directory = self.directory()?;
        for _ in 0..starts {
            match self.meet_once(server, client, case, version, each, &directory)? {
                Some(meeting) => outcome.meetings.push(meeting),
                None => break,
            }
        }
        Ok(())
    }

    fn meet_once(
        &self,
        server: &mut Running<'_>,
        client: &dyn Stack,
        case: &Case,
        version: Version,
        count: u32,
        directory: &Path,
    ) -> Result<Option<Meeting>> {
        let mut plan = ClientPlan {
            address: server.address,
            port: (count == 1).then(|| self.client_port()),
            version: Some(version),
            trusted: &self.materials.pki.server_ca.files.certificate,
            server_name: SERVER_NAME,
            identity: None,
            unchecked_identity: false,
            count,
            resume: false,
            early_data: false,
            cipher: None,
            group: None,
            alpn: None,
            padding: None,
            post_handshake_auth: false,
            behaviour: Behaviour::Requests,
            directory,
        };
        case.client.put(&mut plan, &self.materials);
        let relayed = match case.cut {
            None => None,
            Some(cut) => {
                plan.address = self.server_address()?;
                Some((cut, plan.address))
            }
        };
        let Some(command) = client.call(&plan)? else {
            return Ok(None);
        };
        let relay = match relayed {
            None => None,
            Some((cut, address)) => Some(proxy::start(&self.namespace, address, server.address, cut)?),
        };
        let begun = Timestamp::now();
        let mut process = match server.probed {
            None => self.place().spawn(&mut self.own(&command))?,
            Some(probed) => {
                // The kernel lets the client connect, and nobody answers its ClientHello yet.
                server.process.signal(Signal::SIGSTOP)?;
                let process = self.place().spawn(&mut self.own(&command));
                if let Ok(process) = &process {
                    probed(client.name(), process, CONNECTED_PATIENCE);
                }
                server.process.signal(Signal::SIGCONT)?;
                process?
            }
        };
        client.lead(&plan, &mut process)?;
        process.wait(PEER_PATIENCE * 2 + PER_CONNECTION * count)?;
        if let Some(relay) = relay {
            relay.join().map_err(|_| anyhow!("the relay panicked"))??;
        }
        let of_client = client
            .client_reports(&output(&process.stdout(), &process.stderr(), directory))
            .with_context(|| process.transcript())?;
        let expected = usize::try_from(count)?;
        ensure!(
            of_client.len() == expected,
            "{} reports of {count}: {}",
            of_client.len(),
            process.transcript()
        );
        let of_server = server.new_reports(expected)?;
        let ended = Timestamp::now();
        let judged = if judged_is_relay(case.cut) {
            plan.address
        } else {
            server.address
        };
        let relay_port = relayed.map(|(_, address)| address.port());
        let port_of = |client: &Report, server: &Option<Report>| match relay_port {
            // Behind a relay the server sees the relay's port.
            Some(port) if port != judged.port() => server.as_ref().and_then(|report| report.port),
            Some(_) => client.port.or(plan.port),
            None => client
                .port
                .or(server.as_ref().and_then(|report| report.port))
                .or(plan.port),
        };
        let connections = join(of_client, of_server, relay_port.is_none())
            .into_iter()
            .map(|(client, server)| Connection {
                port: port_of(&client, &server),
                reports: Reports {
                    client: Some(client),
                    server,
                },
            })
            .collect();
        Ok(Some(Meeting {
            server: server.stack.name(),
            client: client.name(),
            case: case.clone(),
            version,
            circumstances: Circumstances {
                asks: server.asks,
                groups_differ: plan.group.is_some()
                    && server.group.is_some()
                    && plan.group != server.group.as_deref(),
                one_suite: plan.cipher.is_some(),
            },
            shown: Shown {
                client: plan
                    .identity
                    .map(|identity| fingerprint(identity.chain))
                    .transpose()?,
                server: server.shown.clone(),
            },
            port: judged.port(),
            other_port: relay_port.map(|port| {
                if port == judged.port() {
                    server.address.port()
                } else {
                    port
                }
            }),
            time: (begun, ended),
            connections,
        }))
    }
}

impl Running<'_> {
    /// The next `count` reports, or as many as come in time.
    fn new_reports(&mut self, count: usize) -> Result<Vec<Report>> {
        let look = |server: &Self| -> Result<Vec<Report>> {
            let (stdout, stderr) = (server.process.stdout(), server.process.stderr());
            let all = server
                .stack
                .server_reports(&output(&stdout, &stderr, &server.directory))?;
            Ok(all.into_iter().skip(server.reported).collect())
        };
        // Fewer is no error here: the connections without a report have an unclear truth.
        let _ = poll::until("the server's reports", REPORT_PATIENCE, || {
            Ok((look(self)?.len() >= count).then_some(()))
        });
        std::thread::sleep(LINE_TIME);
        let new = look(self)?;
        self.reported += new.len();
        ensure!(
            new.len() <= count,
            "{} reports of {count} connections at {}",
            new.len(),
            self.kind.name
        );
        Ok(new)
    }
}

fn output<'a>(stdout: &'a [String], stderr: &'a str, directory: &'a Path) -> Output<'a> {
    Output {
        stdout,
        stderr,
        directory,
    }
}

/// Joins the reports of both ends: by the client's port where both tell it and it is the same connection, else by order,
/// which is only sure when there are as many of each.
fn join(client: Vec<Report>, mut server: Vec<Report>, same_port: bool) -> Vec<(Report, Option<Report>)> {
    let told = |reports: &[Report]| reports.iter().all(|report| report.port.is_some());
    let by_port = same_port && told(&client) && told(&server);
    let in_order = client.len() == server.len();
    let mut joined = Vec::new();
    for report in client {
        let found = match (by_port, in_order) {
            (true, _) => server.iter().position(|other| other.port == report.port),
            (false, true) => Some(0),
            (false, false) => None,
        };
        let other = found.map(|index| server.remove(index));
        joined.push((report, other));
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(port: Option<u16>) -> Report {
        Report {
            port,
            ..Report::default()
        }
    }

    #[test]
    fn reports_meet_by_port_or_else_by_order_when_none_is_missing() {
        let ports = |joined: Vec<(Report, Option<Report>)>| -> Vec<_> {
            joined
                .into_iter()
                .map(|(_, server)| server.map(|report| report.port))
                .collect()
        };
        let numbered = |numbers: &[u16]| numbers.iter().map(|port| report(Some(*port))).collect::<Vec<_>>();
        let crossed = join(numbered(&[1, 2, 3]), numbered(&[3, 1]), true);
        assert_eq!(ports(crossed), [Some(Some(1)), None, Some(Some(3))]);
        let blind = join(vec![report(None), report(None)], numbered(&[5, 6]), true);
        assert_eq!(ports(blind), [Some(Some(5)), Some(Some(6))]);
        let short = join(vec![report(None), report(None)], numbered(&[5]), true);
        assert_eq!(ports(short), [None, None]);
        let relayed = join(numbered(&[1]), numbered(&[9]), false);
        assert_eq!(ports(relayed), [Some(Some(9))]);
    }
}
