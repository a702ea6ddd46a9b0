//! The server: a thread for each connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::{HandshakeKind, ServerConfig, ServerConnection};

use super::{CERTIFICATE, Provider, configs, patient, print, tell};
use crate::lab::peer::{Report, ServerPlan, Service};

/// What it says.
const ANSWER: &[u8] = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/// Serves until it is killed.
///
/// # Errors
/// When the plan is no good, or the address is taken.
pub fn run(provider: Provider, plan: &str) -> Result<()> {
    let plan: ServerPlan<'_> = serde_json::from_str(plan).context("plan")?;
    let config = Arc::new(configs::server(&plan, provider)?);
    for stream in TcpListener::bind(plan.address).context("listen")?.incoming() {
        let (stream, config, service) = (stream?, Arc::clone(&config), plan.service);
        patient(&stream, Duration::from_secs(plan.patience.into()))?;
        std::thread::spawn(move || {
            let mut report = Report::default();
            if let Err(error) = serve(&stream, config, service, &mut report) {
                tell(&mut report, &error);
            }
            report.peer_certificate.get_or_insert(CERTIFICATE.get());
            print(&report)
        });
    }
    Ok(())
}

fn serve(
    mut stream: &TcpStream,
    config: Arc<ServerConfig>,
    service: Service,
    report: &mut Report,
) -> Result<()> {
    report.port = Some(stream.peer_addr()?.port());
    let mut tls = ServerConnection::new(config)?;
    report.completed = Some(false);
    while tls.is_handshaking() {
        let (read, _) = tls.complete_io(&mut stream)?;
        if read == 0 && tls.is_handshaking() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
    }
    report.completed = Some(true);
    report.resumed = Some(tls.handshake_kind() == Some(HandshakeKind::Resumed));
    let mut early = Vec::new();
    if let Some(mut data) = tls.early_data() {
        data.read_to_end(&mut early)?;
    }
    report.early_data = Some(!early.is_empty());
    let mut connection = rustls::Stream::new(&mut tls, &mut stream);
    if service == Service::SpeaksFirst {
        connection.write_all(ANSWER)?;
    }
    if service != Service::Closes {
        let mut buffer = [0; 4096];
        let mut asked = !early.is_empty() || connection.read(&mut buffer)? > 0;
        if asked {
            connection.write_all(ANSWER)?;
        }
        while asked {
            asked = connection.read(&mut buffer)? > 0;
        }
    }
    tls.send_close_notify();
    // The client may have gone already.
    let _ = tls.complete_io(&mut stream);
    Ok(())
}
