//! Distinguished names as text (RFC 4514) and as attributes.

use std::fmt::Write;

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

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

impl NameAttributes {
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        let mut attributes = Self::default();
        for attribute in name.iter_attributes() {
            let Some(text) = value_text(attribute.attr_value()) else {
                continue;
            };
            let field = match short_name(&attribute.attr_type().to_id_string()) {
                Some("CN") => &mut attributes.common_name,
                Some("O") => &mut attributes.organization,
                Some("OU") => &mut attributes.organizational_unit,
                Some("C") => &mut attributes.country,
                Some("L") => &mut attributes.locality,
                Some("ST") => &mut attributes.state_or_province,
                _ => continue,
            };
            field.push(text);
        }
        attributes
    }
}

/// A DER name as RFC 4514 text; bytes that are not a name as `#` and their hex.
pub(crate) fn name_text(der: &[u8]) -> String {
    match X509Name::from_der(der) {
        Ok(([], name)) => text(&name),
        _ => format!("#{}", hex_upper(der)),
    }
}

/// RFC 4514, section 2: the last relative name first, attributes of one joined with `+`.
pub(super) fn text(name: &X509Name<'_>) -> String {
    let mut relative_names: Vec<String> = name
        .iter_rdn()
        .map(|relative| relative.iter().map(attribute_text).collect::<Vec<_>>().join("+"))
        .collect();
    relative_names.reverse();
    relative_names.join(",")
}

fn attribute_text(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let value = attribute.attr_value();
    match (short_name(&oid), value_text(value)) {
        (Some(short), Some(text)) => format!("{short}={}", escape(&text)),
        // Section 2.4: without a name, or not a string, the value is shown as its DER.
        (short, _) => {
            let der = value.to_der_vec().unwrap_or_default();
            format!("{}=#{}", short.unwrap_or(&oid), hex_upper(&der))
        }
    }
}

/// The names of RFC 4514, section 3, and further LDAP descriptors (RFC 4519; RFC 2985) that certificates use.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "sn",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "givenName",
        "2.5.4.43" => "initials",
        "2.5.4.44" => "generationQualifier",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

/// The value as text, if it is of a string type (RFC 5280, section 4.1.2.4). Wrong characters are replaced.
fn value_text(value: &Any<'_>) -> Option<String> {
    let bytes: &[u8] = value.data;
    Some(match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        // In practice Latin-1.
        Tag::T61String | Tag::GeneralString => bytes.iter().copied().map(char::from).collect(),
        Tag::BmpString => {
            let units = bytes.chunks(2).map(|pair| match *pair {
                [high, low] => u16::from_be_bytes([high, low]),
                _ => 0xfffd,
            });
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        Tag::UniversalString => bytes
            .chunks(4)
            .map(|chunk| match *chunk {
                [a, b, c, d] => char::from_u32(u32::from_be_bytes([a, b, c, d])),
                _ => None,
            })
            .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        _ => return None,
    })
}

/// RFC 4514, section 2.4. Control characters are escaped too, so that a name stays on its line.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            '#' if at == 0 => escaped.push_str("\\#"),
            ' ' if at == 0 || at == last => escaped.push_str("\\ "),
            control if control.is_control() => {
                for byte in control.encode_utf8(&mut [0; 4]).bytes() {
                    escaped.push('\\');
                    escaped.push_str(&hex_upper(&[byte]));
                }
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Two uppercase digits a byte.
pub(super) fn hex_upper(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02X}");
            text
        })
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
        assert_eq!(name(&[attribute(CN, 0x0c, &[b'x', 0xff])]), "CN=x\u{fffd}");
    }

    #[test]
    fn what_has_no_name_or_text_is_shown_as_der() {
        assert_eq!(name(&[attribute(&[0x2a, 3], 0x0c, b"A")]), "1.2.3=#0C0141");
        assert_eq!(name(&[attribute(CN, 0x04, b"A")]), "CN=#040141");
        assert_eq!(name_text(&[0x30, 5, 1]), "#300501");
    }
}
