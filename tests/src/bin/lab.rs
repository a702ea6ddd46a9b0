//! `cargo xtask lab`: real servers and clients in every case, and how right the agent is about them. Needs root.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use observer_tests::agent;
use observer_tests::lab::programs::rustls::{self, Provider};
use observer_tests::lab::report;
use observer_tests::lab::run::{Extent, PARTNER, Selection};
use observer_tests::lab::session::{self, Findings, View};
use observer_tests::lab::stacks::strangers;

/// What `--libraries` means alone: all but rustls on ring, the library of the partner of all stacks in `--proof`.
const ALL_LIBRARIES: &str = "openssl,gnutls,go,aws-lc,boringssl";
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
    /// Only what library probes are held against: few cases, each stack with one partner.
    #[arg(long, conflicts_with = "quick", requires = "libraries")]
    proof: bool,
    /// Compare an agent with probes in these libraries, with one that has only the
    /// wire; both watch the same handshakes.
    #[arg(long, num_args = 0..=1, default_missing_value = ALL_LIBRARIES)]
    libraries: Option<String>,
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
    /// Put the tables of a whole run into this document: those of the wire alone.
    #[arg(long)]
    document: Option<PathBuf>,
    /// Put the tables of a run with `--libraries` of all stacks into this document.
    #[arg(long)]
    libraries_document: Option<PathBuf>,
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
    let extent = match (arguments.quick, arguments.proof) {
        (true, _) => Extent::Quick,
        (_, true) => Extent::Libraries,
        _ => Extent::Whole,
    };
    let selection = Selection {
        extent,
        stack: arguments.stack,
        case: arguments.case,
        rounds: arguments.rounds,
        limit: Some(Duration::from_secs(arguments.minutes * 60)),
    };
    let flags = arguments
        .libraries
        .as_deref()
        .map(|libraries| ["--libraries", libraries]);
    let probed = flags.iter().map(|flags| View {
        name: "libraries",
        flags,
    });
    let views: Vec<_> = [View::WIRE].into_iter().chain(probed).collect();
    let mut all = session::run(&selection, &views, &arguments.into)?;
    if arguments.proof && selection.stack.is_none() {
        prove_partner(&selection, &mut all, &arguments.into)?;
    }
    for (view, findings) in views.iter().zip(&all) {
        summary(findings, &view.rows_file(&arguments.into));
    }
    if let [wire, ..] = &all[..] {
        let tables = report::tables(&wire.rows);
        println!("{tables}");
        let whole = selection.is_all() && wire.skipped == 0;
        if let Some(document) = arguments.document.filter(|_| whole) {
            report::write(&document, &tables)?;
        }
    }
    if let [wire, probed] = &all[..] {
        let tables = report::comparison(&wire.rows, &probed.rows);
        println!("{tables}");
        let every = selection.stack.is_none() && selection.case.is_none() && extent != Extent::Quick;
        if let Some(document) = arguments.libraries_document.filter(|_| every) {
            report::write(&document, &tables)?;
        }
    }
    Ok(if all.iter().all(Findings::is_complete) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The partner of all stacks has its own library probed in a run of its own, in place of what the others' run says of it.
fn prove_partner(selection: &Selection, all: &mut [Findings], directory: &Path) -> Result<()> {
    let alone = Selection {
        stack: Some(PARTNER.to_owned()),
        ..selection.clone()
    };
    let probed = View {
        name: PARTNER,
        flags: &["--libraries", PARTNER],
    };
    let directory = directory.join(PARTNER);
    for (findings, of_partner) in all
        .iter_mut()
        .zip(session::run(&alone, &[View::WIRE, probed], &directory)?)
    {
        findings
            .rows
            .retain(|row| (row.server, row.client) != (PARTNER, PARTNER));
        findings.rows.extend(of_partner.rows);
        findings.losses.extend(of_partner.losses);
        findings.lost.extend(of_partner.lost);
        findings.surplus.extend(of_partner.surplus);
    }
    Ok(())
}

/// What is no result: what went wrong in the laboratory itself, and where the rows are.
fn summary(findings: &Findings, rows: &Path) {
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
    list("losses", &findings.losses);
    eprintln!("dropped by the agent: {}", findings.dropped);
    eprintln!(
        "time: {:.0} s; rows: {}",
        findings.time.as_secs_f64(),
        rows.display()
    );
}
