//! The certificates that this host trusts.

use super::anchors::{Anchors, BadAnchor};

/// Reads the host's certificates from where its OpenSSL has them, or from where `SSL_CERT_FILE` and `SSL_CERT_DIR` say. It
/// reads files.
///
/// # Errors
/// What kept it from reading them, when there is not one to be had.
pub fn load() -> Result<(Anchors, Vec<BadAnchor>), String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(match reasons.as_slice() {
            [] => "this host has no trusted certificates".to_owned(),
            reasons => reasons.join("; "),
        });
    }
    Ok(Anchors::from_der(found.certs))
}
