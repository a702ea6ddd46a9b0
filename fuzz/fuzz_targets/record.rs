//! Records of which the contents are any bytes: cut anywhere, they give what they give in one piece, and no more than
//! was in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observer_fuzz::{Script, assert_same, read};
use observer_tls::stream::ItemBody;

fuzz_target!(|input: &[u8]| {
    let stream = framed(Script(input));
    let whole = read([&stream[..]]);
    assert_same(&whole, &read(stream.chunks(1)));
    assert_same(&whole, &read(stream.chunks(1 + input.len() % 7)));
    let told: usize = whole.iter().map(told).sum();
    assert!(told <= stream.len(), "{told} bytes told of {}", stream.len());
});

/// A record for each piece of a script: the first byte of the piece is the content type and its action the version, so
/// that a mutation changes a record and not where the next one begins.
fn framed(mut script: Script<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while let Some(piece) = script.piece() {
        let Some((content_type, payload)) = piece.data.split_first() else {
            continue;
        };
        // The content types are 20 to 24, and a few others are let through.
        let content_type = 20 + (content_type & 7);
        stream.extend([content_type, 3, piece.action]);
        // A piece's data has a 16-bit length.
        stream.extend((payload.len() as u16).to_be_bytes());
        stream.extend(payload);
    }
    stream
}

/// Bytes that an item stands for, without those of its headers.
fn told(item: &ItemBody) -> usize {
    match item {
        ItemBody::Handshake { length, .. } => *length as usize,
        ItemBody::Opaque { length, .. } => (*length).into(),
        ItemBody::Alert(_) => 2,
        ItemBody::ChangeCipherSpec => 1,
        _ => 0,
    }
}
