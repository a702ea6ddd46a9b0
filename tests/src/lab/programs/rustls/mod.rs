//! A rustls server and client that do what a plan says.

mod client;
mod configs;
mod server;

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::crypto::CryptoProvider;
use rustls::server::ProducesTickets;

pub use client::run as run_client;
pub use server::run as run_server;

use crate::lab::peer::{Fault, Report};

thread_local! {
    /// On a server's thread: the client showed a certificate. On a client's: the server asked for one.
    static CERTIFICATE: Cell<bool> = const { Cell::new(false) };
}

/// A cryptography library under rustls.
pub struct Provider {
    /// Its primitives.
    pub crypto: CryptoProvider,
    /// What seals session tickets with it.
    pub ticketer: Arc<dyn ProducesTickets>,
}

impl Provider {
    /// ring.
    ///
    /// # Errors
    /// When it gets no randomness.
    pub fn ring() -> Result<Self> {
        Ok(Self {
            crypto: rustls::crypto::ring::default_provider(),
            ticketer: rustls::crypto::ring::Ticketer::new()?,
        })
    }
}

/// A socket that gives up after `patience`.
fn patient(stream: &TcpStream, patience: Duration) -> Result<()> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.set_nodelay(true).context("TCP_NODELAY")
}

/// Puts an error into a report, with what it means.
fn tell(report: &mut Report, error: &anyhow::Error) {
    report.error = Some(format!("{error:#}"));
    report.fault = error.downcast_ref::<std::io::Error>().map(|error| {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (tls, error.kind()) {
            (Some(rustls::Error::AlertReceived(_)), _) => Fault::Alerted,
            (Some(_), _) => Fault::Refused,
            (None, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Fault::Reset,
            (None, ErrorKind::WouldBlock | ErrorKind::TimedOut) => Fault::TimedOut,
            (None, _) => Fault::Closed,
        }
    });
}

/// Prints a report as one line.
fn print(report: &Report) -> Result<()> {
    println!("{}", serde_json::to_string(report)?);
    Ok(())
}
