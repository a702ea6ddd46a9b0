//! Messages as columns for people at a terminal.

use std::fmt::Display;

use observer_tls::alert::Alert;
use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::{AlertLevel, ProtocolVersion};
use observer_tls::fingerprint;
use observer_tls::handshake::Message;
use observer_tls::server_hello::ServerHello;
use observer_tls::ssl2;
use observer_tls::stream::ItemBody;
use observer_tls::x509::CertificateFacts;

use super::super::columns::{self, DIM, RED, RESET, YELLOW, address, cell, endpoint};
use super::super::event::text::Named;
use super::super::event::time::Time;
use crate::observation::MessageSeen;

/// Widths of columns, in characters.
const TIME: usize = 15;
const NAME: usize = 20;
const LENGTH: usize = 6;

/// Appends the line of `seen`.
pub(super) fn line(seen: &MessageSeen<'_>, color: bool, out: &mut Vec<u8>) {
    let (name, length, paint, detail) = match seen.body {
        ItemBody::Handshake { length, message } => {
            let paint = match message {
                Message::Malformed { .. } => Some(RED),
                _ => None,
            };
            (
                Named(message.typ()).to_string(),
                length.to_string(),
                paint,
                detail(message),
            )
        }
        ItemBody::Alert(alert) => {
            let paint = match alert.level {
                AlertLevel::FATAL => Some(RED),
                _ => Some(YELLOW),
            };
            ("alert".to_owned(), String::new(), paint, alert_text(alert))
        }
        ItemBody::Ssl2 { length, message } => {
            let (name, detail) = ssl2_text(message);
            (name.to_owned(), length.to_string(), None, detail)
        }
        _ => return,
    };
    let time = Time::from_nanos(seen.time_ns).to_string();
    let mut line = String::with_capacity(192);
    cell(&mut line, time.get(11..11 + TIME).unwrap_or_default(), TIME);
    address(&mut line, &endpoint(seen.source));
    line.push_str(" → ");
    address(&mut line, &endpoint(seen.destination));
    line.push(' ');
    let paint = paint.filter(|_| color);
    line.push_str(paint.unwrap_or_default());
    cell(&mut line, &name, NAME);
    if paint.is_some() {
        line.push_str(RESET);
    }
    if color {
        line.push_str(DIM);
    }
    line.push_str(&format!("{length:>LENGTH$} "));
    if color {
        line.push_str(RESET);
    }
    line.extend(detail.chars().map(columns::shown));
    line.truncate(line.trim_end().len());
    line.push('\n');
    out.extend_from_slice(line.as_bytes());
}

/// What a message says that people look for first.
fn detail(message: &Message) -> String {
    match message {
        Message::ClientHello(hello) => client_hello(hello),
        Message::ServerHello(hello) => server_hello(hello),
        Message::Certificate(list) => {
            let subjects: Vec<_> = list.certificates.iter().map(|der| subject(der)).collect();
            match subjects.as_slice() {
                [] => "no certificate".to_owned(),
                subjects => subjects.join(" ← "),
            }
        }
        Message::Malformed { error, .. } => format!("malformed: {error}"),
        _ => String::new(),
    }
}

fn client_hello(hello: &ClientHello) -> String {
    let version = hello
        .supported_versions()
        .into_iter()
        .filter(|version| !version.is_grease())
        .max()
        .unwrap_or(hello.legacy_version);
    let protocols = hello.alpn();
    let protocols: Vec<_> = protocols
        .iter()
        .map(|name| String::from_utf8_lossy(name))
        .collect();
    join([
        Some(version_text(version)),
        hello.server_name(),
        (!protocols.is_empty()).then(|| protocols.join(",")),
        Some(fingerprint::ja4(hello).to_string()),
    ])
}

fn server_hello(hello: &ServerHello) -> String {
    join([
        hello
            .is_hello_retry_request()
            .then(|| "HelloRetryRequest".to_owned()),
        Some(version_text(hello.selected_version())),
        Some(Named(hello.cipher_suite).to_string()),
        hello.selected_group().map(|group| Named(group).to_string()),
        hello
            .alpn()
            .map(|name| String::from_utf8_lossy(&name).into_owned()),
    ])
}

fn alert_text(alert: &Alert) -> String {
    format!("{} {}", Named(alert.level), Named(alert.description))
}

/// Name and detail of a message of SSL 2.
fn ssl2_text(message: &ssl2::Message) -> (&'static str, String) {
    match message {
        ssl2::Message::ClientHello(hello) => ("ssl2 client_hello", version_text(hello.version)),
        ssl2::Message::ServerHello(hello) => ("ssl2 server_hello", version_text(hello.version)),
        ssl2::Message::ClientMasterKey { .. } => ("ssl2 master_key", String::new()),
        ssl2::Message::Malformed { error, .. } => ("ssl2 malformed", error.to_string()),
    }
}

fn version_text(version: ProtocolVersion) -> String {
    format!("{} {}", version.protocol().to_uppercase(), Named(version))
}

/// Whom a certificate is about.
fn subject(der: &[u8]) -> String {
    let facts = CertificateFacts::parse(der);
    match facts.subject.is_empty() {
        false => facts.subject,
        true if facts.malformed.is_some() => "malformed certificate".to_owned(),
        true => facts
            .alternative_names()
            .into_iter()
            .next()
            .unwrap_or_else(|| format!("serial {}", facts.serial_number)),
    }
}

fn join<T: Display, const N: usize>(parts: [Option<T>; N]) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().map(|part| part.to_string()).collect();
    parts.join("  ")
}
