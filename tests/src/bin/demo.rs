//! The agent's main job on an embedded example: services that demand client certificates, clients that have a good one,
//! none, an expired one and one of an unknown CA, and the agent that tells which is which. Needs root; touches nothing
//! but a network namespace and a cgroup of its own.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use nix::sys::signal::{SigSet, Signal};
use observer_tests::agent::{self, Agent, Attach};
use observer_tests::cgroup::{self, Cgroup};
use observer_tests::copies::Copies;
use observer_tests::metrics::{Metrics, Sample};
use observer_tests::netns::Namespace;
use observer_tests::peers::{ClientAuth, Place, Stack, Version};
use observer_tests::pki::{Leaf, Pki};
use observer_tests::poll::PATIENCE;

/// Exit status of a demonstration that was interrupted: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Shows what TLS Observer does.
#[derive(Parser)]
struct Flags {
    /// Path of the tls-observer binary.
    #[arg(long)]
    observer: Option<PathBuf>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    if let Some(path) = flags.observer {
        agent::use_binary(path);
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!(
            "the demonstration makes a network namespace and a cgroup and loads BPF programs: run it as root"
        );
        return ExitCode::from(77);
    }
    let copies = match own_libraries() {
        Ok(copies) => copies,
        Err(error) => {
            eprintln!("the demonstration has no OpenSSL of its own: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    match demonstrate(copies.directory()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the demonstration failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Copies of OpenSSL's libraries for the servers and clients. The agent puts probes into them, which every process that has
/// the same file would meet.
fn own_libraries() -> Result<Copies> {
    let copies = Copies::new()?;
    copies.openssl()?;
    // SAFETY: no other thread has begun yet.
    unsafe { std::env::set_var("LD_LIBRARY_PATH", copies.directory()) };
    Ok(copies)
}

/// Cleans up and ends the process on the signals that ask for it. Peers and agent die with the main thread.
fn clean_up_on_signals(directories: [PathBuf; 2]) -> Result<()> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    // Blocked before any other thread begins, so that this one alone gets them.
    signals.thread_block().context("block signals")?;
    std::thread::spawn(move || {
        if signals.wait().is_ok() {
            eprintln!("\ninterrupted: cleaning up");
            cgroup::remove_own();
            for directory in directories {
                let _ = std::fs::remove_dir_all(directory);
            }
            std::process::exit(INTERRUPTED);
        }
    });
    Ok(())
}

fn demonstrate(copies: &Path) -> Result<()> {
    let pki = Pki::new()?;
    clean_up_on_signals([pki.directory().to_owned(), copies.to_owned()])?;
    let (namespace, cgroup) = (Namespace::new()?, Cgroup::new()?);
    let place = Place {
        namespace: &namespace,
        cgroup: &cgroup,
    };
    println!(
        "The agent watches one cgroup, {}, and nothing else of this host.",
        cgroup.path().display()
    );
    println!(
        "In it, OpenSSL serves on two ports and demands client certificates: TLS 1.2 on 4412, TLS 1.3 on 4413."
    );
    println!(
        "Four clients call each, in this order: with a good certificate, with none, with an expired one, and with"
    );
    println!("one whose issuer the server does not know.\n");

    let agent = Agent::start(
        Attach::Cgroup(&cgroup),
        &["--format", "text", "--libraries", "openssl"],
    )?;
    let certificates: [Option<&Leaf>; 4] = [Some(&pki.good), None, Some(&pki.expired), Some(&pki.unknown_ca)];
    let mut rows = Table::default();
    for (version, port) in [(Version::Tls12, 4412), (Version::Tls13, 4413)] {
        let address = SocketAddr::new(ADDRESS, port);
        let _server = Stack::OpenSsl.serve(place, &pki, address, version, ClientAuth::Required)?;
        for certificate in certificates {
            let trusted = &pki.server_ca.files.certificate;
            Stack::OpenSsl.call(place, trusted, address, version, certificate)?;
            rows.show_next(&agent)?;
        }
    }
    println!("\nThe same as metrics, which is what an operator would alert on (those that are not 0):\n");
    show_metrics(&agent.metrics()?);
    let ended = agent.stop_text()?;
    println!();
    explain();
    println!(
        "The agent's last words: {}",
        ended.lines().last().unwrap_or_default()
    );
    Ok(())
}

/// The agent's table, printed as it grows.
#[derive(Default)]
struct Table {
    shown: usize,
}

impl Table {
    /// Waits for the next row and prints it, the titles with the first.
    fn show_next(&mut self, agent: &Agent) -> Result<()> {
        let wanted = self.shown.max(1) + 1;
        let lines = agent.wait_stdout(wanted, PATIENCE)?;
        for line in lines.iter().skip(self.shown) {
            println!(
                "{}",
                if std::io::stdout().is_terminal() {
                    emphasise(line)
                } else {
                    line.clone()
                }
            );
        }
        self.shown = lines.len();
        Ok(())
    }
}

/// Colors a row by its result.
fn emphasise(line: &str) -> String {
    let color = if line.contains("established") {
        32
    } else if line.contains("client_certificate") {
        31
    } else {
        return format!("\x1b[1m{line}\x1b[0m");
    };
    format!("\x1b[{color}m{line}\x1b[0m")
}

fn show_metrics(metrics: &Metrics) {
    let told = |sample: &&Sample| {
        sample.value > 0.0
            && sample.name.starts_with("tls_")
            && !sample.name.starts_with("tls_observer_")
            && !sample.name.ends_with("_bucket")
    };
    for sample in metrics.0.iter().filter(told) {
        println!("    {}", sample.line);
    }
}

fn explain() {
    println!(
        "What this shows: of eight handshakes two were established and six refused, and each refusal has its cause."
    );
    println!(
        "In TLS 1.2 certificates and alerts are readable, so the agent names the subject that was refused and why."
    );
    println!(
        "TLS 1.3 encrypts both: there probes in OpenSSL's own functions tell the certificate, what the server found"
    );
    println!(
        "wrong with it, and the alert. (The servers use a copy of OpenSSL, so that the probes are in no other process.)"
    );
    println!(
        "No byte of application data left the kernel. Namespace, cgroup and processes are gone when this ends."
    );
}
