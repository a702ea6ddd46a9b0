//! Actix Web with mutual TLS on OpenSSL.

use anyhow::Result;
use observer_tests::stacks::service::Stack;
use observer_tests::stacks::{prove, stuffing};

const ACTIX: Stack = Stack::on_openssl("actix", "OpenSSL", "actix-orders", "actix-orders");

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
