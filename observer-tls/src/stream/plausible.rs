//! What bytes look like: record headers, and the plaintext beginnings of messages that ciphertext seldom resembles.

use super::messages::MAX_MESSAGE_BYTES;
use super::prefix::{Likeness, Prefix};
use crate::alert::Alert;
use crate::codepoints::{ContentType, HandshakeType};

/// Length of a record header (RFC 8446, section 5.1).
pub(super) const HEADER_LEN: usize = 5;

/// Payload bytes by which a handshake record is judged: a message header, and the lengths that begin a Certificate.
pub(super) const JUDGED_BYTES: usize = 10;

/// Longest payload of a record: 2^14 bytes and the expansion that TLS 1.2 allows (RFC 5246, section 6.2.3).
const MAX_PAYLOAD: u16 = (1 << 14) + 2048;

/// Shortest hello: version, random and the lengths or values that must follow.
const MIN_HELLO_BYTES: u32 = 38;

/// No cipher makes a handshake or alert record shorter than this: each adds a tag or a MAC, of 16 bytes with MD5.
pub(super) const MIN_CIPHERTEXT: u16 = 16;

/// Whether `data` begins with a record that holds, or begins, a ClientHello or ServerHello: strict enough to find where
/// TLS begins in a connection that began otherwise (STARTTLS). Needs 11 bytes.
pub fn begins_hello(data: &[u8]) -> bool {
    begins_hello_record(data) == Likeness::Yes
}

/// As [`begins_hello`], of a record of which the beginning may be there only.
pub(super) fn begins_hello_record(data: &[u8]) -> Likeness {
    let record = Prefix(data);
    let (payload, length) = (record.after(HEADER_LEN), record.u16(3));
    let is_handshake = record.u8(0).map(|typ| ContentType(typ) == ContentType::HANDSHAKE);
    let is_hello = payload.u8(0).map(is_hello_type);
    // The hello's own version is at least that of its record (RFC 5246, appendix E.1).
    let in_order = record
        .u16(1)
        .zip(payload.u16(4))
        .map(|(record, hello)| record <= hello);
    let fits = length
        .zip(payload.u24(1))
        .map(|(record, message)| record >= MIN_CIPHERTEXT && message <= MAX_MESSAGE_BYTES);
    match Likeness::all([is_handshake, is_hello, in_order, fits]) {
        Likeness::No => Likeness::No,
        _ => begins_plain_record(data),
    }
}

/// Whether a record in plaintext begins, of which the content agrees with the lengths: strict enough to take it for one
/// where any bytes may be.
pub(super) fn begins_plain_record(data: &[u8]) -> Likeness {
    let record = Prefix(data);
    let Some(content_type) = record.u8(0) else {
        return Likeness::Maybe;
    };
    if !may_begin_header(data) {
        return Likeness::No;
    }
    let (payload, length) = (record.after(HEADER_LEN), record.u16(3));
    match ContentType(content_type) {
        ContentType::CHANGE_CIPHER_SPEC => Likeness::all([
            length.map(|length| length == 1),
            payload.u8(0).map(|typ| typ == 1),
        ]),
        ContentType::ALERT => Likeness::all([
            length.map(|length| length == 2),
            payload.0.get(..2).map(is_known_alert),
        ]),
        ContentType::HANDSHAKE => match length {
            Some(length) => begins_message(payload.0, length),
            None => Likeness::Maybe,
        },
        _ => Likeness::No,
    }
}

/// Whether these two bytes are an alert of a known level and description.
pub(super) fn is_known_alert(bytes: &[u8]) -> bool {
    Alert::parse(bytes).is_ok_and(|alert| alert.is_plausible() && alert.description.name().is_some())
}

/// Whether the header of a stream's first record may begin with these bytes, of which five count.
pub(super) fn may_begin_header(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|typ| (20..=24).contains(typ)) && may_continue_header(bytes)
}

/// As [`may_begin_header`], behind a record: there content types of the future pass, too.
pub(super) fn may_continue_header(bytes: &[u8]) -> bool {
    let header = Prefix(bytes);
    let version = match header.u8(1) {
        Some(3) => header.u8(2).is_none_or(|minor| minor <= 4),
        // Drafts of TLS 1.3.
        Some(0x7f) | None => true,
        Some(_) => false,
    };
    version && header.u16(3).is_none_or(|length| length <= MAX_PAYLOAD)
}

