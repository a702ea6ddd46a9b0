//! Revocation lists of the authorities.

use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber, date_time_ymd};

use super::{Authority, FARTHER, Leaf, RECENT};

impl Authority {
    /// Writes a list of these revoked certificates to `file`, PEM, in one step. It is fresh, and they were revoked long ago.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_revocation_list(&self, file: &Path, revoked: &[&Leaf]) -> Result<()> {
        let entry = |leaf: &&Leaf| {
            let serial = data_encoding::HEXUPPER.decode(leaf.serial.as_bytes())?;
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&serial),
                revocation_time: date_time_ymd(RECENT.0, RECENT.1, RECENT.2),
                reason_code: None,
                invalidity_date: None,
            })
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(RECENT.0, RECENT.1, RECENT.2),
            next_update: date_time_ymd(FARTHER.0, FARTHER.1, FARTHER.2),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect::<Result<_>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer)?.pem()?;
        let new = file.with_extension("new");
        std::fs::write(&new, list).context("revocation list")?;
        std::fs::rename(&new, file).context("revocation list")
    }
}
