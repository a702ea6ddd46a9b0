//! rustls configurations, shared by the peer processes and the conversations held in memory.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CipherSuite, ClientConfig, NamedGroup, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};

use super::{ClientAuth, Version};

/// What both ends can be told.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The only version; both when absent.
    pub version: Option<Version>,
    /// The only cipher suite; the provider's default list when absent.
    pub cipher: Option<CipherSuite>,
    /// The key exchange groups in order; the provider's default when empty.
    pub groups: Vec<NamedGroup>,
    /// ALPN protocols.
    pub alpn: Vec<String>,
    /// Largest TLS record in bytes, its header included.
    pub fragment: Option<usize>,
    /// Who does the cryptography; ring when absent.
    pub crypto: Option<fn() -> CryptoProvider>,
}

impl Offer {
    /// One version, all else as the provider has it.
    pub fn only(version: Version) -> Self {
        Self {
            version: Some(version),
            ..Self::default()
        }
    }

    fn provider(&self) -> Arc<CryptoProvider> {
        let mut provider = self.crypto.unwrap_or(ring::default_provider)();
        if let Some(cipher) = self.cipher {
            provider.cipher_suites.retain(|suite| suite.suite() == cipher);
        }
        if !self.groups.is_empty() {
            let known = std::mem::take(&mut provider.kx_groups);
            let find = |name: &NamedGroup| known.iter().find(|group| group.name() == *name).copied();
            provider.kx_groups = self.groups.iter().filter_map(find).collect();
        }
        Arc::new(provider)
    }

    fn alpn(&self) -> Vec<Vec<u8>> {
        self.alpn
            .iter()
            .map(|protocol| protocol.clone().into_bytes())
            .collect()
    }
}

/// rustls's name of one version; all it has for none.
pub fn versions(version: Option<Version>) -> &'static [&'static SupportedProtocolVersion] {
    static TLS12: &[&SupportedProtocolVersion] = &[&version::TLS12];
    static TLS13: &[&SupportedProtocolVersion] = &[&version::TLS13];
    match version {
        Some(Version::Tls12) => TLS12,
        Some(Version::Tls13) => TLS13,
        None => rustls::ALL_VERSIONS,
    }
}

/// A certificate chain and its key, read from PEM files.
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both.
    ///
    /// # Errors
    /// When a file is missing or not PEM.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .with_context(|| certificate.display().to_string())?;
        let key = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
        Ok(Self { chain, key })
    }
}

/// The one certificate in a PEM file as what is trusted.
///
/// # Errors
/// When the file is missing or holds none.
pub fn roots(file: &Path) -> Result<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_file(file).with_context(|| file.display().to_string())?)?;
    Ok(Arc::new(store))
}

/// A server's configuration. `client_ca` is what it trusts, needed unless `auth` is [`ClientAuth::None`].
///
/// # Errors
/// When files or parts do not fit together.
pub fn server(
    offer: &Offer,
    identity: Identity,
    auth: ClientAuth,
    client_ca: Option<&Path>,
) -> Result<ServerConfig> {
    let provider = offer.provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(offer.version))?;
    let verifier = match (auth, client_ca) {
        (ClientAuth::None, _) => None,
        (_, None) => anyhow::bail!("asking for client certificates needs a CA"),
        (auth, Some(ca)) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots(ca)?, provider);
            let verifier = if auth == ClientAuth::Optional {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            Some(verifier.build()?)
        }
    };
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = offer.alpn();
    config.max_fragment_size = offer.fragment;
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

/// A client's configuration that checks the server against `server_ca`.
///
/// # Errors
/// When files or parts do not fit together.
pub fn client(offer: &Offer, server_ca: &Path, identity: Option<Identity>) -> Result<ClientConfig> {
    let provider = offer.provider();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots(server_ca)?, Arc::clone(&provider)).build()?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(offer.version))?
        .with_webpki_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_auth_cert(identity.chain, identity.key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = offer.alpn();
    config.max_fragment_size = offer.fragment;
    Ok(config)
}
