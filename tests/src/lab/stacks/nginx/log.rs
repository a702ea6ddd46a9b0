//! What nginx's error log, at level `debug_event`, tells of connections.

use std::collections::BTreeMap;

use crate::lab::peer::{Fault, Report};

/// Ends of a connection that are nobody's fault.
const ORDINARY_ENDS: [&str; 3] = [
    "while waiting for request",
    "while keepalive",
    "while closing request",
];

#[derive(Default)]
struct Connection {
    report: Report,
    over: bool,
}

/// A report for each connection that is over, in the order of their beginnings.
pub fn reports(log: &str) -> Vec<Report> {
    let mut connections = BTreeMap::<u64, Connection>::new();
    for (serial, message) in log.lines().filter_map(message) {
        connections.entry(serial).or_default().take(message);
    }
    let over = connections.into_values().filter(|connection| connection.over);
    over.map(|connection| connection.report).collect()
}

/// The connection's number and the message, of a line like `2026/01/31 10:17:43 [debug] 28#28: *1 SSL_do_handshake: 1`.
fn message(line: &str) -> Option<(u64, &str)> {
    let (_, rest) = line.split_once(": *")?;
    let (serial, message) = rest.split_once(' ')?;
    Some((serial.parse().ok()?, message))
}

impl Connection {
    fn take(&mut self, message: &str) {
        let report = &mut self.report;
        if let Some(accepted) = message.strip_prefix("accept: ") {
            let address = accepted.split(' ').next().unwrap_or_default();
            report.port = address.rsplit(':').next().and_then(|port| port.parse().ok());
            report.completed = Some(false);
        } else if let Some(result) = message.strip_prefix("SSL_read_early_data: ") {
            // With data it goes on as if the handshake were complete.
            let came = result.starts_with("1,");
            report.early_data = Some(report.early_data == Some(true) || came);
            report.completed = Some(report.completed == Some(true) || came);
        } else if message == "SSL_do_handshake: 1" {
            report.completed = Some(true);
            report.resumed.get_or_insert(false);
            report.peer_certificate.get_or_insert(false);
        } else if message.starts_with("verify:") && message.contains(" depth:0,") {
            report.peer_certificate = Some(true);
        } else if message == "SSL reused session" {
            report.resumed = Some(true);
            // Nothing was sent for it.
            report.peer_certificate = None;
        } else if message.starts_with("SSL_shutdown: ") {
            self.over = true;
        } else if let Some((error, _)) = message.split_once(", client: ") {
            self.fail(error);
        }
    }

    fn fail(&mut self, error: &str) {
        self.over |= error.ends_with("while SSL handshaking");
        if ORDINARY_ENDS.iter().any(|end| error.ends_with(end)) {
            return;
        }
        let has = |part: &str| error.contains(part);
        self.report.fault = Some(if has("alert number") {
            Fault::Alerted
        } else if has("(104: ") || has("(32: ") {
            Fault::Reset
        } else if has("peer closed connection") || has("unexpected eof") {
            Fault::Closed
        } else if has("timed out") {
            Fault::TimedOut
        } else {
            Fault::Refused
        });
        self.report.error = Some(error.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "2026/01/31 10:17:43 [debug] 28#28:";

    fn log(lines: &[&str]) -> Vec<Report> {
        let lines: Vec<_> = lines.iter().map(|line| format!("{BEGIN} {line}")).collect();
        reports(&lines.join("\n"))
    }

    #[test]
    fn a_certificate_refused_above_tls_is_a_refusal_after_a_complete_handshake() {
        let reports = log(&[
            "epoll timer: -1",
            "*7 accept: 127.0.0.1:44098 fd:8",
            "*7 SSL_do_handshake: -1",
            "*7 verify:1, error:0, depth:1, subject:\"/CN=ca\", issuer:\"/CN=ca\"",
            "*7 verify:0, error:10, depth:0, subject:\"/CN=late\", issuer:\"/CN=ca\"",
            "*7 SSL_do_handshake: 1",
            "*7 client SSL certificate verify error: (10:certificate has expired) while reading client request \
             headers, client: 127.0.0.1, server: , request: \"GET / HTTP/1.0\"",
            "*7 SSL_shutdown: 1",
        ]);
        let [report] = reports.as_slice() else {
            panic!("{reports:?}");
        };
        assert_eq!((report.port, report.completed), (Some(44098), Some(true)));
        assert_eq!(
            (report.peer_certificate, report.resumed),
            (Some(true), Some(false))
        );
        assert_eq!(report.fault, Some(Fault::Refused));
        assert!(
            report
                .error
                .as_deref()
                .is_some_and(|text| text.contains("(10:certificate has expired)"))
        );
    }

    #[test]
    fn connections_are_told_apart_and_reported_when_they_are_over() {
        let reports = log(&[
            "*1 accept: [::1]:5001 fd:8",
            "*2 accept: [::1]:5002 fd:9",
            "*3 accept: [::1]:5003 fd:9",
            "*2 SSL_do_handshake() failed (SSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number \
             48) while SSL handshaking, client: ::1, server: [::1]:443",
            "*1 SSL_do_handshake: 1",
            "*1 SSL reused session",
            "*1 client closed connection while waiting for request, client: ::1, server: [::1]:443",
            "*1 SSL_shutdown: 0",
        ]);
        let [first, second] = reports.as_slice() else {
            panic!("{reports:?}");
        };
        assert_eq!(
            (first.port, first.completed, first.resumed),
            (Some(5001), Some(true), Some(true))
        );
        assert_eq!((first.fault, first.peer_certificate), (None, None));
        assert_eq!((second.port, second.completed), (Some(5002), Some(false)));
        assert_eq!(second.fault, Some(Fault::Alerted));
    }

    #[test]
    fn a_reset_is_no_close() {
        let fault = |error: &str| {
            let end = format!(
                "*1 peer closed connection in SSL handshake{error} while SSL handshaking, client: ::1"
            );
            log(&["*1 accept: [::1]:5001 fd:8", &end])
                .first()
                .and_then(|report| report.fault)
        };
        assert_eq!(fault(""), Some(Fault::Closed));
        assert_eq!(fault(" (104: Connection reset by peer)"), Some(Fault::Reset));
    }
}
