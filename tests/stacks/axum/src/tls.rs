//! The TLS side: clients must show a certificate, sessions are resumed.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
#[cfg(not(feature = "ring"))]
use rustls::crypto::aws_lc_rs::Ticketer;
#[cfg(feature = "ring")]
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use crate::settings::Settings;

pub fn config(settings: &Settings) -> Result<ServerConfig> {
    let mut roots = RootCertStore::empty();
    for authority in read_all::<CertificateDer>(&settings.client_ca)? {
        roots.add(authority).context("TLS_CLIENT_CA")?;
    }
    let mut verifier = WebPkiClientVerifier::builder(Arc::new(roots));
    if let Some(file) = &settings.client_crl {
        // Our authority lists clients; nothing lists the authorities.
        verifier = verifier
            .with_crls(read_all::<CertificateRevocationListDer>(file)?)
            .only_check_end_entity_revocation();
    }
    let versions: &[_] = if settings.only_tls13 {
        &[&TLS13]
    } else {
        &[&TLS13, &TLS12]
    };
    let mut config = ServerConfig::builder_with_protocol_versions(versions)
        .with_client_cert_verifier(verifier.build()?)
        .with_single_cert(
            read_all(&settings.certificate)?,
            PrivateKeyDer::from_pem_file(&settings.key)
                .with_context(|| settings.key.display().to_string())?,
        )?;
    config.ticketer = Ticketer::new()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read_all<T: PemObject>(file: &Path) -> Result<Vec<T>> {
    T::pem_file_iter(file)
        .and_then(Iterator::collect)
        .with_context(|| file.display().to_string())
}
