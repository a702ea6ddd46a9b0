//! Ways to cut up a connection's segments.

use observer_tests::fixtures::Captured;
use observer_tests::packets::flag::{FIN, RST, SYN};

/// One segment for each byte.
pub fn bytewise(captured: &Captured) -> Vec<Captured> {
    let mut pieces = Vec::new();
    let mut rest = captured.clone();
    while rest.segment.payload.len() > 1 {
        let [first, second] = rest.split(1);
        pieces.push(first);
        rest = second;
    }
    pieces.push(rest);
    pieces
}

/// Cuts segments, repeats some, and in some of the runs loses some and lets some overtake others. Times stay in order.
pub fn mangle(segments: &[Captured], random: &mut Random) -> Vec<Captured> {
    let (lossy, disorderly) = (random.below(2) == 0, random.below(2) == 0);
    let mut found: Vec<Captured> = Vec::new();
    for captured in segments {
        let mut rest = captured.clone();
        while rest.segment.payload.len() > 1 && random.below(3) == 0 {
            let [first, second] = rest.split(1 + random.below(rest.segment.payload.len() - 1));
            found.push(first);
            rest = second;
        }
        found.push(rest);
    }
    if lossy {
        // Without a SYN, nothing tells that the first two packets of a direction have changed places.
        let keeps = |captured: &Captured| disorderly && captured.segment.flags & SYN != 0;
        found.retain(|captured| random.below(12) != 0 || keeps(captured));
    }
    let mut times: Vec<u64> = Vec::new();
    let mut repeated = Vec::new();
    for captured in found {
        if random.below(8) == 0 {
            repeated.push(captured.clone());
            times.push(captured.time_ns);
        }
        times.push(captured.time_ns);
        repeated.push(captured);
    }
    if disorderly {
        // Beginnings and ends stay in their places: no network lets one connection of a tuple overtake the other.
        let moves = |captured: &Captured| captured.segment.flags & (SYN | FIN | RST) == 0;
        // No packet goes further than three places: what a network or a card with several queues does.
        let mut index = 0;
        while index < repeated.len() {
            let other = (index + random.below(4)).min(repeated.len() - 1);
            if repeated[index..=other].iter().all(moves) {
                repeated.swap(index, other);
            }
            index = other + 1;
        }
    }
    for (captured, time_ns) in repeated.iter_mut().zip(times) {
        captured.time_ns = time_ns;
    }
    repeated
}

/// splitmix64 (Steele, Lea and Flood, 2014).
pub struct Random(u64);

impl Random {
    /// A generator of its own for each capture and round.
    pub fn new(seed: u64, name: &str, round: u64) -> Self {
        // FNV-1a.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let hash = name
            .bytes()
            .chain(round.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, step);
        Self(seed ^ hash)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        usize::try_from(word % bound as u64).unwrap()
    }
}
