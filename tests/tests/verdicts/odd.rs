//! Chains that rcgen does not make: weak and rare algorithms, versions and extensions of long ago, made by `openssl`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::case::Case;

const AUTHORITY: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
const LEAF: &str =
    "keyUsage=digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=DNS:leaf.example.org\n";
/// Seconds that the certificates are older than the handshake.
const AGE: u64 = 60;

/// Kinds of keys: their name and what `openssl genpkey` makes them by.
const KEYS: [(&str, &[&str]); 10] = [
    (
        "P-256",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    (
        "P-384",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ),
    (
        "P-521",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ),
    (
        "secp256k1",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    ),
    ("Ed25519", &["-algorithm", "ED25519"]),
    ("Ed448", &["-algorithm", "ED448"]),
    (
        "RSA-512",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"],
    ),
    (
        "RSA-1024",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    ),
    (
        "RSA-2048",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ),
    (
        "PSS-2048",
        &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    ),
];

/// Digests that each kind of key signs with.
const DIGESTS: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/// All of them.
pub fn cases() -> Result<Vec<Case>> {
    let workshop = Workshop::new()?;
    let mut cases = algorithms(&workshop)?;
    cases.extend(versions(&workshop)?);
    cases.extend(extensions(&workshop)?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + AGE;
    for case in &mut cases {
        case.time = now.try_into()?;
    }
    Ok(cases)
}

/// A root of each kind of key and a leaf by it, signed by each digest.
fn algorithms(workshop: &Workshop) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (key, _) in KEYS {
        // Edwards curves have their own digest, and 512 bits have no room for the larger ones.
        let digests = match key {
            "Ed25519" | "Ed448" => &DIGESTS[3..4],
            "RSA-512" => &DIGESTS[..4],
            "RSA-1024" | "RSA-2048" => &DIGESTS[..],
            // The others do not go with MD5.
            _ => &DIGESTS[1..],
        };
        for digest in digests {
            let root = workshop.root(key, AUTHORITY)?;
            let digest = format!("-{digest}");
            let leaf = workshop.issue(&root, "P-256", LEAF, &[&digest])?;
            cases.push(Case::new(format!("{key} {digest}"), &[&leaf], &[&root.der]));
            if key.ends_with("-2048") && digest != "-md5" {
                let padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"];
                let options = [&[digest.as_str()], &padding[..]].concat();
                let leaf = workshop.issue(&root, "P-256", LEAF, &options)?;
                cases.push(Case::new(
                    format!("{key} {digest}, PSS with short salt"),
                    &[&leaf],
                    &[&root.der],
                ));
            }
        }
        let root = workshop.root("P-256", AUTHORITY)?;
        let leaf = workshop.issue(&root, key, LEAF, &[])?;
        cases.push(Case::new(format!("leaf with {key}"), &[&leaf], &[&root.der]));
    }
    Ok(cases)
}

/// Certificates without extensions, which are of version 1, and odd serial numbers.
fn versions(workshop: &Workshop) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let root = workshop.root("P-256", AUTHORITY)?;
    let old_root = workshop.root("P-256", "")?;
    for (what, root) in [("3", &root), ("1", &old_root)] {
        for (version, extensions) in [("3", LEAF), ("1", "")] {
            let leaf = workshop.issue(root, "P-256", extensions, &[])?;
            let name = format!("leaf of version {version}, root of version {what}");
            let case = Case::new(name, &[&leaf], &[&root.der]);
            cases.extend([
                case.as_server(),
                case.clone(),
                case.asked_for("leaf.example.org"),
                case.asked_for("leaf"),
            ]);
        }
    }
    let middle = workshop.authority_below(&root, "")?;
    let leaf = workshop.issue(&middle, "P-256", LEAF, &[])?;
    cases.push(Case::new(
        "issuer of version 1",
        &[&leaf, &middle.der],
        &[&root.der],
    ));
    for serial in [
        "-5",
        "0",
        "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ] {
        let leaf = workshop.issue(&root, "P-256", LEAF, &["-set_serial", serial])?;
        cases.push(Case::new(
            format!("serial number {serial}"),
            &[&leaf],
            &[&root.der],
        ));
    }
    Ok(cases)
}

