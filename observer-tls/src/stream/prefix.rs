//! Judging by first bytes, of which some may not be there yet.

/// Whether first bytes are what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// They are not, whatever follows.
    No,
    /// So far; more bytes are needed to tell.
    Maybe,
    /// They are.
    Yes,
}

impl Likeness {
    /// Whether all conditions hold; `None` is one that needs more bytes.
    pub(super) fn all<const N: usize>(conditions: [Option<bool>; N]) -> Self {
        if conditions.contains(&Some(false)) {
            Self::No
        } else if conditions.contains(&None) {
            Self::Maybe
        } else {
            Self::Yes
        }
    }

    /// The better of both.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            _ => Self::No,
        }
    }
}

/// First bytes. A value that is not all there is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix<'a>(pub(super) &'a [u8]);

impl<'a> Prefix<'a> {
    pub(super) fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    pub(super) fn u16(self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8(at)?, self.u8(at + 1)?]))
    }

    pub(super) fn u24(self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes([
            0,
            self.u8(at)?,
            self.u8(at + 1)?,
            self.u8(at + 2)?,
        ]))
    }

    /// What follows the first `count` bytes.
    pub(super) fn after(self, count: usize) -> Prefix<'a> {
        Prefix(self.0.get(count..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_false_condition_is_enough() {
        assert_eq!(Likeness::all([Some(true), Some(true)]), Likeness::Yes);
        assert_eq!(Likeness::all([Some(true), None]), Likeness::Maybe);
        assert_eq!(Likeness::all([Some(false), None]), Likeness::No);
        assert_eq!(Likeness::No.or(Likeness::Maybe), Likeness::Maybe);
    }

    #[test]
    fn a_value_is_there_as_a_whole_or_not() {
        let prefix = Prefix(&[1, 2, 3]);
        assert_eq!(prefix.u24(0), Some(0x01_0203));
        assert_eq!(prefix.u16(2), None);
        assert_eq!(prefix.after(2).u8(0), Some(3));
        assert_eq!(prefix.after(4).u8(0), None);
    }
}
