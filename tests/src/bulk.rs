//! Payloads made of a repeated phrase.

/// A phrase repeated to a chunk of a given size.
pub struct Pattern {
    chunk: Vec<u8>,
}

impl Pattern {
    /// Repeats `phrase` to `size` bytes, at least one.
    pub fn new(phrase: &str, size: usize) -> Self {
        Self {
            chunk: phrase.bytes().cycle().take(size.max(1)).collect(),
        }
    }

    /// The lengths of the chunks that make up `total` bytes.
    pub fn chunks(&self, total: usize) -> impl Iterator<Item = usize> + use<> {
        let size = self.chunk.len();
        (0..total).step_by(size).map(move |start| size.min(total - start))
    }

    /// The first `length` bytes of a chunk.
    pub fn bytes(&self, length: usize) -> &[u8] {
        self.chunk.get(..length).unwrap_or(&self.chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn chunks_add_up_and_repeat_the_phrase() {
        let pattern = Pattern::new("abc", 4);
        assert_eq!(pattern.chunks(10).collect::<Vec<_>>(), [4, 4, 2]);
        assert_eq!(pattern.chunks(0).count(), 0);
        assert_eq!(pattern.bytes(4), b"abca");
        assert_eq!(pattern.bytes(2), b"ab");
    }
}
