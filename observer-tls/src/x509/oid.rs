//! Object identifiers as text (X.690, section 8.19).

use std::fmt::Write;

use super::der::{Element, OBJECT_IDENTIFIER};
use crate::error::ParseError;
use crate::reader::Reader;

/// The content of the next element, which has to be an identifier.
///
/// # Errors
/// [`ParseError`] with `field` when it is none.
pub(crate) fn read<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], ParseError> {
    let content = Element::expect(reader, OBJECT_IDENTIFIER, field)?.content;
    if is_valid(content) {
        Ok(content)
    } else {
        Err(ParseError::Invalid {
            field,
            why: "no object identifier",
        })
    }
}

/// Whether this is an identifier's content: whole arcs without leading zeros (section 8.19.2).
fn is_valid(content: &[u8]) -> bool {
    let starts = std::iter::once(&0x00).chain(content);
    let padded = starts
        .zip(content)
        .any(|(before, byte)| *before < 0x80 && *byte == 0x80);
    !padded && content.last().is_some_and(|last| *last < 0x80)
}

/// The dotted form of an identifier's content; `None` when it is none, or has an arc over 128 bits.
pub fn dotted(content: &[u8]) -> Option<String> {
    if !is_valid(content) {
        return None;
    }
    let mut text = String::with_capacity(3 * content.len());
    let mut arc = 0_u128;
    for byte in content {
        arc = arc.checked_mul(128)? | u128::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = if text.is_empty() {
            // The first two arcs share a number (section 8.19.4).
            let root = (arc / 40).min(2);
            write!(text, "{root}.{}", arc - 40 * root)
        } else {
            write!(text, ".{arc}")
        };
        arc = 0;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_dotted() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48]).as_deref(), Some("1.2.840"));
        assert_eq!(dotted(&[0]).as_deref(), Some("0.0"));
        assert_eq!(dotted(&[0x88, 0x37, 3]).as_deref(), Some("2.999.3"));
        // A UUID is one arc of up to 128 bits (X.667).
        let uuid = [&[0x69, 0x83][..], &[0xff; 17], &[0x7f]].concat();
        assert_eq!(dotted(&uuid), Some(format!("2.25.{}", u128::MAX)));
    }

    #[test]
    fn what_is_no_identifier_has_no_text() {
        for broken in [&[][..], &[0x2a, 0x86], &[0x80, 1], &[0x2a, 0x80, 1], &[0xff; 40]] {
            assert_eq!(dotted(broken), None, "{broken:x?}");
            assert!(!is_valid(broken), "{broken:x?}");
        }
        let too_long = [&[0x2a][..], &[0xff; 20], &[0x7f]].concat();
        assert_eq!((dotted(&too_long), is_valid(&too_long)), (None, true));
    }
}
