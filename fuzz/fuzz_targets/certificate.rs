//! Any bytes as a certificate: nothing panics, what cannot be read is said, and the bytes and their hash are kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observer_tls::x509::CertificateFacts;

fuzz_target!(|der: &[u8]| {
    let facts = CertificateFacts::parse(der);
    assert_eq!(facts.der, der);
    assert!(
        facts.version != 0 || facts.malformed.is_some(),
        "unread without a word"
    );
    let serial = facts
        .serial_number
        .strip_prefix('-')
        .unwrap_or(&facts.serial_number);
    assert!(serial.len().is_multiple_of(2) && serial.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let names = [&facts.dns_names, &facts.ip_addresses, &facts.uris, &facts.emails];
    assert_eq!(
        facts.alternative_names().len(),
        names.into_iter().map(Vec::len).sum::<usize>()
    );
    if let Some(id) = facts.spiffe_id() {
        assert_eq!(facts.uris, [id]);
    }
    // One parse gives what another one gives: events and metrics rely on cached facts.
    assert_eq!(CertificateFacts::parse(der), facts);
});
