//! Chains of two certificates for both sides: a leaf, and the intermediate authority that issued it. Many clients, as a
//! server of a mesh sees them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tempfile::TempDir;

use crate::bench::load::Credentials;
use crate::pki::SERVER_NAME;

/// Clients with a certificate of their own.
const CLIENTS: usize = 50;

/// The files of one end.
#[derive(Debug)]
struct End {
    chain: PathBuf,
    key: PathBuf,
}

/// A server and its clients, under two roots.
#[derive(Debug)]
pub struct Chains {
    server_root: PathBuf,
    client_root: PathBuf,
    server: End,
    clients: Vec<End>,
    _directory: TempDir,
}

impl Chains {
    /// Makes them.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tlsobs-chains-").tempdir()?;
        let path = directory.path();
        let (server_root, servers) = authorities(path, "Server")?;
        let (client_root, clients) = authorities(path, "Client")?;
        let names = vec![SanType::DnsName(SERVER_NAME.try_into()?)];
        Ok(Self {
            server: leaf(
                path,
                "server",
                &servers,
                ExtendedKeyUsagePurpose::ServerAuth,
                names,
            )?,
            clients: (0..CLIENTS)
                .map(|number| client(path, number, &clients))
                .collect::<Result<_>>()?,
            server_root,
            client_root,
            _directory: directory,
        })
    }

    /// What the server is given.
    pub fn server(&self) -> Credentials<'_> {
        Credentials {
            trusted: &self.client_root,
            chain: &self.server.chain,
            key: &self.server.key,
        }
    }

    /// What each client is given.
    pub fn clients(&self) -> impl ExactSizeIterator<Item = Credentials<'_>> {
        self.clients.iter().map(|client| Credentials {
            trusted: &self.server_root,
            chain: &client.chain,
            key: &client.key,
        })
    }
}

/// An authority below a root, and its certificate, which goes along with each leaf.
struct Intermediate {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A root, of which only the file is kept, and an intermediate authority below it.
fn authorities(directory: &Path, side: &str) -> Result<(PathBuf, Intermediate)> {
    let key = KeyPair::generate()?;
    let params = authority(&format!("{side} Root CA"))?;
    let file = directory.join(format!("{side}-root.crt"));
    fs::write(&file, params.self_signed(&key)?.pem()).context("root certificate")?;
    let root = Issuer::new(params, key);

    let key = KeyPair::generate()?;
    let params = authority(&format!("{side} Issuing CA 1"))?;
    let pem = params.signed_by(&key, &root)?.pem();
    let issuer = Issuer::new(params, key);
    Ok((file, Intermediate { issuer, pem }))
}

fn authority(name: &str) -> Result<CertificateParams> {
    let mut params = dated(name)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn client(directory: &Path, number: usize, issuer: &Intermediate) -> Result<End> {
    let name = format!("client-{number}");
    let names = vec![
        SanType::DnsName(format!("{name}.clients.observer.test").try_into()?),
        SanType::URI(format!("spiffe://observer.test/client/{number}").try_into()?),
    ];
    leaf(
        directory,
        &name,
        issuer,
        ExtendedKeyUsagePurpose::ClientAuth,
        names,
    )
}

fn leaf(
    directory: &Path,
    name: &str,
    issuer: &Intermediate,
    purpose: ExtendedKeyUsagePurpose,
    names: Vec<SanType>,
) -> Result<End> {
    let key = KeyPair::generate()?;
    let mut params = dated(name)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = names;
    let certificate = params.signed_by(&key, &issuer.issuer)?;
    let end = End {
        chain: directory.join(format!("{name}.crt")),
        key: directory.join(format!("{name}.key")),
    };
    fs::write(&end.chain, certificate.pem() + &issuer.pem).context("certificate chain")?;
    fs::write(&end.key, key.serialize_pem()).context("key")?;
    Ok(end)
}

/// Valid for long, with the three attributes of a usual name.
fn dated(common_name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CountryName, "SE");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Observer Benchmark");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    Ok(params)
}
