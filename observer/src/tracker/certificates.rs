//! A bounded cache of parsed certificates: services show the same few over and over.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::Arc;

use observer_tls::x509::CertificateFacts;

/// Certificates in one generation at most. With two generations the facts of about 2,000 are kept.
const MAX_CERTIFICATES: usize = 1024;
/// DER bytes in one generation at most.
const MAX_DER_BYTES: usize = 2 * 1024 * 1024;
/// How much of a certificate's end goes into its hash. That is inside its signature, which no two share by chance.
const TAIL: usize = 64;

/// Parsed certificates by their DER.
///
/// Lookup hashes only the length and the end of the DER, keyed against deliberate collisions, and then compares all
/// bytes. Equal hashes displace each other, so a forger of equal ends causes nothing but parsing. When the young
/// generation is full it becomes the old one, and what the old one held is dropped unless it was used again.
#[derive(Debug, Default)]
pub struct CertificateCache {
    hasher: RandomState,
    young: HashMap<u64, Arc<CertificateFacts>>,
    old: HashMap<u64, Arc<CertificateFacts>>,
    young_bytes: usize,
}

impl CertificateCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The facts of the certificate `der`, parsed only if it is not here.
    pub fn facts(&mut self, der: &[u8]) -> Arc<CertificateFacts> {
        let tail = &der[der.len().saturating_sub(TAIL)..];
        let key = self.hasher.hash_one((der.len(), tail));
        if let Some(facts) = self.young.get(&key).filter(|facts| facts.der == der) {
            return Arc::clone(facts);
        }
        let facts = match self.old.remove(&key).filter(|facts| facts.der == der) {
            Some(facts) => facts,
            None => {
                let mut facts = CertificateFacts::parse(der);
                facts.check_conformity();
                Arc::new(facts)
            }
        };
        self.keep(key, Arc::clone(&facts));
        facts
    }

    fn keep(&mut self, key: u64, facts: Arc<CertificateFacts>) {
        if self.young.len() >= MAX_CERTIFICATES || self.young_bytes + facts.der.len() > MAX_DER_BYTES {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += facts.der.len();
        if let Some(displaced) = self.young.insert(key, facts) {
            self.young_bytes -= displaced.der.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(number: usize) -> Vec<u8> {
        let mut der = vec![0x30; 200];
        der[190..198].copy_from_slice(&(number as u64).to_be_bytes());
        der
    }

    #[test]
    fn a_certificate_is_parsed_once() {
        let mut cache = CertificateCache::new();
        let first = cache.facts(&der(1));
        assert_eq!(first.der, der(1));
        assert!(Arc::ptr_eq(&first, &cache.facts(&der(1))));
        assert!(!Arc::ptr_eq(&first, &cache.facts(&der(2))));
    }

    #[test]
    fn equal_ends_do_not_make_equal_certificates() {
        let mut cache = CertificateCache::new();
        let mut forged = der(1);
        forged[10] = 0xff;
        let real = cache.facts(&der(1));
        assert_eq!(cache.facts(&forged).der, forged);
        assert_eq!(cache.facts(&der(1)).der, real.der);
        assert_eq!(cache.young.len(), 1);
        assert_eq!(cache.young_bytes, 200);
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let mut cache = CertificateCache::new();
        let favourite = cache.facts(&der(0));
        for number in 1..10 * MAX_CERTIFICATES {
            cache.facts(&der(number));
            if number % 500 == 0 {
                assert!(Arc::ptr_eq(&favourite, &cache.facts(&der(0))));
            }
        }
        assert!(cache.young.len() <= MAX_CERTIFICATES && cache.old.len() <= MAX_CERTIFICATES);

        let mut cache = CertificateCache::new();
        for number in 0..100_u8 {
            cache.facts(&vec![number; MAX_DER_BYTES / 4]);
            assert!(cache.young_bytes <= MAX_DER_BYTES);
        }
        assert_eq!(cache.facts(&[]).der.len(), 0);
    }
}
