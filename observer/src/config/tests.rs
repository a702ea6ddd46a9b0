//! Precedence, defaults and every way to get a configuration wrong.

use std::collections::HashMap;

use super::*;
use crate::cli::{Cli, Verb};

#[derive(Default)]
struct FakeHost {
    variables: HashMap<&'static str, &'static str>,
    files: HashMap<&'static str, &'static str>,
    terminal: bool,
}

impl Host for FakeHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(ToString::to_string)
    }

    fn stdout_is_terminal(&self) -> bool {
        self.terminal
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        match self.files.get(path.to_str().unwrap()) {
            Some(text) => Ok(text.to_string()),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }
}

impl FakeHost {
    fn new() -> Self {
        let mounts = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";
        Self {
            files: HashMap::from([("/proc/self/mounts", mounts)]),
            ..Self::default()
        }
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.insert(name, value);
        self
    }

    fn file(mut self, path: &'static str, text: &'static str) -> Self {
        self.files.insert(path, text);
        self
    }

    fn config(&self, flags: &[&str]) -> Result<Config, ConfigError> {
        let arguments = ["tls-observer", "run"].iter().chain(flags).copied();
        let cli = Cli::from_arguments(arguments).unwrap();
        let Verb::Run(run) = cli.verb else {
            panic!("not run")
        };
        Config::from_cli(&cli.global, &run, self)
    }

    fn error(&self, flags: &[&str]) -> String {
        let error = self.config(flags).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text
    }
}

#[test]
fn defaults() {
    let config = FakeHost::new().config(&[]).unwrap();
    assert_eq!(
        config,
        Config {
            console: Console {
                format: Format::Json,
                log_format: LogFormat::Text,
                log_level: LogLevel::Info
            },
            scope: Scope::Cgroup("/sys/fs/cgroup".into()),
            listen: Some("127.0.0.1:9465".parse().unwrap()),
            outputs: vec![OutputKind::Stdout],
            ring_bytes: 4 << 20,
            max_flows: 32 * 1024,
            max_connections: 16_384,
            handshake_timeout: Duration::from_secs(10),
            settle_timeout: Duration::from_secs(2),
            queue: 8192,
            certificate_chain: false,
            late_alerts: LateAlerts::Unexpected,
            watching: Watching::default(),
            libraries: LibraryProbing::default(),
            services: vec![],
            trust: vec![],
        }
    );
    let terminal = FakeHost {
        terminal: true,
        ..FakeHost::new()
    };
    assert_eq!(terminal.config(&[]).unwrap().console.format, Format::Text);
    assert_eq!(
        terminal.config(&["--format", "json"]).unwrap().console.format,
        Format::Json
    );
}

#[test]
fn a_flag_beats_its_variable_beats_the_file_beats_the_default() {
    let file = "ring_bytes = 4096\nqueue = 1\nhandshake_timeout = \"1s\"\nlog_level = \"debug\"\n";
    let host = FakeHost::new()
        .file("/c.toml", file)
        .variable("TLS_OBSERVER_CONFIG", "/c.toml")
        .variable("TLS_OBSERVER_RING_BYTES", "8KiB")
        .variable("TLS_OBSERVER_QUEUE", "2")
        .variable("TLS_OBSERVER_LISTEN", "");
    let config = host
        .config(&["--ring-bytes", "16KiB", "--late-alerts", "all"])
        .unwrap();
    assert_eq!(config.ring_bytes, 16 << 10);
    assert_eq!(config.queue, 2);
    assert_eq!(config.handshake_timeout, Duration::from_secs(1));
    assert_eq!(config.settle_timeout, DEFAULT_SETTLE_TIMEOUT);
    assert_eq!(config.console.log_level, LogLevel::Debug);
    assert_eq!(config.late_alerts, LateAlerts::All);
    assert_eq!(config.listen, Some(DEFAULT_LISTEN));
}

