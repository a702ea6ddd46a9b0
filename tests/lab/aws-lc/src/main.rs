//! The laboratory's rustls server and client (`observer_tests::lab::programs::rustls`), on aws-lc-rs instead of ring:
//! `rustls-server PLAN` or `rustls-client PLAN`. Also the benchmark's server, `bench-server FLAGS`, and what a test of the
//! library probes sends, `canaries`.

mod canaries;

use anyhow::{Context as _, Result, bail};
use observer_tests::bench::load;
use observer_tests::lab::programs::rustls::{Provider, run_client, run_server};

fn main() -> Result<()> {
    let provider = Provider {
        crypto: rustls::crypto::aws_lc_rs::default_provider(),
        ticketer: rustls::crypto::aws_lc_rs::Ticketer::new()?,
    };
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().unwrap_or_default();
    if part == "canaries" {
        return canaries::run(&arguments.collect::<Vec<_>>());
    }
    if part == "bench-server" {
        return load::serve_on(rustls::crypto::aws_lc_rs::default_provider, arguments);
    }
    let plan = arguments.next().context("no plan")?;
    match part.as_str() {
        "rustls-server" => run_server(provider, &plan),
        "rustls-client" => run_client(provider, &plan),
        other => bail!("neither rustls-server nor rustls-client: {other}"),
    }
}
