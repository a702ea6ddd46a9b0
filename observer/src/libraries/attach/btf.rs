//! What the kernel says of its own structures and functions: the BPF Type Format, of which only a few fields are wanted.

use std::fs;

/// Where the kernel shows its types.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// A kind of type (`BTF_KIND_…` of `linux/btf.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `struct`.
    Struct = 4,
    /// `typedef`; each tracepoint `x` has one called `btf_trace_x`.
    Typedef = 8,
    /// A function.
    Function = 12,
}

/// The kernel's types.
pub struct Types {
    bytes: Vec<u8>,
    /// Where the types begin, and where they end.
    types: (usize, usize),
    /// Where the strings begin.
    strings: usize,
}

/// One type: its first three words, and what follows them.
struct Type<'a> {
    name: u32,
    info: u32,
    rest: &'a [u8],
}

impl Type<'_> {
    fn kind(&self) -> u32 {
        self.info >> 24 & 0x1f
    }
}

impl Types {
    /// Those of the running kernel; none if it shows none.
    pub fn of_kernel() -> Option<Self> {
        Self::parse(fs::read(VMLINUX).ok()?)
    }

    /// Reads the header; none if it is of another form.
    fn parse(bytes: Vec<u8>) -> Option<Self> {
        const MAGIC: [u8; 2] = 0xeb9f_u16.to_ne_bytes();
        const VERSION: u8 = 1;
        if bytes.get(..2)? != MAGIC || bytes.get(2)? != &VERSION {
            return None;
        }
        let field = |at| word(&bytes, at).map(|value| value as usize);
        let header = field(4)?;
        let start = header.checked_add(field(8)?)?;
        let types = (start, start.checked_add(field(12)?)?);
        let strings = header.checked_add(field(16)?)?;
        bytes.get(types.0..types.1)?;
        bytes.get(strings..)?;
        Some(Self {
            types,
            strings,
            bytes,
        })
    }

    /// Whether there is a type of this kind and name.
    pub fn has(&self, kind: Kind, name: &str) -> bool {
        self.find(kind, name).is_some()
    }

    /// Where in a structure a member is, in bytes. A member of an unnamed part of the structure is not found.
    pub fn offset(&self, structure: &str, member: &str) -> Option<u32> {
        let found = self.find(Kind::Struct, structure)?;
        // With this flag the upper byte of the offset is the size of a bit field.
        let mask = if found.info >> 31 == 1 {
            0xff_ffff
        } else {
            u32::MAX
        };
        let (members, _) = found.rest.as_chunks::<12>();
        let found = members
            .iter()
            .find(|entry| word(*entry, 0).is_some_and(|name| self.is_called(name, member)))?;
        Some((word(found, 8)? & mask) / 8)
    }

    fn find(&self, kind: Kind, name: &str) -> Option<Type<'_>> {
        self.types()
            .find(|known| known.kind() == kind as u32 && self.is_called(known.name, name))
    }

    fn types(&self) -> impl Iterator<Item = Type<'_>> {
        let mut left = self.bytes.get(self.types.0..self.types.1).unwrap_or_default();
        std::iter::from_fn(move || {
            let (name, info) = (word(left, 0)?, word(left, 4)?);
            let (rest, after) = left.get(12..)?.split_at_checked(size_behind(info)?)?;
            left = after;
            Some(Type { name, info, rest })
        })
    }

    fn is_called(&self, offset: u32, name: &str) -> bool {
        let string = self
            .strings
            .checked_add(offset as usize)
            .and_then(|at| self.bytes.get(at..))
            .and_then(|strings| strings.strip_prefix(name.as_bytes()));
        string.is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// Bytes that follow the three words of a type; none if its kind is not known, for then nothing behind it can be read.
fn size_behind(info: u32) -> Option<usize> {
    let count = (info & 0xffff) as usize;
    Some(match info >> 24 & 0x1f {
        // Pointers, forward declarations, typedefs, qualifiers, functions, floats and type tags.
        2 | 7..=12 | 16 | 18 => 0,
        // Integers, variables and declaration tags.
        1 | 14 | 17 => 4,
        // Arrays.
        3 => 12,
        // Structures, unions, sections and 64-bit enumerations.
        4 | 5 | 15 | 19 => 12 * count,
        // Enumerations and prototypes.
        6 | 13 => 8 * count,
        _ => return None,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct sock_common` of two members at 0 and 56, a function `f` and a typedef `btf_trace_t`.
    fn sample(flag: u32) -> Vec<u8> {
        let strings = b"\0sock_common\0first\0second\0f\0btf_trace_t\0";
        let name = |text: &str| {
            let wanted = [text.as_bytes(), &[0]].concat();
            strings.windows(wanted.len()).position(|at| at == wanted).unwrap() as u32
        };
        let mut types = Vec::new();
        for word in [
            // An integer, with one word behind it.
            [0, 1 << 24, 4].as_slice(),
            &[0],
            &[name("sock_common"), flag << 31 | 4 << 24 | 2, 72],
            &[name("first"), 1, 0],
            &[name("second"), 1, (flag << 26) | (56 * 8)],
            &[name("f"), 12 << 24, 1],
            &[name("btf_trace_t"), 8 << 24, 1],
        ] {
            types.extend(word.iter().flat_map(|word| word.to_ne_bytes()));
        }
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, types.len(), types.len(), strings.len()] {
            bytes.extend((word as u32).to_ne_bytes());
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn members_and_names_are_found() {
        for flag in [0, 1] {
            let types = Types::parse(sample(flag)).unwrap();
            assert_eq!(types.offset("sock_common", "second"), Some(56));
            assert_eq!(types.offset("sock_common", "first"), Some(0));
            assert_eq!(types.offset("sock_common", "f"), None);
            assert_eq!(types.offset("sock", "first"), None);
            assert!(types.has(Kind::Function, "f") && !types.has(Kind::Typedef, "f"));
            assert!(types.has(Kind::Typedef, "btf_trace_t") && !types.has(Kind::Typedef, "btf_trace_"));
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_form_is_nothing() {
        let whole = sample(0);
        for length in 0..whole.len() - 1 {
            if let Some(types) = Types::parse(whole[..length].to_vec()) {
                assert!(!types.has(Kind::Typedef, "btf_trace_t"), "{length}");
            }
        }
        let mut other = whole.clone();
        other[0] ^= 1;
        assert!(Types::parse(other).is_none());
        let mut far = whole;
        far[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(Types::parse(far).is_none());
    }
}
