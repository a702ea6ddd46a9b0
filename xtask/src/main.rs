//! Development tasks of TLS Observer, one file for each verb or two. `cargo xtask --help` lists them.

mod bench;
mod build;
mod ci;
mod conformance;
mod docs;
mod ebpf_toolchain;
mod fixtures;
mod fuzz;
mod instructions;
mod kernels;
mod lab;
mod lab_packages;
mod libtest;
mod linker;
mod live;
mod miri;
mod packages;
mod process;
mod prometheus;
mod setup;
mod skips;
mod stacks;
mod test;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks of TLS Observer.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Find or install what the eBPF half is built with
    Setup(setup::Options),
    /// Set up, then build the agent
    Build(build::Options),
    /// Set up, build, and watch handshakes that a small own world makes (root)
    Demo(live::Options),
    /// Set up, then run all tests: unit, doc and live (live ones as root); or those of one stack
    Test(test::Options),
    /// Set up, then measure what the agent costs (root), or what its parts do
    Bench(bench::Options),
    /// Run the fuzz targets for a while each
    Fuzz(fuzz::Options),
    /// Run the TLS parser's unit tests under Miri
    Miri,
    /// Set up, then run the agent on other kernels in virtual machines
    Kernels(kernels::Options),
    /// Write what is generated under docs/ from the code
    Docs,
    /// Record the captures of the tests anew (root)
    Fixtures(live::Options),
    /// Compare the observer with tshark on a folder of captures
    Conformance(conformance::Options),
    /// Set up, then compare the agent with what servers and clients of many TLS libraries report (root)
    Lab(live::Options),
    /// All checks and all tests, as CI runs them
    Ci,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().verb {
        Verb::Setup(options) => setup::run(&options).map(|()| ExitCode::SUCCESS),
        Verb::Build(options) => build::run(&options).map(|()| ExitCode::SUCCESS),
        Verb::Demo(options) => live::demo(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Miri => miri::run(),
        Verb::Kernels(options) => kernels::run(&options),
        Verb::Docs => docs::run().map(|()| ExitCode::SUCCESS),
        Verb::Fixtures(options) => fixtures::run(&options),
        Verb::Conformance(options) => conformance::run(&options),
        Verb::Lab(options) => lab::run(&options),
        Verb::Ci => ci::run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
