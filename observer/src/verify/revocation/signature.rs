//! Whether something is signed by a key.

use observer_tls::x509::{PublicKeyParts, Signed};

use crate::verify::algorithms;

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not of this key.
    Wrong,
    /// Nobody here knows the algorithm, or it does not go with the key.
    UnknownAlgorithm,
}

/// Checks that `signed` is signed by the key `public_key`, a DER `SubjectPublicKeyInfo`.
///
/// # Errors
/// [`Fault`] when it is not.
pub(super) fn verify(signed: &Signed<'_>, public_key: &[u8]) -> Result<(), Fault> {
    let key = PublicKeyParts::read(public_key).map_err(|_| Fault::UnknownAlgorithm)?;
    let algorithm = algorithms::find(signed.algorithm, key.algorithm).ok_or(Fault::UnknownAlgorithm)?;
    algorithm
        .verify_signature(key.key, signed.message, signed.signature)
        .map_err(|_| Fault::Wrong)
}
