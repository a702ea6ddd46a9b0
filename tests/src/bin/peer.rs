//! A TLS peer as a process of its own. The tests start it inside a namespace and a cgroup; it reports on standard
//! output, one JSON object a line.

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use observer_tests::peers::{crowd, libssl, lookalike, rustls, tcp};
use serde_json::json;

#[derive(Parser)]
enum Peer {
    /// rustls server that sends back what it gets.
    Server(rustls::ServerFlags),
    /// rustls client that expects its payload back.
    Client(rustls::ClientFlags),
    /// OpenSSL server on libraries of its own that sends back what it gets.
    LibsslServer(libssl::Flags),
    /// Calls a library that only looks like OpenSSL.
    Lookalike(lookalike::Flags),
    /// Many rustls clients at once, each with its own certificate.
    Crowd {
        #[arg(long)]
        connect: SocketAddr,
        /// The server's CA, PEM.
        #[arg(long)]
        trusted: PathBuf,
        /// The members, JSON.
        #[arg(long)]
        members: PathBuf,
    },
    /// Accepts and says nothing.
    SilentServer {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Accepts, reads, resets.
    ResetServer {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Accepts, reads, answers in HTTP.
    HttpServer {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Sends its standard input, then resets.
    Reset {
        #[arg(long)]
        connect: SocketAddr,
        /// Wait for some answer first.
        #[arg(long)]
        await_answer: bool,
    },
    /// Sends its standard input and reads until the other end closes.
    Send {
        #[arg(long)]
        connect: SocketAddr,
    },
}

fn main() -> Result<ExitCode> {
    match Peer::parse() {
        Peer::Server(flags) => rustls::run_server(&flags)?,
        Peer::Client(flags) => {
            return Ok(if rustls::run_client(&flags)? {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Peer::LibsslServer(flags) => libssl::run(&flags)?,
        Peer::Lookalike(flags) => lookalike::run(&flags)?,
        Peer::Crowd {
            connect,
            trusted,
            members,
        } => crowd::run(connect, &trusted, &members)?,
        Peer::SilentServer { listen } => tcp::silent_server(listen)?,
        Peer::ResetServer { listen } => tcp::reset_server(listen)?,
        Peer::HttpServer { listen } => tcp::http_server(listen)?,
        Peer::Reset {
            connect,
            await_answer,
        } => tcp::reset_client(connect, &input()?, await_answer)?,
        Peer::Send { connect } => {
            let answer = tcp::send(connect, &input()?)?;
            println!("{}", json!({ "answer": data_encoding::HEXLOWER.encode(&answer) }));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .context("standard input")?;
    Ok(bytes)
}
