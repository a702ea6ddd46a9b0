use super::*;
use crate::codepoints::SignatureScheme;
use crate::support::*;

fn exchange(suite: CipherSuite) -> KeyExchange {
    suite.key_exchange().unwrap()
}

#[test]
fn only_named_curves_name_a_group() {
    let group = |body: Vec<u8>| ServerKeyExchange { body: body.into() }.named_group();
    assert_eq!(
        group([vec![3, 0, 23], vec8(&[4; 65])].concat()),
        Some(NamedGroup::SECP256R1)
    );
    // Finite field: a prime of 2,048 bits, one of 6,144 bits; an explicit curve; cut off.
    assert_eq!(group(vec16(&[0xff; 256])), None);
    assert_eq!(group([vec16(&[0; 768]), vec16(&[2])].concat()), None);
    assert_eq!(group(vec![1, 0, 23, 1, 4]), None);
    assert_eq!(group(vec![3, 0, 23, 65, 4]), None);
}

#[test]
fn suites_tell_how_keys_are_agreed_on() {
    use KeyExchangeMethod::*;
    for (suite, method, psk, signed) in [
        (CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA, Rsa, false, false),
        (
            CipherSuite::TLS_RSA_EXPORT_WITH_RC4_40_MD5,
            RsaExport,
            false,
            true,
        ),
        (CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, Dhe, false, true),
        (CipherSuite::TLS_DH_anon_WITH_AES_128_CBC_SHA, Dhe, false, false),
        (CipherSuite::TLS_DH_RSA_WITH_AES_128_CBC_SHA, Dh, false, false),
        (
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            Ecdhe,
            false,
            true,
        ),
        (
            CipherSuite::OLD_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            Ecdhe,
            false,
            true,
        ),
        (
            CipherSuite::TLS_ECDH_anon_WITH_AES_128_CBC_SHA,
            Ecdhe,
            false,
            false,
        ),
        (CipherSuite::TLS_ECDH_RSA_WITH_AES_128_CBC_SHA, Ecdh, false, false),
        (CipherSuite::TLS_PSK_WITH_AES_128_CCM, Psk, true, false),
        (CipherSuite::TLS_PSK_DHE_WITH_AES_128_CCM_8, Dhe, true, false),
        (
            CipherSuite::TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256,
            Ecdhe,
            true,
            false,
        ),
        (CipherSuite::TLS_RSA_PSK_WITH_AES_128_CBC_SHA, Rsa, true, false),
        (CipherSuite::TLS_SRP_SHA_WITH_AES_128_CBC_SHA, Srp, false, false),
        (
            CipherSuite::TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA,
            Srp,
            false,
            true,
        ),
    ] {
        assert_eq!(
            suite.key_exchange(),
            Some(KeyExchange { method, psk, signed }),
            "{suite}"
        );
    }
    for suite in [0x1301, 0x00ff, 0x5600, 0x0a0a, 0xc102].map(CipherSuite) {
        assert_eq!(suite.key_exchange(), None, "{suite}");
    }
}

#[test]
fn server_parameters_have_the_form_of_the_suite() {
    let server = |parts: &[Vec<u8>]| ServerKeyExchange {
        body: parts.concat().into(),
    };
    let signature = Some(Signature {
        scheme: Some(SignatureScheme::RSA_PKCS1_SHA256),
        length: 64,
    });
    let signed = [u16s(&[0x0401]), vec16(&[5; 64])].concat();

    let ecdhe = exchange(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    let point = [vec![3, 0, 29], vec8(&[9; 32])].concat();
    let share = ServerShare::EllipticCurve {
        group: NamedGroup::X25519,
        public_length: 32,
    };
    let message = server(&[point.clone(), signed.clone()]);
    for version in [None, Some(ProtocolVersion::TLS12)] {
        let parameters = message.parameters(ecdhe, version).unwrap();
        assert_eq!((parameters.share, parameters.signature), (Some(share), signature));
    }
    assert!(message.parameters(ecdhe, Some(ProtocolVersion::TLS10)).is_err());
    let old = server(&[point.clone(), vec16(&[5; 64])]);
    let unnamed = Some(Signature {
        scheme: None,
        length: 64,
    });
    for version in [None, Some(ProtocolVersion::TLS10)] {
        assert_eq!(old.parameters(ecdhe, version).unwrap().signature, unnamed);
    }

    let dhe = exchange(CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256);
    // A prime of 1,023 bits behind a zero.
    let prime = [vec![0, 0x7f], vec![0xff; 127]].concat();
    let message = server(&[vec16(&prime), vec16(&[2]), vec16(&[1; 128]), signed]);
    let share = ServerShare::FiniteField {
        prime_bits: 1023,
        public_bits: 1017,
    };
    let parameters = message.parameters(dhe, Some(ProtocolVersion::TLS12)).unwrap();
    assert_eq!((parameters.share, parameters.signature), (Some(share), signature));
    assert!(message.parameters(ecdhe, None).is_err());

    let psk = exchange(CipherSuite::TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256);
    let parameters = server(&[vec16(b"hint"), point]).parameters(psk, None).unwrap();
    assert_eq!(parameters.psk_identity_hint.as_deref(), Some(&b"hint"[..]));
    assert_eq!(parameters.signature, None);

    let export = exchange(CipherSuite::TLS_RSA_EXPORT_WITH_RC4_40_MD5);
    let message = server(&[vec16(&[0x80; 64]), vec16(&[1, 0, 1]), vec16(&[5; 128])]);
    let parameters = message.parameters(export, Some(ProtocolVersion::SSL3)).unwrap();
    assert_eq!(parameters.share, Some(ServerShare::Rsa { modulus_bits: 512 }));
}

#[test]
fn client_parameters_have_the_form_of_the_suite() {
    let parse = |suite: CipherSuite, version, body: Vec<u8>| {
        let message = ClientKeyExchange { body: body.into() };
        let parameters = message.parameters(exchange(suite), version).ok()?;
        let identity = parameters.psk_identity.map(|name| name.to_vec());
        Some((parameters.share_length, identity.unwrap_or_default()))
    };
    let tls12 = ProtocolVersion::TLS12;
    let rsa = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    assert_eq!(parse(rsa, tls12, vec16(&[1; 256])), Some((256, vec![])));
    assert_eq!(
        parse(rsa, ProtocolVersion::SSL3, vec![1; 256]),
        Some((256, vec![]))
    );
    assert_eq!(parse(rsa, tls12, vec![1; 256]), None);
    let ecdhe = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
    assert_eq!(parse(ecdhe, tls12, vec8(&[1; 65])), Some((65, vec![])));
    assert_eq!(parse(ecdhe, tls12, vec![]), Some((0, vec![])));
    let psk = CipherSuite::TLS_PSK_WITH_AES_128_CCM;
    assert_eq!(parse(psk, tls12, vec16(b"me")), Some((0, b"me".to_vec())));
    let both = CipherSuite::TLS_DHE_PSK_WITH_AES_128_CCM;
    let body = [vec16(b"me"), vec16(&[1; 256])].concat();
    assert_eq!(parse(both, tls12, body), Some((256, b"me".to_vec())));
    assert_eq!(parse(both, tls12, vec16(b"me")), None);
}
