//! Certificates for the tests, made afresh for each run: three authorities and leaf certificates with known faults.
//! Every value an event should show is kept beside the file that a TLS peer loads.

pub mod clients;
pub mod faults;
pub mod members;
mod revocation;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use data_encoding::HEXUPPER;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The name in the server's certificate that clients ask for.
pub const SERVER_NAME: &str = "mail.observer.test";

/// A day: year, month, day. Certificates here begin and end at midnight UTC.
type Day = (i32, u8, u8);
const LONG_AGO: Day = (2020, 1, 1);
const PAST: Day = (2021, 1, 1);
const RECENT: Day = (2024, 1, 1);
const FAR: Day = (2045, 1, 1);
const FARTHER: Day = (2049, 1, 1);

/// A distinguished name with the three attributes used here.
#[derive(Clone, Debug)]
pub struct Name {
    /// commonName.
    pub common_name: String,
    /// organizationName.
    pub organization: String,
    /// countryName.
    pub country: String,
}

impl Name {
    fn new(common_name: &str, organization: &str) -> Self {
        Self {
            common_name: common_name.into(),
            organization: organization.into(),
            country: "SE".into(),
        }
    }

    /// The attributes in the order in which they are encoded: country, organization, common name.
    fn encode(&self) -> DistinguishedName {
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, self.country.as_str());
        name.push(DnType::OrganizationName, self.organization.as_str());
        name.push(DnType::CommonName, self.common_name.as_str());
        name
    }

    /// As text, the last attribute first (RFC 4514, section 2.1).
    pub fn text(&self) -> String {
        format!(
            "CN={},O={},C={}",
            self.common_name, self.organization, self.country
        )
    }
}

/// Files of a certificate with its key, and its encoded bytes.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM (PKCS#8).
    pub key: PathBuf,
    /// The certificate, DER.
    pub der: CertificateDer<'static>,
}

/// A leaf certificate and what stands in it.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The files.
    pub files: Files,
    /// Subject.
    pub subject: Name,
    /// Issuer.
    pub issuer: Name,
    /// Serial number, upper-case hexadecimal without separators.
    pub serial: String,
    /// SHA-256 of the DER, upper-case hexadecimal.
    pub sha256: String,
    /// Start of validity, RFC 3339.
    pub not_before: String,
    /// End of validity, RFC 3339.
    pub not_after: String,
    /// Subject alternative names: DNS names, then addresses, URIs, mail addresses.
    pub alternative_names: Vec<String>,
}

/// A certificate authority.
pub struct Authority {
    /// Its own certificate.
    pub files: Files,
    /// Its name.
    pub name: Name,
    issuer: Issuer<'static, KeyPair>,
}

/// What to put into a leaf certificate.
struct LeafPlan<'a> {
    file: &'a str,
    common_name: &'a str,
    serial: [u8; 8],
    from: Day,
    to: Day,
    purpose: ExtendedKeyUsagePurpose,
    names: Vec<SanType>,
}

/// All authorities and certificates of a run, in a directory that goes with the guard.
pub struct Pki {
    directory: TempDir,
    /// Issues the server's certificate.
    pub server_ca: Authority,
    /// Issues the clients' certificates; servers trust it.
    pub client_ca: Authority,
    /// Nobody trusts it.
    pub other_ca: Authority,
    /// The server's certificate: `localhost`, [`SERVER_NAME`], 127.0.0.1 and `::1`.
    pub server: Leaf,
    /// A client's certificate with nothing wrong.
    pub good: Leaf,
    /// Expired in 2021.
    pub expired: Leaf,
    /// Begins in 2045.
    pub not_yet_valid: Leaf,
    /// Issued by [`Pki::other_ca`].
    pub unknown_ca: Leaf,
    /// For servers only.
    pub wrong_purpose: Leaf,
}

