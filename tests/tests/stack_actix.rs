//! Actix Web with mutual TLS on OpenSSL.

use anyhow::Result;
use observer_tests::stacks::service::{Code, Library, Refusal, Stack};
use observer_tests::stacks::{prove, stuffing};

const ACTIX: Stack = Stack {
    name: "actix",
    variant: "OpenSSL",
    program: "actix-orders",
    process: "actix-orders",
    code: Code::SharedOpenSsl,
    library: Library::OpenSsl,
    probes: "auto",
    refusal: Refusal::Handshake,
    alerts_strangers: false,
    resumes: true,
    logs: &[],
};

#[test]
#[ignore = "needs root"]
fn openssl() -> Result<()> {
    prove::prove(&ACTIX)
}

#[test]
#[ignore = "needs root"]
fn openssl_under_stuffing() -> Result<()> {
    stuffing::prove(&ACTIX)
}
