//! The TLS side: clients must show a certificate, sessions are resumed.

use anyhow::{Context, Result};
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslFiletype, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509Lookup;
use openssl::x509::verify::X509VerifyFlags;

use crate::settings::Settings;

/// Sessions of this service are told from those of others by it.
const SESSION_CONTEXT: &[u8] = b"orders";

pub fn acceptor(settings: &Settings) -> Result<SslAcceptorBuilder> {
    let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    tls.set_certificate_chain_file(&settings.certificate)
        .context("TLS_CERTIFICATE")?;
    tls.set_private_key_file(&settings.key, SslFiletype::PEM)
        .context("TLS_KEY")?;
    tls.set_ca_file(&settings.client_ca).context("TLS_CLIENT_CA")?;
    let authorities = std::fs::read(&settings.client_ca)?;
    for authority in X509::stack_from_pem(&authorities)? {
        tls.add_client_ca(&authority)?;
    }
    tls.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    if let Some(file) = &settings.client_crl {
        let store = tls.cert_store_mut();
        store
            .add_lookup(X509Lookup::file())?
            .load_crl_file(file, SslFiletype::PEM)
            .context("TLS_CLIENT_CRL")?;
        store.set_flags(X509VerifyFlags::CRL_CHECK)?;
    }
    tls.set_session_id_context(SESSION_CONTEXT)?;
    if settings.only_tls13 {
        tls.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    }
    Ok(tls)
}
