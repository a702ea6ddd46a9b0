//! Further certificates, for the laboratory: faults that need more than a date, and chains of other sizes and keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};

use super::clients::ClientFaults;
use super::{FAR, FARTHER, LONG_AGO, Leaf, LeafPlan, Name, PAST, Pki, RECENT, SERVER_NAME, leaf, serial};

/// How many intermediates stand between root and leaf of [`Faults::big_client`] and [`Faults::big_server`].
const INTERMEDIATES: usize = 3;

/// A chain with its key, and the root that it leads to.
#[derive(Clone, Debug)]
pub struct Chain {
    /// PEM, leaf first, without the root.
    pub chain: PathBuf,
    /// PEM, PKCS#8.
    pub key: PathBuf,
    /// PEM.
    pub root: PathBuf,
}

/// Certificates beside those of [`Pki`], in its directory.
pub struct Faults {
    /// Those of clients.
    pub clients: ClientFaults,
    /// A server's certificate that expired in 2021.
    pub server_expired: Leaf,
    /// A server's certificate that begins in 2045.
    pub server_not_yet_valid: Leaf,
    /// A server's certificate for another name.
    pub server_other_name: Leaf,
    /// A server's certificate of [`Pki::other_ca`].
    pub server_unknown_ca: Leaf,
    /// A server's certificate for clients only.
    pub server_wrong_purpose: Leaf,
    /// A server's certificate with an RSA key, one certificate long.
    pub server_rsa: Chain,
    /// A server's certificate below three intermediates, RSA 4096 throughout.
    pub big_server: Chain,
    /// A client's certificate below the same.
    pub big_client: Chain,
}

impl Faults {
    /// Makes everything.
    ///
    /// # Errors
    /// When the directory cannot be written, or `openssl`, which makes the RSA keys, fails.
    pub fn new(pki: &Pki) -> Result<Self> {
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        let directory = pki.directory();
        let server = |file, last, from, to| -> Result<LeafPlan<'_>> {
            Ok(LeafPlan {
                file,
                common_name: "server with a fault",
                serial: serial(last),
                from,
                to,
                purpose: ServerAuth,
                names: vec![SanType::DnsName(SERVER_NAME.try_into()?)],
            })
        };
        let other_name = LeafPlan {
            names: vec![SanType::DnsName("other.observer.test".try_into()?)],
            ..server("server-other-name", 0x72, RECENT, FARTHER)?
        };
        let wrong_purpose = LeafPlan {
            purpose: ClientAuth,
            ..server("server-wrong-purpose", 0x74, RECENT, FARTHER)?
        };
        let big = BigFamily::new(directory)?;
        Ok(Self {
            clients: ClientFaults::new(pki)?,
            server_expired: leaf(
                directory,
                &pki.server_ca,
                server("server-expired", 0x70, LONG_AGO, PAST)?,
            )?,
            server_not_yet_valid: leaf(
                directory,
                &pki.server_ca,
                server("server-not-yet-valid", 0x71, FAR, FARTHER)?,
            )?,
            server_other_name: leaf(directory, &pki.server_ca, other_name)?,
            server_unknown_ca: leaf(
                directory,
                &pki.other_ca,
                server("server-unknown-ca", 0x73, RECENT, FARTHER)?,
            )?,
            server_wrong_purpose: leaf(directory, &pki.server_ca, wrong_purpose)?,
            server_rsa: server_rsa(pki)?,
            big_server: big.leaf("big-server", ServerAuth)?,
            big_client: big.leaf("big-client", ClientAuth)?,
        })
    }
}

/// A leaf's parameters with nothing wrong in them.
fn parameters(common_name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
    params.distinguished_name = Name::new(common_name, "Observer Test Peers").encode();
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![purpose];
    params.not_before = date_time_ymd(RECENT.0, RECENT.1, RECENT.2);
    params.not_after = date_time_ymd(FARTHER.0, FARTHER.1, FARTHER.2);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn server_rsa(pki: &Pki) -> Result<Chain> {
    let key = rsa_key(2048)?;
    let params = parameters("server with an RSA key", ExtendedKeyUsagePurpose::ServerAuth)?;
    let pem = params
        .signed_by(&KeyPair::from_pem(&key)?, &pki.server_ca.issuer)?
        .pem();
    Ok(Chain {
        root: pki.server_ca.files.certificate.clone(),
        ..store(pki.directory(), "server-rsa", &pem, &key)?
    })
}

/// A root and the intermediates below it, all RSA 4096.
struct BigFamily<'a> {
    directory: &'a Path,
    root: PathBuf,
    /// PEM, the one that issues leaves first.
    intermediates: String,
    issuer: Issuer<'static, KeyPair>,
    leaf_key: String,
}

