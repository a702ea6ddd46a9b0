//! The `tls-observer` binary: parse, run, exit status.

use std::io::Write as _;
use std::process::ExitCode;

use tls_observer::cli::{Cli, Verb};
use tls_observer::config::host::ThisHost;
use tls_observer::config::replay::ReplayConfig;
use tls_observer::config::{Config, Console};
use tls_observer::exit::Exit;
use tls_observer::{certificates, check, logging, output, pipeline, replay};

fn main() -> ExitCode {
    let cli = Cli::from_process();
    let exit = match &cli.verb {
        Verb::Run(run) => match Config::from_cli(&cli.global, run, &ThisHost) {
            Ok(config) => self::run(config),
            Err(error) => fail(&error, error.exit()),
        },
        Verb::Replay(replay) => match ReplayConfig::from_cli(&cli.global, replay, &ThisHost) {
            Ok(config) => {
                logging::start(&config.console);
                replay::verb::run(&config)
            }
            Err(error) => fail(&error, error.exit()),
        },
        Verb::Certificates(certificates) if certificates.files.is_empty() => {
            match Console::from_cli(&cli.global, &ThisHost) {
                Ok(console) => certificates::run(&certificates.url, console.format),
                Err(error) => fail(&error, error.exit()),
            }
        }
        Verb::Certificates(certificates) => {
            match ReplayConfig::of_certificates(&cli.global, certificates, &ThisHost) {
                Ok(config) => {
                    logging::start(&config.console);
                    replay::verb::run(&config)
                }
                Err(error) => fail(&error, error.exit()),
            }
        }
        Verb::Check(arguments) => match Console::from_cli(&cli.global, &ThisHost) {
            Ok(console) if arguments.libraries => check::print_libraries(console.format),
            Ok(console) => check::print(console.format),
            Err(error) => fail(&error, error.exit()),
        },
        Verb::Schema => print(&output::schema::event_schema_text()),
    };
    exit.into()
}

fn run(config: Config) -> Exit {
    logging::start(&config.console);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, Exit::Failed),
    };
    match runtime.block_on(pipeline::run(config)) {
        Ok(()) => Exit::Done,
        Err(error) => fail(&error, error.exit()),
    }
}

/// One line that says what is wrong and what helps.
fn fail(error: &dyn std::error::Error, exit: Exit) -> Exit {
    eprintln!("tls-observer: {error}");
    exit
}

/// A reader that goes away early has seen enough.
fn print(text: &str) -> Exit {
    let _ = std::io::stdout().write_all(text.as_bytes());
    Exit::Done
}
