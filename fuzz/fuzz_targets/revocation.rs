//! Any bytes as a CRL, as an OCSP response and as a file of CRLs: nothing panics, and what is kept is bounded by their size.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use observer_tls::crl::CertificateList;
use observer_tls::ocsp::Response;
use tls_observer::verify::revocation::Crl;

fuzz_target!(|input: &[u8]| {
    let der = Bytes::copy_from_slice(input);
    if let Ok(list) = CertificateList::parse(&der) {
        assert!(list.weight() <= 2 * input.len());
        for serial_number in input.chunks(3) {
            list.find(serial_number);
        }
    }
    if let Ok(response) = Response::parse(input) {
        assert!(response.basic.is_some() || response.status.0 != 0);
    }
    // In a file a CRL may be PEM, too.
    if let Ok(lists) = Crl::parse_file(input) {
        assert!(!lists.is_empty());
    }
});
