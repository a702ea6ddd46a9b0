//! What a certificate is for: keyUsage, extendedKeyUsage and Netscape's type, as OpenSSL and others look at them in TLS.

use super::certificate::Certificate;
use super::extensions::KeyUsage;
use crate::observation::Side;

/// id-kp-serverAuth, 1.3.6.1.5.5.7.3.1 (RFC 5280, section 4.2.1.12).
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// id-kp-clientAuth, 1.3.6.1.5.5.7.3.2.
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
/// Server gated cryptography of Netscape, 2.16.840.1.113730.4.1, and of Microsoft, 1.3.6.1.4.1.311.10.3.3, which stand for
/// serverAuth in old certificates.
const SERVER_GATED: [&[u8]; 2] = [
    &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1],
    &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3],
];

/// Bits of Netscape's certificate type.
const NETSCAPE_CLIENT: u8 = 0x80;
const NETSCAPE_SERVER: u8 = 0x40;
const NETSCAPE_TLS_AUTHORITY: u8 = 0x04;
const NETSCAPE_AUTHORITIES: u8 = 0x07;

/// Why a certificate is not for this side of TLS: for its leaf, or for an authority above it. An authority's purposes limit
/// those of what it issues; anyExtendedKeyUsage alone is taken neither by OpenSSL nor by webpki.
pub fn objection(certificate: &Certificate, side: Side, is_authority: bool) -> Option<String> {
    let extensions = &certificate.extensions;
    let (name, purpose, netscape, usages, usage_names): (_, _, _, &[KeyUsage], _) = match side {
        Side::Client => (
            "clientAuth",
            CLIENT_AUTH,
            NETSCAPE_CLIENT,
            &[KeyUsage::DIGITAL_SIGNATURE, KeyUsage::KEY_AGREEMENT],
            "digitalSignature or keyAgreement",
        ),
        Side::Server => (
            "serverAuth",
            SERVER_AUTH,
            NETSCAPE_SERVER,
            &[
                KeyUsage::DIGITAL_SIGNATURE,
                KeyUsage::KEY_ENCIPHERMENT,
                KeyUsage::KEY_AGREEMENT,
            ],
            "digitalSignature, keyEncipherment or keyAgreement",
        ),
    };
    let gated = |found: &[u8]| side == Side::Server && SERVER_GATED.contains(&found);
    let fits = |found: &[u8]| found == purpose || gated(found);
    if let Some(purposes) = &extensions.purposes
        && !purposes.iter().any(|found| fits(found))
    {
        let found = certificate.facts.extended_key_usage.join(", ");
        let found = if found.is_empty() { "empty" } else { &found };
        return Some(format!("extended key usage is {found}, {name} is needed"));
    }
    let netscape = if is_authority {
        NETSCAPE_TLS_AUTHORITY
    } else {
        netscape
    };
    if extensions.netscape_type.is_some_and(|of| of & netscape == 0)
        && !(is_authority && says_authority(certificate))
    {
        return Some(format!(
            "its Netscape certificate type is not {}",
            netscape_name(netscape)
        ));
    }
    if !is_authority
        && let Some(usage) = extensions.key_usage
        && !usage.has_any(usages)
    {
        let found = certificate.facts.key_usage.join(", ");
        return Some(format!("key usage is {found}, {usage_names} is needed"));
    }
    None
}

/// Why a certificate must not issue others; `None` if it may. Without basicConstraints, and as OpenSSL does, it may if it is
/// trusted and says so in another way: by version 1, by its key usage, or by its Netscape type.
pub fn authority_objection(certificate: &Certificate, is_trusted: bool) -> Option<&'static str> {
    let extensions = &certificate.extensions;
    let usage = extensions.key_usage;
    if usage.is_some_and(|usage| !usage.has_any(&[KeyUsage::CERTIFICATE_SIGN])) {
        return Some("its key usage has no keyCertSign");
    }
    let root_of_version_1 = certificate.facts.version == 1 && certificate.is_self_issued();
    let netscape = extensions
        .netscape_type
        .is_some_and(|of| of & NETSCAPE_AUTHORITIES != 0);
    match extensions.basic_constraints {
        Some(constraints) if constraints.authority => None,
        Some(_) => Some("its basic constraints say that it is none"),
        None if is_trusted && (root_of_version_1 || usage.is_some() || netscape) => None,
        None => Some("it has no basic constraints"),
    }
}

/// Whether something stronger than Netscape's type says that it is an authority.
fn says_authority(certificate: &Certificate) -> bool {
    let extensions = &certificate.extensions;
    extensions.basic_constraints.is_some()
        || extensions.key_usage.is_some()
        || certificate.facts.version == 1 && certificate.is_self_issued()
}

fn netscape_name(bit: u8) -> &'static str {
    match bit {
        NETSCAPE_CLIENT => "sslClient",
        NETSCAPE_SERVER => "sslServer",
        _ => "sslCA",
    }
}
