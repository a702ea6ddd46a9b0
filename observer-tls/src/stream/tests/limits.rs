//! What is held, and what is left out.

use super::*;

#[test]
fn too_long_messages_are_passed_over_without_being_kept() {
    let mut hello = vec![11, 0x02, 0x00, 0x01];
    hello.resize(4 + 0x0002_0001, 0);
    let bytes = records(
        HANDSHAKE,
        &[server_hello(), hello, message(14, &[])].concat(),
        16384,
    );
    let mut run = Run::default();
    for (index, part) in bytes.chunks(1400).enumerate() {
        run.push(index as u32 * 1400, part);
        assert!(run.stream.buffered() < 2000);
    }
    assert_eq!(run.said(), ["server_hello", "Truncated", "server_hello_done"]);
}

#[test]
fn the_longest_message_is_kept() {
    let certificate = certificate(&[&vec![5; MAX_MESSAGE_BYTES as usize - 6]]);
    let mut run = Run::default();
    run.push(0, &records(HANDSHAKE, &certificate, 16384));
    let Some(ItemBody::Handshake { message, .. }) = run.out.first().map(|item| &item.body) else {
        panic!("no message")
    };
    assert_eq!(message.typ(), HandshakeType::CERTIFICATE);
}

#[test]
fn what_waits_behind_a_hole_is_bounded() {
    let mut run = Run::default();
    run.push(0, &record(HANDSHAKE, &server_hello())).said();
    let next = run.stream.next_seq().unwrap();
    for index in 0..100 {
        run.push(next + 10 + index * 1000, &[0xee; 1000]);
        assert!(run.stream.buffered() <= MAX_PENDING_BYTES);
    }
    assert_eq!(run.said(), ["gap:10"]);
    assert_eq!(run.stream.next_seq(), Some(next + 10 + 100_000));
    // Pieces without captured bytes cost something too.
    let mut run = Run::default();
    run.push(0, &record(ALERT, &[1, 90])).said();
    for index in 1..=MAX_PENDING_PIECES as u32 + 1 {
        run.push_elided(7 + index * 10, &[], 5);
    }
    assert_eq!(run.said().first().map(String::as_str), Some("gap:10"));
}

#[test]
fn a_hello_of_16_mib_is_passed_over_exactly() {
    for known_start in [true, false] {
        let hello = [&[1, 0xff, 0xff, 0xff, 3, 3][..], &[0; 1000]].concat();
        let mut run = Run::default();
        if known_start {
            run = Run::from_syn();
        }
        run.then(&record(HANDSHAKE, &hello));
        assert_eq!(run.said(), ["Truncated"], "{known_start}");
        let mut left = 0xff_ffff - 1002;
        while left > 0 {
            let part = left.min(16384);
            // Nothing of it needs to be captured.
            let header = [22, 3, 3, (part >> 8) as u8, part as u8];
            let seq = run.stream.next_seq().unwrap();
            run.push_elided(seq, &header, 5 + part);
            left -= part;
        }
        run.then(&record(HANDSHAKE, &client_hello()));
        assert_eq!(run.said(), ["client_hello"], "{known_start}");
        assert_eq!(run.stream.buffered(), 0);
    }
}

#[test]
fn of_foreign_bytes_little_waits() {
    let mut run = Run::from_syn();
    run.then(b"GET / HTTP/1.1\r\n\r\n").said();
    for index in 0..100 {
        run.push(100 + index * 1000, &[0xee; 1000]);
        assert!(run.stream.buffered() <= MAX_PENDING_BYTES / 4);
    }
    assert!(run.said().is_empty());
    assert!(run.stream.is_foreign());
}

#[test]
fn copies_that_contradict_each_other_are_counted() {
    let alert = record(ALERT, &[2, 48]);
    let mut run = Run::from_syn();
    run.push(2, &alert[2..])
        .push(2, &alert[2..])
        .push(1, &alert[1..3]);
    assert_eq!(run.stream.conflicts(), 0);
    run.push(3, &record(ALERT, &[1, 0])[3..]);
    assert_eq!(run.stream.conflicts(), 1);
    // The byte that keeps a connection alive is not meant.
    run.push(6, &[0]);
    assert_eq!(run.stream.conflicts(), 1);
    run.push(0, &alert[..1]);
    assert_eq!(run.said(), ["fatal unknown_ca"]);
    // Of what was read, nothing is kept to compare with.
    run.push(0, &[0xff; 7]).push(6, &[0]);
    assert_eq!(run.stream.conflicts(), 1);
    assert!(run.said().is_empty());
}
