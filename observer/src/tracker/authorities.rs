//! A bounded cache of the CA names of CertificateRequests: a server asks every client for the same.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use observer_tls::certificate_request::CertificateRequest;
use observer_tls::codepoints::ProtocolVersion;

/// Requests kept at most.
const MAX_REQUESTS: usize = 256;
/// Bytes of requests kept at most.
const MAX_BYTES: usize = 1024 * 1024;

/// Names of authorities by the request that told them.
#[derive(Debug, Default)]
pub struct AuthorityCache {
    hasher: RandomState,
    requests: HashMap<u64, Request>,
    bytes: usize,
}

#[derive(Debug)]
struct Request {
    version: Option<ProtocolVersion>,
    body: Bytes,
    names: Arc<[String]>,
}

impl AuthorityCache {
    /// The names in the CertificateRequest with this `body`, as RFC 4514 text; `None` when it is malformed.
    pub fn names(&mut self, body: &Bytes, version: Option<ProtocolVersion>) -> Option<Arc<[String]>> {
        let key = self.hasher.hash_one((version, body));
        if let Some(request) = self.requests.get(&key)
            && request.version == version
            && request.body == body
        {
            return Some(Arc::clone(&request.names));
        }
        let names: Arc<[String]> = CertificateRequest::parse(body, version)
            .ok()?
            .authority_names()
            .into();
        if self.requests.len() >= MAX_REQUESTS || self.bytes + body.len() > MAX_BYTES {
            self.requests.clear();
            self.bytes = 0;
        }
        if body.len() <= MAX_BYTES {
            self.bytes += body.len();
            let request = Request {
                version,
                // A copy: the message is part of a larger buffer, which this would keep.
                body: Bytes::copy_from_slice(body),
                names: Arc::clone(&names),
            };
            self.requests.insert(key, request);
        }
        Some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for signatures by any authority, in the form of TLS 1.2, with a certificate type to tell requests apart.
    fn request(typ: u8) -> Bytes {
        Bytes::from(vec![1, typ, 0, 2, 4, 3, 0, 6, 0, 4, 0x30, 2, 0x31, 0])
    }

    #[test]
    fn a_request_is_parsed_once_for_each_version() {
        let mut cache = AuthorityCache::default();
        let version = Some(ProtocolVersion::TLS12);
        let first = cache.names(&request(1), version).unwrap();
        assert_eq!(first.len(), 1);
        assert!(Arc::ptr_eq(&first, &cache.names(&request(1), version).unwrap()));
        assert!(!Arc::ptr_eq(&first, &cache.names(&request(2), version).unwrap()));
        assert_eq!(cache.names(&request(1), Some(ProtocolVersion::TLS10)), None);
        assert_eq!(cache.requests.len(), 2);
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = AuthorityCache::default();
        for typ in 0..=255 {
            cache.names(&request(typ), None).unwrap();
        }
        let mut another = request(0).to_vec();
        another.splice(..2, [2, 0, 0]);
        cache.names(&another.into(), None).unwrap();
        assert_eq!(cache.requests.len(), 1);
    }
}
