//! The one cursor that reads all wire formats of this crate.

use crate::error::ParseError;

/// A cursor over borrowed bytes. Integers are big-endian (RFC 8446, section 3.3). A read that fails consumes nothing.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            offset: 0,
        }
    }

    /// Bytes consumed so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes left.
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field` when fewer are left.
    pub fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], ParseError> {
        let Some((head, tail)) = self.rest.split_at_checked(count) else {
            return Err(ParseError::Short {
                field,
                needed: count,
                available: self.rest.len(),
            });
        };
        self.rest = tail;
        self.offset += count;
        Ok(head)
    }

    /// The next `N` bytes, by value.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field` when fewer are left.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], ParseError> {
        let mut value = [0; N];
        value.copy_from_slice(self.take(N, field)?);
        Ok(value)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field`.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, ParseError> {
        self.array(field).map(u8::from_be_bytes)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field`.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, ParseError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// Three bytes.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field`.
    pub fn u24(&mut self, field: &'static str) -> Result<u32, ParseError> {
        let [a, b, c] = self.array(field)?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field`.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, ParseError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The content of a vector with a one-byte length.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field` when the length or the content is cut off.
    pub fn vec8(&mut self, field: &'static str) -> Result<Reader<'a>, ParseError> {
        self.vector(field, |reader| reader.u8(field).map(usize::from))
    }

    /// The content of a vector with a two-byte length.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field` when the length or the content is cut off.
    pub fn vec16(&mut self, field: &'static str) -> Result<Reader<'a>, ParseError> {
        self.vector(field, |reader| reader.u16(field).map(usize::from))
    }

    /// The content of a vector with a three-byte length.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field` when the length or the content is cut off.
    pub fn vec24(&mut self, field: &'static str) -> Result<Reader<'a>, ParseError> {
        // 24 bits fit in usize on every target this crate is built for.
        self.vector(field, |reader| reader.u24(field).map(|length| length as usize))
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = std::mem::take(&mut self.rest);
        self.offset += rest.len();
        rest
    }

    /// All that is left, without consuming it.
    pub fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// Asserts that the structure ends here.
    ///
    /// # Errors
    /// [`ParseError::Trailing`] with `field` when bytes are left.
    pub fn finish(&self, field: &'static str) -> Result<(), ParseError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(ParseError::Trailing { field, count }),
        }
    }

    /// All that is left as a list of two-byte values.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] with `field` when the number of bytes is odd.
    pub fn u16_list<T>(mut self, field: &'static str, wrap: impl Fn(u16) -> T) -> Result<Vec<T>, ParseError> {
        if !self.rest.len().is_multiple_of(2) {
            return Err(ParseError::Invalid {
                field,
                why: "an odd number of bytes",
            });
        }
        let mut values = Vec::with_capacity(self.rest.len() / 2);
        while !self.is_empty() {
            values.push(wrap(self.u16(field)?));
        }
        Ok(values)
    }

    fn vector(
        &mut self,
        field: &'static str,
        length: impl FnOnce(&mut Self) -> Result<usize, ParseError>,
    ) -> Result<Reader<'a>, ParseError> {
        let before = self.clone();
        let content = length(self).and_then(|length| self.take(length, field));
        match content {
            Ok(content) => Ok(Reader::new(content)),
            Err(error) => {
                *self = before;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integers_in_network_order() {
        let mut reader = Reader::new(&[1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 5]);
        assert_eq!(reader.u8("a"), Ok(1));
        assert_eq!(reader.u16("b"), Ok(2));
        assert_eq!(reader.u24("c"), Ok(3));
        assert_eq!(reader.u32("d"), Ok(4));
        assert_eq!(reader.offset(), 10);
        assert_eq!(
            reader.finish("e"),
            Err(ParseError::Trailing { field: "e", count: 1 })
        );
        assert_eq!(reader.rest(), [5]);
        assert_eq!(reader.finish("e"), Ok(()));
    }

    #[test]
    fn a_failed_read_consumes_nothing() {
        let mut reader = Reader::new(&[0, 3, 1, 2]);
        let error = reader.vec16("names").unwrap_err();
        assert_eq!(
            error,
            ParseError::Short {
                field: "names",
                needed: 3,
                available: 2
            }
        );
        assert_eq!(reader.offset(), 0);
        assert_eq!(reader.u32("all"), Ok(0x0003_0102));
        assert_eq!(
            reader.u8("more"),
            Err(ParseError::Short {
                field: "more",
                needed: 1,
                available: 0
            })
        );
    }

    #[test]
    fn vectors_are_readers_of_their_content() {
        let mut reader = Reader::new(&[1, 9, 0, 1, 8, 0, 0, 2, 7, 6, 5]);
        assert_eq!(reader.vec8("a").unwrap().rest(), [9]);
        assert_eq!(reader.vec16("b").unwrap().rest(), [8]);
        assert_eq!(reader.vec24("c").unwrap().u16_list("c", |v| v), Ok(vec![0x0706]));
        assert_eq!(reader.peek(), [5]);
        assert!(reader.u16_list("d", |v| v).is_err());
    }
}
