//! The time of a capture, several captures, and link types that are not known.

use std::ops::ControlFlow;

use super::build::*;
use crate::flows::FlowLimits;
use crate::observation::{Observation, Outcome};
use crate::replay::{Capture, Cause, ReadError, Replay};

const SECOND: u32 = 1;
const HOUR: u32 = 3600;
const FLOW: FlowLimits = FlowLimits {
    max_connections: 16,
    max_buffered_bytes: 1 << 20,
    handshake_timeout_ns: 10_000_000_000,
    settle_timeout_ns: 2_000_000_000,
    late_alerts_all: false,
};

/// A record with a ClientHello that offers one suite.
fn client_hello() -> Vec<u8> {
    let hello = join(&[&[3, 3], &[9; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]]);
    let message = join(&[&[1, 0, 0, hello.len() as u8], &hello]);
    join(&[&[22, 3, 1, 0, message.len() as u8], &message])
}

/// Client to server, as a packet of an Ethernet capture.
fn from_client(seconds: u32, payload: &[u8]) -> Vec<u8> {
    let frame = ethernet(IPV4, &ipv4(TCP, &tcp(ACK, 1, payload)));
    pcap_packet(Order::Little, seconds, 0, &frame, frame.len() as u32)
}

/// A fatal handshake_failure from the server.
fn refusal(seconds: u32) -> Vec<u8> {
    from_server(seconds, ACK, 1, &[21, 3, 3, 0, 2, 2, 40])
}

/// Server to client.
fn from_server(seconds: u32, flags: u8, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = tcp(flags, seq, payload);
    segment[..4].rotate_left(2);
    let mut packet = ipv4(TCP, &segment);
    packet[12..20].rotate_left(4);
    let frame = ethernet(IPV4, &packet);
    pcap_packet(Order::Little, seconds, 0, &frame, frame.len() as u32)
}

fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let header = pcap_header(Order::Little, 0xa1b2_c3d4, 1);
    join(&[&header, &packets.concat()])
}

fn replay(files: &[Vec<u8>]) -> (Vec<Observation>, Vec<Result<(), ReadError>>) {
    let mut replay = Replay::new(FLOW);
    let mut seen = Vec::new();
    let mut one = |file: &[u8]| {
        let mut capture = Capture::new(file)?;
        replay.capture(&mut capture, &mut seen, |_, _| ControlFlow::Continue(()))
    };
    let ends = files.iter().map(|file| one(file)).collect();
    replay.finish(&mut seen);
    (seen, ends)
}

fn outcomes(files: &[Vec<u8>]) -> Vec<Outcome> {
    let (seen, ends) = replay(files);
    for end in ends {
        end.unwrap();
    }
    seen.iter().map(|seen| seen.outcome).collect()
}

#[test]
fn events_have_the_time_of_the_capture() {
    let (seen, _) = replay(&[capture(&[from_client(1000, &client_hello()), refusal(1001)])]);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].outcome, Outcome::Rejected);
    assert_eq!(seen[0].time_ns, 1_000_000_000_000);
    assert_eq!(seen[0].duration_ns, 1_000_000_000);
}

#[test]
fn a_silence_times_out_as_it_would_have_live() {
    for silence in [11, HOUR, 10 * 365 * 24 * HOUR] {
        let later = from_client(1000 + silence, b"something else that is not TLS");
        let accepted = from_server(1000, SYN | ACK, 0, &[]);
        let (seen, _) = replay(&[capture(&[accepted, from_client(1000, &client_hello()), later])]);
        assert_eq!(seen[0].outcome, Outcome::TimedOut);
        let seconds = seen[0].duration_ns as f64 / 1e9;
        assert!((10.0..=10.25).contains(&seconds), "{silence}: {seconds}");
    }
}

#[test]
fn time_that_runs_backwards_times_nothing_out() {
    let mut other = from_client(5000, &client_hello());
    // Another client port.
    other[16 + 34] ^= 1;
    let packets = [other, from_client(1000, &client_hello()), refusal(1001)];
    assert_eq!(
        outcomes(&[capture(&packets)]),
        [Outcome::Rejected, Outcome::Incomplete]
    );
}

#[test]
fn files_in_the_order_of_their_time_are_one_stream() {
    let files = [
        capture(&[from_client(1000, &client_hello())]),
        capture(&[refusal(1001)]),
    ];
    assert_eq!(outcomes(&files), [Outcome::Rejected]);
}

#[test]
fn an_earlier_file_behind_a_later_one_stands_for_itself() {
    let files = [
        capture(&[from_client(5000, &client_hello())]),
        capture(&[from_client(1000, &client_hello()), refusal(1000 + SECOND)]),
        capture(&[from_client(900, &client_hello())]),
    ];
    let wanted = [Outcome::Incomplete, Outcome::Rejected, Outcome::Incomplete];
    assert_eq!(outcomes(&files), wanted);
}

#[test]
fn a_damaged_file_tells_what_came_before_and_the_next_is_read() {
    let mut damaged = capture(&[from_client(1000, &client_hello()), refusal(1001), refusal(1002)]);
    damaged.pop();
    let whole = capture(&[from_client(500, &client_hello()), refusal(501)]);
    let (seen, ends) = replay(&[damaged, b"no capture".to_vec(), whole]);
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.outcome == Outcome::Rejected));
    assert!(matches!(&ends[0], Err(error) if matches!(error.cause, Cause::CutOff)));
    assert!(matches!(&ends[1], Err(error) if matches!(error.cause, Cause::NotACapture)));
    assert!(ends[2].is_ok());
}

#[test]
fn an_unknown_link_type_is_an_error_where_there_is_nothing_else() {
    let order = Order::Little;
    let unknown = join(&[
        &pcap_header(order, 0xa1b2_c3d4, 249),
        &pcap_packet(order, 1, 0, b"usb", 3),
    ]);
    let frame = ethernet(IPV4, &ipv4(TCP, &tcp(ACK, 1, &client_hello())));
    let mixed = join(&[
        &section(order),
        &interface(order, 249, 0, &[]),
        &interface(order, 1, 0, &[]),
        &enhanced_packet(order, 0, 1, b"usb", 3),
        &enhanced_packet(order, 1, 2, &frame, frame.len() as u32),
    ]);
    let none = join(&[
        &section(order),
        &interface(order, 250, 0, &[]),
        &enhanced_packet(order, 0, 1, b"?", 1),
    ]);
    let (seen, ends) = replay(&[unknown, mixed, none]);
    assert_eq!(seen.len(), 1);
    let text = |end: &Result<(), ReadError>| end.as_ref().unwrap_err().to_string();
    assert_eq!(
        text(&ends[0]),
        "link type 249 (USBPCAP) is not supported (at byte 24)"
    );
    assert!(ends[1].is_ok());
    assert!(text(&ends[2]).starts_with("link type 250 (unknown) is not supported"));
}

#[test]
fn a_replay_ends_when_it_is_told_to() {
    let file = capture(&[from_client(1000, &client_hello()), refusal(1001)]);
    let mut replay = Replay::new(FLOW);
    let mut capture = Capture::new(&file[..]).unwrap();
    let end = replay.capture(&mut capture, &mut Vec::new(), |_, _| ControlFlow::Break(()));
    end.unwrap();
    assert_eq!(replay.counts().packets, 1);
}
