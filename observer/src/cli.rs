//! The command line. Parsing does no work beyond turning words into values; [`crate::config`] makes one validated
//! configuration of them.

use std::path::PathBuf;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::service::Service;
use crate::config::settings::{self, Settings};
use crate::config::trust::Trust;
use crate::config::values::{ConnectionCount, Format, LateAlerts, LogFormat, LogLevel, Span};
use crate::config::watching::{Learning, RefusalBurst};

/// Shows every TLS handshake on this host, above all the ones that fail.
#[derive(Debug, Parser)]
#[command(name = "tls-observer", version, max_term_width = 110)]
pub struct Cli {
    /// Options that every verb takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb takes.
#[derive(Clone, Debug, Default, Args)]
pub struct GlobalArgs {
    /// What to write to standard output: json or text. Text is the default at a terminal, json elsewhere.
    #[arg(long, global = true, value_name = "json|text")]
    pub format: Option<Format>,
    /// How log lines on standard error look: text or json [default: text].
    #[arg(long, global = true, value_name = "text|json")]
    pub log_format: Option<LogFormat>,
    /// The least severe log lines to show: error, warn, info, debug or trace [default: info].
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Watch this host's TLS handshakes until stopped.
    Run(Box<RunArgs>),
    /// Show the TLS handshakes in capture files.
    Replay(Box<ReplayArgs>),
    /// List the certificates that a running agent has seen, or those in capture files; the one that ends first comes first.
    Certificates(CertificatesArgs),
    /// Tell what this host can do, what is missing and how to get it.
    Check(CheckArgs),
    /// Print the JSON Schema of an event.
    Schema,
}

/// Arguments of `run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Read settings from this TOML file; flags and environment variables override it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One flag for each setting.
    #[command(flatten)]
    pub settings: Settings,
}

/// Arguments of `replay`.
#[derive(Clone, Debug, Default, Args)]
pub struct ReplayArgs {
    /// Captures in pcap or pcapng format, gzip'ed or not; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write one line for each handshake message and alert instead of events.
    #[arg(long)]
    pub messages: bool,
    /// Write a report of all handshakes instead of events.
    #[arg(long, conflicts_with = "messages")]
    pub summary: bool,
    /// Read settings from this TOML file, the one of run; flags and environment variables override it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Connections that are put back together at once [default: 16384].
    #[arg(long, value_name = "COUNT")]
    pub max_connections: Option<ConnectionCount>,
    /// How long a handshake may be silent before it counts as timed out [default: 10s].
    #[arg(long, value_name = "TIME")]
    pub handshake_timeout: Option<Span>,
    /// How long to wait for a refusal after a TLS 1.3 handshake seems done [default: 2s].
    #[arg(long, value_name = "TIME")]
    pub settle_timeout: Option<Span>,
    /// Put the whole certificate chains into the events, as base64 DER [default: false].
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub certificate_chain: Option<bool>,
    /// Alerts after an established handshake that become events: unexpected or all [default: unexpected].
    #[arg(long, value_name = "unexpected|all")]
    pub late_alerts: Option<LateAlerts>,
    /// How many refusals of one source or certificate in how much time are an event, as COUNT/TIME; off: none are
    /// [default: 60/1m].
    #[arg(long, value_name = "COUNT/TIME|off")]
    pub refusal_burst: Option<RefusalBurst>,
    /// How long to learn certificates before a new one is an event; off: none is [default: 24h].
    #[arg(long, value_name = "TIME|off")]
    pub certificate_learning: Option<Learning>,
    /// Name a listener, for the trust bundles that speak of it, as NAME=ADDRESS:PORT or NAME=PORT; may be repeated.
    #[arg(long, value_name = "NAME=LISTENER", value_delimiter = ',')]
    pub service: Option<Vec<Service>>,
    /// Judge certificates by these authorities, as NAME=FILE or NAME;KEY=VALUE;… with the keys of a trust table in the file;
    /// may be repeated.
    #[arg(long, value_name = "NAME=FILE", value_delimiter = ',')]
    pub trust: Option<Vec<Trust>>,
}

/// Arguments of `check`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct CheckArgs {
    /// List the TLS libraries that processes use now, and which functions of theirs can be probed.
    #[arg(long)]
    pub libraries: bool,
}

/// Arguments of `certificates`.
#[derive(Clone, Debug, Args)]
pub struct CertificatesArgs {
    /// Captures in pcap or pcapng format to read instead of asking an agent; - is standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where the agent serves: what its setting listen says.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9465",
        conflicts_with = "files"
    )]
    pub url: String,
    /// Read settings for the captures from this TOML file, the one of run; environment variables override it.
    #[arg(long, value_name = "FILE", requires = "files")]
    pub config: Option<PathBuf>,
}

