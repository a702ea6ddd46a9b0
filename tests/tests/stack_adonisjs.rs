//! AdonisJS with mutual TLS on Node's https.

use anyhow::Result;
use observer_tests::stacks::service::{Code, Library, Refusal, Stack};
use observer_tests::stacks::{prove, stuffing};

const NODE: Stack = Stack {
    name: "adonisjs",
    variant: "Node",
    program: "run",
    process: "node",
    code: Code::Program("node"),
    library: Library::OpenSsl,
    probes: "auto",
    refusal: Refusal::Handshake,
    alerts_strangers: false,
    resumes: true,
    logs: &[],
};

#[test]
#[ignore = "needs root"]
fn node() -> Result<()> {
    prove::prove(&NODE)
}

#[test]
#[ignore = "needs root"]
fn node_under_stuffing() -> Result<()> {
    stuffing::prove(&NODE)
}
