//! Distinguished names compared by what they mean: RFC 4514 allows several texts for one name, and the libraries differ.

use std::collections::BTreeSet;

/// Whether both texts are the same name: equal types and values, whether types are written as names or OIDs and values
/// as text or as `#` and their DER.
pub fn are_equal(one: &str, other: &str) -> bool {
    one == other || parsed(one) == parsed(other)
}

/// The relative names: of each the types (OIDs where known) with values.
fn parsed(name: &str) -> Vec<BTreeSet<(String, Vec<u8>)>> {
    split(name, ',')
        .into_iter()
        .map(|relative| split(relative, '+').into_iter().map(attribute).collect())
        .collect()
}

/// The parts between separators without a backslash before them.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        if character == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

fn attribute(text: &str) -> (String, Vec<u8>) {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    (oid(kind), content(value))
}

fn oid(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    let oid = match kind.as_str() {
        "sn" => "2.5.4.4",
        "serialnumber" => "2.5.4.5",
        "title" => "2.5.4.12",
        "businesscategory" => "2.5.4.15",
        "postalcode" => "2.5.4.17",
        "name" => "2.5.4.41",
        "gn" | "givenname" => "2.5.4.42",
        "initials" => "2.5.4.43",
        "generationqualifier" => "2.5.4.44",
        "x500uniqueidentifier" => "2.5.4.45",
        "dnqualifier" => "2.5.4.46",
        "pseudonym" => "2.5.4.65",
        "organizationidentifier" => "2.5.4.97",
        "emailaddress" => "1.2.840.113549.1.9.1",
        "jurisdictionl" => "1.3.6.1.4.1.311.60.2.1.1",
        "jurisdictionst" => "1.3.6.1.4.1.311.60.2.1.2",
        "jurisdictionc" => "1.3.6.1.4.1.311.60.2.1.3",
        other => other,
    };
    oid.to_owned()
}

/// The bytes of a value, without tag and length where those are given.
fn content(value: &str) -> Vec<u8> {
    if let Some(hex) = value.strip_prefix('#') {
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        return match bytes.as_slice() {
            [_, length, content @ ..] if usize::from(*length) == content.len() => content.to_vec(),
            _ => bytes,
        };
    }
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let (byte, skipped) = match (first, tail) {
            (b'\\', [high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let hex = [*high, *low];
                (u8::from_str_radix(str::from_utf8(&hex).unwrap(), 16).unwrap(), 2)
            }
            (b'\\', [escaped, ..]) => (*escaped, 1),
            _ => (*first, 0),
        };
        bytes.push(byte);
        rest = &rest[skipped..];
    }
    bytes
}

#[test]
fn names_with_one_meaning_are_equal() {
    assert!(are_equal(
        "emailAddress=a@b,CN=\\C3\\A4",
        "1.2.840.113549.1.9.1=a@b,CN=ä"
    ));
    assert!(are_equal("CN=a+O=b", "O=b+CN=a"));
    assert!(are_equal("1.2.3=#0C0141", "1.2.3=A"));
    assert!(!are_equal("CN=a,O=b", "O=b,CN=a"));
    assert!(!are_equal("CN=a\\,O=b", "CN=a,O=b"));
    assert!(!are_equal("CN=a", "O=a"));
    assert!(!are_equal("CN=a", ""));
}