impl ReplayArgs {
    /// What the flags set.
    pub fn settings(&self) -> Settings {
        Settings {
            max_connections: self.max_connections,
            handshake_timeout: self.handshake_timeout,
            settle_timeout: self.settle_timeout,
            certificate_chain: self.certificate_chain,
            late_alerts: self.late_alerts,
            refusal_burst: self.refusal_burst,
            certificate_learning: self.certificate_learning,
            service: self.service.clone(),
            trust: self.trust.clone(),
            ..Settings::default()
        }
    }
}

impl Cli {
    /// Parses the process's own arguments. Prints help, version or a usage error and ends the process (status 0 or 2)
    /// where they ask for that.
    pub fn from_process() -> Self {
        let matches = command().get_matches();
        Self::from_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Parses `arguments`, the program's name first.
    ///
    /// # Errors
    /// Usage errors, and requests for help or version; [`clap::Error::exit_code`] tells which.
    pub fn from_arguments<I>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<std::ffi::OsString> + Clone,
    {
        Self::from_matches(&command().try_get_matches_from(arguments)?)
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        <Self as FromArgMatches>::from_arg_matches(matches)
    }
}

/// The command with each setting's environment variable added to its help.
fn command() -> clap::Command {
    fn with_variables(command: clap::Command) -> clap::Command {
        command.mut_args(|arg| {
            let id = arg.get_id().as_str();
            if !settings::KEYS.contains(&id) && id != "config" {
                return arg;
            }
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let help = format!("{help} [env: {}]", settings::variable(id));
            arg.help(help)
        })
    }
    with_variables(Cli::command())
        .mut_subcommand("run", with_variables)
        .mut_subcommand("replay", with_variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn run_takes_its_flags_and_the_global_ones() {
        let cli = Cli::from_arguments([
            "tls-observer",
            "run",
            "--interface",
            "eth0,eth1",
            "--interface",
            "lo",
            "--ring-bytes",
            "512KiB",
            "--certificate-chain",
            "--format",
            "json",
        ])
        .unwrap();
        assert_eq!(cli.global.format, Some(Format::Json));
        let Verb::Run(run) = cli.verb else {
            panic!("not run")
        };
        let names: Vec<_> = run
            .settings
            .interface
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["eth0", "eth1", "lo"]);
        assert_eq!(run.settings.ring_bytes.unwrap().0, 512 * 1024);
        assert_eq!(run.settings.certificate_chain, Some(true));
    }

    #[test]
    fn replay_takes_files_and_the_settings_that_matter_to_it() {
        let cli = Cli::from_arguments([
            "tls-observer",
            "replay",
            "a.pcap",
            "-",
            "--summary",
            "--settle-timeout",
            "1s",
            "--certificate-chain",
        ])
        .unwrap();
        let Verb::Replay(replay) = cli.verb else {
            panic!("not replay")
        };
        assert_eq!(replay.files, [PathBuf::from("a.pcap"), PathBuf::from("-")]);
        assert!(replay.summary && !replay.messages);
        let settings = replay.settings();
        assert_eq!(settings.settle_timeout.unwrap().0.as_secs(), 1);
        assert_eq!(settings.certificate_chain, Some(true));
    }

    #[test]
    fn bad_usage_ends_with_status_2_and_names_the_flag() {
        for arguments in [
            &["tls-observer", "run", "--ring-bytes", "5000"][..],
            &["tls-observer", "run", "--cgroup", "/x", "--interface", "lo"],
            &["tls-observer", "run", "--no-such-flag"],
            &["tls-observer", "replay"],
            &["tls-observer", "replay", "--messages", "--summary", "x.pcap"],
            &["tls-observer", "replay", "--interface", "lo", "x.pcap"],
            &["tls-observer"],
        ] {
            let error = Cli::from_arguments(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments:?}");
        }
        let error = Cli::from_arguments(["tls-observer", "run", "--ring-bytes", "5000"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("--ring-bytes") && error.contains("power of two"),
            "{error}"
        );
    }

    #[test]
    fn help_shows_the_environment_variables() {
        let error = Cli::from_arguments(["tls-observer", "run", "--help"]).unwrap_err();
        assert_eq!(error.exit_code(), 0);
        let help = error.to_string();
        for key in settings::KEYS {
            assert!(
                help.contains(&settings::variable(key)),
                "{key} is missing in {help}"
            );
        }
    }
}
