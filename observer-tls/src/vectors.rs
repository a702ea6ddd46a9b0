//! Vectors and their items (RFC 8446, section 3.4), and what is left of them when a length is wrong.

use crate::error::ParseError;
use crate::reader::Reader;

/// Parses all of `data`.
pub(crate) fn whole<'a, T>(
    data: &'a [u8],
    field: &'static str,
    parse: impl FnOnce(&mut Reader<'a>) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    let mut reader = Reader::new(data);
    let value = parse(&mut reader)?;
    reader.finish(field)?;
    Ok(value)
}

/// Parses items until `list` is empty. Every item must consume something.
pub(crate) fn items<'a, T>(
    mut list: Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    let mut values = Vec::new();
    while !list.is_empty() {
        values.push(item(&mut list)?);
    }
    Ok(values)
}

/// The content of a vector with a two-byte length; when it claims more than there is, all that is there, beside what is
/// wrong.
///
/// # Errors
/// When the length itself is cut off.
pub(crate) fn vec16_or_rest<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
) -> Result<(Reader<'a>, Option<ParseError>), ParseError> {
    match reader.vec16(field) {
        Ok(content) => Ok((content, None)),
        Err(error) => {
            reader.u16(field)?;
            Ok((Reader::new(reader.rest()), Some(error)))
        }
    }
}

/// As [`vec16_or_rest`], with a three-byte length.
pub(crate) fn vec24_or_rest<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
) -> Result<(Reader<'a>, Option<ParseError>), ParseError> {
    match reader.vec24(field) {
        Ok(content) => Ok((content, None)),
        Err(error) => {
            reader.u24(field)?;
            Ok((Reader::new(reader.rest()), Some(error)))
        }
    }
}
