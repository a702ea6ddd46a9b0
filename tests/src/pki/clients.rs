//! Clients' certificates whose fault is more than a date, an authority or a purpose.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rcgen::ExtendedKeyUsagePurpose::ClientAuth;
use rcgen::SanType;
use rustls::pki_types::CertificateDer;

use super::{FARTHER, Files, Leaf, LeafPlan, Pki, RECENT, certify, leaf, serial};

/// Certificates beside those of [`Pki`], in its directory.
pub struct ClientFaults {
    /// [`ClientFaults::crl`] revokes it.
    pub revoked: Leaf,
    /// Revocation list of [`Pki::client_ca`], PEM.
    pub crl: PathBuf,
    /// Nobody but itself has signed it.
    pub self_signed: Leaf,
    /// The good client's certificate, its last third cut off and the outer length left as it was; the key is the good one's.
    pub broken: Files,
}

impl ClientFaults {
    /// Makes everything.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new(pki: &Pki) -> Result<Self> {
        let plan = |file, common_name, last| -> Result<LeafPlan<'_>> {
            Ok(LeafPlan {
                file,
                common_name,
                serial: serial(last),
                from: RECENT,
                to: FARTHER,
                purpose: ClientAuth,
                names: vec![SanType::DnsName(
                    format!("{file}.clients.observer.test").as_str().try_into()?,
                )],
            })
        };
        let revoked = leaf(
            pki.directory(),
            &pki.client_ca,
            plan("revoked", "client revoked", 6)?,
        )?;
        let self_signed = certify(
            pki.directory(),
            None,
            plan("self-signed", "client self-signed", 7)?,
        )?;
        let crl = pki.directory().join("client-ca.crl");
        pki.client_ca.write_revocation_list(&crl, &[&revoked])?;
        Ok(Self {
            revoked,
            crl,
            self_signed,
            broken: broken(pki)?,
        })
    }
}

fn broken(pki: &Pki) -> Result<Files> {
    let good = &pki.good.files;
    let kept = good.der.len() * 2 / 3;
    let der = good.der.get(..kept).unwrap_or_default();
    let body = data_encoding::BASE64.encode(der);
    let certificate = pki.directory().join("broken.crt");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    fs::write(&certificate, pem).context("certificate file")?;
    Ok(Files {
        certificate,
        key: good.key.clone(),
        der: CertificateDer::from(der.to_vec()),
    })
}
