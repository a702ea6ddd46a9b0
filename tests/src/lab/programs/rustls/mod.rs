//! A rustls server and client that do what a plan says.

mod client;
mod configs;
mod server;

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use rustls::crypto::CryptoProvider;

pub use client::run as run_client;
pub use server::run as run_server;

use crate::lab::peer::{Fault, PEER_PATIENCE, Report};

thread_local! {
    /// On a server's thread: the client showed a certificate. On a client's: the server asked for one.
    static CERTIFICATE: Cell<bool> = const { Cell::new(false) };
}

/// A cryptography provider by its name on the command line.
///
/// # Errors
/// When there is none of that name.
pub fn provider(name: &str) -> Result<CryptoProvider> {
    match name {
        "ring" => Ok(rustls::crypto::ring::default_provider()),
        other => bail!("no provider {other}"),
    }
}

/// A socket that gives up after [`PEER_PATIENCE`].
fn patient(stream: &TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(PEER_PATIENCE))?;
    stream.set_write_timeout(Some(PEER_PATIENCE))?;
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