#[test]
fn every_setting_can_come_from_the_environment() {
    let host = FakeHost::new()
        .variable("TLS_OBSERVER_INTERFACE", "eth0, eth1")
        .variable("TLS_OBSERVER_OUTPUT", "stdout,file:/x")
        .variable("TLS_OBSERVER_CERTIFICATE_CHAIN", "true")
        .variable("TLS_OBSERVER_LISTEN", "off")
        .variable("TLS_OBSERVER_FORMAT", "text")
        .variable("TLS_OBSERVER_SERVICE", "api=10.0.0.1:8443,mail=465")
        .variable(
            "TLS_OBSERVER_TRUST",
            "mesh=/ca.pem;service=api,public;system_roots=true",
        );
    let config = host.config(&[]).unwrap();
    assert_eq!(
        config.scope,
        Scope::Interfaces(vec!["eth0".into(), "eth1".into()])
    );
    assert_eq!(
        config.outputs,
        [OutputKind::Stdout, OutputKind::File("/x".into())]
    );
    assert!(config.certificate_chain);
    assert_eq!(config.listen, None);
    assert_eq!(config.console.format, Format::Text);
    assert_eq!(config.services.len(), 2);
    assert_eq!(config.trust.len(), 2);
}

#[test]
fn the_nearest_place_decides_what_is_watched() {
    let host = FakeHost::new().file("/c.toml", "cgroup = \"/sys/fs/cgroup/a\"\n");
    let config = host
        .config(&["--config", "/c.toml", "--interface", "lo"])
        .unwrap();
    assert_eq!(config.scope, Scope::Interfaces(vec!["lo".into()]));
    let config = host.config(&["--config", "/c.toml"]).unwrap();
    assert_eq!(config.scope, Scope::Cgroup("/sys/fs/cgroup/a".into()));
    let both = host.file("/both.toml", "cgroup = \"/a\"\ninterface = [\"lo\"]\n");
    assert_eq!(
        both.error(&["--config", "/both.toml"]),
        "the configuration file sets both cgroup and interface; keep one of them"
    );
}

#[test]
fn a_host_without_cgroup_v2_cannot_run_the_default() {
    let host = FakeHost::new().file("/proc/self/mounts", "cgroup /sys/fs/cgroup cgroup rw 0 0\n");
    let error = host.config(&[]).unwrap_err();
    assert_eq!(error.exit(), Exit::Unsupported);
    assert!(error.to_string().contains("--interface"));
    assert!(host.config(&["--interface", "lo"]).is_ok());
}

#[test]
fn errors_name_the_place_the_key_and_the_remedy() {
    let host = FakeHost::new().file("/c.toml", "listen = \"off\"\nring_size = 1\n");
    let text = host.error(&["--config", "/c.toml"]);
    assert!(
        text.starts_with("/c.toml:2: unknown field `ring_size`, expected one of `cgroup`"),
        "{text}"
    );

    let host = FakeHost::new().file("/c.toml", "queue = \"many\"\n");
    let text = host.error(&["--config", "/c.toml"]);
    assert_eq!(
        text,
        "/c.toml:1: queue: \"many\" is not a whole number from 1 to 1048576"
    );

    let text = host.error(&["--config", "/missing.toml"]);
    assert!(
        text.starts_with("cannot read the configuration file /missing.toml: "),
        "{text}"
    );

    let text = FakeHost::new()
        .variable("TLS_OBSERVER_SETTLE_TIMEOUT", "2")
        .error(&[]);
    let wanted = "TLS_OBSERVER_SETTLE_TIMEOUT: \"2\" is not a time from 1ms to 60m; write 500ms, 10s or 2m";
    assert_eq!(text, wanted);

    let text = FakeHost::new().error(&["--output", "stdout", "--output", "stdout"]);
    assert_eq!(text, "output: stdout is there twice; name each output once");

    let text = FakeHost::new().error(&["--service", "a=443,b=443"]);
    assert_eq!(text, "service: port 443 has two names; give it one");

    let text = FakeHost::new().error(&["--trust", "a=/x.pem", "--trust", "a=/y.pem"]);
    assert_eq!(
        text,
        "trust: two bundles have the name \"a\"; events could not tell them apart"
    );

    let text = FakeHost::new().error(&["--trust", "a=/x.pem;service=web"]);
    assert_eq!(text, "trust \"a\": service: no service has the name \"web\"");

    let host = FakeHost::new().file("/c.toml", "[[trust]]\nname = \"mesh\"\nca = \"/ca\"\nport = 0\n");
    let text = host.error(&["--config", "/c.toml"]);
    assert_eq!(
        text,
        "/c.toml:4: trust.port: \"0\" is not a whole number from 1 to 65535"
    );
}

#[test]
fn variables_of_other_programs_do_no_harm() {
    let host = FakeHost::new().variable("TLS_OBSERVER_SERVICE_HOST", "10.0.0.1");
    assert!(host.config(&[]).is_ok());
}
