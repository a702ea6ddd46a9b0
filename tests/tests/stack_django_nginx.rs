//! Django behind nginx, which turns clients away above TLS.

use anyhow::Result;
use observer_tests::stacks::service::{Refusal, Stack};
use observer_tests::stacks::{prove, stuffing};

const NGINX: Stack = Stack {
    refusal: Refusal::Answer,
    logs: &["error.log", "access.log"],
    ..Stack::on_openssl("django-nginx", "nginx", "run", "nginx")
};

#[test]
#[ignore = "needs root"]
fn nginx() -> Result<()> {
    prove::prove(&NGINX)
}

#[test]
#[ignore = "needs root"]
fn nginx_under_stuffing() -> Result<()> {
    stuffing::prove(&NGINX)
}