impl Pki {
    /// Makes everything.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tlsobs-pki-").tempdir()?;
        let path = directory.path();
        let server_ca = authority(
            path,
            "server-ca",
            Name::new("Observer Test Server CA", "Observer Tests"),
        )?;
        let client_ca = authority(
            path,
            "client-ca",
            Name::new("Observer Test Client CA", "Observer Tests"),
        )?;
        let other_ca = authority(path, "other-ca", Name::new("Nobody Knows This CA", "Elsewhere"))?;
        let client = |file, authority: &Authority, serial, from, to, purpose| {
            let names = vec![
                SanType::DnsName(format!("{file}.clients.observer.test").as_str().try_into()?),
                SanType::Rfc822Name(format!("{file}@observer.test").as_str().try_into()?),
                SanType::URI(
                    format!("spiffe://observer.test/client/{file}")
                        .as_str()
                        .try_into()?,
                ),
            ];
            let common_name = &format!("client {file}");
            leaf(
                path,
                authority,
                LeafPlan {
                    file,
                    common_name,
                    serial,
                    from,
                    to,
                    purpose,
                    names,
                },
            )
        };
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        let good = client("good", &client_ca, serial(1), RECENT, FARTHER, ClientAuth)?;
        let expired = client("expired", &client_ca, serial(2), LONG_AGO, PAST, ClientAuth)?;
        let not_yet_valid = client("not-yet-valid", &client_ca, serial(3), FAR, FARTHER, ClientAuth)?;
        let unknown_ca = client("unknown-ca", &other_ca, serial(4), RECENT, FARTHER, ClientAuth)?;
        let wrong_purpose = client(
            "wrong-purpose",
            &client_ca,
            serial(5),
            RECENT,
            FARTHER,
            ServerAuth,
        )?;
        let plan = LeafPlan {
            file: "server",
            common_name: "observer test server",
            serial: serial(0x7f),
            from: RECENT,
            to: FARTHER,
            purpose: ServerAuth,
            names: vec![
                SanType::DnsName("localhost".try_into()?),
                SanType::DnsName(SERVER_NAME.try_into()?),
                SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ],
        };
        let server = leaf(path, &server_ca, plan)?;
        Ok(Self {
            directory,
            server_ca,
            client_ca,
            other_ca,
            server,
            good,
            expired,
            not_yet_valid,
            unknown_ca,
            wrong_purpose,
        })
    }

    /// The directory, for further files of a test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A serial number whose first byte has its high bit clear, so that its DER is these eight bytes.
fn serial(last: u8) -> [u8; 8] {
    [0x4a, 0x00, 0x0b, 0xcd, 0xef, 0x00, 0x00, last]
}

/// Midnight UTC of a day, RFC 3339.
fn midnight((year, month, day): Day) -> String {
    format!("{year:04}-{month:02}-{day:02}T00:00:00Z")
}

fn authority(directory: &Path, file: &str, name: Name) -> Result<Authority> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name.encode();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(LONG_AGO.0, LONG_AGO.1, LONG_AGO.2);
    params.not_after = date_time_ymd(FARTHER.0, FARTHER.1, FARTHER.2);
    let certificate = params.self_signed(&key)?;
    let files = write(directory, file, &certificate, &key)?;
    Ok(Authority {
        files,
        name,
        issuer: Issuer::new(params, key),
    })
}

fn leaf(directory: &Path, authority: &Authority, plan: LeafPlan<'_>) -> Result<Leaf> {
    certify(directory, Some(authority), plan)
}

/// A leaf that an authority has signed, or its own key.
fn certify(directory: &Path, authority: Option<&Authority>, plan: LeafPlan<'_>) -> Result<Leaf> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let subject = Name::new(plan.common_name, "Observer Test Peers");
    let mut params = CertificateParams::default();
    params.distinguished_name = subject.encode();
    params.serial_number = Some(SerialNumber::from_slice(&plan.serial));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![plan.purpose];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(plan.from.0, plan.from.1, plan.from.2);
    params.not_after = date_time_ymd(plan.to.0, plan.to.1, plan.to.2);
    let mut names: Vec<_> = plan.names.iter().map(name_text).collect();
    names.sort_by_key(|(rank, _)| *rank);
    let alternative_names = names.into_iter().map(|(_, text)| text).collect();
    params.subject_alt_names = plan.names;
    let (certificate, issuer) = match authority {
        Some(authority) => (params.signed_by(&key, &authority.issuer)?, authority.name.clone()),
        None => (params.self_signed(&key)?, subject.clone()),
    };
    let files = write(directory, plan.file, &certificate, &key)?;
    Ok(Leaf {
        sha256: HEXUPPER.encode(&Sha256::digest(&files.der)),
        files,
        subject,
        issuer,
        serial: HEXUPPER.encode(&plan.serial),
        not_before: midnight(plan.from),
        not_after: midnight(plan.to),
        alternative_names,
    })
}

/// An alternative name's kind, as its rank in an event's list, and its text.
fn name_text(name: &SanType) -> (u8, String) {
    match name {
        SanType::DnsName(text) => (0, text.as_str().to_owned()),
        SanType::IpAddress(address) => (1, address.to_string()),
        SanType::URI(text) => (2, text.as_str().to_owned()),
        SanType::Rfc822Name(text) => (3, text.as_str().to_owned()),
        other => (4, format!("{other:?}")),
    }
}

fn write(directory: &Path, file: &str, certificate: &rcgen::Certificate, key: &KeyPair) -> Result<Files> {
    let files = Files {
        certificate: directory.join(format!("{file}.crt")),
        key: directory.join(format!("{file}.key")),
        der: certificate.der().clone(),
    };
    fs::write(&files.certificate, certificate.pem()).context("certificate file")?;
    fs::write(&files.key, key.serialize_pem()).context("key file")?;
    Ok(files)
}
