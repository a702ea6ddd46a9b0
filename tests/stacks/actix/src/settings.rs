//! What the environment says about this service.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// Where the service listens, and what it is to clients and expects of them.
pub struct Settings {
    pub listen: SocketAddr,
    /// The server's certificate and those above it, PEM.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Who may have issued a client's certificate, PEM.
    pub client_ca: PathBuf,
    /// Which of them are revoked, PEM.
    pub client_crl: Option<PathBuf>,
    /// TLS 1.2 is refused.
    pub only_tls13: bool,
}

impl Settings {
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            listen: need("LISTEN")?.parse().context("LISTEN")?,
            certificate: need("TLS_CERTIFICATE")?.into(),
            key: need("TLS_KEY")?.into(),
            client_ca: need("TLS_CLIENT_CA")?.into(),
            client_crl: env::var_os("TLS_CLIENT_CRL").map(PathBuf::from),
            only_tls13: match env::var("TLS_MIN_VERSION").as_deref() {
                Err(_) | Ok("1.2") => false,
                Ok("1.3") => true,
                Ok(other) => bail!("TLS_MIN_VERSION is 1.2 or 1.3, not {other}"),
            },
        })
    }
}

fn need(name: &str) -> Result<String> {
    env::var(name).with_context(|| name.to_owned())
}
