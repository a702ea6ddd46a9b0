//! What comes before TLS in the same piece: headers that a proxy puts in front of a connection, and requests for TLS that
//! the client does not wait for the answer to.

use super::prefix::{Likeness, Prefix};

/// How every header of version 2 of the PROXY protocol begins.
const PROXY_V2: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// A MySQL client's request for TLS: a packet of 32 bytes, the first of the client (number 1).
const MYSQL_SSL_REQUEST: [u8; 4] = [32, 0, 0, 1];

/// Something of known length, with TLS right behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prologue {
    /// Length in bytes, from its first byte on.
    pub(super) length: u32,
}

/// Whether a prologue begins. Needs 16 bytes; what is given with anything but [`Likeness::Yes`] means nothing.
pub(super) fn begins(data: &[u8]) -> (Likeness, Prologue) {
    let bytes = Prefix(data);
    if begins_with(data, &MYSQL_SSL_REQUEST) {
        let length = 4 + u32::from(MYSQL_SSL_REQUEST[0]);
        return (whole(data, MYSQL_SSL_REQUEST.len()), Prologue { length });
    }
    let version_2 = bytes.u8(12).is_none_or(|version| version >> 4 == 2);
    if begins_with(data, &PROXY_V2) && version_2 {
        let length = 16 + u32::from(bytes.u16(14).unwrap_or_default());
        return (whole(data, 16), Prologue { length });
    }
    (Likeness::No, Prologue { length: 0 })
}

/// Where lines of text end in a piece that goes on with other bytes; it must begin with text. A header of version 1 of the
/// PROXY protocol is such a line, too.
pub(super) fn behind_text(data: &[u8]) -> Option<usize> {
    let end = data
        .iter()
        .position(|byte| !matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'))?;
    let last = data.get(end.checked_sub(1)?)?;
    (*last == b'\n').then_some(end)
}

fn begins_with(data: &[u8], start: &[u8]) -> bool {
    data.iter().zip(start).all(|(byte, expected)| byte == expected)
}

fn whole(data: &[u8], needed: usize) -> Likeness {
    if data.len() < needed {
        Likeness::Maybe
    } else {
        Likeness::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prologues_are_known_by_their_first_bytes() {
        let proxy = [&PROXY_V2[..], &[0x21, 0x11, 0, 12], &[9; 12]].concat();
        assert_eq!(begins(&proxy), (Likeness::Yes, Prologue { length: 28 }));
        assert_eq!(begins(&proxy[..15]).0, Likeness::Maybe);
        assert_eq!(
            begins(&[&PROXY_V2[..], &[0x11, 0x11, 0, 12]].concat()).0,
            Likeness::No
        );
        assert_eq!(
            begins(&[32, 0, 0, 1, 5]),
            (Likeness::Yes, Prologue { length: 36 })
        );
        assert_eq!(begins(b"\r\n\r\nhello").0, Likeness::No);
    }

    #[test]
    fn text_must_end_with_its_line() {
        assert_eq!(behind_text(b"STARTTLS\r\n\x16\x03"), Some(10));
        assert_eq!(behind_text(b"\n\x16"), Some(1));
        assert_eq!(behind_text(b"STARTTLS\x16\x03"), None);
        assert_eq!(behind_text(b"STARTTLS\r\n"), None);
        assert_eq!(behind_text(b"\x16\x03"), None);
    }
}
