//! curl as a client, on OpenSSL as Debian builds it.

use std::process::Command;

use anyhow::Result;

use super::feature::Feature::{self, Alpn, Group, Suite12, Suite13};
use super::feature::is_tls13_suite;
use super::openssl_conf;
use crate::lab::peer::{
    ClientPlan, Fault, Output, PEER_PATIENCE, Report, ServerPlan, Stack, missing_program, openssl_cipher,
};

/// One `curl` for each connection.
pub struct Curl;

const FEATURES: &[Feature] = &[Suite12, Suite13, Group, Alpn];
/// The protocol that it can be told to offer alone.
const PROTOCOL: &str = "http/1.1";
/// What it writes at the end, on a line of standard output.
const REPORT: &str = "curl %{local_port} %{time_appconnect} %{errormsg}\n";
/// What it says of an alert that tells of an expired certificate, as if it were the server's.
const ALERT_IN_DISGUISE: &str = "SSL certificate verification failed";
/// What it checks itself, after OpenSSL is done.
const WRONG_NAME: &str = "no alternative certificate subject name matches";

impl Stack for Curl {
    fn name(&self) -> &'static str {
        "curl"
    }

    fn lacks(&self) -> Option<String> {
        missing_program("curl")
    }

    fn serve(&self, _plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        Ok(None)
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        let possible = Feature::are_all_in(&Feature::of_client(plan), FEATURES);
        if !possible || plan.alpn.is_some_and(|protocol| protocol != PROTOCOL) {
            return Ok(None);
        }
        let (name, port) = (plan.server_name, plan.address.port());
        let mut command = Command::new("curl");
        // Some servers answer with a mere line.
        command.args([
            "--disable",
            "--silent",
            "--http0.9",
            "--output",
            "/dev/null",
            "--write-out",
            REPORT,
        ]);
        command.args(["--max-time", &PEER_PATIENCE.as_secs().to_string()]);
        command.args(["--resolve", &format!("{name}:{port}:{}", plan.address.ip())]);
        command.arg("--cacert").arg(plan.trusted);
        if let Some(identity) = plan.identity {
            command
                .arg("--cert")
                .arg(identity.chain)
                .arg("--key")
                .arg(identity.key);
        }
        if let Some(version) = plan.version {
            command.args([&format!("--tlsv{}", version.text()), "--tls-max", version.text()]);
        }
        command.arg(if plan.alpn.is_some() {
            "--http1.1"
        } else {
            "--no-alpn"
        });
        if let Some(cipher) = plan.cipher {
            let flag = if is_tls13_suite(cipher) {
                "--tls13-ciphers"
            } else {
                "--ciphers"
            };
            command.args([flag, &openssl_cipher(cipher)]);
        }
        if let Some(group) = plan.group {
            command.args(["--curves", &openssl_conf::group(group)]);
        }
        command.arg(format!("https://{name}:{port}/"));
        Ok(Some(command))
    }

    fn loops(&self) -> bool {
        false
    }

    fn client_reports(&self, output: &Output<'_>) -> Result<Vec<Report>> {
        Ok(output.stdout.iter().filter_map(|line| report(line)).collect())
    }
}

/// The report in a line that [`REPORT`] made.
fn report(line: &str) -> Option<Report> {
    let mut parts = line.strip_prefix("curl ")?.splitn(3, ' ');
    let port = parts.next()?.parse().ok();
    let seconds = parts.next()?.parse::<f64>().ok()?;
    let error = parts.next().unwrap_or_default();
    Some(Report {
        port,
        completed: Some(seconds > 0.0 || error.contains(WRONG_NAME)),
        error: (!error.is_empty()).then(|| error.to_owned()),
        fault: (!error.is_empty()).then(|| fault(error)),
        ..Report::default()
    })
}

fn fault(error: &str) -> Fault {
    let has = |parts: &[&str]| parts.iter().any(|part| error.contains(part));
    if has(&[" alert ", "unrecognized name", ALERT_IN_DISGUISE]) {
        Fault::Alerted
    } else if has(&["Connection reset", "Broken pipe", "errno 104", "errno 32"]) {
        Fault::Reset
    } else if has(&["timed out"]) {
        Fault::TimedOut
    } else if has(&[
        "Empty reply",
        "unexpected eof",
        "SSL_ERROR_SYSCALL",
        "SSL_ERROR_ZERO_RETURN",
    ]) {
        Fault::Closed
    } else {
        Fault::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_the_handshake_was_done_and_what_ended_it() {
        for (line, completed, fault) in [
            ("curl 42626 0.059733 ", true, None),
            (
                "curl 34064 0.047586 OpenSSL SSL_read: OpenSSL/3.0.19: error:0A00045C:SSL routines::tlsv13 alert \
                 certificate required, errno 0",
                true,
                Some(Fault::Alerted),
            ),
            (
                "curl 34146 0.000000 SSL certificate verification failed",
                false,
                Some(Fault::Alerted),
            ),
            (
                "curl 41436 0.000000 SSL certificate problem: unable to get local issuer certificate",
                false,
                Some(Fault::Refused),
            ),
            (
                "curl 45600 0.000000 SSL: no alternative certificate subject name matches target host name 'a.test'",
                true,
                Some(Fault::Refused),
            ),
            (
                "curl 54060 0.024481 Empty reply from server",
                true,
                Some(Fault::Closed),
            ),
        ] {
            let report = report(line).expect("it is a report");
            assert_eq!(
                (report.completed, report.fault),
                (Some(completed), fault),
                "{line}"
            );
            assert!(report.port.is_some_and(|port| line.contains(&port.to_string())));
        }
        assert_eq!(report("ok"), None);
    }
}
