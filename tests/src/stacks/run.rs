//! Plays all cases with one stack.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::agent::{Agent, Attach};
use crate::cgroup::Cgroup;
use crate::events::at;
use crate::netns::Namespace;
use crate::peers::{Place, Version};
use crate::probed;

use super::case::Case;
use super::certificates::Certificates;
use super::client::{Client, View, old_version};
use super::service::{Deployment, Logged, NAME, Service, Stack};

/// A name that the server's certificate does not have.
const OTHER_NAME: &str = "elsewhere.observer.test";
/// How long a service may take to begin its log of a connection, after the agent's event.
const SILENCE: Duration = Duration::from_millis(250);
/// How long after its last line it has no more to say.
const LAST_LINE: Duration = Duration::from_millis(50);

/// What was seen of one case.
#[derive(Debug)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// The version that the client spoke, or would have.
    pub version: Version,
    /// What the service logged.
    pub log: Vec<String>,
    /// What the client saw.
    pub saw: String,
    /// What the agent told.
    pub event: Value,
}

/// A stack with an agent that watches it.
pub struct Scene {
    /// Its certificates.
    pub certificates: Certificates,
    /// Where clients run.
    pub namespace: Namespace,
    /// The services by deployment.
    pub services: BTreeMap<Deployment, Service>,
    /// The agent.
    pub agent: Agent,
    _cgroup: Cgroup,
    /// The events that belong to connections, by their ids.
    claimed: BTreeMap<String, Value>,
}

impl Scene {
    /// Starts the agent, which trusts the authorities of clients and servers, then the stack's deployments.
    ///
    /// # Errors
    /// When a part does not come up.
    pub fn new(stack: &Stack, deployments: &[Deployment]) -> Result<Self> {
        let certificates = Certificates::new()?;
        let (namespace, cgroup) = (Namespace::new()?, Cgroup::new()?);
        let pki = &certificates.pki;
        let clients = pki.client_ca.files.certificate.display();
        let servers = pki.server_ca.files.certificate.display();
        let mut flags = vec![
            "--trust".to_owned(),
            format!(
                "clients={clients};crl={};side=client",
                certificates.faults.crl.display()
            ),
            "--trust".to_owned(),
            format!("servers={servers};side=server"),
            "--libraries".to_owned(),
            stack.probes.to_owned(),
        ];
        for deployment in Deployment::ALL {
            flags.push("--service".to_owned());
            flags.push(format!("{}={}", deployment.service(), deployment.address()));
        }
        flags.extend(probed::FLAGS.map(str::to_owned));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let agent = Agent::start(Attach::Cgroup(&cgroup), &flags)?;
        let place = Place {
            namespace: &namespace,
            cgroup: &cgroup,
        };
        let mut services = BTreeMap::new();
        for deployment in deployments {
            let service = stack.deploy(*deployment, &certificates, place, &agent)?;
            services.insert(*deployment, service);
        }
        Ok(Self {
            certificates,
            namespace,
            services,
            agent,
            _cgroup: cgroup,
            claimed: BTreeMap::new(),
        })
    }

    /// Plays a case.
    ///
    /// # Errors
    /// When client or agent do not do their part.
    pub fn play(&mut self, case: Case, version: Version) -> Result<Row> {
        let deployment = case.deployment(version);
        let before = self.service(deployment)?.logged();
        let views = self.namespace.run(|| self.meet(case, version))?;
        let mut event = Value::Null;
        for view in &views {
            event = self.claim(deployment, view.port)?;
        }
        Ok(Row {
            case,
            version,
            log: whole_log(self.service(deployment)?, &before),
            saw: views.into_iter().next_back().context("no connection")?.saw,
            event,
        })
    }

    fn service(&self, deployment: Deployment) -> Result<&Service> {
        self.services
            .get(&deployment)
            .with_context(|| format!("{deployment:?} is not deployed"))
    }

    /// The client's part; what each of its connections saw.
    fn meet(&self, case: Case, version: Version) -> Result<Vec<View>> {
        let pki = &self.certificates.pki;
        let client = Client {
            address: case.deployment(version).address(),
            version: match case {
                Case::NoSharedVersion => Version::Tls12,
                _ => version,
            },
            shows: case.shows(&self.certificates),
            trusted: match case {
                Case::ServerUnknownCa => &pki.other_ca.files.certificate,
                _ => &pki.server_ca.files.certificate,
            },
            name: match case {
                Case::ServerOtherName => OTHER_NAME,
                _ => NAME,
            },
        };
        let config = client.config()?;
        Ok(match (case, version) {
            (Case::NoSharedVersion, Version::Tls12) => vec![old_version(client.address)?],
            (Case::PlainHttp, _) => vec![client.plain_http()?],
            (Case::ClientAborts, _) => vec![client.abort(&config)?],
            (Case::Resumed, _) => vec![client.request(&config)?, client.request(&config)?],
            _ => vec![client.request(&config)?],
        })
    }

    /// The event of a connection, which no other has.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn claim(&mut self, deployment: Deployment, port: Option<u16>) -> Result<Value> {
        let id = |event: &Value| at(event, "event.id").as_str().unwrap_or_default().to_owned();
        let mark = format!("\"port\":{}", port.unwrap_or(deployment.address().port()));
        let what = format!("an event with {mark}");
        let event = self.agent.wait_for_marked(&what, &mark, |event| {
            is_handshake(event)
                && at(event, "server.port") == deployment.address().port()
                && port.is_none_or(|port| at(event, "client.port") == port)
                && !self.claimed.contains_key(&id(event))
        })?;
        self.claimed.insert(id(&event), event.clone());
        Ok(event)
    }

    /// All events that connections have claimed.
    pub fn claimed_events(&self) -> impl Iterator<Item = &Value> {
        self.claimed.values()
    }

    /// Ends the agent and demands that it lost nothing but what is `accounted` for by some part of the counter's line, and
    /// told of no handshake but those that were. Gives the certificates.
    ///
    /// # Errors
    /// When it did.
    pub fn finish(self, accounted: &[&str]) -> Result<Certificates> {
        let mut losses = self.agent.metrics()?.losses();
        losses.retain(|line| !accounted.iter().any(|part| line.contains(part)));
        ensure!(losses.is_empty(), "{losses:#?}");
        let ended = self.agent.stop()?;
        let handshakes = ended.events.iter().filter(|event| is_handshake(event)).count();
        ensure!(
            handshakes == self.claimed.len(),
            "{handshakes} events of handshakes, {} connections",
            self.claimed.len()
        );
        Ok(self.certificates)
    }
}

/// What a service logs of a connection. Nothing tells that this is all but that no more comes.
fn whole_log(service: &Service, before: &Logged) -> Vec<String> {
    let mut since = Instant::now();
    let mut lines = service.log_since(before);
    while since.elapsed() < if lines.is_empty() { SILENCE } else { LAST_LINE } {
        std::thread::sleep(Duration::from_millis(10));
        let now = service.log_since(before);
        if now.len() > lines.len() {
            (since, lines) = (Instant::now(), now);
        }
    }
    lines
}

fn is_handshake(event: &Value) -> bool {
    at(event, "event.action") == "tls-handshake"
}
