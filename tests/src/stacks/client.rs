//! The clients of the stacks: rustls in this very process, so that no probe of the agent sees anything but the service.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, SignatureScheme};

use crate::peers::Version;
use crate::peers::tls::{self, Offer};
use crate::pki::Files;
use crate::process::Process;

use super::service::NAME;

/// How long a client waits for the service.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is asked of each service.
const REQUEST: &[u8] = b"GET /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// What a client is.
#[derive(Clone, Debug)]
pub struct Client<'a> {
    /// The service's address.
    pub address: SocketAddr,
    /// The only version that it speaks.
    pub version: Version,
    /// What it shows when it is asked.
    pub shows: Option<&'a Files>,
    /// The authority that it knows, PEM.
    pub trusted: &'a Path,
    /// The name that it asks for.
    pub name: &'static str,
}

/// What became of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The client's port, if it is known.
    pub port: Option<u16>,
    /// What the client saw: the status of the answer, an alert, a close, or why it refused the server.
    pub saw: String,
}

/// Shows a chain as it stands, whatever its bytes are.
#[derive(Debug)]
struct AsItStands(Arc<CertifiedKey>);

impl ResolvesClientCert for AsItStands {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl Client<'_> {
    /// Its configuration, which remembers sessions.
    ///
    /// # Errors
    /// When files cannot be read.
    pub fn config(&self) -> Result<Arc<ClientConfig>> {
        let mut config = tls::client(&Offer::only(self.version), self.trusted, None)?;
        if let Some(files) = self.shows {
            let key = rustls::pki_types::PrivateKeyDer::from_pem_file(&files.key)
                .map_err(|error| anyhow!("{}: {error}", files.key.display()))?;
            let key = ring::sign::any_supported_type(&key)?;
            let shown = CertifiedKey::new(vec![files.der.clone()], key);
            config.client_auth_cert_resolver = Arc::new(AsItStands(Arc::new(shown)));
        }
        Ok(Arc::new(config))
    }

    /// Asks for the orders.
    ///
    /// # Errors
    /// When it cannot connect, or sees something that no service should do.
    pub fn request(&self, config: &Arc<ClientConfig>) -> Result<View> {
        let (mut stream, port) = self.connect()?;
        let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(self.name)?)?;
        let saw = match answer(&mut tls, &mut stream) {
            Ok(status) => status,
            Err(error) => complaint(&error)?,
        };
        Ok(View { port, saw })
    }

    /// Goes away when the server has answered its ClientHello.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn abort(&self, config: &Arc<ClientConfig>) -> Result<View> {
        let (mut stream, port) = self.connect()?;
        let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(self.name)?)?;
        while tls.wants_write() {
            tls.write_tls(&mut stream)?;
        }
        ensure!(stream.read(&mut [0; 16384])? > 0, "no answer to the ClientHello");
        stream.shutdown(Shutdown::Both)?;
        Ok(View {
            port,
            saw: "went away".to_owned(),
        })
    }

    /// Asks for the orders without TLS.
    ///
    /// # Errors
    /// When it cannot connect.
    pub fn plain_http(&self) -> Result<View> {
        let (mut stream, port) = self.connect()?;
        stream.write_all(REQUEST)?;
        let mut answer = Vec::new();
        let saw = match stream.read_to_end(&mut answer) {
            Ok(_) | Err(_) if answer.starts_with(b"HTTP/") => status(&answer)?,
            Ok(0) => "closed".to_owned(),
            Ok(_) | Err(_) if answer.first() == Some(&21) => "an alert".to_owned(),
            Ok(count) => format!("{count} bytes"),
            Err(error) => complaint(&error)?,
        };
        Ok(View { port, saw })
    }

    fn connect(&self) -> Result<(TcpStream, Option<u16>)> {
        let stream = TcpStream::connect(self.address).context("connect")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let port = stream.local_addr()?.port();
        Ok((stream, Some(port)))
    }
}

/// Calls a service with nothing newer than TLS 1.1, which needs another library.
///
/// # Errors
/// When OpenSSL's client does not end in time.
pub fn old_version(address: SocketAddr) -> Result<View> {
    let mut command = Command::new("openssl");
    command
        .args([
            "s_client",
            "-tls1_1",
            "-cipher",
            "DEFAULT:@SECLEVEL=0",
            "-connect",
        ])
        .arg(address.to_string())
        .args(["-servername", NAME]);
    let mut client = Process::spawn(&mut command)?;
    client.close_stdin();
    client.wait(PATIENCE)?;
    let said = client.stderr();
    // `error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:…`
    let alert = said.split(':').find_map(|part| part.split_once(" alert "));
    let saw = match alert {
        Some((_, name)) => format!("alert {}", name.replace(' ', "_")),
        None => "closed".to_owned(),
    };
    Ok(View { port: None, saw })
}

/// The status of the answer.
fn answer(tls: &mut ClientConnection, stream: &mut TcpStream) -> std::io::Result<String> {
    let mut connection = rustls::Stream::new(tls, stream);
    if let Err(error) = connection.write_all(REQUEST) {
        // A server that turns the client away may be gone before all is written, and what it said is there to be read.
        while of_tls(&error).is_none() && tls.read_tls(stream).is_ok_and(|count| count > 0) {
            tls.process_new_packets().map_err(std::io::Error::other)?;
        }
        return Err(error);
    }
    let mut answer = Vec::new();
    let read = connection.read_to_end(&mut answer);
    if answer.starts_with(b"HTTP/") {
        tls.send_close_notify();
        // The server may have gone already.
        let _ = tls.complete_io(stream);
        return status(&answer).map_err(std::io::Error::other);
    }
    read?;
    Err(ErrorKind::UnexpectedEof.into())
}

/// The status line's code and text.
fn status(answer: &[u8]) -> Result<String> {
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).context("status line")?;
    Ok(line.split_once(' ').context("status line")?.1.to_owned())
}

/// What TLS has to say of an error.
fn of_tls(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What an error means: the other side's doing, or this side's.
fn complaint(error: &std::io::Error) -> Result<String> {
    match (of_tls(error), error.kind()) {
        (Some(rustls::Error::AlertReceived(alert)), _) => Ok(format!("alert {}", snake_case(alert))),
        (Some(rustls::Error::InvalidCertificate(error)), _) => {
            let text = format!("{error:?}");
            let name = text
                .split(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap_or_default();
            Ok(format!("refused the server: {name}"))
        }
        (
            _,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe,
        ) => Ok("closed".to_owned()),
        _ => Err(anyhow!("{error}")),
    }
}

/// An alert's name as the registry has it, from rustls's.
fn snake_case(alert: &impl std::fmt::Debug) -> String {
    let mut name = String::new();
    for character in format!("{alert:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name.replace("unknown_c_a", "unknown_ca")
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;

    #[test]
    fn alerts_have_the_registrys_names() {
        assert_eq!(snake_case(&AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(
            snake_case(&AlertDescription::CertificateExpired),
            "certificate_expired"
        );
    }

    #[test]
    fn a_status_is_code_and_text() {
        assert_eq!(
            status(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n").unwrap(),
            "400 Bad Request"
        );
        assert!(status(b"HTTP/1.1").is_err());
    }
}
