//! Object identifiers as text (X.690, section 8.19).

use std::fmt::Write;

/// The dotted form of an identifier's content; `None` when it is none, or has an arc over 128 bits.
pub(super) fn dotted(content: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(3 * content.len());
    let mut arc = Some(0_u128);
    let mut first = true;
    let mut ended = true;
    for byte in content {
        if ended && *byte == 0x80 {
            // An arc has no leading zeros (section 8.19.2).
            return None;
        }
        let value = arc?.checked_mul(128)? | u128::from(byte & 0x7f);
        ended = byte & 0x80 == 0;
        arc = Some(if ended { 0 } else { value });
        if !ended {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = if first {
            // The first two arcs share a number (section 8.19.4).
            let root = (value / 40).min(2);
            write!(text, "{root}.{}", value - 40 * root)
        } else {
            write!(text, ".{value}")
        };
        first = false;
    }
    (ended && !first).then_some(text)
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
        }
    }
}
