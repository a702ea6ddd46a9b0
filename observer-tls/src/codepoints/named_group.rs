//! Key exchange groups (RFC 8446, section 4.2.7).

use super::codepoints;

codepoints! {
    /// A key exchange group: elliptic curve, finite field, KEM or a hybrid of these.
    NamedGroup(u16);
    SECT163K1 = 1, "sect163k1";
    SECT163R1 = 2, "sect163r1";
    SECT163R2 = 3, "sect163r2";
    SECT193R1 = 4, "sect193r1";
    SECT193R2 = 5, "sect193r2";
    SECT233K1 = 6, "sect233k1";
    SECT233R1 = 7, "sect233r1";
    SECT239K1 = 8, "sect239k1";
    SECT283K1 = 9, "sect283k1";
    SECT283R1 = 10, "sect283r1";
    SECT409K1 = 11, "sect409k1";
    SECT409R1 = 12, "sect409r1";
    SECT571K1 = 13, "sect571k1";
    SECT571R1 = 14, "sect571r1";
    SECP160K1 = 15, "secp160k1";
    SECP160R1 = 16, "secp160r1";
    SECP160R2 = 17, "secp160r2";
    SECP192K1 = 18, "secp192k1";
    SECP192R1 = 19, "secp192r1";
    SECP224K1 = 20, "secp224k1";
    SECP224R1 = 21, "secp224r1";
    SECP256K1 = 22, "secp256k1";
    SECP256R1 = 23, "secp256r1";
    SECP384R1 = 24, "secp384r1";
    SECP521R1 = 25, "secp521r1";
    BRAINPOOLP256R1 = 26, "brainpoolP256r1";
    BRAINPOOLP384R1 = 27, "brainpoolP384r1";
    BRAINPOOLP512R1 = 28, "brainpoolP512r1";
    X25519 = 29, "x25519";
    X448 = 30, "x448";
    BRAINPOOLP256R1TLS13 = 31, "brainpoolP256r1tls13";
    BRAINPOOLP384R1TLS13 = 32, "brainpoolP384r1tls13";
    BRAINPOOLP512R1TLS13 = 33, "brainpoolP512r1tls13";
    GC256A = 34, "GC256A";
    GC256B = 35, "GC256B";
    GC256C = 36, "GC256C";
    GC256D = 37, "GC256D";
    GC512A = 38, "GC512A";
    GC512B = 39, "GC512B";
    GC512C = 40, "GC512C";
    CURVESM2 = 41, "curveSM2";
    FFDHE2048 = 256, "ffdhe2048";
    FFDHE3072 = 257, "ffdhe3072";
    FFDHE4096 = 258, "ffdhe4096";
    FFDHE6144 = 259, "ffdhe6144";
    FFDHE8192 = 260, "ffdhe8192";
    MLKEM512 = 512, "MLKEM512";
    MLKEM768 = 513, "MLKEM768";
    MLKEM1024 = 514, "MLKEM1024";
    KYBER512_R3 = 0x023a, "kyber512";
    KYBER768_R3 = 0x023c, "kyber768";
    KYBER1024_R3 = 0x023d, "kyber1024";
    SECP256R1MLKEM768 = 4587, "SecP256r1MLKEM768";
    X25519MLKEM768 = 4588, "X25519MLKEM768";
    SECP384R1MLKEM1024 = 4589, "SecP384r1MLKEM1024";
    CURVESM2MLKEM768 = 4590, "curveSM2MLKEM768";
    X25519_KYBER512_R3 = 0x2f39, "x25519_kyber512";
    SECP256R1_KYBER512_R3 = 0x2f3a, "p256_kyber512";
    SECP384R1_KYBER768_R3 = 0x2f3c, "p384_kyber768";
    SECP521R1_KYBER1024_R3 = 0x2f3d, "p521_kyber1024";
    SECP256R1MLKEM512 = 0x2f4b, "p256_mlkem512";
    SECP384R1MLKEM768 = 0x2f4c, "p384_mlkem768";
    SECP521R1MLKEM1024 = 0x2f4d, "p521_mlkem1024";
    X25519MLKEM512 = 0x2fb6, "x25519_mlkem512";
    X448MLKEM768 = 0x2fb7, "x448_mlkem768";
    CECPQ2 = 0x4138, "CECPQ2";
    X25519KYBER768DRAFT00 = 25497, "X25519Kyber768Draft00";
    SECP256R1KYBER768DRAFT00 = 25498, "SecP256r1Kyber768Draft00";
    X25519KYBER512DRAFT00 = 0xfe30, "X25519Kyber512Draft00";
    X25519KYBER768DRAFT00_OLD = 0xfe31, "X25519Kyber768Draft00Old";
    SECP256R1KYBER768DRAFT00_OLD = 0xfe32, "P256Kyber768Draft00";
    ARBITRARY_EXPLICIT_PRIME_CURVES = 65281, "arbitrary_explicit_prime_curves";
    ARBITRARY_EXPLICIT_CHAR2_CURVES = 65282, "arbitrary_explicit_char2_curves";
}

impl NamedGroup {
    /// Whether the group is, or contains, a post-quantum KEM: ML-KEM, its Kyber drafts or an experiment before these.
    pub const fn is_post_quantum(self) -> bool {
        // 0x2f00 and on is the block of the Open Quantum Safe project's hybrids.
        matches!(
            self.0,
            0x0200..=0x0202 | 0x023a | 0x023c | 0x023d | 0x11eb..=0x11ee | 0x2f00..=0x2fff | 0x4138 | 0x6399 | 0x639a
                | 0xfe30..=0xfe32
        )
    }

    /// Whether the group joins a post-quantum KEM and a classical exchange.
    pub const fn is_hybrid(self) -> bool {
        self.is_post_quantum() && !matches!(self.0, 0x0200..=0x02ff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_quantum_groups_are_told_from_the_others() {
        assert_eq!(NamedGroup(4588).name(), Some("X25519MLKEM768"));
        assert_eq!(NamedGroup(29).to_string(), "x25519");
        for group in [512, 514, 0x023c] {
            assert!(NamedGroup(group).is_post_quantum() && !NamedGroup(group).is_hybrid());
        }
        for group in [4587, 4588, 4589, 4590, 25497, 0x2f39, 0x4138, 0xfe31] {
            assert!(NamedGroup(group).is_hybrid(), "{group}");
        }
        // All that is named from ML-KEM on, but for the two of explicit curves.
        let named = (512..=u16::MAX)
            .map(NamedGroup)
            .filter(|group| group.name().is_some());
        let classical: Vec<_> = named.filter(|group| !group.is_post_quantum()).collect();
        assert_eq!(classical, [0xff01, 0xff02].map(NamedGroup));
        assert!((0..512).all(|group| !NamedGroup(group).is_post_quantum()));
    }
}
