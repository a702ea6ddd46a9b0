//! Django that serves mutual TLS itself, by gunicorn and by uvicorn.

use anyhow::Result;
use observer_tests::stacks::service::Stack;
use observer_tests::stacks::{prove, stuffing};

const GUNICORN: Stack = Stack {
    // Each connection has a context of its own.
    resumes: false,
    ..Stack::on_openssl("django-direct", "gunicorn", "run-gunicorn", "python3")
};
const UVICORN: Stack = Stack::on_openssl("django-direct", "uvicorn", "run-uvicorn", "python3");

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
