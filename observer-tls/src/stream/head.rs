//! The first bytes of a structure, collected over several pieces.

/// Up to `N` bytes.
#[derive(Debug)]
pub(super) struct Head<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Head<N> {
    fn default() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }
}

impl<const N: usize> Head<N> {
    /// Takes bytes from `data` until `want` are there; gives the rest of `data`.
    pub(super) fn fill<'a>(&mut self, data: &'a [u8], want: usize) -> &'a [u8] {
        let free = self.bytes.iter_mut().take(want).skip(self.len);
        let mut taken = 0;
        for (slot, byte) in free.zip(data) {
            *slot = *byte;
            taken += 1;
        }
        self.len += taken;
        data.get(taken..).unwrap_or_default()
    }

    /// Drops the first byte.
    pub(super) fn shift(&mut self) {
        self.bytes.rotate_left(1);
        self.len = self.len.saturating_sub(1);
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// All `N` bytes, once they are there.
    pub(super) fn complete(&self) -> Option<[u8; N]> {
        (self.len == N).then_some(self.bytes)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_over_pieces_and_gives_back_the_rest() {
        let mut head = Head::<4>::default();
        assert_eq!(head.fill(&[1], 3), [0_u8; 0]);
        assert_eq!(head.fill(&[2, 3, 9], 3), [9]);
        assert_eq!(head.as_slice(), [1, 2, 3]);
        assert_eq!(head.complete(), None);
        head.shift();
        assert_eq!(head.fill(&[4, 5, 6], 4), [6]);
        assert_eq!(head.complete(), Some([2, 3, 4, 5]));
        head.clear();
        assert!(head.is_empty());
    }
}
