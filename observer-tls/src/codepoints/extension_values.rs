//! Code points inside of extensions and of the messages that go with them.

use super::codepoints;

codepoints! {
    /// What a certificate message carries (RFC 7250, section 3; RFC 6091, section 3).
    CertificateType(u8);
    X509 = 0, "X509";
    OPEN_PGP = 1, "OpenPGP";
    RAW_PUBLIC_KEY = 2, "RawPublicKey";
    IEEE_1609_DOT2 = 3, "1609Dot2";
}

codepoints! {
    /// What kind of answer about a certificate is asked for or stapled (RFC 6066, section 8; RFC 6961, section 2.2).
    CertificateStatusType(u8);
    OCSP = 1, "ocsp";
    OCSP_MULTI = 2, "ocsp_multi";
}

codepoints! {
    /// How a certificate message is compressed (RFC 8879, section 3).
    CertificateCompressionAlgorithm(u16);
    ZLIB = 1, "zlib";
    BROTLI = 2, "brotli";
    ZSTD = 3, "zstd";
}

codepoints! {
    /// How a pre-shared key may be used (RFC 8446, section 4.2.9).
    PskKeyExchangeMode(u8);
    PSK_KE = 0, "psk_ke";
    PSK_DHE_KE = 1, "psk_dhe_ke";
}

codepoints! {
    /// How a point of a curve is written (RFC 8422, section 5.1.2).
    EcPointFormat(u8);
    UNCOMPRESSED = 0, "uncompressed";
    ANSIX962_COMPRESSED_PRIME = 1, "ansiX962_compressed_prime";
    ANSIX962_COMPRESSED_CHAR2 = 2, "ansiX962_compressed_char2";
}

codepoints! {
    /// A limit for the plaintext of records (RFC 6066, section 4).
    MaxFragmentLength(u8);
    TWO_TO_9 = 1, "2^9";
    TWO_TO_10 = 2, "2^10";
    TWO_TO_11 = 3, "2^11";
    TWO_TO_12 = 4, "2^12";
}

impl MaxFragmentLength {
    /// The limit in bytes; `None` for a value that the RFC does not define.
    pub const fn bytes(self) -> Option<u16> {
        match self.0 {
            code @ 1..=4 => Some(1 << (8 + code)),
            _ => None,
        }
    }
}

codepoints! {
    /// Whether a peer answers heartbeats (RFC 6520, section 2).
    HeartbeatMode(u8);
    PEER_ALLOWED_TO_SEND = 1, "peer_allowed_to_send";
    PEER_NOT_ALLOWED_TO_SEND = 2, "peer_not_allowed_to_send";
}

codepoints! {
    /// How SRTP protects packets (RFC 5764, section 4.1.2; RFC 7714, section 14.2).
    SrtpProtectionProfile(u16);
    SRTP_AES128_CM_HMAC_SHA1_80 = 0x0001;
    SRTP_AES128_CM_HMAC_SHA1_32 = 0x0002;
    SRTP_NULL_HMAC_SHA1_80 = 0x0005;
    SRTP_NULL_HMAC_SHA1_32 = 0x0006;
    SRTP_AEAD_AES_128_GCM = 0x0007;
    SRTP_AEAD_AES_256_GCM = 0x0008;
    DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM = 0x0009;
    DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM = 0x000a;
    SRTP_ARIA_128_CTR_HMAC_SHA1_80 = 0x000b;
    SRTP_ARIA_128_CTR_HMAC_SHA1_32 = 0x000c;
    SRTP_ARIA_256_CTR_HMAC_SHA1_80 = 0x000d;
    SRTP_ARIA_256_CTR_HMAC_SHA1_32 = 0x000e;
    SRTP_AEAD_ARIA_128_GCM = 0x000f;
    SRTP_AEAD_ARIA_256_GCM = 0x0010;
}

codepoints! {
    /// The key derivation of HPKE (RFC 9180, section 7.2).
    HpkeKdf(u16);
    HKDF_SHA256 = 1, "HKDF-SHA256";
    HKDF_SHA384 = 2, "HKDF-SHA384";
    HKDF_SHA512 = 3, "HKDF-SHA512";
}

codepoints! {
    /// The encryption of HPKE (RFC 9180, section 7.3).
    HpkeAead(u16);
    AES_128_GCM = 1, "AES-128-GCM";
    AES_256_GCM = 2, "AES-256-GCM";
    CHACHA20_POLY1305 = 3, "ChaCha20Poly1305";
    EXPORT_ONLY = 0xffff, "export-only";
}

codepoints! {
    /// Whether the peer is to update its keys, too (RFC 8446, section 4.6.3).
    KeyUpdateRequest(u8);
    UPDATE_NOT_REQUESTED = 0, "update_not_requested";
    UPDATE_REQUESTED = 1, "update_requested";
}

codepoints! {
    /// What a list of certificate URLs leads to (RFC 6066, section 5).
    CertificateChainType(u8);
    INDIVIDUAL_CERTS = 0, "individual_certs";
    PKIPATH = 1, "pkipath";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragment_lengths_are_powers_of_two() {
        let lengths: Vec<_> = (1..=4)
            .filter_map(|code| MaxFragmentLength(code).bytes())
            .collect();
        assert_eq!(lengths, [512, 1024, 2048, 4096]);
        assert_eq!(MaxFragmentLength(0).bytes(), None);
        assert_eq!(MaxFragmentLength(5).bytes(), None);
    }
}
