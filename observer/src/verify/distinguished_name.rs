//! Distinguished names as peers compare them (RFC 5280, section 7.1): letters without case, spaces without number, and
//! without regard to the kind of string.

use super::der::{self, Elements};

const UTF8_STRING: u8 = 12;
const PRINTABLE_STRING: u8 = 19;
const TELETEX_STRING: u8 = 20;
const IA5_STRING: u8 = 22;
const VISIBLE_STRING: u8 = 26;
const UNIVERSAL_STRING: u8 = 28;
const BMP_STRING: u8 = 30;

/// A name, given as DER of the `Name`, in the form in which two names that are the same have the same bytes: its relative
/// names one after the other, each a SET of attributes in DER with values as [`canonical_value`] writes them. What begins
/// with all bytes of another such form is a name below it. `None` for what is no name, or has text that is none of its type.
pub fn canonical(name: &[u8]) -> Option<Vec<u8>> {
    let mut elements = Elements(name);
    let mut relative_names = elements.inside(der::SEQUENCE)?;
    let mut canonical = Vec::with_capacity(name.len());
    while !relative_names.is_empty() {
        let mut attributes = relative_names.inside(der::SET)?;
        let mut set = Vec::with_capacity(1);
        while !attributes.is_empty() {
            let mut attribute = attributes.inside(der::SEQUENCE)?;
            let kind = attribute.element(der::OBJECT_IDENTIFIER)?;
            let value = attribute.any()?;
            let content = [kind.whole, &canonical_value(&value)?].concat();
            set.push(der::encode(der::SEQUENCE, &content));
        }
        set.sort_unstable();
        canonical.extend(der::encode(der::SET, &set.concat()));
    }
    elements.is_empty().then_some(canonical)
}

/// The values of one kind of attribute, an object identifier's content, as text.
pub fn values(name: &[u8], wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut relative_names = Elements(name).inside(der::SEQUENCE).unwrap_or(Elements(&[]));
    while let Some(mut attributes) = relative_names.inside(der::SET) {
        while let Some(mut attribute) = attributes.inside(der::SEQUENCE) {
            let is_wanted = attribute.content(der::OBJECT_IDENTIFIER) == Some(wanted);
            let value = attribute.any().filter(|_| is_wanted);
            found.extend(value.and_then(|value| text(&value)));
        }
    }
    found
}

/// An attribute's value: text becomes a UTF8String of lower-case ASCII letters, with one space where there are several and
/// none at the ends; anything else stays what it is. `None` for text that is none of its type.
fn canonical_value(value: &der::Element<'_>) -> Option<Vec<u8>> {
    const TEXTS: [u8; 7] = [
        UTF8_STRING,
        PRINTABLE_STRING,
        TELETEX_STRING,
        IA5_STRING,
        VISIBLE_STRING,
        UNIVERSAL_STRING,
        BMP_STRING,
    ];
    if !TEXTS.contains(&value.tag) {
        return Some(value.whole.to_vec());
    }
    let text = text(value)?;
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    Some(der::encode(
        UTF8_STRING,
        words.join(" ").to_ascii_lowercase().as_bytes(),
    ))
}

/// The text of a string type; `None` for other types and for bytes that are not of their type.
fn text(value: &der::Element<'_>) -> Option<String> {
    let content = value.content;
    match value.tag {
        UTF8_STRING => String::from_utf8(content.to_vec()).ok(),
        // Everybody writes Latin-1 into them.
        PRINTABLE_STRING | TELETEX_STRING | IA5_STRING | VISIBLE_STRING => {
            Some(content.iter().map(|byte| char::from(*byte)).collect())
        }
        BMP_STRING => {
            let (pairs, []) = content.as_chunks() else {
                return None;
            };
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        UNIVERSAL_STRING => {
            let (quads, []) = content.as_chunks() else {
                return None;
            };
            quads
                .iter()
                .map(|quad| char::from_u32(u32::from_be_bytes(*quad)))
                .collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const COUNTRY: &[u8] = &[0x55, 4, 6];

    /// A name with one attribute a relative name.
    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let sets: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(kind, tag, value)| der::encode(der::SET, &attribute(kind, *tag, value)))
            .collect();
        der::encode(der::SEQUENCE, &sets.concat())
    }

    fn attribute(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let kind = der::encode(der::OBJECT_IDENTIFIER, kind);
        der::encode(der::SEQUENCE, &[kind, der::encode(tag, value)].concat())
    }

    #[test]
    fn case_spaces_and_kind_of_string_make_no_difference() {
        let one = name(&[
            (COUNTRY, PRINTABLE_STRING, b"SE"),
            (COMMON_NAME, UTF8_STRING, b"A  Root"),
        ]);
        let other = name(&[
            (COUNTRY, UTF8_STRING, b"se"),
            (COMMON_NAME, BMP_STRING, b"\0 \0a\0 \0R\0o\0o\0t\0 "),
        ]);
        assert_eq!(canonical(&one).unwrap(), canonical(&other).unwrap());
        assert_eq!(values(&one, COMMON_NAME), ["A  Root"]);
    }

    #[test]
    fn order_words_and_other_types_do() {
        let names = [
            name(&[
                (COUNTRY, PRINTABLE_STRING, b"SE"),
                (COMMON_NAME, UTF8_STRING, b"AB"),
            ]),
            name(&[
                (COMMON_NAME, UTF8_STRING, b"AB"),
                (COUNTRY, PRINTABLE_STRING, b"SE"),
            ]),
            name(&[
                (COUNTRY, PRINTABLE_STRING, b"SE"),
                (COMMON_NAME, UTF8_STRING, b"A B"),
            ]),
            name(&[
                (COUNTRY, PRINTABLE_STRING, b"SE"),
                (COMMON_NAME, der::OCTET_STRING, b"AB"),
            ]),
        ];
        for (at, name) in names.iter().enumerate() {
            for other in &names[at + 1..] {
                assert_ne!(canonical(name), canonical(other));
            }
        }
    }

    #[test]
    fn attributes_of_one_relative_name_have_no_order() {
        let parts = [
            attribute(COUNTRY, UTF8_STRING, b"SE"),
            attribute(COMMON_NAME, UTF8_STRING, b"a"),
        ];
        let one = der::encode(der::SEQUENCE, &der::encode(der::SET, &parts.concat()));
        let reversed: Vec<Vec<u8>> = parts.into_iter().rev().collect();
        let other = der::encode(der::SEQUENCE, &der::encode(der::SET, &reversed.concat()));
        assert_eq!(canonical(&one).unwrap(), canonical(&other).unwrap());
    }

    #[test]
    fn a_name_below_another_begins_with_it() {
        let above = canonical(&name(&[(COUNTRY, PRINTABLE_STRING, b"SE")])).unwrap();
        let below = name(&[(COUNTRY, UTF8_STRING, b"SE"), (COMMON_NAME, UTF8_STRING, b"a")]);
        assert!(canonical(&below).unwrap().starts_with(&above));
        assert_eq!(canonical(&[der::SEQUENCE, 0]), Some(Vec::new()));
        assert_eq!(canonical(b"abc"), None);
        for (tag, content) in [
            (UTF8_STRING, b"\xff"),
            (BMP_STRING, b"a"),
            (UNIVERSAL_STRING, b"a"),
        ] {
            assert_eq!(canonical(&name(&[(COMMON_NAME, tag, content)])), None);
        }
        assert!(values(b"abc", COMMON_NAME).is_empty());
    }
}
