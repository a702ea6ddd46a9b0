//! From a ClientHello to what the client offers.

use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::CipherSuite;
use observer_tls::{fingerprint, ssl2};

use crate::observation::ClientOffer;

/// The offer that `hello` makes.
pub(super) fn of(hello: &ClientHello) -> ClientOffer {
    let versions = hello.supported_versions();
    let groups = hello.supported_groups();
    let key_shares = hello.key_share_groups();
    let signature_algorithms = hello.signature_algorithms();
    let grease = hello.cipher_suites.iter().any(|suite| suite.is_grease())
        || hello.extensions.iter().any(|extension| extension.typ.is_grease())
        || versions.iter().any(|version| version.is_grease())
        || groups.iter().chain(&key_shares).any(|group| group.is_grease())
        || signature_algorithms.iter().any(|scheme| scheme.is_grease());
    ClientOffer {
        legacy_version: hello.legacy_version,
        versions,
        cipher_suites: hello.cipher_suites.clone(),
        groups,
        key_shares,
        signature_algorithms,
        alpn: hello
            .alpn()
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
        ech: hello.ech(),
        grease,
        ja4: Some(fingerprint::ja4(hello)),
    }
}

/// The offer that a hello in the form of SSL 2 makes. It names no more than the highest version and suites, among them
/// ciphers of SSL 2 itself, which have no number that fits.
pub(super) fn of_ssl2(hello: &ssl2::ClientHello) -> ClientOffer {
    let suites = hello.cipher_specs.iter();
    ClientOffer {
        legacy_version: hello.version,
        cipher_suites: suites
            .filter_map(|spec| u16::try_from(*spec).ok().map(CipherSuite))
            .collect(),
        ..ClientOffer::default()
    }
}

/// Heap bytes that `offer` holds, about.
pub(super) fn weight(offer: &ClientOffer) -> usize {
    let code_points = offer.versions.len()
        + offer.cipher_suites.len()
        + offer.groups.len()
        + offer.key_shares.len()
        + offer.signature_algorithms.len();
    let names = offer
        .alpn
        .iter()
        .map(|name| name.len() + size_of::<String>())
        .sum::<usize>();
    2 * code_points + names
}
