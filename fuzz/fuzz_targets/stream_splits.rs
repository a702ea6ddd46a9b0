//! The same bytes in one piece, and cut up: what is read is the same. The first byte seeds where the cuts are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use observer_fuzz::{assert_same, bodies, read};
use observer_tls::stream::{Item, Stream};

fuzz_target!(|input: &[u8]| {
    let Some((seed, data)) = input.split_first() else {
        return;
    };
    let whole = read([data]);
    assert_same(&whole, &read(data.chunks(usize::from(*seed).max(1))));
    assert_same(&whole, &read(data.chunks(1)));
    let middle = data.len() * usize::from(*seed) / 256;
    let (front, back) = data.split_at(middle);
    assert_same(&whole, &read([front, back]));
    assert_same(&whole, &bodies(late_front(front, back)));
});

/// Reads `back` before `front`.
fn late_front(front: &[u8], back: &[u8]) -> Vec<Item> {
    let mut stream = Stream::new();
    let mut items = Vec::new();
    stream.skip_to(0, &mut items);
    stream.push(front.len() as u32, back, back.len() as u32, 0, &mut items);
    stream.push(0, front, front.len() as u32, 0, &mut items);
    items
}
