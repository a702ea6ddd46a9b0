//! Programs that do not speak TLS, at one end of a connection where the other does.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::lab::peer::{ClientPlan, Fault, PEER_PATIENCE, REQUEST, Report, ServerPlan, Stack};
use crate::lab::programs;
use crate::peers::tcp;

/// A program that speaks no TLS.
pub struct Stranger {
    /// Its name; that of its subcommand too.
    name: &'static str,
}

/// All of them.
pub fn all() -> Vec<Box<dyn Stack>> {
    [
        "http-client",
        "http-server",
        "silent-server",
        "reset-server",
        "closing-server",
    ]
    .into_iter()
    .map(|name| Box::new(Stranger { name }) as Box<dyn Stack>)
    .collect()
}

impl Stack for Stranger {
    fn name(&self) -> &'static str {
        self.name
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        self.command(&serde_json::to_string(plan)?).map(Some)
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        self.command(&serde_json::to_string(plan)?).map(Some)
    }
}

impl Stranger {
    fn command(&self, plan: &str) -> Result<Command> {
        let mut command = Command::new(programs::lab_binary()?);
        command.args(["stranger", self.name, plan]);
        Ok(command)
    }
}

/// What the programs do.
///
/// # Errors
/// When the plan is no good, or the address is taken.
pub fn run(name: &str, plan: &str) -> Result<()> {
    if name == "http-client" {
        return call(&serde_json::from_str(plan).context("plan")?);
    }
    let plan: ServerPlan<'_> = serde_json::from_str(plan).context("plan")?;
    for stream in TcpListener::bind(plan.address).context("listen")?.incoming() {
        let stream = stream?;
        let mut report = ended(stream.peer_addr()?.port(), Fault::Closed);
        match name {
            "http-server" => answer(stream)?,
            "silent-server" => report.fault = Some(wait(stream)?),
            "reset-server" => tcp::reset(listen(stream)?)?,
            "closing-server" => drop(listen(stream)?),
            other => bail!("no stranger {other}"),
        }
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

/// What an end without TLS has to say of a handshake.
fn ended(port: u16, fault: Fault) -> Report {
    Report {
        port: Some(port),
        completed: Some(false),
        fault: Some(fault),
        ..Report::default()
    }
}

/// Asks in plain HTTP.
fn call(plan: &ClientPlan<'_>) -> Result<()> {
    for _ in 0..plan.count {
        let mut stream = TcpStream::connect(plan.address).context("connect")?;
        stream.set_read_timeout(Some(PEER_PATIENCE))?;
        stream.write_all(REQUEST.as_bytes())?;
        // Whatever comes, it is not what was asked for.
        let _ = stream.read_to_end(&mut Vec::new());
        let report = ended(stream.local_addr()?.port(), Fault::Closed);
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

/// Reads once.
fn listen(mut stream: TcpStream) -> Result<TcpStream> {
    stream.set_read_timeout(Some(PEER_PATIENCE))?;
    let _ = stream.read(&mut [0; 4096])?;
    Ok(stream)
}

/// Answers in plain HTTP.
fn answer(stream: TcpStream) -> Result<()> {
    let mut stream = listen(stream)?;
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let _ = stream.read(&mut [0; 4096]);
    Ok(())
}

/// Says nothing until the client gives up.
fn wait(mut stream: TcpStream) -> Result<Fault> {
    stream.set_read_timeout(Some(PEER_PATIENCE * 2))?;
    let _ = stream.read_to_end(&mut Vec::new());
    Ok(Fault::TimedOut)
}
