//! Bytes of other protocols, and TLS behind them.

use super::*;

fn hello() -> Vec<u8> {
    record(HANDSHAKE, &client_hello())
}

/// What clients send before their ClientHello, each piece a segment.
fn talks() -> Vec<Vec<&'static [u8]>> {
    vec![
        vec![b"EHLO client.example\r\n", b"STARTTLS\r\n"],
        vec![b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n"],
        vec![b"CAPA\r\n", b"STLS\r\n"],
        vec![b"AUTH TLS\r\n"],
        vec![b"<stream:stream>", b"<starttls/>"],
        vec![b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"],
        vec![b"\x20\x00\x00\x01\x85\xae\xff\x19\x00\x00\x00\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"],
        vec![b"\0\0\0\x08\x04\xd2\x16\x2f"],
        vec![b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"],
        vec![b"CONNECT service.example:443 HTTP/1.1\r\nHost: service.example\r\n\r\n"],
        vec![b"\x05\x01\0", b"\x05\x01\0\x03\x04host\x01\xbb"],
        vec![b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\n"],
        vec![b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x13\x88\x01\xbb"],
    ]
}

#[test]
fn tls_is_found_behind_other_protocols() {
    for talk in talks() {
        let mut run = Run::from_syn();
        for piece in &talk {
            run.then(piece);
        }
        assert!(run.stream.is_foreign(), "{talk:?}");
        assert_eq!(run.stream.buffered(), 0);
        run.then(&hello());
        assert_eq!(run.said(), ["NotTls", "client_hello"], "{talk:?}");
        assert!(!run.stream.is_foreign());
    }
}

#[test]
fn wherever_the_hello_is_cut() {
    for talk in talks() {
        for at in 1..40 {
            let mut run = Run::from_syn();
            for piece in &talk {
                run.then(piece);
            }
            run.then(&hello()[..at]).then(&hello()[at..]);
            assert_eq!(run.said(), ["NotTls", "client_hello"], "{talk:?} {at}");
        }
    }
}

#[test]
fn one_byte_a_piece() {
    for talk in talks() {
        let mut run = Run::from_syn();
        run.then_bytewise(&talk.concat()).then_bytewise(&hello());
        assert_eq!(run.said(), ["NotTls", "client_hello"], "{talk:?}");
    }
}

#[test]
fn a_hello_right_behind_text_or_a_header_is_found_in_the_same_piece() {
    for talk in talks() {
        let last = talk[talk.len() - 1];
        let announces = last.ends_with(b"\r\n") || last.len() == 36 || last.starts_with(b"\r\n");
        let bytes = [last, &hello()].concat();
        for at in 1..bytes.len().min(200) {
            let mut run = Run::from_syn();
            for piece in &talk[..talk.len() - 1] {
                run.then(piece);
            }
            run.then(&bytes[..at]).then(&bytes[at..]);
            let found = run.said().contains(&"client_hello".to_owned());
            // A cut at the beginning of the hello is one that is seen.
            assert_eq!(
                found,
                announces || at >= last.len() && at < last.len() + 1,
                "{last:?} {at}"
            );
        }
    }
}

#[test]
fn within_pieces_nothing_is_found() {
    for before in [&b"x"[..], b"HTTP/1.1 200 OK", b"data\n\x00", &[0x80; 100]] {
        let mut run = Run::from_syn();
        run.then(&[before, &hello()].concat())
            .then(&[before, &hello()].concat());
        assert_eq!(run.said(), ["NotTls"], "{before:?}");
    }
    // Far from the beginning, not even behind text.
    let mut run = Run::from_syn();
    run.then(&[b'.'; 5000])
        .then(&[b"STARTTLS\r\n", &hello()[..]].concat());
    assert_eq!(run.said(), ["NotTls"]);
}

#[test]
fn the_answer_may_be_any_record_once_it_is_expected() {
    let alert = record(ALERT, &[2, 70]);
    let mut run = Run::from_syn();
    run.then(b"220 ready\r\n").then(&alert);
    assert_eq!(run.said(), ["NotTls"]);
    run.stream.expect_records();
    run.then(b"\x15\x03\x03\x00\x02\x02\xee").then(&alert);
    assert_eq!(run.said(), ["fatal protocol_version"]);
    // Expected before the first byte came.
    let mut run = Run::from_syn();
    run.stream.expect_records();
    run.then(b"220 ready\r\n").then_bytewise(&alert);
    assert_eq!(run.said(), ["NotTls", "fatal protocol_version"]);
}

#[test]
fn a_hello_of_ssl_2_is_found_behind_other_protocols() {
    let mut run = Run::from_syn();
    run.then(b"STARTTLS\r\n").then(&ssl2_client_hello(0x0301));
    assert_eq!(run.said(), ["NotTls", "ssl2:1:50"]);
}

#[test]
fn foreign_bytes_that_are_missing_are_no_news() {
    let mut run = Run::from_syn();
    run.then(b"220 ready\r\n");
    run.push_elided(11, b"250 ", 500);
    run.push(2000, &record(HANDSHAKE, &server_hello()));
    assert_eq!(run.said(), ["NotTls"]);
    run.stream.finish(&mut run.out);
    assert_eq!(run.said(), ["server_hello"]);
}

#[test]
fn a_connection_seen_from_the_other_protocol_on_is_told_apart_at_its_first_bytes() {
    let mut run = Run::from_syn();
    run.stream.push(0, b"\x16", 1, 7, &mut run.out);
    assert!(run.out.is_empty() && !run.stream.is_foreign());
    run.stream.push(1, b"GET", 3, 8, &mut run.out);
    assert_eq!(run.out[0].time_ns, 7);
    assert_eq!(run.said(), ["NotTls"]);
}

#[test]
fn times_are_kept_over_the_cut() {
    let mut run = Run::from_syn();
    run.then(b"STARTTLS\r\n");
    let bytes = hello();
    for (index, byte) in bytes.iter().enumerate() {
        run.stream
            .push(10 + index as u32, &[*byte], 1, 100 + index as u64, &mut run.out);
    }
    // The message begins behind the header of its record.
    assert_eq!(run.out[1].time_ns, 105);
}