/// Netscape's certificate type and others.
fn extensions(workshop: &Workshop) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let root = workshop.root("P-256", AUTHORITY)?;
    for kind in ["client", "server", "email", "client,server", "sslCA"] {
        let extension = format!("nsCertType={kind}\n");
        let leaf = workshop.issue(&root, "P-256", &extension, &[])?;
        let case = Case::new(format!("leaf with nsCertType {kind}"), &[&leaf], &[&root.der]);
        cases.extend([case.as_server(), case]);
        for (what, more) in [("nothing else", ""), ("basicConstraints", AUTHORITY)] {
            let middle = workshop.authority_below(&root, &format!("{extension}{more}"))?;
            let leaf = workshop.issue(&middle, "P-256", LEAF, &[])?;
            let name = format!("issuer with nsCertType {kind} and {what}");
            cases.push(Case::new(name, &[&leaf, &middle.der], &[&root.der]));
        }
    }
    for (what, extension) in [
        ("msSGC", "extendedKeyUsage=msSGC"),
        ("nsSGC", "extendedKeyUsage=nsSGC"),
        ("msSGC and clientAuth", "extendedKeyUsage=msSGC,clientAuth"),
        ("a negative path length", "basicConstraints=CA:TRUE,pathlen:-1"),
        ("an IP address", "subjectAltName=IP:10.0.0.1"),
        ("an empty subjectAltName", "2.5.29.17=DER:3000"),
        ("an empty extendedKeyUsage", "2.5.29.37=DER:3000"),
        ("a broken keyUsage", "2.5.29.15=DER:3000"),
        ("an empty keyUsage", "2.5.29.15=DER:030100"),
        ("a broken basicConstraints", "2.5.29.19=DER:040100"),
        ("a broken nameConstraints", "2.5.29.30=DER:040100"),
        ("a broken subjectAltName", "2.5.29.17=DER:040100"),
        ("a broken authorityKeyIdentifier", "2.5.29.35=DER:040100"),
        ("a broken certificatePolicies", "2.5.29.32=DER:040100"),
        (
            "two keyUsages",
            "keyUsage=digitalSignature\n2.5.29.15=DER:03020780",
        ),
        ("a critical authorityKeyIdentifier", "2.5.29.35=critical,DER:3000"),
        ("a critical subjectKeyIdentifier", "2.5.29.14=critical,DER:040101"),
    ] {
        let leaf = workshop.issue(&root, "P-256", extension, &[])?;
        let case = Case::new(format!("leaf with {what}"), &[&leaf], &[&root.der]);
        cases.extend([case.as_server(), case]);
        let middle = workshop.authority_below(&root, &format!("{extension}\nnsComment=x\n"))?;
        let leaf = workshop.issue(&middle, "P-256", LEAF, &[])?;
        cases.push(Case::new(
            format!("issuer with {what}"),
            &[&leaf, &middle.der],
            &[&root.der],
        ));
    }
    Ok(cases)
}

/// A folder with keys, in which `openssl` works.
struct Workshop {
    folder: TempDir,
}

/// An authority in it.
struct Authority {
    der: Vec<u8>,
    /// Its certificate, PEM.
    file: PathBuf,
    /// The kind of its key.
    key: &'static str,
}

impl Workshop {
    /// Makes the keys and a request for each.
    fn new() -> Result<Self> {
        let workshop = Self {
            folder: tempfile::tempdir()?,
        };
        for (name, how) in KEYS {
            let key = format!("{name}.key");
            workshop.run("genpkey", &[how, &["-out", &key]].concat())?;
            let request = format!("{name}.csr");
            let subject = format!(
                "/O=Odd/CN={name} {}",
                if name == "P-256" { "leaf" } else { "root" }
            );
            // The digest of a request says nothing; the weakest key has room for this one.
            let digest = if name.starts_with("Ed") {
                "-sha512"
            } else {
                "-sha1"
            };
            workshop.run(
                "req",
                &["-new", "-key", &key, digest, "-subj", &subject, "-out", &request],
            )?;
            let request = format!("{name}.root.csr");
            let subject = format!("/O=Odd/CN={name} root");
            workshop.run(
                "req",
                &["-new", "-key", &key, digest, "-subj", &subject, "-out", &request],
            )?;
        }
        workshop.run("genpkey", &[KEYS[0].1, &["-out", "below.key"]].concat())?;
        workshop.run(
            "req",
            &[
                "-new",
                "-key",
                "below.key",
                "-subj",
                "/O=Odd/CN=below",
                "-out",
                "below.csr",
            ],
        )?;
        Ok(workshop)
    }

    /// An authority that signs itself.
    fn root(&self, key: &'static str, extensions: &str) -> Result<Authority> {
        let signer = format!("{key}.key");
        let request = format!("{key}.root.csr");
        let der = self.sign(&request, extensions, &["-signkey", &signer])?;
        self.authority(der, key)
    }

    /// An authority below another one.
    fn authority_below(&self, issuer: &Authority, extensions: &str) -> Result<Authority> {
        let der = self.sign_by(issuer, "below.csr", extensions, &[])?;
        self.authority(der, "below")
    }

    /// A leaf with this kind of key.
    fn issue(&self, issuer: &Authority, key: &str, extensions: &str, options: &[&str]) -> Result<Vec<u8>> {
        self.sign_by(issuer, &format!("{key}.csr"), extensions, options)
    }

    fn authority(&self, der: Vec<u8>, key: &'static str) -> Result<Authority> {
        let file = self
            .folder
            .path()
            .join(format!("{}.crt", fs::read_dir(self.folder.path())?.count()));
        fs::write(&file, super::openssl::pem(&der))?;
        Ok(Authority { der, file, key })
    }

    fn sign_by(
        &self,
        issuer: &Authority,
        request: &str,
        extensions: &str,
        options: &[&str],
    ) -> Result<Vec<u8>> {
        let certificate = issuer.file.to_str().context("path")?;
        let key = format!("{}.key", issuer.key);
        let mut arguments = vec!["-CA", certificate, "-CAkey", &key];
        if !options.contains(&"-set_serial") {
            arguments.extend(["-set_serial", "77"]);
        }
        self.sign(request, extensions, &[&arguments, options].concat())
    }

    /// A certificate, DER. Without extensions it is of version 1.
    fn sign(&self, request: &str, extensions: &str, arguments: &[&str]) -> Result<Vec<u8>> {
        let mut all = vec![
            "-req", "-in", request, "-days", "30", "-outform", "DER", "-out", "out.der",
        ];
        if !extensions.is_empty() {
            fs::write(self.folder.path().join("extensions"), extensions)?;
            all.extend(["-extfile", "extensions"]);
        }
        all.extend(arguments);
        self.run("x509", &all)?;
        fs::read(self.folder.path().join("out.der")).context("out.der")
    }

    fn run(&self, verb: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("openssl");
        let output = command
            .current_dir(self.folder.path())
            .arg(verb)
            .args(arguments)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "openssl {verb} {arguments:?}: {said}");
        Ok(())
    }
}
