//! What bytes look like: record headers, and the plaintext beginnings of messages that ciphertext seldom resembles.

use super::messages::MAX_MESSAGE_BYTES;
use crate::codepoints::{ContentType, HandshakeType};

/// Longest payload of a record: 2^14 bytes and the expansion that TLS 1.2 allows (RFC 5246, section 6.2.3).
const MAX_PAYLOAD: u16 = (1 << 14) + 2048;

/// Shortest hello: version, random and the lengths or values that must follow.
const MIN_HELLO_BYTES: u32 = 38;

/// Whether `data` begins with a record that holds, or begins, a ClientHello or ServerHello: strict enough to find where
/// TLS begins in a connection that began otherwise (STARTTLS). Needs 11 bytes.
pub fn begins_hello(data: &[u8]) -> bool {
    let Some((header, payload)) = data.split_at_checked(5) else {
        return false;
    };
    header.first() == Some(&ContentType::HANDSHAKE.0)
        && may_begin_header(header)
        && payload
            .get(..6)
            .is_some_and(|first| matches!(first, [1 | 2, 0, _, _, 3, 0..=4]))
        && matches!(header, [.., high, low] if u16::from_be_bytes([*high, *low]) >= 6)
}

/// Whether a header may begin with these bytes, at most five.
pub(super) fn may_begin_header(bytes: &[u8]) -> bool {
    match *bytes {
        [] => true,
        [content_type] => (20..=24).contains(&content_type),
        [content_type, 3] => (20..=24).contains(&content_type),
        [content_type, 3, minor, ref length @ ..] => {
            (20..=24).contains(&content_type)
                && minor <= 4
                && match *length {
                    [high, low] => u16::from_be_bytes([high, low]) <= MAX_PAYLOAD,
                    _ => true,
                }
        }
        _ => false,
    }
}

/// As [`may_begin_header`], strict enough to find a header among other bytes.
pub(super) fn may_resume_at(bytes: &[u8]) -> bool {
    may_begin_header(bytes)
        && match *bytes {
            [24, ..] => false,
            [_, _, minor, ref length @ ..] if minor <= 3 => match (bytes.first(), length) {
                (Some(20), &[high, low]) => [high, low] == [0, 1],
                (Some(21), &[high, low]) => high == 0 && (low == 2 || low >= 16),
                (Some(22), &[high, low]) => high > 0 || low >= 4,
                (Some(23), &[high, low]) => high > 0 || low > 16,
                _ => true,
            },
            [_, _, _, ..] => false,
            _ => true,
        }
}

/// Whether a record of this length may begin with a message that has these first bytes, four or the whole record.
/// Ciphertext seldom does.
pub(super) fn begins_message(first: &[u8], record_length: u16) -> bool {
    let length = match *first {
        [_, a, b, c] => Some(u32::from_be_bytes([0, a, b, c])),
        _ => None,
    };
    match first.first().copied().map(HandshakeType) {
        // An explicit nonce of TLS 1.2 often is all zeros.
        Some(HandshakeType::HELLO_REQUEST) => length == Some(0) && record_length == 4,
        Some(HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO) => {
            length.is_none_or(|length| (MIN_HELLO_BYTES..=MAX_MESSAGE_BYTES).contains(&length))
        }
        Some(typ) => typ.name().is_some() && length.is_none_or(|length| length <= MAX_MESSAGE_BYTES),
        None => false,
    }
}

/// Whether six payload bytes begin a hello that is plaintext though ChangeCipherSpec passed before: the second hellos
/// after a HelloRetryRequest (RFC 8446, appendix D.4).
pub(super) fn begins_hello_message(first: &[u8]) -> bool {
    let &[typ, a, b, c, 3, 3] = first else {
        return false;
    };
    matches!(
        HandshakeType(typ),
        HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO
    ) && (MIN_HELLO_BYTES..=MAX_MESSAGE_BYTES).contains(&u32::from_be_bytes([0, a, b, c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_refused_at_the_first_wrong_byte() {
        for good in [
            &[22][..],
            &[23, 3],
            &[20, 3, 4],
            &[21, 3, 0, 0],
            &[22, 3, 1, 0x48, 0],
        ] {
            assert!(may_begin_header(good), "{good:?}");
        }
        for bad in [&[19][..], &[25], &[22, 2], &[22, 3, 5], &[22, 3, 1, 0x48, 1]] {
            assert!(!may_begin_header(bad), "{bad:?}");
        }
    }

    #[test]
    fn among_other_bytes_only_likely_headers_count() {
        let alerts = [[21, 3, 3, 0, 2], [21, 3, 3, 0, 26]];
        for good in [[20, 3, 3, 0, 1], [22, 3, 1, 2, 0], [23, 3, 3, 0x40, 0x11]]
            .iter()
            .chain(&alerts)
        {
            assert!(may_resume_at(good), "{good:?}");
        }
        let short = [[22, 3, 3, 0, 3], [23, 3, 3, 0, 16]];
        for bad in [
            [20, 3, 3, 0, 2],
            [21, 3, 3, 1, 2],
            [23, 3, 4, 1, 0],
            [24, 3, 3, 1, 0],
        ]
        .iter()
        .chain(&short)
        {
            assert!(!may_resume_at(bad), "{bad:?}");
        }
    }

    #[test]
    fn ciphertext_is_told_from_messages() {
        assert!(begins_message(&[2, 0, 0, 70], 74));
        assert!(begins_message(&[1], 1));
        assert!(begins_message(&[0, 0, 0, 0], 4));
        assert!(!begins_message(&[0, 0, 0, 0], 40));
        assert!(!begins_message(&[2, 0, 0, 9], 74));
        assert!(!begins_message(&[0x55, 0, 0, 9], 74));
        assert!(begins_hello_message(&[1, 0, 2, 0, 3, 3]));
        assert!(!begins_hello_message(&[1, 0, 2, 0, 3, 1]));
        assert!(!begins_hello_message(&[11, 0, 2, 0, 3, 3]));
    }
}
