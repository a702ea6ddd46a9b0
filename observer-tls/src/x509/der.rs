//! Elements of DER (X.690), read as tolerantly as the libraries do that peers use: lengths need not be minimal, and
//! the indefinite lengths and the strings in pieces of BER are taken as well.

use std::borrow::Cow;

use crate::error::ParseError;
use crate::reader::Reader;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The bit of an identifier that says that the content is elements itself (X.690, section 8.1.2.5).
pub(crate) const CONSTRUCTED: u8 = 0x20;
/// The bits of an identifier that are all set when the tag's number follows in further bytes (section 8.1.2.4).
const LONG_TAG: u8 = 0x1f;
/// The first byte of an indefinite length (section 8.1.3.6).
const INDEFINITE: u8 = 0x80;
/// How deep a string may be cut into pieces of pieces; OpenSSL has the same limit.
const MAX_PIECE_DEPTH: u32 = 5;

/// The identifier of context-specific tag `number` (below 31) with elements inside.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    /// The identifier's first byte: class, [`CONSTRUCTED`] and tag number. Numbers from 31 on are all the same here.
    pub(crate) identifier: u8,
    /// What is inside, without the two zero bytes that end an indefinite length.
    pub(crate) content: &'a [u8],
    /// The whole element.
    pub(crate) encoded: &'a [u8],
}

