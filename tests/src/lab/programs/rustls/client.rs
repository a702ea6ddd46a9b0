//! The client: one connection after the other.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};

use super::{CERTIFICATE, Provider, configs, patient, print, tell};
use crate::lab::peer::{Behaviour, ClientPlan, PEER_PATIENCE, REQUEST, Report};

/// Makes the plan's connections.
///
/// # Errors
/// When the plan is no good. A connection that fails is no error.
pub fn run(provider: Provider, plan: &str) -> Result<()> {
    let plan: ClientPlan<'_> = serde_json::from_str(plan).context("plan")?;
    let config = Arc::new(configs::client(&plan, provider.crypto)?);
    for _ in 0..plan.count {
        let mut report = Report::default();
        CERTIFICATE.set(false);
        if let Err(error) = call(&plan, &config, &mut report) {
            tell(&mut report, &error);
        }
        // A request for a certificate is known once the server's flight was read.
        report.requested = (report.completed == Some(true) || CERTIFICATE.get()).then(|| CERTIFICATE.get());
        print(&report)?;
    }
    Ok(())
}

fn call(plan: &ClientPlan<'_>, config: &Arc<ClientConfig>, report: &mut Report) -> Result<()> {
    let name = ServerName::try_from(plan.server_name.to_owned())?;
    let stream = TcpStream::connect(plan.address).context("connect")?;
    patient(&stream, PEER_PATIENCE)?;
    report.port = Some(stream.local_addr()?.port());
    report.completed = Some(false);
    let mut stream = &stream;
    let mut tls = ClientConnection::new(Arc::clone(config), name)?;
    let early = match tls.early_data() {
        Some(mut data) => data.write(REQUEST.as_bytes())? > 0,
        None => false,
    };
    while tls.is_handshaking() {
        let (read, _) = tls.complete_io(&mut stream)?;
        if read == 0 && tls.is_handshaking() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
    }
    report.completed = Some(true);
    report.resumed = Some(tls.handshake_kind() == Some(HandshakeKind::Resumed));
    report.early_data = Some(early && tls.is_early_data_accepted());
    if plan.behaviour == Behaviour::UpdatesKey {
        tls.refresh_traffic_keys()?;
    }
    let mut connection = rustls::Stream::new(&mut tls, &mut stream);
    match plan.behaviour {
        Behaviour::Requests | Behaviour::UpdatesKey => {
            if report.early_data != Some(true) {
                connection.write_all(REQUEST.as_bytes())?;
            }
            if connection.read(&mut [0; 4096])? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        }
        Behaviour::ClosesAtOnce => {}
        Behaviour::Idles(time) => std::thread::sleep(time),
    }
    tls.send_close_notify();
    // The server may have gone already.
    let _ = tls.complete_io(&mut stream);
    Ok(())
}
