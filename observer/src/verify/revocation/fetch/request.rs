//! OCSP requests (RFC 6960, section 4.1.1), and the little DER that they need.

use observer_tls::x509::PublicKeyParts;
use sha1::{Digest, Sha1};

use crate::verify::revocation::evidence::Subject;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// The AlgorithmIdentifier of SHA-1, 1.3.14.3.2.26, with NULL for parameters. It is what all responders know
/// (RFC 5019, section 2.1.1); it hides nothing here.
const SHA1: [u8; 11] = [SEQUENCE, 9, 6, 5, 0x2b, 14, 3, 2, 26, 5, 0];

/// The OCSPRequest for one certificate; `None` when its issuer's key cannot be read.
pub(in crate::verify::revocation) fn ocsp_request(subject: &Subject<'_>) -> Option<Vec<u8>> {
    let key = PublicKeyParts::read(subject.link.issuer_key).ok()?.key;
    let id = [
        SHA1.to_vec(),
        element(OCTET_STRING, &Sha1::digest(subject.parts.issuer)),
        element(OCTET_STRING, &Sha1::digest(key)),
        element(INTEGER, subject.parts.serial_number),
    ];
    // CertID, Request, requestList, TBSRequest, OCSPRequest: each is a sequence of only the one before it.
    Some((0..5).fold(id.concat(), |content, _| element(SEQUENCE, &content)))
}

/// Tag, length and content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let significant = length.get(zeros..).unwrap_or_default();
    let mut element = vec![tag];
    match (content.len(), u8::try_from(significant.len())) {
        (short @ ..0x80, _) => element.extend(u8::try_from(short)),
        (_, Ok(bytes)) => {
            element.push(0x80 | bytes);
            element.extend_from_slice(significant);
        }
        // A length has eight bytes.
        (_, Err(_)) => {}
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_short_as_can_be() {
        assert_eq!(element(4, &[]), [4, 0]);
        assert_eq!(element(4, &[7; 127])[..3], [4, 127, 7]);
        assert_eq!(element(4, &[7; 128])[..4], [4, 0x81, 128, 7]);
        assert_eq!(element(4, &[7; 256])[..5], [4, 0x82, 1, 0, 7]);
    }
}
