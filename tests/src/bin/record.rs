//! Records the project's own fixtures anew; `cargo xtask fixtures` runs it.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use observer_tests::fixtures;
use observer_tests::record::{record, scenarios, stage::Materials};

/// Plays each scenario in a network namespace of its own and captures it (root).
#[derive(Parser)]
struct Arguments {
    /// Where captures and manifest go
    #[arg(long, default_value_os_t = fixtures::directory())]
    into: PathBuf,
    /// Record only scenarios whose name has this in it; the manifest keeps the others
    #[arg(long)]
    only: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.into)?;
    let scenarios = scenarios::all();
    let known: Vec<String> = scenarios
        .iter()
        .map(|scenario| format!("{}.pcapng", scenario.name))
        .collect();
    let mut recorded = match arguments.only {
        Some(_) => fixtures::load_from(&arguments.into).unwrap_or_default(),
        None => Vec::new(),
    };
    let only = arguments.only.unwrap_or_default();
    let materials = Materials::new()?;
    let mut failed = 0;
    for scenario in scenarios.iter().filter(|scenario| scenario.name.contains(&only)) {
        match record(scenario, &materials, &arguments.into) {
            Ok(fixture) => {
                println!("{}", fixture.file);
                recorded.retain(|other| other.file != fixture.file);
                recorded.push(fixture);
            }
            Err(error) => {
                failed += 1;
                eprintln!("{}: {error:#}", scenario.name);
            }
        }
    }
    recorded.retain(|fixture| known.contains(&fixture.file));
    recorded.sort_by(|a, b| a.file.cmp(&b.file));
    fixtures::store(&arguments.into, &recorded)?;
    ensure!(failed == 0, "{failed} scenarios could not be recorded");
    Ok(())
}
