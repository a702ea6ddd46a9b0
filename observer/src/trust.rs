//! Trust bundles made from the operator's files, and which of them is for a handshake.

pub mod files;
pub mod reload;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::service::ServiceNames;
use crate::config::trust::{Selector, Target, Trust};
use crate::verify::revocation::{Crl, RevocationSources};
use crate::verify::system_roots;
use crate::verify::{Anchors, ExpectedNames, TrustBundle};
use files::Stamps;

/// DER begins with a SEQUENCE (X.690, section 8.9); PEM does not begin with `0`.
const SEQUENCE: u8 = 0x30;

/// Why a trust bundle cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("trust {bundle:?}: {key}: {}{cause}", path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default())]
pub struct TrustError {
    /// Name of the bundle.
    pub bundle: String,
    /// Key of the setting.
    pub key: &'static str,
    /// The file or directory.
    pub path: Option<PathBuf>,
    /// What is wrong.
    pub cause: String,
}

/// Every trust bundle, as the files were when they were read.
#[derive(Debug, Default)]
pub struct Store {
    /// In the order in which they are tried.
    bundles: Vec<(Selector, TrustBundle)>,
}

impl Store {
    /// Reads the files of all bundles.
    ///
    /// # Errors
    /// The first file that cannot be read, or holds what is no certificate or revocation list.
    pub fn load(configured: &[Trust]) -> Result<Self, TrustError> {
        // Bundles for some handshakes come before those for all the others.
        let (specific, defaults): (Vec<_>, Vec<_>) =
            configured.iter().partition(|trust| trust.selector.is_specific());
        let load = |trust: &Trust| Ok((trust.selector.clone(), bundle(trust)?));
        let bundles = specific.into_iter().chain(defaults).map(load);
        Ok(Self {
            bundles: bundles.collect::<Result<_, TrustError>>()?,
        })
    }

    /// As [`Store::load`], with the state of the files from before they were read.
    ///
    /// # Errors
    /// As for [`Store::load`].
    pub fn load_stamped(configured: &[Trust]) -> Result<(Self, Stamps), TrustError> {
        let stamps = reload::stamps(configured);
        Ok((Self::load(configured)?, stamps))
    }

    /// The first bundle for `target`, and its place.
    pub fn bundle(&self, target: &Target<'_>, services: &ServiceNames) -> Option<(usize, &TrustBundle)> {
        let mut bundles = self.bundles.iter().enumerate();
        let (place, (_, bundle)) = bundles.find(|(_, (selector, _))| selector.matches(target, services))?;
        Some((place, bundle))
    }
}

/// Reads the files of one bundle.
fn bundle(trust: &Trust) -> Result<TrustBundle, TrustError> {
    let mut anchors = Anchors::default();
    if trust.system_roots {
        let (roots, bad) = system_roots::load().map_err(|cause| error(trust, "system_roots", None, cause))?;
        if !bad.is_empty() {
            tracing::debug!(bundle = trust.name, unusable = bad.len(), "system roots");
        }
        anchors.extend(roots);
    }
    each_file(trust, "ca", &trust.ca, |content| {
        let (found, bad) = match content.first() {
            Some(&SEQUENCE) => Anchors::from_der([content]),
            _ => Anchors::from_pem(content),
        };
        if let Some(bad) = bad.first() {
            return Err(bad.to_string());
        }
        if found.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        anchors.extend(found);
        Ok(())
    })?;
    if anchors.is_empty() {
        let cause = "there is no certificate in it".to_owned();
        return Err(error(trust, "ca", trust.ca.first().map(PathBuf::as_path), cause));
    }
    let mut lists: Vec<Arc<Crl>> = Vec::new();
    each_file(trust, "crl", &trust.crl, |content| {
        let found = Crl::parse_file(content).map_err(|cause| cause.to_string())?;
        lists.extend(found);
        Ok(())
    })?;
    tracing::debug!(
        bundle = trust.name,
        authorities = anchors.len(),
        lists = lists.len(),
        "trust"
    );
    Ok(TrustBundle {
        name: trust.name.as_str().into(),
        anchors,
        expected_client_names: ExpectedNames(trust.expected_clients.clone()),
        revocation: RevocationSources::new(lists),
    })
}

/// Hands the content of each file at `paths` to `take`.
fn each_file(
    trust: &Trust,
    key: &'static str,
    paths: &[PathBuf],
    mut take: impl FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), TrustError> {
    for path in paths {
        let failed = |path: &Path, cause: io::Error| error(trust, key, Some(path), cause.to_string());
        for file in files::list(path).map_err(|cause| failed(path, cause))? {
            let content = files::read(&file).map_err(|cause| failed(&file, cause))?;
            take(&content).map_err(|cause| error(trust, key, Some(&file), cause))?;
        }
    }
    Ok(())
}

fn error(trust: &Trust, key: &'static str, path: Option<&Path>, cause: String) -> TrustError {
    TrustError {
        bundle: trust.name.clone(),
        key,
        path: path.map(Path::to_owned),
        cause,
    }
}