impl<'a> BigFamily<'a> {
    fn new(directory: &'a Path) -> Result<Self> {
        let authority = |common_name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name = Name::new(common_name, "Observer Test Big").encode();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.not_before = date_time_ymd(LONG_AGO.0, LONG_AGO.1, LONG_AGO.2);
            params.not_after = date_time_ymd(FARTHER.0, FARTHER.1, FARTHER.2);
            params.use_authority_key_identifier_extension = true;
            params
        };
        let key = || -> Result<KeyPair> { Ok(KeyPair::from_pem(&rsa_key(4096)?)?) };
        let (params, root_key) = (authority("Big Root"), key()?);
        let root = directory.join("big-root.crt");
        fs::write(&root, params.self_signed(&root_key)?.pem()).context("root")?;
        let mut issuer = Issuer::new(params, root_key);
        let mut intermediates = String::new();
        for number in 1..=INTERMEDIATES {
            let (params, key) = (authority(&format!("Big Intermediate {number}")), key()?);
            intermediates.insert_str(0, &params.signed_by(&key, &issuer)?.pem());
            issuer = Issuer::new(params, key);
        }
        Ok(Self {
            directory,
            root,
            intermediates,
            issuer,
            leaf_key: rsa_key(4096)?,
        })
    }

    fn leaf(&self, file: &str, purpose: ExtendedKeyUsagePurpose) -> Result<Chain> {
        let key = KeyPair::from_pem(&self.leaf_key)?;
        let own = parameters(file, purpose)?.signed_by(&key, &self.issuer)?.pem();
        let chain = store(self.directory, file, &(own + &self.intermediates), &self.leaf_key)?;
        Ok(Chain {
            root: self.root.clone(),
            ..chain
        })
    }
}

/// A new RSA key, PEM: the library behind the other certificates makes none.
fn rsa_key(bits: u32) -> Result<String> {
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt"])
        .arg(format!("rsa_keygen_bits:{bits}"))
        .output()
        .context("openssl")?;
    ensure!(
        made.status.success(),
        "openssl genpkey: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    String::from_utf8(made.stdout).context("openssl genpkey")
}

/// Writes chain and key; the root is left for the caller to say.
fn store(directory: &Path, file: &str, chain: &str, key: &str) -> Result<Chain> {
    let paths = Chain {
        chain: directory.join(format!("{file}.crt")),
        key: directory.join(format!("{file}.key")),
        root: PathBuf::new(),
    };
    fs::write(&paths.chain, chain).context("certificate file")?;
    fs::write(&paths.key, key).context("key file")?;
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `openssl verify` says of a chain: nothing when it is good.
    fn complaint(root: &Path, chain: &Path, more: &[&str]) -> Option<String> {
        let checked = Command::new("openssl")
            .arg("verify")
            .args(more)
            .arg("-CAfile")
            .arg(root)
            .arg("-untrusted")
            .args([chain, chain])
            .output()
            .expect("openssl");
        (!checked.status.success()).then(|| String::from_utf8_lossy(&checked.stderr).into_owned())
    }

    #[test]
    fn each_certificate_has_its_fault_and_no_other() {
        let pki = Pki::new().unwrap();
        let faults = Faults::new(&pki).unwrap();
        let (client_ca, server_ca) = (&pki.client_ca.files.certificate, &pki.server_ca.files.certificate);
        let crl = ["-crl_check", "-CRLfile", faults.clients.crl.to_str().unwrap()];
        assert_eq!(complaint(client_ca, &pki.good.files.certificate, &crl), None);
        for (root, chain, options, text) in [
            (
                client_ca,
                &faults.clients.revoked.files.certificate,
                &crl[..],
                "revoked",
            ),
            (
                client_ca,
                &faults.clients.self_signed.files.certificate,
                &[],
                "self-signed",
            ),
            (
                client_ca,
                &faults.clients.broken.certificate,
                &[],
                "Could not read",
            ),
            (
                server_ca,
                &faults.server_expired.files.certificate,
                &[],
                "expired",
            ),
            (
                server_ca,
                &faults.server_not_yet_valid.files.certificate,
                &[],
                "not yet valid",
            ),
            (
                server_ca,
                &faults.server_other_name.files.certificate,
                &["-verify_hostname", SERVER_NAME],
                "ostname mismatch",
            ),
            (
                server_ca,
                &faults.server_unknown_ca.files.certificate,
                &[],
                "unable to get local issuer",
            ),
            (
                server_ca,
                &faults.server_wrong_purpose.files.certificate,
                &["-purpose", "sslserver"],
                "purpose",
            ),
        ] {
            let said = complaint(root, chain, options).unwrap_or_default();
            assert!(said.contains(text), "{}: {said}", chain.display());
        }
        let name = ["-purpose", "sslserver", "-verify_hostname", SERVER_NAME];
        for chain in [&faults.server_rsa, &faults.big_server] {
            assert_eq!(complaint(&chain.root, &chain.chain, &name), None);
        }
        let client = ["-purpose", "sslclient"];
        assert_eq!(
            complaint(&faults.big_client.root, &faults.big_client.chain, &client),
            None
        );
    }
}
