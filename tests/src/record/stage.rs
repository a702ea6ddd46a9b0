//! Where a scenario is played: a fresh namespace, and what all scenarios share (certificates, names).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::cgroup::Cgroup;
use crate::netns::Namespace;
use crate::peers::Place;
use crate::pki::Pki;

/// Keys of the chains made beside [`Pki`]'s, each as `{pki}/NAME.crt`, `NAME.key`, `NAME-chain.crt`, `NAME-root.crt`:
/// name and options of `openssl genpkey`.
const CHAINS: [(&str, &[&str]); 3] = [
    ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    (
        "ecdsa",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ),
    ("ed25519", &["-algorithm", "ED25519"]),
];

/// OpenSSL lists only three of them by itself.
const TLS13_SUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:\
                            TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";

/// What all scenarios share.
pub struct Materials {
    /// Certificates; further ones lie in the same directory.
    pub pki: Pki,
    /// Version of the OpenSSL programs, such as 3.0.19.
    pub openssl: String,
    /// IANA names of cipher suites by OpenSSL's.
    suites: HashMap<String, String>,
}

impl Materials {
    /// Makes certificates and asks OpenSSL for names.
    ///
    /// # Errors
    /// When the OpenSSL programs are missing or fail.
    pub fn new() -> Result<Self> {
        let pki = Pki::new()?;
        for (name, key) in CHAINS {
            chain(pki.directory(), name, key)?;
        }
        staple(&pki)?;
        let version = openssl(pki.directory(), &["version"])?;
        let listed = openssl(
            pki.directory(),
            &[
                "ciphers",
                "-stdname",
                "-ciphersuites",
                TLS13_SUITES,
                "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
            ],
        )?;
        let suites = listed.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let standard = words.next()?.to_owned();
            Some((words.nth(1)?.to_owned(), standard))
        });
        Ok(Self {
            openssl: version.split_whitespace().nth(1).unwrap_or_default().to_owned(),
            suites: suites.collect(),
            pki,
        })
    }

    /// The IANA name of a cipher suite.
    pub fn suite(&self, openssl: &str) -> Option<&str> {
        self.suites.get(openssl).map(String::as_str)
    }
}

/// A namespace in which one scenario is played.
pub struct Stage<'a> {
    /// What is shared.
    pub materials: &'a Materials,
    /// Where the peers run.
    pub namespace: Namespace,
    cgroup: Cgroup,
    directory: TempDir,
}

impl<'a> Stage<'a> {
    /// Makes it.
    ///
    /// # Errors
    /// When the caller is not root.
    pub fn new(materials: &'a Materials) -> Result<Self> {
        Ok(Self {
            materials,
            namespace: Namespace::new()?,
            cgroup: Cgroup::new()?,
            directory: tempfile::Builder::new().prefix("tlsobs-record-").tempdir()?,
        })
    }

    /// Where the peers run.
    pub fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }

    /// The certificates.
    pub fn pki(&self) -> &Pki {
        &self.materials.pki
    }

    /// A file of this scenario's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts directories for `{own}` (this scenario's) and `{pki}` in an argument.
    pub fn expand(&self, argument: &str) -> String {
        argument
            .replace("{own}", &self.directory.path().to_string_lossy())
            .replace("{pki}", &self.pki().directory().to_string_lossy())
    }
}

/// Loopback with a port.
pub const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Makes root, intermediate and leaf with keys of one kind.
fn chain(directory: &Path, name: &str, key: &[&str]) -> Result<()> {
    let [root, middle, leaf] = [format!("{name}-root"), format!("{name}-ca"), name.to_owned()];
    for who in [&root, &middle, &leaf] {
        openssl(
            directory,
            &[&["genpkey", "-out", &format!("{who}.key")], key].concat(),
        )?;
    }
    let subject = |who: &str| format!("/C=SE/O=Observer Tests/CN=Observer Test {who}");
    let (root_key, root_file) = (format!("{root}.key"), format!("{root}.crt"));
    openssl(
        directory,
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            &root_key,
            "-subj",
            &subject(&root),
            "-days",
            "9000",
            "-out",
            &root_file,
        ],
    )?;
    let authority = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n";
    let service = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n\
                   extendedKeyUsage=serverAuth\nsubjectAltName=DNS:mail.observer.test,DNS:localhost\n";
    for (who, issuer, extensions) in [(&middle, &root, authority), (&leaf, &middle, service)] {
        let [key, request, file, extension_file] =
            ["key", "csr", "crt", "ext"].map(|ending| format!("{who}.{ending}"));
        let (issuer_file, issuer_key) = (format!("{issuer}.crt"), format!("{issuer}.key"));
        std::fs::write(directory.join(&extension_file), extensions)?;
        openssl(
            directory,
            &[
                "req",
                "-new",
                "-key",
                &key,
                "-subj",
                &subject(who),
                "-out",
                &request,
            ],
        )?;
        openssl(
            directory,
            &[
                "x509",
                "-req",
                "-in",
                &request,
                "-CA",
                &issuer_file,
                "-CAkey",
                &issuer_key,
                "-days",
                "8000",
                "-CAcreateserial",
                "-extfile",
                &extension_file,
                "-out",
                &file,
            ],
        )?;
    }
    std::fs::copy(
        directory.join(format!("{middle}.crt")),
        directory.join(format!("{name}-chain.crt")),
    )?;
    Ok(())
}

/// Makes an OCSP response that the server's certificate is good: `{pki}/ocsp.der`.
fn staple(pki: &Pki) -> Result<()> {
    let index = format!("V\t490101000000Z\t\t{}\tunknown\t/CN=server\n", pki.server.serial);
    std::fs::write(pki.directory().join("index.txt"), index)?;
    openssl(
        pki.directory(),
        &[
            "ocsp",
            "-index",
            "index.txt",
            "-CA",
            "server-ca.crt",
            "-rsigner",
            "server-ca.crt",
            "-rkey",
            "server-ca.key",
            "-issuer",
            "server-ca.crt",
            "-cert",
            "server.crt",
            "-respout",
            "ocsp.der",
            "-ndays",
            "30",
        ],
    )?;
    Ok(())
}

/// Runs an OpenSSL program in `directory`; what it prints.
fn openssl(directory: &Path, arguments: &[&str]) -> Result<String> {
    let done = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .context("openssl")?;
    ensure!(
        done.status.success(),
        "openssl {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
