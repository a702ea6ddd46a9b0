//! A bounded cache of what clients offer: all clients of one library and configuration offer the same.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::ExtensionType;

use super::offer;
use crate::observation::ClientOffer;

/// Offers kept at most.
const MAX_OFFERS: usize = 512;
/// Longest key of an offer that is kept, in bytes: several times that of any browser.
const MAX_KEY_BYTES: usize = 4096;
/// Extensions of which the content is part of an offer. Of key shares only the groups are.
const OF_THE_OFFER: [ExtensionType; 5] = [
    ExtensionType::SUPPORTED_GROUPS,
    ExtensionType::EC_POINT_FORMATS,
    ExtensionType::SIGNATURE_ALGORITHMS,
    ExtensionType::ALPN,
    ExtensionType::SUPPORTED_VERSIONS,
];

/// Offers by all of a ClientHello that makes them what they are, fingerprints included.
#[derive(Debug, Default)]
pub struct OfferCache {
    hasher: RandomState,
    offers: HashMap<u64, Entry, RandomState>,
    /// Scratch space.
    key: Vec<u8>,
    order: Vec<(ExtensionType, usize)>,
}

#[derive(Debug)]
struct Entry {
    key: Box<[u8]>,
    offer: Arc<ClientOffer>,
}

impl OfferCache {
    /// What `hello` offers. `names_server`: it asks for a server by name, which is part of its fingerprint.
    pub fn offer(&mut self, hello: &ClientHello, names_server: bool) -> Arc<ClientOffer> {
        self.write_key(hello, names_server);
        let hash = self.hasher.hash_one(self.key.as_slice());
        if let Some(entry) = self.offers.get(&hash)
            && *entry.key == *self.key
        {
            return Arc::clone(&entry.offer);
        }
        let offer = Arc::new(offer::of(hello));
        if self.key.len() <= MAX_KEY_BYTES {
            if self.offers.len() >= MAX_OFFERS {
                self.offers.clear();
            }
            let key = self.key.clone().into_boxed_slice();
            let offer = Arc::clone(&offer);
            self.offers.insert(hash, Entry { key, offer });
        }
        offer
    }

    /// Lists of one kind are behind their length, so that no two hellos that differ have the same key.
    fn write_key(&mut self, hello: &ClientHello, names_server: bool) {
        let key = &mut self.key;
        key.clear();
        key.push(u8::from(names_server));
        key.extend(hello.legacy_version.0.to_be_bytes());
        length(key, hello.cipher_suites.len());
        for suite in &hello.cipher_suites {
            key.extend(suite.0.to_be_bytes());
        }
        // Some clients send their extensions in another order each time.
        self.order.clear();
        self.order
            .extend(hello.extensions.iter().map(|extension| extension.typ).zip(0..));
        self.order.sort_unstable();
        let in_order = self
            .order
            .iter()
            .filter_map(|(_, index)| hello.extensions.get(*index));
        for extension in in_order {
            key.extend(extension.typ.0.to_be_bytes());
            if OF_THE_OFFER.contains(&extension.typ) {
                length(key, extension.data.len());
                key.extend_from_slice(&extension.data);
            }
        }
        for group in hello.key_share_groups() {
            key.extend(group.0.to_be_bytes());
        }
        length(key, hello.extensions.len());
    }
}

fn length(key: &mut Vec<u8>, length: usize) {
    // Nothing in a hello is longer than 2^24 bytes.
    key.extend((length as u32).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use observer_tls::codepoints::{CipherSuite, ProtocolVersion};
    use observer_tls::extension::Extension;

    fn hello(extensions: &[(ExtensionType, &'static [u8])]) -> ClientHello {
        ClientHello {
            legacy_version: ProtocolVersion::TLS12,
            random: [1; 32],
            session_id: Bytes::new(),
            cipher_suites: vec![CipherSuite(0xc02f)],
            compression_methods: Bytes::from_static(&[0]),
            extensions: extensions
                .iter()
                .map(|(typ, data)| Extension {
                    typ: *typ,
                    data: Bytes::from_static(data),
                })
                .collect(),
            error: None,
        }
    }

    #[test]
    fn hellos_that_differ_only_in_names_and_keys_share_an_offer() {
        let mut cache = OfferCache::default();
        let share = |key| hello(&[(ExtensionType::SERVER_NAME, b""), (ExtensionType::KEY_SHARE, key)]);
        let first = cache.offer(&share(b"\0\x05\0\x1d\0\x01a"), true);
        let mut turned = share(b"\0\x05\0\x1d\0\x01a");
        turned.extensions.reverse();
        assert!(Arc::ptr_eq(&first, &cache.offer(&turned, true)));
        let second = cache.offer(&share(b"\0\x05\0\x1d\0\x01b"), true);
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.key_shares.len(), 1);
        let unnamed = cache.offer(&share(b"\0\x05\0\x1d\0\x01b"), false);
        assert!(!Arc::ptr_eq(&first, &unnamed));
        let other = cache.offer(&share(b"\0\x05\0\x17\0\x01b"), true);
        assert_ne!(first.key_shares, other.key_shares);
    }

    #[test]
    fn every_offer_is_that_of_its_hello() {
        let mut cache = OfferCache::default();
        let groups: [&[u8]; 3] = [b"\0\x02\0\x1d", b"\0\x02\0\x17", b"\0\x04\0\x1d\0\x17"];
        for groups in groups {
            let mut hello = hello(&[(ExtensionType::SUPPORTED_GROUPS, groups)]);
            assert_eq!(*cache.offer(&hello, false), offer::of(&hello));
            hello.legacy_version = ProtocolVersion::TLS11;
            assert_eq!(*cache.offer(&hello, false), offer::of(&hello));
            hello.cipher_suites.push(CipherSuite(0x2f));
            assert_eq!(*cache.offer(&hello, false), offer::of(&hello));
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = OfferCache::default();
        for suite in 0..2 * MAX_OFFERS as u16 {
            let mut hello = hello(&[]);
            hello.cipher_suites = vec![CipherSuite(suite)];
            cache.offer(&hello, false);
        }
        assert!(cache.offers.len() <= MAX_OFFERS);
        let before = cache.offers.len();
        let mut long = hello(&[]);
        long.cipher_suites = vec![CipherSuite(1); MAX_KEY_BYTES];
        cache.offer(&long, false);
        assert_eq!(cache.offers.len(), before);
    }
}
