//! `cargo xtask lab`: real servers and clients in every case, and how right the agent is about them. Needs root.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use observer_tests::agent;
use observer_tests::lab::programs::rustls::{self, Provider};
use observer_tests::lab::report;
use observer_tests::lab::run::Selection;
use observer_tests::lab::session::{self, Findings};
use observer_tests::lab::stacks::strangers;

/// Lines of a list that are shown; the rest is counted.
const SHOWN: usize = 20;
/// Runs servers times clients times cases and compares each event with what both peers report. Exit status 0 also when
/// the agent was wrong: the tables say so; 1 when a handshake was lost.
#[derive(Parser)]
#[command(name = "lab", args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The agent's binary; found beside this program when not given.
    #[arg(long)]
    observer: Option<PathBuf>,
    /// A short version, under 100 s: few cases, each stack with itself and one partner.
    #[arg(long)]
    quick: bool,
    /// Only pairs with this stack.
    #[arg(long)]
    stack: Option<String>,
    /// Only cases with this in their names.
    #[arg(long)]
    case: Option<String>,
    /// How often everything is repeated.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Minutes after which nothing new is begun.
    #[arg(long, default_value_t = 18)]
    minutes: u64,
    /// Where the rows go.
    #[arg(long, default_value = "target/lab")]
    into: PathBuf,
    /// Put the tables of a whole run into this document.
    #[arg(long)]
    document: Option<PathBuf>,
    #[command(subcommand)]
    program: Option<Program>,
}

/// Peers that the laboratory starts itself.
#[derive(Subcommand)]
#[command(hide = true)]
enum Program {
    /// A rustls server.
    RustlsServer { plan: String },
    /// A rustls client.
    RustlsClient { plan: String },
    /// An end that speaks no TLS.
    Stranger { name: String, plan: String },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    match &arguments.program {
        Some(Program::RustlsServer { plan }) => rustls::run_server(Provider::ring()?, plan)?,
        Some(Program::RustlsClient { plan }) => rustls::run_client(Provider::ring()?, plan)?,
        Some(Program::Stranger { name, plan }) => strangers::run(name, plan)?,
        None => return laboratory(arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn laboratory(arguments: Arguments) -> Result<ExitCode> {
    if let Some(path) = arguments.observer {
        agent::use_binary(path);
    }
    let selection = Selection {
        quick: arguments.quick,
        stack: arguments.stack,
        case: arguments.case,
        rounds: arguments.rounds,
        limit: Some(Duration::from_secs(arguments.minutes * 60)),
    };
    let findings = session::run(&selection, &arguments.into)?;
    let tables = report::tables(&findings.rows);
    println!("{tables}");
    summary(&findings, &arguments.into);
    if let Some(document) = arguments
        .document
        .filter(|_| selection.is_all() && findings.skipped == 0)
    {
        report::write(&document, &tables)?;
    }
    Ok(if findings.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is no result: what went wrong in the laboratory itself, and where the rows are.
fn summary(findings: &Findings, directory: &Path) {
    let list = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            eprintln!("{title}: {}", lines.len());
        }
        for line in lines.iter().take(SHOWN) {
            eprintln!("  {line}");
        }
    };
    list("problems", &findings.problems);
    list("cases that came out otherwise than meant", &findings.astray());
    list("connections without an event", &findings.lost);
    list("events without a connection", &findings.surplus);
    if findings.skipped > 0 {
        eprintln!("cases of a pair left out for lack of time: {}", findings.skipped);
    }
    eprintln!("dropped by the agent: {}", findings.dropped);
    eprintln!(
        "time: {:.0} s; rows: {}",
        findings.time.as_secs_f64(),
        Findings::rows_file(directory).display()
    );
}
