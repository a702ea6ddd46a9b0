//! Records of all kinds.

use super::*;

#[test]
fn alerts_of_two_bytes_are_plaintext_in_any_state() {
    let mut run = Run::default();
    let bytes = [
        record(CHANGE_CIPHER_SPEC, &[1]),
        record(ALERT, &[2, 116]),
        record(ALERT, &[9, 9]),
        record(ALERT, &[9; 3]),
    ];
    run.push(0, &bytes.concat());
    assert_eq!(run.out[1].body, {
        let (level, description) = (AlertLevel::FATAL, AlertDescription::CERTIFICATE_REQUIRED);
        ItemBody::Alert(Alert { level, description })
    });
    assert_eq!(run.said()[2..], ["alert:2", "alert:3"]);
}

#[test]
fn handshake_records_after_change_cipher_spec_are_encrypted() {
    let mut run = Run::default();
    run.push(0, &record(CHANGE_CIPHER_SPEC, &[1]));
    let next = run.stream.next_seq().unwrap();
    run.push(
        next,
        &[record(HANDSHAKE, &message(14, &[])), record(HANDSHAKE, &[])].concat(),
    );
    assert_eq!(run.said(), ["ChangeCipherSpec", "handshake:4"]);
    let next = run.stream.next_seq().unwrap();
    run.push(next, &records(HANDSHAKE, &client_hello(), 700));
    assert_eq!(run.said(), ["client_hello"]);
}

#[test]
fn empty_records_are_passed_over() {
    let hello = server_hello();
    let bytes = [
        record(HANDSHAKE, &[]),
        record(HANDSHAKE, &hello[..3]),
        record(HANDSHAKE, &[]),
        record(HANDSHAKE, &hello[3..]),
    ];
    let mut run = Run::default();
    run.push(0, &bytes.concat());
    assert_eq!(run.said(), ["server_hello"]);
}

#[test]
fn several_alerts_in_a_record_and_one_over_two_records() {
    let mut run = Run::from_syn();
    run.then(&record(ALERT, &[1, 90, 2, 40]))
        .then(&record(ALERT, &[2]))
        .then(&record(ALERT, &[]))
        .then(&record(ALERT, &[48]))
        .then(&record(ALERT, &[1]))
        .then(&record(HANDSHAKE, &client_hello()))
        .then(&record(ALERT, &[2, 40, 9, 9]));
    let expected = [
        "warning user_canceled",
        "fatal handshake_failure",
        "fatal unknown_ca",
        "gap:0",
        "client_hello",
        "alert:4",
    ];
    assert_eq!(run.said(), expected);
}

#[test]
fn a_second_handshake_in_plaintext_is_read_as_a_whole() {
    let flight = [server_hello(), certificate(&[&[0x30; 300]]), message(14, &[])].concat();
    let first = [
        records(HANDSHAKE, &flight, 200),
        record(CHANGE_CIPHER_SPEC, &[1]),
        record(HANDSHAKE, &[0x99; 40]),
        record(APPLICATION_DATA, &[0x99; 40]),
        record(ALERT, &[0x99; 26]),
    ]
    .concat();
    let mut run = Run::from_syn();
    run.then(&first).then(&first);
    let expected = [
        "server_hello",
        "certificate",
        "server_hello_done",
        "ChangeCipherSpec",
        "handshake:40",
        "application_data:40",
        "alert:26",
    ];
    assert_eq!(run.said(), [expected, expected].concat());
}

#[test]
fn ciphertext_that_resembles_a_hello_stays_closed() {
    let mut run = Run::from_syn();
    run.then(&record(CHANGE_CIPHER_SPEC, &[1])).said();
    for first in [
        [1, 0, 0, 20, 3, 3],
        [1, 0, 0, 38, 3, 3],
        [2, 1, 0, 0, 7, 3],
        [1, 9, 0, 0, 3, 3],
    ] {
        run.then(&record(HANDSHAKE, &[&first[..], &[0x99; 60]].concat()));
        assert_eq!(run.said(), ["handshake:66"], "{first:?}");
    }
}

#[test]
fn unknown_content_types_and_heartbeats_have_a_header() {
    let mut run = Run::from_syn();
    run.then(&record(HANDSHAKE, &client_hello()))
        .then(&record(24, &[1, 0, 3, 7, 7, 7]))
        .then(&record(0x80, &[0; 9]))
        .then(&record(ALERT, &[2, 10]));
    assert_eq!(
        run.said(),
        [
            "client_hello",
            "heartbeat:6",
            "0x80:9",
            "fatal unexpected_message"
        ]
    );
}

#[test]
fn record_versions_from_ssl_3_to_the_drafts_of_tls_13() {
    for version in [0x0300, 0x0301, 0x0302, 0x0304, 0x7f12] {
        let mut bytes = record(HANDSHAKE, &server_hello());
        bytes[1..3].copy_from_slice(&u16s(&[version]));
        for mut run in [Run::default(), Run::from_syn()] {
            run.then(&bytes);
            assert_eq!(run.said(), ["server_hello"], "{version:04x}");
        }
    }
}

#[test]
fn empty_application_data_encrypts_nothing() {
    let mut run = Run::from_syn();
    run.then(&record(HANDSHAKE, &server_hello()))
        .then(&record(APPLICATION_DATA, &[]))
        .then(&record(HANDSHAKE, &message(14, &[])));
    assert_eq!(
        run.said(),
        ["server_hello", "application_data:0", "server_hello_done"]
    );
}

#[test]
fn a_hello_of_ssl_2_is_followed_by_tls() {
    let key_exchange = record(HANDSHAKE, &message(16, &[7; 130]));
    for bytewise in [false, true] {
        let mut run = Run::from_syn();
        let bytes = [
            ssl2_client_hello(0x0301),
            key_exchange.clone(),
            record(ALERT, &[2, 42]),
        ]
        .concat();
        match bytewise {
            true => run.then_bytewise(&bytes),
            false => run.then(&bytes),
        };
        assert_eq!(
            run.said(),
            ["ssl2:1:50", "client_key_exchange", "fatal bad_certificate"]
        );
    }
}

#[test]
fn ssl_2_is_read_up_to_where_it_is_encrypted() {
    let mut client = Run::from_syn();
    client
        .then(&ssl2_client_hello(2))
        .then(&ssl2_master_key())
        .then(&[0x80, 0x20, 0x5a, 0x5a])
        .then(&ssl2_master_key());
    assert_eq!(client.said(), ["ssl2:1:50", "ssl2:2:85"]);
    let mut server = Run::from_syn();
    server.then(&ssl2_server_hello()).then(&[0x5a; 40]);
    assert_eq!(server.said(), ["ssl2:4:330"]);
    // A master key is one behind a hello only.
    let mut run = Run::from_syn();
    run.then(&ssl2_master_key());
    assert_eq!(run.said(), ["NotTls"]);
}

#[test]
fn a_hello_of_ssl_2_that_does_not_end_is_a_gap() {
    let hello = ssl2_client_hello(0x0301);
    let mut run = Run::from_syn();
    run.push_elided(0, &hello[..20], hello.len());
    assert_eq!(run.said(), ["gap:32"]);
    assert_eq!(run.stream.buffered(), 0);
}
