//! Streams of which a part is missing: the beginning, or something later.

use super::*;

#[test]
fn after_a_gap_the_next_header_is_found() {
    let mut run = Run::default();
    run.push(100, &record(HANDSHAKE, &server_hello())).said();
    let next = run.stream.next_seq().unwrap();
    let rest = [
        vec![0xee; 37],
        record(HANDSHAKE, &message(14, &[])),
        record(ALERT, &[2, 42]),
    ]
    .concat();
    run.push(next + 1000, &rest);
    assert!(run.said().is_empty());
    run.stream.lost_before(next + 1000, &mut run.out);
    assert_eq!(
        run.said(),
        ["gap:1000", "server_hello_done", "fatal bad_certificate"]
    );
}

#[test]
fn a_stream_seen_from_the_middle_begins_at_a_header() {
    let mut run = Run::default();
    run.stream.lost_before(50, &mut run.out);
    run.push(50, &[vec![0xaa; 20], record(ALERT, &[2, 48])].concat());
    assert_eq!(run.said(), ["gap:0", "fatal unknown_ca"]);
}

#[test]
fn an_encrypted_finished_seen_first_is_not_taken_for_messages() {
    let mut finished = vec![0; 8];
    finished.extend([0x9c; 32]);
    let mut run = Run::default();
    run.push(0, &record(HANDSHAKE, &finished))
        .push(45, &record(HANDSHAKE, &[0xd7; 40]));
    assert_eq!(run.said(), ["handshake:40", "handshake:40"]);
}

#[test]
fn a_broken_header_in_the_middle_loses_the_boundaries() {
    let bytes = [
        record(HANDSHAKE, &server_hello()),
        b"rubbish".to_vec(),
        record(ALERT, &[1, 90]),
    ]
    .concat();
    let mut run = Run::default();
    run.push(0, &bytes);
    assert_eq!(run.said(), ["server_hello", "gap:0", "warning user_canceled"]);
}

#[test]
fn a_stream_seen_from_within_a_record_goes_on_at_the_next_plain_one() {
    let chain = certificate(&[&[0x30; 700]]);
    let hello_done = record(HANDSHAKE, &message(14, &[]));
    let mut run = Run::default();
    run.then(&[0xa5; 1000])
        .then(&record(HANDSHAKE, &chain))
        .then(&hello_done);
    assert_eq!(run.said(), ["NotTls", "certificate", "server_hello_done"]);
    assert!(!run.stream.is_foreign());
    // Within a piece it is not looked for, and nowhere without agreement of the lengths.
    let mut broken = record(HANDSHAKE, &chain);
    broken[8] ^= 1;
    let mut run = Run::default();
    run.then(&[0xa5; 1000])
        .then(&[vec![0xa5], record(HANDSHAKE, &chain)].concat())
        .then(&broken);
    assert_eq!(run.said(), ["NotTls"]);
    assert!(run.stream.is_foreign());
}

#[test]
fn a_stream_may_begin_with_any_record() {
    for (typ, body) in [
        (16, vec![7; 130]),
        (15, vec![7; 264]),
        (12, vec![3; 300]),
        (4, vec![0; 200]),
    ] {
        let mut run = Run::default();
        run.then(&record(HANDSHAKE, &message(typ, &body)));
        assert_eq!(run.said(), [HandshakeType(typ).to_string()]);
    }
}

#[test]
fn behind_a_gap_in_a_record_the_record_goes_on() {
    let flight = [server_hello(), certificate(&[&[0x30; 700]]), message(14, &[])].concat();
    let bytes = [record(HANDSHAKE, &flight), record(ALERT, &[2, 42])].concat();
    // The gap ends within the Certificate, and with it.
    for end in [400, 5 + flight.len() - 4] {
        let mut run = Run::from_syn();
        run.push(0, &bytes[..200]).push(end as u32, &bytes[end..]);
        run.stream.finish(&mut run.out);
        let gap = format!("gap:{}", end - 200);
        let expected = ["server_hello", &gap, "server_hello_done", "fatal bad_certificate"];
        assert_eq!(run.said(), expected);
    }
}

#[test]
fn encrypted_records_are_found_again_by_their_chain() {
    let data = record(APPLICATION_DATA, &[0x5a; 300]);
    let flow = [
        vec![0x5a; 500],
        data.clone(),
        data.clone(),
        record(ALERT, &[0x5a; 26]),
    ]
    .concat();
    for bytewise in [false, true] {
        let mut run = Run::from_syn();
        run.then(&data).said();
        run.stream.lost_before(10_000, &mut run.out);
        match bytewise {
            true => run.then_bytewise(&flow),
            false => run.then(&flow),
        };
        let data = "application_data:300";
        assert_eq!(run.said(), ["gap:9695", data, data, "alert:26"]);
    }
    // One that is not followed by another is told of when nothing else follows either.
    let mut run = Run::from_syn();
    run.then(&data).said();
    run.stream.lost_before(10_000, &mut run.out);
    run.then(&[&[0x5a; 500], &data[..]].concat());
    assert_eq!(run.said(), ["gap:9695"]);
    run.stream.finish(&mut run.out);
    assert_eq!(run.said(), ["application_data:300"]);
}

#[test]
fn a_header_by_chance_is_no_record() {
    // After the gap something like a header comes, which the bytes at its end do not confirm.
    let chance = [&[0x5a; 100][..], &[23, 3, 3, 0, 200], &[0x5a; 300]].concat();
    let mut run = Run::from_syn();
    run.then(&record(APPLICATION_DATA, &[1; 30])).said();
    run.stream.lost_before(5000, &mut run.out);
    run.then(&chance).then(&record(ALERT, &[2, 80]));
    assert_eq!(run.said(), ["gap:4965", "fatal internal_error"]);
}

#[test]
fn random_bytes_never_give_messages() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut run = match seed % 2 {
            0 => Run::default(),
            _ => Run::from_syn(),
        };
        if seed % 4 < 2 {
            run.then(&record(APPLICATION_DATA, &[7; 20]));
        }
        for _ in 0..50 {
            let piece: Vec<u8> = (0..1448).map(|_| random.below(256) as u8).collect();
            let hole = random.below(20) / 19;
            let seq = run.stream.next_seq().unwrap_or_default() + 3000 * hole as u32;
            run.stream.lost_before(seq, &mut run.out);
            run.push(seq, &piece);
        }
        run.stream.finish(&mut run.out);
        let read = |name: &String| !name.starts_with("gap") && name != "NotTls" && !name.contains(':');
        let said = run.said();
        assert!(!said.iter().any(read), "seed {seed}: {said:?}");
    }
}

#[test]
fn bytes_that_follow_tls_are_left_but_for_a_new_beginning() {
    let mut run = Run::from_syn();
    run.then(&record(HANDSHAKE, &client_hello()))
        .then(&record(CHANGE_CIPHER_SPEC, &[1]))
        .then(&record(ALERT, &[0x99; 26]));
    assert_eq!(run.said(), ["client_hello", "ChangeCipherSpec", "alert:26"]);
    run.then(b"STOR file\r\n");
    for _ in 0..100 {
        run.then(&[b'.'; 1000]);
    }
    assert_eq!(run.said(), ["gap:0"]);
    assert!(run.stream.is_foreign());
    let hello = record(HANDSHAKE, &client_hello());
    run.then(&[b"x", &hello[..]].concat());
    assert_eq!(run.said(), [""; 0]);
    run.then(&hello);
    assert_eq!(run.said(), ["client_hello"]);
}
