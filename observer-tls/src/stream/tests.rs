//! What a stream says of single situations; that cutting and order change nothing is tested in `tests/splits.rs`.

use super::*;
use crate::alert::Alert;
use crate::codepoints::{AlertDescription, AlertLevel, HandshakeType};
use crate::support::*;

mod foreign;
mod limits;
mod middle;
mod records;

/// A stream and all that it gave.
#[derive(Default)]
struct Run {
    stream: Stream,
    out: Vec<Item>,
}

impl Run {
    /// A stream of which the beginning is known: sequence number 0.
    fn from_syn() -> Self {
        let mut run = Self::default();
        run.stream.skip_to(0, &mut run.out);
        run
    }

    /// Adds a piece at the end, without a gap.
    fn then(&mut self, data: &[u8]) -> &mut Self {
        let seq = self.stream.next_seq().unwrap_or_default();
        self.push(seq, data)
    }

    /// Adds pieces of one byte.
    fn then_bytewise(&mut self, data: &[u8]) -> &mut Self {
        for byte in data {
            self.then(&[*byte]);
        }
        self
    }

    fn push(&mut self, seq: u32, data: &[u8]) -> &mut Self {
        self.push_elided(seq, data, data.len())
    }

    fn push_elided(&mut self, seq: u32, data: &[u8], wire_len: usize) -> &mut Self {
        self.stream.push(seq, data, wire_len as u32, 1, &mut self.out);
        self
    }

    /// What was given since the last call, in short.
    fn said(&mut self) -> Vec<String> {
        let name = |body| match body {
            ItemBody::Handshake { message, .. } => message.typ().to_string(),
            ItemBody::Alert(alert) => alert.to_string(),
            ItemBody::Opaque {
                content_type, length, ..
            } => format!("{content_type}:{length}"),
            ItemBody::Gap { bytes } => format!("gap:{bytes}"),
            ItemBody::Ssl2 { message, length } => format!("ssl2:{}:{length}", message.typ()),
            other => format!("{other:?}"),
        };
        std::mem::take(&mut self.out)
            .into_iter()
            .map(|item| name(item.body))
            .collect()
    }
}

#[test]
fn what_is_not_tls_is_told_once() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x02\x01",
        b"\x16\x03\x01\xff\xff",
        b"\x80\x2e\x01\x03\x01",
    ] {
        let mut run = Run::from_syn();
        run.push(0, bytes)
            .push(bytes.len() as u32, b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00");
        run.push(5000, b"far away");
        run.stream.finish(&mut run.out);
        assert_eq!(run.said(), ["NotTls"]);
        assert_eq!(run.stream.buffered(), 0);
    }
}

#[test]
fn the_kernel_leaves_out_encrypted_payloads() {
    let mut run = Run::default();
    let mut seq = 0;
    for header in [
        [23, 3, 3, 0x02, 0],
        [22, 3, 3, 0, 40],
        [21, 3, 3, 0, 19],
        [20, 3, 3, 0, 1],
    ] {
        let wire_len = 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
        run.push_elided(seq, &header, wire_len);
        seq += wire_len as u32;
    }
    assert_eq!(
        run.said(),
        [
            "application_data:512",
            "handshake:40",
            "alert:19",
            "ChangeCipherSpec"
        ]
    );
    assert_eq!(run.stream.next_seq(), Some(seq));
    assert_eq!(run.stream.buffered(), 0);
}

#[test]
fn a_header_may_be_split_from_its_elided_payload() {
    let mut run = Run::default();
    run.push(0, &[23, 3])
        .push(2, &[3, 0, 10])
        .push_elided(5, &[], 10)
        .push(15, &record(ALERT, &[1, 0]));
    assert_eq!(run.said(), ["application_data:10", "warning close_notify"]);
}

#[test]
fn a_message_with_elided_parts_is_lost_alone() {
    let hello = server_hello();
    let certificate = certificate(&[&[7; 500]]);
    let bytes = record(
        HANDSHAKE,
        &[hello.clone(), certificate, message(14, &[])].concat(),
    );
    let cut = 5 + hello.len() + 100;
    // 300 bytes in the middle of the Certificate were not captured.
    let mut run = Run::default();
    run.push_elided(0, &bytes[..cut], cut + 300)
        .push(cut as u32 + 300, &bytes[cut + 300..]);
    assert_eq!(run.said(), ["server_hello", "gap:300", "server_hello_done"]);
    // The same, never sent to us.
    let mut run = Run::default();
    run.push(0, &bytes[..cut])
        .push(cut as u32 + 300, &bytes[cut + 300..]);
    assert_eq!(run.said(), ["server_hello"]);
    assert!(run.stream.buffered() > 0);
    run.stream.lost_before(cut as u32 + 300, &mut run.out);
    assert_eq!(run.said(), ["gap:300", "server_hello_done"]);
}

