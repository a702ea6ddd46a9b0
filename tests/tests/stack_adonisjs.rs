//! AdonisJS with mutual TLS on Node's https.

use anyhow::Result;
use observer_tests::stacks::service::{Code, Stack};
use observer_tests::stacks::{prove, stuffing};

const NODE: Stack = Stack {
    code: Code::Program("node"),
    ..Stack::on_openssl("adonisjs", "Node", "run", "node")
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
