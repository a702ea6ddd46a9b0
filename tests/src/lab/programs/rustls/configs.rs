//! rustls configurations from plans.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, KeyLogFile, ServerConfig, SignatureScheme,
};

use super::{CERTIFICATE, Provider};
use crate::lab::peer::{self as lab, ClientPlan, ServerPlan};
use crate::peers::{ClientAuth, tls};

/// Largest early data that servers take, in bytes.
const MAX_EARLY_DATA: u32 = 4096;

/// A server's configuration.
pub fn server(plan: &ServerPlan<'_>, provider: Provider) -> Result<ServerConfig> {
    let Provider { crypto, ticketer } = provider;
    let provider = Arc::new(restricted(crypto, plan.cipher, plan.group));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(tls::versions(plan.version))?;
    let builder = match plan.auth {
        ClientAuth::None => builder.with_no_client_auth(),
        auth => {
            let verifier = WebPkiClientVerifier::builder_with_provider(tls::roots(plan.client_ca)?, provider);
            let verifier = match plan.crl {
                Some(path) => {
                    verifier.with_crls([CertificateRevocationListDer::from_pem_file(path).context("CRL")?])
                }
                None => verifier,
            };
            let verifier = match auth {
                ClientAuth::Optional => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            builder.with_client_cert_verifier(Arc::new(Noting(verifier.build()?)))
        }
    };
    let identity = read(plan.identity)?;
    let mut config = builder.with_single_cert(identity.chain, identity.key)?;
    config.key_log = Arc::new(KeyLogFile::new());
    config.alpn_protocols = protocols(plan.alpn);
    // Early data is taken with sessions that the server itself remembers, and not with tickets.
    if !plan.early_data {
        config.ticketer = ticketer;
    }
    if let Some(tickets) = plan.tickets {
        config.send_tls13_tickets = tickets.into();
    }
    if plan.early_data {
        config.max_early_data_size = MAX_EARLY_DATA;
    }
    Ok(config)
}

/// A client's configuration.
pub fn client(plan: &ClientPlan<'_>, provider: CryptoProvider) -> Result<ClientConfig> {
    let provider = Arc::new(restricted(provider, plan.cipher, plan.group));
    let verifier =
        WebPkiServerVerifier::builder_with_provider(tls::roots(plan.trusted)?, Arc::clone(&provider))
            .build()?;
    let identity = match plan.identity {
        None => None,
        Some(identity) => {
            let identity = read(identity)?;
            let key = provider.key_provider.load_private_key(identity.key)?;
            Some(Arc::new(CertifiedKey::new(identity.chain, key)))
        }
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(tls::versions(plan.version))?
        .with_webpki_verifier(verifier)
        .with_client_cert_resolver(Arc::new(Showing(identity)));
    config.key_log = Arc::new(KeyLogFile::new());
    config.alpn_protocols = protocols(plan.alpn);
    config.enable_early_data = plan.early_data;
    if !plan.resume {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// The provider with no more than the suite and the group that are asked for. Names are compared as IANA writes them.
fn restricted(mut provider: CryptoProvider, cipher: Option<&str>, group: Option<&str>) -> CryptoProvider {
    if let Some(cipher) = cipher {
        // rustls writes TLS13_ where IANA writes TLS_.
        let name =
            |suite: &rustls::SupportedCipherSuite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
        provider.cipher_suites.retain(|suite| name(suite) == cipher);
    }
    if let Some(group) = group {
        provider
            .kx_groups
            .retain(|known| format!("{:?}", known.name()).eq_ignore_ascii_case(group));
    }
    provider
}

fn protocols(alpn: Option<&str>) -> Vec<Vec<u8>> {
    alpn.into_iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn read(identity: lab::Identity<'_>) -> Result<tls::Identity> {
    tls::Identity::read(identity.chain, identity.key)
}

/// Shows the same certificate whenever asked, without a look at it, and notes that it was asked.
#[derive(Debug)]
struct Showing(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Showing {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        CERTIFICATE.set(true);
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        // Also without one, so that it is asked.
        true
    }
}

/// Verifies as the verifier in it does, and notes that there was a certificate.
#[derive(Debug)]
struct Noting(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Noting {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        CERTIFICATE.set(true);
        self.0.verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