/// Whether a header among other bytes is likely to be one of an encrypted record.
pub(super) fn may_begin_encrypted(header: [u8; HEADER_LEN]) -> bool {
    let [typ, 3, 0..=3, high, low] = header else {
        return false;
    };
    let length = u16::from_be_bytes([high, low]);
    length <= MAX_PAYLOAD
        && match ContentType(typ) {
            ContentType::APPLICATION_DATA | ContentType::HANDSHAKE => length > MIN_CIPHERTEXT,
            ContentType::ALERT => (MIN_CIPHERTEXT..256).contains(&length),
            _ => false,
        }
}

/// Whether this header confirms that the record before it was one.
pub(super) fn confirms(header: [u8; HEADER_LEN]) -> bool {
    may_begin_encrypted(header)
        || matches!(header, [20, 3, 0..=3, 0, 1] | [21, 3, 0..=3, 0, 2])
        || matches!(header, [22, 3, 0..=3, 0, length] if length >= 4)
}

/// Whether a record of this length begins with a message in plaintext. `first` is its first [`JUDGED_BYTES`] bytes, or
/// the whole record. Ciphertext seldom does.
pub(super) fn begins_message(first: &[u8], record_length: u16) -> Likeness {
    let message = Prefix(first);
    let Some(typ) = message.u8(0).map(HandshakeType) else {
        return Likeness::Maybe;
    };
    let length = message.u24(1);
    let fills = length.map(|length| length + 4 == u32::from(record_length));
    match typ {
        // An explicit nonce of TLS 1.2 often is all zeros.
        HandshakeType::HELLO_REQUEST => {
            Likeness::all([Some(record_length == 4), length.map(|length| length == 0)])
        }
        _ if typ.name().is_none() => Likeness::No,
        // A small piece of a message.
        _ if record_length < MIN_CIPHERTEXT => match first.len() >= usize::from(record_length.min(4)) {
            true => Likeness::Yes,
            false => Likeness::Maybe,
        },
        HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO => is_hello(message, record_length),
        HandshakeType::CERTIFICATE => {
            let list = message.u24(4);
            let empty = list.map(|list| list == 0);
            let first_fits = message
                .u24(7)
                .zip(list)
                .map(|(first, list)| list.checked_sub(first).is_some_and(|rest| rest >= 3));
            let raw_key = message.u8(7).map(|tag| tag == 0x30);
            let sum = Likeness::all([length
                .zip(list)
                .map(|(length, list)| length == list.saturating_add(3))]);
            let content = Likeness::all([empty])
                .or(Likeness::all([first_fits]))
                .or(Likeness::all([raw_key]));
            if sum == Likeness::Yes { content } else { sum }
        }
        _ => Likeness::all([fills]),
    }
}

/// Whether six payload bytes begin a hello that is plaintext though ChangeCipherSpec passed before: the second hellos
/// after a HelloRetryRequest (RFC 8446, appendix D.4), or a new handshake on a connection that was used before.
pub(super) fn begins_hello_message(first: &[u8], record_length: u16) -> bool {
    let message = Prefix(first);
    let within_limit = message.u24(1).is_some_and(|length| length <= MAX_MESSAGE_BYTES);
    first.first().is_some_and(|typ| is_hello_type(*typ))
        && within_limit
        && is_hello(message, record_length) == Likeness::Yes
}

fn is_hello_type(typ: u8) -> bool {
    matches!(
        HandshakeType(typ),
        HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO
    )
}

