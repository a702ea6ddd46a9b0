//! Distinguished names as text (RFC 4514) and as attributes.

use std::borrow::Cow;

use super::der::{self, Element};
use super::oid;
use crate::error::ParseError;
use crate::reader::Reader;

const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const T61_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// The attributes of a distinguished name that ECS has fields for, each in the order of the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameAttributes {
    /// CN.
    pub common_name: Vec<String>,
    /// O.
    pub organization: Vec<String>,
    /// OU.
    pub organizational_unit: Vec<String>,
    /// C.
    pub country: Vec<String>,
    /// L.
    pub locality: Vec<String>,
    /// ST.
    pub state_or_province: Vec<String>,
}

/// A distinguished name.
#[derive(Debug, Default)]
pub(super) struct Name {
    /// As RFC 4514 text.
    pub(super) text: String,
    pub(super) attributes: NameAttributes,
    /// What is odd about it, although all of it is in `text`.
    pub(super) fault: Option<ParseError>,
}

/// A name, DER with tag and length, as RFC 4514 text; bytes that are not a name as `#` and their hex.
pub fn name_text(der: &[u8]) -> String {
    let mut reader = Reader::new(der);
    let name = Element::expect(&mut reader, der::SEQUENCE, "name")
        .and_then(|name| reader.finish("name").and(Name::read(name.content, "name")));
    name.map_or_else(|_| format!("#{}", hex_upper(der)), |name| name.text)
}

impl Name {
    /// The name with this content.
    ///
    /// # Errors
    /// [`ParseError`] with `field` when it is not made of sets of attributes.
    pub(super) fn read(content: &[u8], field: &'static str) -> Result<Self, ParseError> {
        let mut name = Self::default();
        // The relative names in their order, each with a comma behind it, and where each ends.
        let mut forward = String::with_capacity(2 * content.len());
        let mut ends = Vec::with_capacity(8);
        let mut relative_names = Reader::new(content);
        while !relative_names.is_empty() {
            let mut attributes = Element::expect(&mut relative_names, der::SET, field)?.reader();
            if attributes.is_empty() {
                name.fault = Some(ParseError::Invalid {
                    field,
                    why: "a relative name without attributes",
                });
                continue;
            }
            while !attributes.is_empty() {
                let mut attribute = Element::expect(&mut attributes, der::SEQUENCE, field)?.reader();
                name.add(&mut attribute, &mut forward, field)?;
                forward.push(if attributes.is_empty() { ',' } else { '+' });
            }
            ends.push(forward.len());
        }
        name.text = reversed(&forward, &ends);
        Ok(name)
    }

    /// Writes the next attribute to `text`, and notes its value.
    fn add(
        &mut self,
        attribute: &mut Reader<'_>,
        text: &mut String,
        field: &'static str,
    ) -> Result<(), ParseError> {
        let kind = oid::read(attribute, field)?;
        let value = Element::read(attribute, field)?;
        attribute.finish(field)?;
        let name = short_name(kind);
        match name {
            Some(name) => text.push_str(name),
            None => text.push_str(&oid::dotted(kind).ok_or(ParseError::Invalid {
                field,
                why: "an object identifier that is too long",
            })?),
        }
        text.push('=');
        let decoded = value_text(&value);
        if decoded.is_err() {
            self.fault = Some(ParseError::Invalid {
                field,
                why: "a value that is not of its type",
            });
        }
        match (name, decoded) {
            (Some(name), Ok(Some(decoded))) => {
                escape(&decoded, text);
                self.attributes.note(name, decoded);
            }
            // Section 2.4: without a name, or not a string, the value is shown as its DER.
            _ => {
                text.push('#');
                push_hex(value.encoded, text);
            }
        }
        Ok(())
    }
}

impl NameAttributes {
    fn note(&mut self, name: &str, value: Cow<'_, str>) {
        let field = match name {
            "CN" => &mut self.common_name,
            "O" => &mut self.organization,
            "OU" => &mut self.organizational_unit,
            "C" => &mut self.country,
            "L" => &mut self.locality,
            "ST" => &mut self.state_or_province,
            _ => return,
        };
        field.push(value.into_owned());
    }
}

/// RFC 4514, section 2.1: the last relative name first. Each part of `forward` ends with a comma.
fn reversed(forward: &str, ends: &[usize]) -> String {
    let mut text = String::with_capacity(forward.len());
    let mut before = ends.iter().rev().skip(1);
    for end in ends.iter().rev() {
        let start = before.next().copied().unwrap_or(0);
        text.push_str(forward.get(start..*end).unwrap_or_default());
    }
    text.pop();
    text
}

