//! One direction of a connection, its pieces in any order, with holes, overlaps and elided bytes. What is held stays
//! within the limits, and that the stream does not begin with TLS is told once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observer_fuzz::Script;
use observer_tls::stream::{ItemBody, MAX_MESSAGE_BYTES, MAX_PENDING_BYTES, Stream};

const SKIP: u8 = 1;
const LOST: u8 = 2;
const FINISH: u8 = 3;

fuzz_target!(|input: &[u8]| {
    let mut script = Script(input);
    let mut stream = Stream::new();
    let mut items = Vec::new();
    let mut next = 0;
    let mut now_ns = 0;
    while let Some(piece) = script.piece() {
        now_ns += 1;
        let seq = piece.start.seq(next);
        match piece.action {
            SKIP => stream.skip_to(seq, &mut items),
            LOST => stream.lost_before(seq, &mut items),
            FINISH => stream.finish(&mut items),
            _ => {}
        }
        stream.push(seq, piece.data, piece.wire_len(), now_ns, &mut items);
        next = seq.wrapping_add(piece.wire_len());
        assert!(stream.buffered() <= MAX_PENDING_BYTES + MAX_MESSAGE_BYTES as usize);
        assert!(items.iter().all(|item| item.time_ns <= now_ns));
    }
    stream.finish(&mut items);
    assert_eq!(stream.buffered(), 0);
    let not_tls = items.iter().filter(|item| item.body == ItemBody::NotTls);
    assert!(not_tls.count() <= 1, "told twice: {items:?}");
});
