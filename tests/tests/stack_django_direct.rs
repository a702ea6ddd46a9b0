//! Django that serves mutual TLS itself, by gunicorn and by uvicorn.

use anyhow::Result;
use observer_tests::stacks::service::{Code, Library, Refusal, Stack};
use observer_tests::stacks::{prove, stuffing};

const GUNICORN: Stack = Stack {
    name: "django-direct",
    variant: "gunicorn",
    program: "run-gunicorn",
    process: "python3.11",
    code: Code::SharedOpenSsl,
    library: Library::OpenSsl,
    probes: "auto",
    refusal: Refusal::Handshake,
    alerts_strangers: false,
    resumes: false,
    logs: &[],
};

const UVICORN: Stack = Stack {
    name: "django-direct",
    variant: "uvicorn",
    program: "run-uvicorn",
    process: "python3.11",
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
fn gunicorn() -> Result<()> {
    prove::prove(&GUNICORN)
}

#[test]
#[ignore = "needs root"]
fn gunicorn_under_stuffing() -> Result<()> {
    stuffing::prove(&GUNICORN)
}

#[test]
#[ignore = "needs root"]
fn uvicorn() -> Result<()> {
    prove::prove(&UVICORN)
}

#[test]
#[ignore = "needs root"]
fn uvicorn_under_stuffing() -> Result<()> {
    stuffing::prove(&UVICORN)
}
