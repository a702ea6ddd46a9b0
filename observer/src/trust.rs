//! Trust bundles made from the operator's files, and which of them is for a handshake.

pub mod files;
pub mod reload;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::service::ServiceNames;
use crate::config::trust::{Fetch, Selector, Target, Trust};
use crate::verify::revocation::fetch::{FetchCounters, FetchPolicy, Fetcher};
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

/// The configured bundles, to be loaded once and again.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    /// In the order in which they are tried, with what fetches for them. That outlives a reload, with all that it has.
    configured: Arc<[(Trust, Option<Fetcher>)]>,
}

impl Loader {
    /// For bundles that fetch nothing, whatever they say: what is fetched now may not have been so when a capture was made.
    pub fn without_fetching(bundles: &[Trust]) -> Self {
        Self::new(bundles, |_| None)
    }

    /// For bundles that fetch what they say, and count that. It is done by the current Tokio runtime.
    ///
    /// # Panics
    /// Outside of a Tokio runtime, if anything is to be fetched.
    pub fn fetching(bundles: &[Trust], counters: &Arc<FetchCounters>) -> Self {
        Self::new(bundles, |trust| {
            let policy = fetch_policy(trust.fetch.as_ref()?);
            Some(Fetcher::start(policy, Arc::clone(counters)))
        })
    }

    fn new(bundles: &[Trust], fetcher: impl Fn(&Trust) -> Option<Fetcher>) -> Self {
        // Bundles for some handshakes come before those for all the others.
        let (specific, defaults): (Vec<_>, Vec<_>) =
            bundles.iter().partition(|trust| trust.selector.is_specific());
        let ordered = specific.into_iter().chain(defaults);
        Self {
            configured: ordered.map(|trust| (trust.clone(), fetcher(trust))).collect(),
        }
    }

    /// Whether no bundle is configured.
    pub fn is_empty(&self) -> bool {
        self.configured.is_empty()
    }

    /// Reads the files of all bundles.
    ///
    /// # Errors
    /// The first file that cannot be read, or holds what is no certificate or revocation list.
    pub fn load(&self) -> Result<Store, TrustError> {
        let load = |(trust, fetcher): &(Trust, Option<Fetcher>)| {
            Ok(Loaded {
                selector: trust.selector.clone(),
                fetches: fetcher.is_some(),
                bundle: bundle(trust, fetcher.clone())?,
            })
        };
        Ok(Store {
            bundles: self.configured.iter().map(load).collect::<Result<_, _>>()?,
        })
    }

    /// The state of the files of all bundles.
    pub fn stamps(&self) -> Stamps {
        let bundles = self.configured.iter();
        let paths = bundles.flat_map(|(trust, _)| trust.ca.iter().chain(&trust.crl));
        Stamps::of(paths.map(PathBuf::as_path))
    }
}

fn fetch_policy(fetch: &Fetch) -> FetchPolicy {
    let usual = FetchPolicy::default();
    FetchPolicy {
        ocsp: fetch.ocsp,
        crls: fetch.crls,
        allow: fetch.allow.clone(),
        timeout: fetch.timeout.unwrap_or(usual.timeout),
        max_bytes: fetch.max_bytes.unwrap_or(usual.max_bytes),
        ..usual
    }
}

/// Every trust bundle, as the files were when they were read.
#[derive(Debug, Default)]
pub struct Store {
    /// In the order in which they are tried.
    bundles: Vec<Loaded>,
}

/// A bundle, and for which handshakes it is.
#[derive(Debug)]
pub struct Loaded {
    selector: Selector,
    /// Whether answers about revocation may come a little later.
    pub fetches: bool,
    /// What certificates are judged by.
    pub bundle: TrustBundle,
}

impl Store {
    /// The first bundle for `target`, and its place.
    pub fn bundle(&self, target: &Target<'_>, services: &ServiceNames) -> Option<(usize, &Loaded)> {
        let mut bundles = self.bundles.iter().enumerate();
        bundles.find(|(_, loaded)| loaded.selector.matches(target, services))
    }
}

/// Reads the files of one bundle.
fn bundle(trust: &Trust, fetcher: Option<Fetcher>) -> Result<TrustBundle, TrustError> {
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
    let mut revocation = RevocationSources::new(lists);
    if let Some(fetcher) = fetcher {
        revocation = revocation.with_fetcher(fetcher);
    }
    Ok(TrustBundle {
        name: trust.name.as_str().into(),
        anchors,
        expected_client_names: ExpectedNames(trust.expected_clients.clone()),
        revocation,
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
