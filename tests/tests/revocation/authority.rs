//! An authority whose certificates come from rcgen, and whose CRLs and OCSP responses come from OpenSSL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use observer_tls::x509::CertificateParts;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;
use tls_observer::verify::Link;

/// A certificate, its key and the files of both, PEM.
pub struct Member {
    pub der: Vec<u8>,
    pub certificate: PathBuf,
    pub key: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A line of OpenSSL's database: serial number in hex, and since when and why it is revoked ("240301000000Z,keyCompromise").
pub type Row<'a> = (&'a str, Option<&'a str>);

/// A directory with an authority in it.
pub struct Authority {
    directory: TempDir,
    pub ca: Member,
}

/// A CA's parameters.
pub fn authority(common_name: &str) -> CertificateParams {
    let mut plan = plan(common_name, 1);
    plan.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    plan.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    plan
}

/// A leaf's parameters.
pub fn plan(common_name: &str, serial: u8) -> CertificateParams {
    let mut plan = CertificateParams::new(Vec::new()).unwrap();
    plan.distinguished_name.push(DnType::CommonName, common_name);
    plan.serial_number = Some(vec![serial].into());
    plan.not_before = date_time_ymd(2023, 1, 1);
    plan.not_after = date_time_ymd(2045, 1, 1);
    plan.use_authority_key_identifier_extension = true;
    plan
}

/// A responder's parameters.
pub fn responder(common_name: &str) -> CertificateParams {
    let mut plan = plan(common_name, 200);
    plan.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    plan
}

impl Authority {
    /// A self-signed one, its key made by `openssl genpkey` with these arguments.
    pub fn new(plan: CertificateParams, key: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let key = make_key(directory.path(), "ca", key);
        let certificate = plan.self_signed(&key).unwrap();
        let ca = Member::write(directory.path(), "ca", plan, &certificate, key);
        Self { directory, ca }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A certificate that `by` issues, in files with this name.
    pub fn issue(&self, by: &Member, file: &str, plan: CertificateParams) -> Member {
        let key = make_key(self.path(), file, &EC);
        let certificate = plan.signed_by(&key, &by.issuer).unwrap();
        Member::write(self.path(), file, plan, &certificate, key)
    }

    /// Writes OpenSSL's database.
    pub fn database(&self, rows: &[Row<'_>]) -> PathBuf {
        let line = |(serial, revoked): &Row<'_>| match revoked {
            Some(revoked) => format!("R\t450101000000Z\t{revoked}\t{serial}\tunknown\t/CN={serial}\n"),
            None => format!("V\t450101000000Z\t\t{serial}\tunknown\t/CN={serial}\n"),
        };
        let database = self.path().join("index.txt");
        fs::write(&database, rows.iter().map(line).collect::<String>()).unwrap();
        database
    }

    /// A CRL, PEM, of `by` with these revoked certificates, from and until these dates ("240501000000Z"), with these
    /// lines of extensions.
    pub fn crl(&self, by: &Member, rows: &[Row<'_>], from: &str, until: &str, extensions: &str) -> Vec<u8> {
        let database = self.database(rows);
        let configuration = self.path().join("ca.cnf");
        let text = format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={}\ndefault_md=sha256\ndefault_crl_days=30\ncrl_extensions=e\n\
             [e]\nauthorityKeyIdentifier=keyid\n{extensions}\n",
            database.display()
        );
        fs::write(&configuration, text).unwrap();
        let out = self.path().join("list.pem");
        run(Command::new("openssl")
            .args(["ca", "-gencrl", "-config"])
            .arg(&configuration)
            .arg("-cert")
            .arg(&by.certificate)
            .arg("-keyfile")
            .arg(&by.key)
            .args(["-crl_lastupdate", from, "-crl_nextupdate", until, "-out"])
            .arg(&out));
        fs::read(out).unwrap()
    }

    /// An OCSP response, DER, about the certificate with this serial number, signed by `signer`, with further arguments.
    pub fn ocsp(&self, signer: &Member, rows: &[Row<'_>], serial: &str, arguments: &[&str]) -> Vec<u8> {
        let database = self.database(rows);
        let out = self.path().join("response.der");
        run(Command::new("openssl")
            .args(["ocsp", "-no_nonce", "-index"])
            .arg(database)
            .arg("-CA")
            .arg(&self.ca.certificate)
            .arg("-rsigner")
            .arg(&signer.certificate)
            .arg("-rkey")
            .arg(&signer.key)
            .args(arguments)
            .arg("-issuer")
            .arg(&self.ca.certificate)
            .args(["-serial", &format!("0x{serial}"), "-respout"])
            .arg(&out));
        fs::read(out).unwrap()
    }
}

/// Arguments of `openssl genpkey` for a key of P-256.
pub const EC: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn make_key(directory: &Path, file: &str, arguments: &[&str]) -> KeyPair {
    let path = directory.join(format!("{file}.key"));
    run(Command::new("openssl")
        .arg("genpkey")
        .args(arguments)
        .arg("-out")
        .arg(&path));
    KeyPair::from_pem(&fs::read_to_string(path).unwrap()).unwrap()
}

impl Member {
    fn write(
        directory: &Path,
        file: &str,
        plan: CertificateParams,
        certificate: &Certificate,
        key: KeyPair,
    ) -> Self {
        let path = directory.join(format!("{file}.pem"));
        fs::write(&path, certificate.pem()).unwrap();
        Self {
            der: certificate.der().to_vec(),
            certificate: path,
            key: directory.join(format!("{file}.key")),
            issuer: Issuer::new(plan, key),
        }
    }

    /// A link of a path: this certificate, issued by `issuer`.
    pub fn link<'a>(&'a self, issuer: &'a Self) -> Link<'a> {
        let above = CertificateParts::read(&issuer.der).unwrap();
        Link {
            certificate: &self.der,
            issuer: above.subject,
            issuer_key: above.public_key,
        }
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