#[test]
fn an_elided_message_header_costs_the_rest_of_its_record() {
    let first = record(HANDSHAKE, &[server_hello(), certificate(&[&[7; 500]])].concat());
    let cut = 5 + server_hello().len();
    let mut run = Run::default();
    run.push_elided(0, &first[..cut], cut + 10)
        .push(cut as u32 + 10, &first[cut + 10..]);
    run.push(first.len() as u32, &record(HANDSHAKE, &message(14, &[])));
    assert_eq!(run.said(), ["server_hello", "gap:10", "server_hello_done"]);
}

#[test]
fn a_snap_length_cuts_the_hello() {
    let bytes = record(HANDSHAKE, &client_hello());
    let mut run = Run::default();
    run.push_elided(0, &bytes[..96], bytes.len())
        .push(bytes.len() as u32, &record(ALERT, &[2, 40]));
    assert_eq!(
        run.said(),
        [
            format!("gap:{}", bytes.len() - 96),
            "fatal handshake_failure".to_owned()
        ]
    );
}

#[test]
fn a_gap_within_an_encrypted_record_loses_nothing() {
    let mut run = Run::default();
    run.push(0, &record(APPLICATION_DATA, &[1; 1000])[..100])
        .push(905, &[1; 100]);
    run.push(1005, &record(ALERT, &[3; 24]));
    assert_eq!(run.said(), ["application_data:1000"]);
    run.stream.finish(&mut run.out);
    assert_eq!(run.said(), ["gap:805", "alert:24"]);
}

#[test]
fn what_was_left_out_on_purpose_is_no_gap() {
    let mut run = Run::default();
    run.push(0, &record(APPLICATION_DATA, &[1; 20])).said();
    run.stream.skip_to(1_000_000, &mut run.out);
    run.push_elided(1_000_000, &[21, 3, 3, 0, 26], 31);
    assert_eq!(run.said(), ["alert:26"]);
    // A repeated notice, and one from the past, change nothing.
    run.stream.skip_to(1_000_031, &mut run.out);
    run.stream.skip_to(5, &mut run.out);
    run.push(1_000_031, &record(ALERT, &[1, 0]));
    assert_eq!(run.said(), ["warning close_notify"]);
}

#[test]
fn a_message_that_does_not_go_on_is_a_gap() {
    let half = record(HANDSHAKE, &server_hello()[..20]);
    let mut run = Run::default();
    run.push(0, &[half, record(CHANGE_CIPHER_SPEC, &[1])].concat());
    assert_eq!(run.said(), ["gap:0", "ChangeCipherSpec"]);
    assert_eq!(run.stream.buffered(), 0);
}

#[test]
fn tls_is_found_where_it_begins() {
    let hello = record(HANDSHAKE, &client_hello());
    assert!(begins_hello(&hello));
    assert!(begins_hello(&hello[..11]));
    assert!(!begins_hello(&hello[..10]));
    assert!(!begins_hello(b"220 mail.example ESMTP\r\n"));
    assert!(!begins_hello(&record(HANDSHAKE, &message(14, &[]))));
    assert!(!begins_hello(&record(APPLICATION_DATA, &client_hello())));
}

#[test]
fn of_bytes_sent_twice_the_first_copy_counts() {
    let alert = record(ALERT, &[2, 48]);
    let mut run = Run::default();
    run.push(0, &alert[..6])
        .push(0, &record(ALERT, &[1, 0]))
        .push(2, &alert[2..]);
    assert_eq!(run.said(), ["fatal close_notify"]);
}

#[test]
fn pieces_that_wait_are_read_before_the_stream_goes_on_beyond_them() {
    let mut run = Run::default();
    run.push(0, &record(ALERT, &[1, 90]))
        .push(20, &record(ALERT, &[1, 0]));
    run.stream.skip_to(500, &mut run.out);
    run.push(500, &record(ALERT, &[2, 80]));
    assert_eq!(
        run.said(),
        [
            "warning user_canceled",
            "gap:13",
            "warning close_notify",
            "fatal internal_error"
        ]
    );
}
