//! HTTP GET from servers inside a namespace, and waiting for them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::netns::Namespace;
use crate::poll::{self, PATIENCE};
use crate::process::Process;

/// The status and body of `path`. As HTTP/1.0, so that no body comes in chunks.
///
/// # Errors
/// When nobody answers, or something else than HTTP.
pub fn get(namespace: &Namespace, server: SocketAddr, path: &str) -> Result<(u16, String)> {
    namespace.run(|| {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .context("status line")?;
        let body = answer.split_once("\r\n\r\n").context("end of headers")?.1;
        Ok((status, body.to_owned()))
    })
}

/// Waits until the server that `process` is answers `path` with 200.
///
/// # Errors
/// When it ends or does not in time, with what it said.
pub fn wait(process: &mut Process, namespace: &Namespace, server: SocketAddr, path: &str) -> Result<()> {
    let ready = poll::until(&format!("200 for {path}"), PATIENCE, || {
        if let Ok((200, _)) = get(namespace, server, path) {
            return Ok(Some(()));
        }
        match process.wait(Duration::ZERO) {
            Ok(status) => bail!("it ended: {status}"),
            Err(_) => Ok(None),
        }
    });
    ready.with_context(|| process.transcript())
}
