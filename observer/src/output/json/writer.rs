//! JSON for events, fast: the bytes are those of `serde_json`.
//!
//! An event is some two hundred short strings, so what costs is the number of writes, not of bytes. Each value is
//! followed by a comma that the end of its list overwrites; strings are searched for escapes eight bytes at a time, and
//! those marked as [`Plain`] not at all; [`Raw`] is JSON already.

use std::fmt::{self, Display, Write};

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    Serializer,
};

/// Appends `value` as JSON.
///
/// # Errors
/// When `value` contains what events have no use for: enums with contents, floats, bytes, keys that are no strings.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(&mut Json {
        out,
        strings: Strings::Escaped,
    })
}

/// Text that needs no escaping: registered names, digits.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a>(pub &'a str);

/// JSON that was written before. Only [`write()`] takes it.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(pub &'a str);

/// The names by which [`Json`] knows them.
const PLAIN: &str = "$plain";
const RAW: &str = "$raw";

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(PLAIN, self.0)
    }
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(RAW, self.0)
    }
}

/// Why a value could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl serde::ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// How strings are written.
#[derive(Clone, Copy)]
enum Strings {
    Escaped,
    Plain,
    Raw,
}

struct Json<'a> {
    out: &'a mut Vec<u8>,
    strings: Strings,
}

impl Json<'_> {
    /// The end of a list or object: in the place of the last value's comma, if there was one.
    #[inline]
    fn end(&mut self, bracket: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = bracket,
            _ => self.out.push(bracket),
        }
    }

    /// A key of a struct: an identifier.
    #[inline]
    fn key(&mut self, key: &'static str) {
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// The inside of a string.
    fn escaped(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        loop {
            let clean = clean_prefix(rest);
            let (plain, after) = rest.split_at(clean);
            self.out.extend_from_slice(plain);
            let Some((special, after)) = after.split_first() else {
                return;
            };
            self.escape(*special);
            rest = after;
        }
    }

    fn escape(&mut self, special: u8) {
        let short = match special {
            b'"' | b'\\' => special,
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            control => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                self.out.extend_from_slice(b"\\u00");
                self.out.push(DIGITS[usize::from(control >> 4)]);
                self.out.push(DIGITS[usize::from(control & 0x0f)]);
                return;
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }

    #[inline]
    fn decimal(&mut self, value: impl itoa::Integer) {
        self.out
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }
}

/// How many bytes at the beginning need no escape.
fn clean_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    /// Not zero if and only if a byte of `word` is less than `limit`, which is at most 128.
    fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7)
    }
    fn equal(word: u64, byte: u8) -> u64 {
        below(word ^ (ONES * u64::from(byte)), 1)
    }
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let value = u64::from_ne_bytes(*word);
        if below(value, b' ') | equal(value, b'"') | equal(value, b'\\') != 0
            && let Some(at) = word.iter().position(is_special)
        {
            return index * 8 + at;
        }
    }
    let at = rest.iter().position(is_special);
    bytes.len() - rest.len() + at.unwrap_or(rest.len())
}

/// Takes text piece by piece into a string.
struct Pieces<'a, 'b>(&'a mut Json<'b>);

impl Write for Pieces<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.escaped(text);
        Ok(())
    }
}

/// A list or object whose end is still to come.
struct Open<'a, 'b> {
    json: &'a mut Json<'b>,
    bracket: u8,
}

impl Open<'_, '_> {
    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.json)?;
        self.json.out.push(b',');
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.json.end(self.bracket);
        Ok(())
    }
}

impl SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.json.key(key);
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        Open::end(self)
    }
}

impl SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(&mut *self.json)?;
        if self.json.out.last() != Some(&b'"') {
            return Err(Error::custom("a key is no string"));
        }
        self.json.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        Open::end(self)
    }
}

macro_rules! lists {
    ($($list:ident),*) => {
        $(impl $list for Open<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.value(value)
            }

            fn end(self) -> Result<(), Error> {
                Open::end(self)
            }
        })*
    };
}
lists!(SerializeSeq, SerializeTuple);

macro_rules! integers {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.decimal(value);
            Ok(())
        })*
    };
}

macro_rules! unused {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self $(, _: $type)*) -> Result<$ok, Error> {
            Err(Error::custom(concat!("not made for events: ", stringify!($method))))
        })*
    };
}

impl<'a, 'b> Serializer for &'a mut Json<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'a, 'b>;
    type SerializeTuple = Open<'a, 'b>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Open<'a, 'b>;
    type SerializeStruct = Open<'a, 'b>;
    type SerializeStructVariant = Impossible<(), Error>;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        match self.strings {
            Strings::Raw => {
                self.out.extend_from_slice(value.as_bytes());
                return Ok(());
            }
            Strings::Plain => {
                self.out.push(b'"');
                self.out.extend_from_slice(value.as_bytes());
            }
            Strings::Escaped => {
                self.out.push(b'"');
                self.escaped(value);
            }
        }
        self.out.push(b'"');
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.out.push(b'"');
        write!(Pieces(self), "{value}").map_err(Error::custom)?;
        self.out.push(b'"');
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.strings = match name {
            PLAIN => Strings::Plain,
            RAW => Strings::Raw,
            _ => Strings::Escaped,
        };
        let done = value.serialize(&mut *self);
        self.strings = Strings::Escaped;
        done
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a, 'b>, Error> {
        self.out.push(b'[');
        Ok(Open {
            json: self,
            bracket: b']',
        })
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a, 'b>, Error> {
        self.serialize_seq(None)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a, 'b>, Error> {
        self.out.push(b'{');
        Ok(Open {
            json: self,
            bracket: b'}',
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a, 'b>, Error> {
        self.serialize_map(None)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(Error::custom("not made for events: an enum"))
    }

    unused! {
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple_struct(&'static str, usize) -> Impossible<(), Error>;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Impossible<(), Error>;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Impossible<(), Error>;
    }
}

#[cfg(test)]
mod tests;