/// Whether the lengths and the version of a hello agree. A ClientHello has its record, or records, for itself.
fn is_hello(message: Prefix<'_>, record_length: u16) -> Likeness {
    let length = message.u24(1);
    let shares = message.u8(0) == Some(HandshakeType::SERVER_HELLO.0);
    Likeness::all([
        length.map(|length| length >= MIN_HELLO_BYTES && (shares || length + 4 >= u32::from(record_length))),
        message
            .u16(4)
            .map(|version| matches!(version, 0x0300..=0x0304 | 0x7f00..=0x7fff)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    #[test]
    fn headers_are_refused_at_the_first_wrong_byte() {
        for good in [
            &[22][..],
            &[23, 3],
            &[20, 3, 4],
            &[22, 0x7f, 0x12],
            &[21, 3, 0, 0],
            &[22, 3, 1, 0x48, 0],
        ] {
            assert!(may_begin_header(good), "{good:?}");
        }
        for bad in [&[19][..], &[25], &[22, 2], &[22, 3, 5], &[22, 3, 1, 0x48, 1]] {
            assert!(!may_begin_header(bad), "{bad:?}");
        }
        assert!(may_continue_header(&[25, 3, 3, 0, 1]));
        assert!(!may_continue_header(&[25, 13]));
    }

    #[test]
    fn among_other_bytes_only_likely_headers_count() {
        let encrypted = [[21, 3, 3, 0, 26], [22, 3, 3, 0, 40], [23, 3, 3, 0x40, 0x11]];
        let plain = [[20, 3, 3, 0, 1], [21, 3, 3, 0, 2], [22, 3, 3, 0, 4]];
        for header in encrypted {
            assert!(may_begin_encrypted(header) && confirms(header), "{header:?}");
        }
        for header in plain {
            assert!(!may_begin_encrypted(header) && confirms(header), "{header:?}");
        }
        let bad = [
            [20, 3, 3, 0, 2],
            [21, 3, 3, 1, 2],
            [23, 3, 4, 1, 0],
            [24, 3, 3, 1, 0],
            [22, 3, 3, 0, 3],
            [23, 3, 3, 0, 16],
        ];
        assert!(bad.iter().all(|header| !confirms(*header)));
    }

    #[test]
    fn ciphertext_is_told_from_messages() {
        let judged = |first: &[u8], length| begins_message(first, length);
        assert_eq!(judged(&[2, 0, 0, 70, 3, 3], 74), Likeness::Yes);
        assert_eq!(judged(&[2, 0, 0, 70], 74), Likeness::Maybe);
        // Longer than any limit: still a hello.
        assert_eq!(judged(&[1, 0xff, 0xff, 0xff, 3, 3], 1000), Likeness::Yes);
        assert_eq!(judged(&[1], 1), Likeness::Yes);
        assert_eq!(judged(&[0, 0, 0, 0], 4), Likeness::Yes);
        assert_eq!(judged(&[16, 0, 1, 2], 262), Likeness::Yes);
        for (bad, length) in [
            (&[0, 0, 0, 0][..], 40),
            (&[2, 0, 0, 9], 74),
            (&[2, 0, 0, 70, 5, 5], 74),
            (&[0x55, 0, 0, 9], 74),
            (&[16, 0, 1, 2], 300),
        ] {
            assert_eq!(judged(bad, length), Likeness::No, "{bad:?}");
        }
        let chains: [&[&[u8]]; 2] = [&[], &[&[7; 300], &[7; 200]]];
        for chain in chains {
            let message = certificate(chain);
            assert_eq!(
                judged(&message[..message.len().min(JUDGED_BYTES)], message.len() as u16),
                Likeness::Yes
            );
        }
        assert_eq!(judged(&[11, 0, 2, 0, 0, 1, 0xfc], 516), Likeness::No);
    }

    #[test]
    fn hellos_under_encryption_must_agree_with_their_record() {
        assert!(begins_hello_message(&[1, 0, 2, 0, 3, 3], 516));
        assert!(begins_hello_message(&[1, 0, 2, 0, 3, 1], 300));
        assert!(begins_hello_message(&[2, 0, 0, 70, 3, 1], 516));
        assert!(!begins_hello_message(&[1, 0, 2, 0, 3, 3], 600));
        assert!(!begins_hello_message(&[1, 2, 2, 0, 3, 3], 516));
        assert!(!begins_hello_message(&[1, 0, 2, 0, 3, 5], 516));
        assert!(!begins_hello_message(&[11, 0, 2, 0, 3, 3], 516));
    }

    #[test]
    fn a_hello_record_is_known_by_eleven_bytes() {
        let hello = record(HANDSHAKE, &client_hello());
        assert!(begins_hello(&hello[..11]));
        for end in 0..11 {
            assert_eq!(begins_hello_record(&hello[..end]), Likeness::Maybe);
        }
        for at in [0, 1, 2, 5, 6, 9, 10] {
            let mut broken = hello.clone();
            broken[at] ^= 0x10;
            assert_eq!(begins_hello_record(&broken), Likeness::No, "byte {at}");
        }
    }
}
