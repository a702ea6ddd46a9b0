//! Certificates put together by hand, to be odd in ways that no library would write them.

/// The element with this identifier and content, with its length in the shortest form.
pub fn tlv(identifier: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let head = match length {
        ..0x80 => vec![identifier, length as u8],
        _ => [&[identifier, 0x80 | significant.len() as u8], significant].concat(),
    };
    [&head, content].concat()
}

/// The element with an indefinite length.
pub fn endless(identifier: u8, content: &[u8]) -> Vec<u8> {
    [&[identifier, 0x80], content, &[0, 0]].concat()
}

pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// id-at-commonName, 2.5.4.3.
pub const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// A name of one attribute, CN, with a value of this type.
pub fn common_name(identifier: u8, value: &[u8]) -> Vec<u8> {
    let attribute = sequence(&[tlv(6, COMMON_NAME), tlv(identifier, value)]);
    sequence(&[tlv(0x31, &attribute)])
}

/// id-ce-subjectAltName, -basicConstraints, -extKeyUsage: last arcs under 2.5.29.
pub const SUBJECT_ALT_NAME: u8 = 17;
pub const BASIC_CONSTRAINTS: u8 = 19;
pub const EXTENDED_KEY_USAGE: u8 = 37;

/// An extension of 2.5.29 with this value.
pub fn extension(arc: u8, value: &[u8]) -> Vec<u8> {
    sequence(&[tlv(6, &[0x55, 29, arc]), tlv(4, value)])
}

/// subjectAltName with these GeneralNames: identifier and content.
pub fn alternative_names(names: &[(u8, &[u8])]) -> Vec<u8> {
    let names: Vec<_> = names
        .iter()
        .map(|(identifier, content)| tlv(*identifier, content))
        .collect();
    extension(SUBJECT_ALT_NAME, &sequence(&names))
}

/// The parts of a certificate, each a whole element or several.
pub struct OddCertificate {
    /// `[0]` with the version inside, or nothing.
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub issuer: Vec<u8>,
    pub validity: Vec<u8>,
    pub subject: Vec<u8>,
    pub key: Vec<u8>,
    pub extensions: Vec<Vec<u8>>,
    /// Further elements at the end of the TBSCertificate.
    pub extra: Vec<u8>,
}

impl Default for OddCertificate {
    /// Nothing is odd: version 3, serial 01, CN=issuer and CN=subject, the year 2030, a key on P-256.
    fn default() -> Self {
        let algorithm = [
            tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]),
            tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
        ];
        let point = [&[0, 4][..], &[0x5a; 64]].concat();
        Self {
            version: tlv(0xa0, &tlv(2, &[2])),
            serial: tlv(2, &[1]),
            issuer: common_name(0x0c, b"issuer"),
            validity: sequence(&[tlv(0x17, b"300101000000Z"), tlv(0x17, b"310101000000Z")]),
            subject: common_name(0x0c, b"subject"),
            key: sequence(&[sequence(&algorithm), tlv(3, &point)]),
            extensions: Vec::new(),
            extra: Vec::new(),
        }
    }
}

impl OddCertificate {
    /// The certificate, "signed" with ECDSA-SHA256 by bytes that are no signature.
    pub fn der(&self) -> Vec<u8> {
        self.wrapped(tlv)
    }

    /// As [`Self::der`], the certificate and its TBSCertificate with this form of length.
    pub fn wrapped(&self, wrap: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
        let signature = sequence(&[tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            tlv(0xa3, &sequence(&self.extensions))
        };
        let body = [
            &self.version,
            &self.serial,
            &signature,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.key,
            &extensions,
            &self.extra,
        ];
        let body = wrap(0x30, &body.map(Vec::as_slice).concat());
        wrap(0x30, &[body, signature, tlv(3, &[0, 0x77, 0x77])].concat())
    }
}
