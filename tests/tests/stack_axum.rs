//! Axum with mutual TLS on rustls, with either provider, as Cargo builds it and stripped.

use anyhow::Result;
use observer_tests::stacks::service::{Code, Library, Stack};
use observer_tests::stacks::{prove, stuffing};

/// A program of the two providers, with its symbols or without.
const fn axum(variant: &'static str, program: &'static str, code: Code, library: Library) -> Stack {
    Stack {
        code,
        library,
        probes: "auto,aws-lc,rustls",
        alerts_strangers: true,
        ..Stack::on_openssl("axum", variant, program, program)
    }
}

const AWS_LC: Stack = axum(
    "aws-lc-rs",
    "axum-orders-aws-lc",
    Code::Program("axum-orders-aws-lc"),
    Library::AwsLc,
);
const RING: Stack = axum(
    "ring",
    "axum-orders-ring",
    Code::Program("axum-orders-ring"),
    Library::Ring,
);
const AWS_LC_STRIPPED: Stack = axum(
    "aws-lc-rs, stripped",
    "axum-orders-aws-lc-stripped",
    Code::Stripped,
    Library::Stripped,
);
const RING_STRIPPED: Stack = axum(
    "ring, stripped",
    "axum-orders-ring-stripped",
    Code::Stripped,
    Library::Stripped,
);

#[test]
#[ignore = "needs root"]
fn aws_lc() -> Result<()> {
    prove::prove(&AWS_LC)
}

#[test]
#[ignore = "needs root"]
fn aws_lc_under_stuffing() -> Result<()> {
    stuffing::prove(&AWS_LC)
}

#[test]
#[ignore = "needs root"]
fn ring() -> Result<()> {
    prove::prove(&RING)
}

#[test]
#[ignore = "needs root"]
fn ring_under_stuffing() -> Result<()> {
    stuffing::prove(&RING)
}

#[test]
#[ignore = "needs root"]
fn aws_lc_stripped() -> Result<()> {
    prove::prove(&AWS_LC_STRIPPED)
}

#[test]
#[ignore = "needs root"]
fn aws_lc_stripped_under_stuffing() -> Result<()> {
    stuffing::prove(&AWS_LC_STRIPPED)
}

#[test]
#[ignore = "needs root"]
fn ring_stripped() -> Result<()> {
    prove::prove(&RING_STRIPPED)
}

#[test]
#[ignore = "needs root"]
fn ring_stripped_under_stuffing() -> Result<()> {
    stuffing::prove(&RING_STRIPPED)
}