impl<'a> Element<'a> {
    /// The next element.
    ///
    /// # Errors
    /// [`ParseError::Short`] with `field` when the element ends after `reader` does; [`ParseError::Invalid`] when its
    /// length cannot be.
    pub(crate) fn read(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, ParseError> {
        let encoded = reader.peek();
        let before = reader.offset();
        let (identifier, length) = header(reader, field)?;
        let content = match length {
            Some(length) => reader.take(length, field)?,
            None => indefinite(reader, identifier, field)?,
        };
        Ok(Self {
            identifier,
            content,
            encoded: encoded.get(..reader.offset() - before).unwrap_or_default(),
        })
    }

    /// The next element, which has to have this identifier.
    ///
    /// # Errors
    /// As [`Element::read`]; [`ParseError::Invalid`] for another identifier.
    pub(crate) fn expect(
        reader: &mut Reader<'a>,
        identifier: u8,
        field: &'static str,
    ) -> Result<Self, ParseError> {
        Self::read(reader, field)?.typed(identifier, field)
    }

    /// This element, which has to have this identifier.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] with `field` for another identifier.
    pub(crate) fn typed(self, identifier: u8, field: &'static str) -> Result<Self, ParseError> {
        if self.identifier == identifier {
            Ok(self)
        } else {
            Err(unexpected(field))
        }
    }

    /// The next element if it has this identifier, else nothing is consumed.
    ///
    /// # Errors
    /// As [`Element::read`].
    pub(crate) fn optional(
        reader: &mut Reader<'a>,
        identifier: u8,
        field: &'static str,
    ) -> Result<Option<Self>, ParseError> {
        match reader.peek() {
            [first, ..] if *first == identifier => Self::read(reader, field).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether it is the truth value true. BER takes any byte but zero for it (X.690, section 8.2.2).
    pub(crate) fn is_true(&self) -> bool {
        self.content.iter().any(|byte| *byte != 0)
    }

    /// A reader of the content.
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The bytes of the string type `identifier`, in one piece or several.
    ///
    /// # Errors
    /// [`ParseError`] with `field` when it is of another type or its pieces are broken.
    pub(crate) fn string(&self, identifier: u8, field: &'static str) -> Result<Cow<'a, [u8]>, ParseError> {
        if self.identifier & !CONSTRUCTED == identifier {
            self.octets(field)
        } else {
            Err(unexpected(field))
        }
    }

    /// The bytes of a string, put together when it is in pieces (X.690, section 8.7.3).
    ///
    /// # Errors
    /// Those of its pieces, with `field`.
    pub(crate) fn octets(&self, field: &'static str) -> Result<Cow<'a, [u8]>, ParseError> {
        if self.identifier & CONSTRUCTED == 0 {
            return Ok(Cow::Borrowed(self.content));
        }
        let mut octets = Vec::with_capacity(self.content.len());
        self.collect(&mut octets, MAX_PIECE_DEPTH, field)?;
        Ok(Cow::Owned(octets))
    }

    /// The bytes of a BIT STRING in one piece (X.690, section 8.6.2).
    ///
    /// # Errors
    /// [`ParseError::Invalid`] with `field` when it is none.
    pub(crate) fn bits(&self, field: &'static str) -> Result<&'a [u8], ParseError> {
        match self.typed(BIT_STRING, field)?.content {
            // The number of bits that the last byte lacks.
            [0..=7, bytes @ ..] => Ok(bytes),
            _ => Err(ParseError::Invalid {
                field,
                why: "no number of unused bits",
            }),
        }
    }

    fn collect(&self, octets: &mut Vec<u8>, depth: u32, field: &'static str) -> Result<(), ParseError> {
        let mut pieces = self.reader();
        while !pieces.is_empty() {
            let piece = Self::read(&mut pieces, field)?;
            if piece.identifier & CONSTRUCTED == 0 {
                octets.extend_from_slice(piece.content);
            } else if depth > 0 {
                piece.collect(octets, depth - 1, field)?;
            } else {
                return Err(ParseError::Invalid {
                    field,
                    why: "a string in pieces that are in pieces too often",
                });
            }
        }
        Ok(())
    }
}

/// The content of the next element, which has to have this identifier, and whether its end is missing: then the
/// content is all that is left of `reader`.
///
/// # Errors
/// [`ParseError::Short`] with `field` when not even a length is there; [`ParseError::Invalid`] for another identifier.
pub(crate) fn clipped<'a>(
    reader: &mut Reader<'a>,
    identifier: u8,
    field: &'static str,
) -> Result<(Reader<'a>, bool), ParseError> {
    let (found, length) = header(reader, field)?;
    if found != identifier {
        return Err(unexpected(field));
    }
    let left = Reader::new(reader.peek());
    let content = match length {
        Some(length) => reader.take(length, field),
        None => indefinite(reader, identifier, field),
    };
    Ok(match content {
        Ok(content) => (Reader::new(content), false),
        Err(_) => {
            reader.rest();
            (left, true)
        }
    })
}

fn unexpected(field: &'static str) -> ParseError {
    ParseError::Invalid {
        field,
        why: "an element of another type",
    }
}

/// The identifier's first byte and the length of the content; `None` for an indefinite one.
fn header(reader: &mut Reader<'_>, field: &'static str) -> Result<(u8, Option<usize>), ParseError> {
    let identifier = reader.u8(field)?;
    if identifier & LONG_TAG == LONG_TAG {
        while reader.u8(field)? & 0x80 != 0 {}
    }
    let length = match reader.u8(field)? {
        INDEFINITE => return Ok((identifier, None)),
        short @ ..INDEFINITE => usize::from(short),
        long => {
            let bytes = reader.take(usize::from(long & 0x7f), field)?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                Some(length.checked_mul(256)? | usize::from(*byte))
            });
            length.ok_or(ParseError::Invalid {
                field,
                why: "a length past all memory",
            })?
        }
    };
    Ok((identifier, Some(length)))
}

/// The content up to the two zero bytes that end an indefinite length, which are consumed. Elements of indefinite
/// length inside are only counted, so that no nesting is too deep.
fn indefinite<'a>(
    reader: &mut Reader<'a>,
    identifier: u8,
    field: &'static str,
) -> Result<&'a [u8], ParseError> {
    if identifier & CONSTRUCTED == 0 {
        return Err(ParseError::Invalid {
            field,
            why: "no length, and no elements inside either",
        });
    }
    let content = reader.peek();
    let start = reader.offset();
    let mut open = 1_usize;
    loop {
        let length = reader.offset() - start;
        match header(reader, field)? {
            (0, Some(0)) => open -= 1,
            (_, Some(inner)) => drop(reader.take(inner, field)?),
            (_, None) => open += 1,
        }
        if open == 0 {
            return Ok(content.get(..length).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(u8, &[u8], usize), ParseError> {
        let mut reader = Reader::new(bytes);
        let element = Element::read(&mut reader, "x")?;
        assert_eq!(element.encoded.len(), reader.offset());
        Ok((element.identifier, element.content, reader.len()))
    }

    #[test]
    fn lengths_have_many_forms() {
        assert_eq!(read(&[4, 1, 7, 9]), Ok((4, &[7][..], 1)));
        assert_eq!(read(&[4, 0x81, 1, 7]), Ok((4, &[7][..], 0)));
        assert_eq!(read(&[4, 0x85, 0, 0, 0, 0, 1, 7]), Ok((4, &[7][..], 0)));
        assert_eq!(read(&[0x7f, 0x81, 0x01, 1, 7]), Ok((0x7f, &[7][..], 0)));
        let inner = [0x30, 0x80, 0x30, 0x80, 4, 2, 0, 0, 0, 0, 5, 0, 0, 0, 8];
        assert_eq!(read(&inner), Ok((0x30, &inner[2..12], 1)));
        assert!(read(&[4, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(read(&[4, 0x80, 0, 0]).is_err());
        assert!(read(&[0x30, 0x80, 4, 1, 0, 0]).is_err());
        assert!(read(&[4, 2, 7]).is_err());
        assert!(read(&[0x1f, 0x81]).is_err());
        assert!(read(&[]).is_err());
    }

    #[test]
    fn any_depth_of_elements_without_length_is_read() {
        let deep = [[0x30, 0x80].repeat(100_000), [0, 0].repeat(100_000)].concat();
        assert_eq!(read(&deep).unwrap().1.len(), deep.len() - 4);
    }

    #[test]
    fn strings_in_pieces_are_put_together() {
        let octets = |bytes: &[u8]| {
            Element::read(&mut Reader::new(bytes), "x")
                .and_then(|element| element.octets("x"))
                .map(Cow::into_owned)
        };
        assert_eq!(octets(&[0x24, 6, 4, 1, b'a', 4, 1, b'b']), Ok(b"ab".to_vec()));
        assert_eq!(octets(&[0x24, 5, 0x24, 3, 4, 1, b'a']), Ok(b"a".to_vec()));
        let nested = |depth: u8| -> Vec<u8> { (0..depth).rev().flat_map(|left| [0x24, 2 * left]).collect() };
        assert!(octets(&nested(6)).is_ok());
        assert!(octets(&nested(7)).is_err());
    }

    #[test]
    fn a_clipped_element_gives_what_is_there() {
        let clip = |bytes: &'static [u8]| {
            let mut reader = Reader::new(bytes);
            clipped(&mut reader, SEQUENCE, "x").map(|(content, cut)| (content.peek(), cut, reader.peek()))
        };
        assert_eq!(clip(&[0x30, 5, 1, 2]), Ok((&[1, 2][..], true, &[][..])));
        assert_eq!(clip(&[0x30, 1, 1, 2]), Ok((&[1][..], false, &[2][..])));
        assert_eq!(clip(&[0x30, 0x80, 4, 1]), Ok((&[4, 1][..], true, &[][..])));
        assert!(clip(&[0x31, 5, 1, 2]).is_err());
        assert!(clip(&[0x30]).is_err());
    }
}