/// The names of RFC 4514, section 3, further LDAP descriptors (RFC 4519; RFC 2985) that certificates use, and the names
/// that other tools print for the jurisdiction of extended-validation certificates.
fn short_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        // id-at, 2.5.4
        [0x55, 4, attribute] => match attribute {
            3 => "CN",
            4 => "sn",
            5 => "serialNumber",
            6 => "C",
            7 => "L",
            8 => "ST",
            9 => "STREET",
            10 => "O",
            11 => "OU",
            12 => "title",
            13 => "description",
            15 => "businessCategory",
            17 => "postalCode",
            41 => "name",
            42 => "givenName",
            43 => "initials",
            44 => "generationQualifier",
            45 => "x500UniqueIdentifier",
            46 => "dnQualifier",
            51 => "houseIdentifier",
            65 => "pseudonym",
            97 => "organizationIdentifier",
            _ => return None,
        },
        // 0.9.2342.19200300.100.1
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 25] => "DC",
        // 1.2.840.113549.1.9.1
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        // 1.3.6.1.4.1.311.60.2.1
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 1] => "jurisdictionL",
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 2] => "jurisdictionST",
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 3] => "jurisdictionC",
        _ => return None,
    })
}

/// The characters are not of the type that the value says it is.
struct NotOfItsType;

/// The value as text; `None` if it is not of a string type (RFC 5280, section 4.1.2.4).
fn value_text<'a>(value: &Element<'a>) -> Result<Option<Cow<'a, str>>, NotOfItsType> {
    /// The bits of an identifier that tell the class.
    const CLASS: u8 = 0xc0;
    if value.identifier & CLASS != 0 {
        return Err(NotOfItsType);
    }
    let octets = || value.octets("value").map_err(|_| NotOfItsType);
    Ok(Some(match value.identifier & !der::CONSTRUCTED {
        UTF8_STRING => match octets()? {
            Cow::Borrowed(bytes) => Cow::Borrowed(str::from_utf8(bytes).map_err(|_| NotOfItsType)?),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| NotOfItsType)?),
        },
        // Of one byte a character. Those that their types do not have are Latin-1 in practice, and so is T61String.
        NUMERIC_STRING
        | PRINTABLE_STRING
        | T61_STRING
        | IA5_STRING
        | VISIBLE_STRING
        | der::UTC_TIME
        | der::GENERALIZED_TIME => match octets()? {
            Cow::Borrowed(bytes) if bytes.is_ascii() => {
                Cow::Borrowed(str::from_utf8(bytes).unwrap_or_default())
            }
            bytes => bytes.iter().copied().map(char::from).collect(),
        },
        BMP_STRING => {
            let bytes = octets()?;
            let (units, []) = bytes.as_chunks::<2>() else {
                return Err(NotOfItsType);
            };
            char::decode_utf16(units.iter().copied().map(u16::from_be_bytes))
                .collect::<Result<_, _>>()
                .map_err(|_| NotOfItsType)?
        }
        UNIVERSAL_STRING => {
            let bytes = octets()?;
            let (units, []) = bytes.as_chunks::<4>() else {
                return Err(NotOfItsType);
            };
            let units = units.iter().copied().map(u32::from_be_bytes);
            units
                .map(char::from_u32)
                .collect::<Option<_>>()
                .ok_or(NotOfItsType)?
        }
        _ => return Ok(None),
    }))
}

/// RFC 4514, section 2.4. Control characters are escaped too, so that a name stays on its line.
fn escape(value: &str, text: &mut String) {
    let last = value.len().saturating_sub(1);
    for (at, character) in value.char_indices() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            '#' if at == 0 => text.push_str("\\#"),
            ' ' if at == 0 || at == last => text.push_str("\\ "),
            control if control.is_control() => {
                for byte in control.encode_utf8(&mut [0; 4]).bytes() {
                    text.push('\\');
                    push_hex(&[byte], text);
                }
            }
            other => text.push(other),
        }
    }
}

/// Two uppercase digits a byte.
pub(super) fn hex_upper(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(bytes, &mut text);
    text
}

