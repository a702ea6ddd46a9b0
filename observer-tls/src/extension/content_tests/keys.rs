use super::*;

#[test]
fn groups_and_key_shares() {
    let groups = Content::SupportedGroups([4588, 29].map(NamedGroup).to_vec());
    let both = [ClientHello, EncryptedExtensions];
    is(
        ExtensionType::SUPPORTED_GROUPS,
        &vec16(&u16s(&[4588, 29])),
        &both,
        groups,
    );
    is_broken(
        ExtensionType::SUPPORTED_GROUPS,
        &vec16(&u16s(&[4588])),
        ClientHello,
    );
    let formats = Content::EcPointFormats(vec![EcPointFormat::UNCOMPRESSED]);
    is(
        ExtensionType::EC_POINT_FORMATS,
        &[1, 0],
        &[ClientHello, ServerHello],
        formats,
    );

    let share = |group, key_length| KeyShare {
        group: NamedGroup(group),
        key_length,
    };
    let x25519 = [u16s(&[29]), vec16(&[1; 32])].concat();
    let list = vec16(&[u16s(&[0x1a1a]), vec16(&[0]), x25519.clone()].concat());
    for typ in [ExtensionType::KEY_SHARE, ExtensionType::KEY_SHARE_DRAFT] {
        let shares = Content::KeyShares(vec![share(0x1a1a, 1), share(29, 32)]);
        is(typ, &list, &[ClientHello], shares);
        is_broken(typ, &list, ClientHello);
        is(typ, &x25519, &[ServerHello], Content::KeyShare(share(29, 32)));
        is(
            typ,
            &[0, 29],
            &[HelloRetryRequest],
            Content::SelectedGroup(NamedGroup::X25519),
        );
        is_broken(typ, &[0, 29], HelloRetryRequest);
    }
}

#[test]
fn resumption() {
    let identity = |name: &str, obfuscated_ticket_age| PskIdentity {
        identity: text(name),
        obfuscated_ticket_age,
    };
    let identities = [vec16(b"ticket"), vec![1, 2, 3, 4], vec16(b"external"), vec![0; 4]].concat();
    let offer = [
        vec16(&identities),
        vec16(&[vec8(&[1; 32]), vec8(&[2; 48])].concat()),
    ]
    .concat();
    let keys = Content::PreSharedKeys {
        identities: vec![identity("ticket", 0x0102_0304), identity("external", 0)],
        binder_lengths: vec![32, 48],
    };
    is(ExtensionType::PRE_SHARED_KEY, &offer, &[ClientHello], keys);
    is_broken(ExtensionType::PRE_SHARED_KEY, &offer, ClientHello);
    is(
        ExtensionType::PRE_SHARED_KEY,
        &[0, 1],
        &[ServerHello],
        Content::SelectedPsk(1),
    );
    let modes = Content::PskKeyExchangeModes(vec![PskKeyExchangeMode::PSK_DHE_KE, PskKeyExchangeMode(0x0a)]);
    is(
        ExtensionType::PSK_KEY_EXCHANGE_MODES,
        &[2, 1, 10],
        &[ClientHello],
        modes,
    );
    is(
        ExtensionType::EARLY_DATA,
        &[],
        &[ClientHello, EncryptedExtensions],
        Content::Present,
    );
    is(
        ExtensionType::EARLY_DATA,
        &[0, 0, 0x40, 0],
        &[NewSessionTicket],
        Content::MaxEarlyData(0x4000),
    );
    is(
        ExtensionType::SESSION_TICKET,
        b"ticket",
        &[ClientHello],
        Content::SessionTicket(text("ticket")),
    );
    is(
        ExtensionType::SESSION_TICKET,
        b"",
        &[ClientHello],
        Content::SessionTicket(text("")),
    );
    is(
        ExtensionType::SESSION_TICKET,
        b"",
        &[ServerHello],
        Content::Present,
    );
    let request = Content::TicketRequest {
        new_sessions: 2,
        resumption: 1,
    };
    is(ExtensionType::TICKET_REQUEST, &[2, 1], &[ClientHello], request);
    is(
        ExtensionType::TICKET_REQUEST,
        &[3],
        &[EncryptedExtensions],
        Content::ExpectedTickets(3),
    );
}

#[test]
fn versions_and_cookies() {
    let versions = Content::SupportedVersions([0x5a5a, 0x0304, 0x0303].map(ProtocolVersion).to_vec());
    is(
        ExtensionType::SUPPORTED_VERSIONS,
        &vec8(&u16s(&[0x5a5a, 0x0304, 0x0303])),
        &[ClientHello],
        versions,
    );
    let chosen = Content::SelectedVersion(ProtocolVersion::TLS13);
    is(
        ExtensionType::SUPPORTED_VERSIONS,
        &[3, 4],
        &[ServerHello, HelloRetryRequest],
        chosen,
    );
    is_broken(ExtensionType::SUPPORTED_VERSIONS, &[3, 4], ServerHello);
    let cookie = Content::Cookie(text("cookie"));
    is(
        ExtensionType::COOKIE,
        &vec16(b"cookie"),
        &[ClientHello, HelloRetryRequest],
        cookie,
    );
}

