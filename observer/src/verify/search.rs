//! All ways from a leaf to a trusted certificate that names and key identifiers allow, within bounds.

use super::anchors::Anchors;
use super::certificate::Certificate;
use super::path::Path;

/// Certificates of a path at most, leaf and trusted one included. Real ones have two to five; OpenSSL stops at 100, webpki
/// at 8.
pub const MAX_PATH: usize = 16;
/// Paths that are looked at. Cross-signed authorities make two or three.
pub const MAX_PATHS: usize = 32;
/// Certificates that are tried as the next of a path. Who sends authorities with names in a circle gets no further.
const MAX_STEPS: usize = 512;

/// What was found.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Paths that end in a trusted certificate, the ones with fewer certificates first where they begin alike.
    pub complete: Vec<Path<'a>>,
    /// The longest way up that ends without; of interest where there is no other.
    pub incomplete: Path<'a>,
    /// Whether a bound was hit.
    pub gave_up: bool,
}

/// Looks for paths from the first certificate of a chain over the others to those trusted. `is_self_signed` tells whether a
/// certificate that is self-issued has signed itself: nobody else then has, of whatever name.
pub fn paths<'a>(
    leaf: &'a Certificate,
    others: &'a [Certificate],
    anchors: &'a Anchors,
    is_self_signed: impl FnMut(&Certificate) -> bool,
) -> Found<'a> {
    let mut search = Search {
        others,
        anchors,
        is_self_signed,
        steps: 0,
        found: Found::default(),
    };
    search.climb(&mut vec![leaf]);
    search.found
}

struct Search<'a, F> {
    others: &'a [Certificate],
    anchors: &'a Anchors,
    is_self_signed: F,
    steps: usize,
    found: Found<'a>,
}

impl<'a, F: FnMut(&Certificate) -> bool> Search<'a, F> {
    /// Goes on from the last certificate of `path`.
    fn climb(&mut self, path: &mut Path<'a>) {
        let Some(&top) = path.last() else { return };
        let (others, anchors) = (self.others, self.anchors);
        let mut is_top = true;
        if top.is_self_issued() && (self.is_self_signed)(top) {
            self.end(path);
            return;
        }
        let trusted = anchors.named(&top.canonical_issuer).map(AsRef::as_ref);
        for issuer in trusted.filter(|issuer| issuer.may_have_issued(top)) {
            if self.may_add(issuer, path) {
                is_top = false;
                self.found.complete.push([path.as_slice(), &[issuer]].concat());
            }
        }
        for issuer in others.iter().filter(|issuer| issuer.may_have_issued(top)) {
            if self.may_add(issuer, path) {
                is_top = false;
                path.push(issuer);
                self.climb(path);
                path.pop();
            }
        }
        if is_top {
            self.end(path);
        }
    }

    /// Notes a path that goes no further.
    fn end(&mut self, path: &Path<'a>) {
        if path.len() > self.found.incomplete.len() {
            self.found.incomplete.clone_from(path);
        }
    }

    /// Whether a certificate may follow: the key of an authority once in a path (RFC 4158, section 5.2), within the bounds.
    fn may_add(&mut self, issuer: &Certificate, path: &Path<'a>) -> bool {
        let is_same = |other: &&Certificate| {
            other.key_info == issuer.key_info && other.canonical_subject == issuer.canonical_subject
        };
        if path.iter().any(is_same) {
            return false;
        }
        self.steps += 1;
        let within =
            self.steps <= MAX_STEPS && path.len() < MAX_PATH && self.found.complete.len() < MAX_PATHS;
        self.found.gave_up |= !within;
        within
    }
}