fn push_hex(bytes: &[u8], text: &mut String) {
    let digit =
        |value: u8| char::from_digit(value.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase());
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DER of `tag`, length, content; contents under 128 bytes.
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, content.len() as u8], content].concat()
    }

    fn attribute(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        tlv(0x30, &[tlv(6, oid), tlv(tag, value)].concat())
    }

    fn name(relative_names: &[Vec<u8>]) -> String {
        let sets: Vec<u8> = relative_names
            .iter()
            .flat_map(|content| tlv(0x31, content))
            .collect();
        name_text(&tlv(0x30, &sets))
    }

    const CN: &[u8] = &[0x55, 4, 3];
    const O: &[u8] = &[0x55, 4, 10];

    #[test]
    fn the_last_relative_name_comes_first() {
        let both = [attribute(O, 0x13, b"Works"), attribute(CN, 0x0c, b"a")].concat();
        assert_eq!(
            name(&[both, attribute(CN, 0x0c, "ä".as_bytes())]),
            "CN=ä,O=Works+CN=a"
        );
        assert_eq!(name(&[]), "");
    }

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(
            name(&[attribute(CN, 0x0c, b" #a, b+\"c\"\\ ")]),
            "CN=\\ #a\\, b\\+\\\"c\\\"\\\\\\ "
        );
        assert_eq!(name(&[attribute(CN, 0x0c, b"#1\n\0")]), "CN=\\#1\\0A\\00");
    }

    #[test]
    fn old_string_types_are_decoded() {
        assert_eq!(name(&[attribute(CN, 0x1e, &[0, b'h', 0x20, 0xac])]), "CN=h€");
        assert_eq!(name(&[attribute(CN, 0x14, &[b'M', 0xfc])]), "CN=Mü");
        assert_eq!(name(&[attribute(CN, 0x1c, &[0, 1, 0xf6, 0])]), "CN=😀");
        assert_eq!(name(&[attribute(CN, 0x13, b"a@\xe9")]), "CN=a@é");
        // A character outside of the first plane, and a string in two pieces.
        assert_eq!(name(&[attribute(CN, 0x1e, &[0xd8, 0x3d, 0xde, 0])]), "CN=😀");
        let pieces = [tlv(0x0c, b"a"), tlv(0x0c, b"b")].concat();
        assert_eq!(name(&[attribute(CN, 0x2c, &pieces)]), "CN=ab");
    }

    #[test]
    fn characters_that_are_none_are_not_guessed() {
        for (tag, value) in [
            (0x0c, &[b'x', 0xff][..]),
            (0x1e, &[0, b'h', 0x20]),
            (0x1e, &[0xd8, 0x3d]),
            (0x1c, &[0, 0x11, 0, 0]),
            (0x69, b"x"),
        ] {
            let content = tlv(0x31, &attribute(CN, tag, value));
            let name = Name::read(&content, "subject").unwrap();
            assert_eq!(name.text, format!("CN=#{}", hex_upper(&tlv(tag, value))));
            assert_eq!(name.attributes, NameAttributes::default());
            assert!(name.fault.is_some());
        }
    }

    #[test]
    fn a_relative_name_without_attributes_is_left_out() {
        let sets = [
            tlv(0x31, &attribute(O, 0x0c, b"a")),
            tlv(0x31, b""),
            tlv(0x31, &attribute(CN, 0x0c, b"b")),
        ];
        let name = Name::read(&sets.concat(), "subject").unwrap();
        assert_eq!(name.text, "CN=b,O=a");
        assert_eq!(
            name.fault.unwrap().to_string(),
            "subject: a relative name without attributes"
        );
    }

    #[test]
    fn what_is_not_made_of_attributes_is_no_name() {
        for content in [
            tlv(0x30, b""),
            tlv(0x31, b"x"),
            tlv(0x31, &tlv(0x30, &tlv(6, CN))),
            tlv(0x31, &attribute(&[0x80], 0x0c, b"a")),
            tlv(
                0x31,
                &tlv(0x30, &[tlv(6, CN), tlv(0x0c, b"a"), tlv(5, b"")].concat()),
            ),
        ] {
            assert!(Name::read(&content, "subject").is_err(), "{content:x?}");
        }
    }

    #[test]
    fn what_has_no_name_or_text_is_shown_as_der() {
        assert_eq!(name(&[attribute(&[0x2a, 3], 0x0c, b"A")]), "1.2.3=#0C0141");
        assert_eq!(name(&[attribute(CN, 0x04, b"A")]), "CN=#040141");
        assert_eq!(name_text(&[0x30, 5, 1]), "#300501");
    }
}