#[test]
fn limits_and_modes() {
    let both = [ClientHello, ServerHello, EncryptedExtensions];
    let length = Content::MaxFragmentLength(MaxFragmentLength::TWO_TO_12);
    is(ExtensionType::MAX_FRAGMENT_LENGTH, &[4], &both, length);
    is(
        ExtensionType::RECORD_SIZE_LIMIT,
        &[0x40, 1],
        &both,
        Content::RecordSizeLimit(16_385),
    );
    is_broken(ExtensionType::RECORD_SIZE_LIMIT, &[0x40, 1], ClientHello);
    is(
        ExtensionType::HEARTBEAT,
        &[1],
        &both,
        Content::Heartbeat(HeartbeatMode::PEER_ALLOWED_TO_SEND),
    );
    is(
        ExtensionType::PADDING,
        &[0; 99],
        &[ClientHello],
        Content::Padding(99),
    );
    is(
        ExtensionType::RENEGOTIATION_INFO,
        &[0],
        &both,
        Content::RenegotiationInfo(text("")),
    );
    is(
        ExtensionType::RENEGOTIATION_INFO,
        &vec8(b"data"),
        &both,
        Content::RenegotiationInfo(text("data")),
    );
    let srtp = Content::UseSrtp {
        profiles: [1, 7].map(SrtpProtectionProfile).to_vec(),
        mki: text("m"),
    };
    is(
        ExtensionType::USE_SRTP,
        &[vec16(&u16s(&[1, 7])), vec8(b"m")].concat(),
        &both,
        srtp,
    );
    let binding = Content::TokenBinding {
        version: (1, 0),
        key_parameters: Bytes::from_static(&[2, 0]),
    };
    is(ExtensionType::TOKEN_BINDING, &[1, 0, 2, 2, 0], &both, binding);
    is(
        ExtensionType::CONNECTION_ID,
        &vec8(b"id"),
        &both,
        Content::ConnectionId(text("id")),
    );
    is(
        ExtensionType::EXTERNAL_ID_HASH,
        &vec8(&[]),
        &both,
        Content::ExternalIdHash(text("")),
    );
    is(
        ExtensionType::EXTERNAL_SESSION_ID,
        &vec8(b"id"),
        &both,
        Content::ExternalSessionId(text("id")),
    );
    for typ in [
        ExtensionType::ENCRYPT_THEN_MAC,
        ExtensionType::EXTENDED_MAIN_SECRET,
        ExtensionType::CHANNEL_ID,
    ] {
        is(typ, &[], &both, Content::Present);
        assert!(Extension { typ, data: text("x") }.content(ClientHello).is_err());
    }
    is(
        ExtensionType::POST_HANDSHAKE_AUTH,
        &[],
        &[ClientHello],
        Content::Present,
    );
}

#[test]
fn encrypted_names() {
    let outer = [
        vec![0],
        u16s(&[1, 3]),
        vec![77],
        vec16(&[1; 32]),
        vec16(&[2; 208]),
    ]
    .concat();
    let content = Content::EncryptedClientHello(EncryptedClientHello::Outer {
        cipher_suite: HpkeSymmetricCipherSuite {
            kdf: HpkeKdf::HKDF_SHA256,
            aead: HpkeAead::CHACHA20_POLY1305,
        },
        config_id: 77,
        enc_length: 32,
        payload_length: 208,
    });
    let typ = ExtensionType::ENCRYPTED_CLIENT_HELLO;
    is(typ, &outer, &[ClientHello], content);
    is_broken(typ, &outer, ClientHello);
    let inner = Content::EncryptedClientHello(EncryptedClientHello::Inner);
    is(typ, &[1], &[ClientHello], inner);
    assert!(
        Extension {
            typ,
            data: Bytes::from_static(&[2])
        }
        .content(ClientHello)
        .is_err()
    );
    is(
        typ,
        &[8; 8],
        &[HelloRetryRequest],
        Content::EchConfirmation([8; 8]),
    );
    let config = EchConfig {
        version: typ,
        contents: text("config"),
    };
    let configs = vec16(&extension(0xfe0d, b"config"));
    is(
        typ,
        &configs,
        &[EncryptedExtensions],
        Content::EchRetryConfigs(vec![config]),
    );
    let outer_extensions = Content::EchOuterExtensions([10, 51].map(ExtensionType).to_vec());
    is(
        ExtensionType::ECH_OUTER_EXTENSIONS,
        &vec8(&u16s(&[10, 51])),
        &[ClientHello],
        outer_extensions,
    );

    let esni = [
        u16s(&[0x1301, 29]),
        vec16(&[1; 32]),
        vec16(b"digest"),
        vec16(&[2; 292]),
    ]
    .concat();
    let content = Content::EncryptedServerName(EncryptedServerName {
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        group: NamedGroup::X25519,
        key_length: 32,
        record_digest: text("digest"),
        encrypted_length: 292,
    });
    is(
        ExtensionType::ENCRYPTED_SERVER_NAME,
        &esni,
        &[ClientHello],
        content,
    );
    is_broken(ExtensionType::ENCRYPTED_SERVER_NAME, &esni, ClientHello);
    let nonce = Content::EsniNonce([3; 16]);
    is(
        ExtensionType::ENCRYPTED_SERVER_NAME,
        &[3; 16],
        &[EncryptedExtensions],
        nonce,
    );
}
