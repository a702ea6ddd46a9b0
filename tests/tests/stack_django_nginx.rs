//! Django behind nginx, which turns clients away above TLS.

use anyhow::Result;
use observer_tests::stacks::service::{Code, Library, Refusal, Stack};
use observer_tests::stacks::{prove, stuffing};

const NGINX: Stack = Stack {
    name: "django-nginx",
    variant: "nginx",
    program: "run",
    process: "nginx",
    code: Code::SharedOpenSsl,
    library: Library::OpenSsl,
    probes: "auto",
    refusal: Refusal::Answer,
    alerts_strangers: false,
    resumes: true,
    logs: &["error.log", "access.log"],
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
