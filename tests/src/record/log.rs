//! What `openssl … -msg` logs: every message of both sides, with its bytes. From it follows which went in plaintext.

use anyhow::{Context, Result};

use crate::fixtures::{Told, What};

/// Content type of the record that begins encryption.
const CHANGE_CIPHER_SPEC: u8 = 20;

/// One logged message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Who sent it, and what it was.
    pub told: Told,
    /// It went inside an encrypted record.
    pub encrypted: bool,
}

/// What is known of one direction while reading.
#[derive(Clone, Copy, Default)]
struct Side {
    /// The record at hand has an inner content type: it is one of TLS 1.3's encrypted ones.
    inner: bool,
    /// ChangeCipherSpec was sent.
    changed: bool,
}

/// Reads a log. `by_client`: the client wrote it.
///
/// # Errors
/// When it is not such a log.
pub fn read(text: &str, by_client: bool) -> Result<Vec<Logged>> {
    // Before TLS 1.3 a ChangeCipherSpec encrypts all that follows; in it, it means nothing.
    let is_tls13 = text.contains(", InnerContent ");
    let mut sides = [Side::default(); 2];
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (sent, rest) = match (line.strip_prefix(">>> "), line.strip_prefix("<<< ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => continue,
        };
        let mut bytes = Vec::new();
        while let Some(dump) = lines.next_if(|line| line.starts_with(' ')) {
            for byte in dump.split_whitespace() {
                bytes.push(u8::from_str_radix(byte, 16).with_context(|| dump.to_owned())?);
            }
        }
        let (_, kind) = rest.split_once(", ").with_context(|| line.to_owned())?;
        let [theirs, ours] = &mut sides;
        let side = if sent { ours } else { theirs };
        let what = match (
            kind.split_whitespace().next().unwrap_or_default(),
            bytes.as_slice(),
        ) {
            // A ChangeCipherSpec that is received has no entry but its record's header.
            ("RecordHeader", header) => {
                side.inner = false;
                side.changed |= header.first() == Some(&CHANGE_CIPHER_SPEC);
                continue;
            }
            ("InnerContent", _) => {
                side.inner = true;
                continue;
            }
            ("Handshake", [typ, a, b, c, ..]) => What::Handshake(*typ, u32::from_be_bytes([0, *a, *b, *c])),
            ("Alert", [level, description]) => What::Alert(*level, *description),
            _ => continue,
        };
        found.push(Logged {
            told: Told {
                from_client: sent == by_client,
                what,
            },
            encrypted: if is_tls13 { side.inner } else { side.changed },
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &str, by_client: bool) -> Vec<(String, bool)> {
        let logged = read(log, by_client).unwrap();
        logged
            .iter()
            .map(|entry| (entry.told.to_string(), entry.encrypted))
            .collect()
    }

    #[test]
    fn before_tls13_the_change_cipher_spec_hides_what_follows_in_its_direction() {
        let log = ">>> TLS 1.0, RecordHeader [length 0005]\n    16 03 01 00 05\n\
                   >>> TLS 1.2, Handshake [length 0005], ClientHello\n    01 00 00 01\n    ff\n\
                   >>> TLS 1.2, RecordHeader [length 0005]\n    14 03 03 00 01\n\
                   >>> TLS 1.2, Handshake [length 0004], Finished\n    14 00 00 00\n\
                   <<< TLS 1.2, Alert [length 0002], fatal handshake_failure\n    02 28\n";
        assert_eq!(
            texts(log, true),
            [
                ("c1:1".into(), false),
                ("c20:0".into(), true),
                ("s!2/40".into(), false)
            ]
        );
        assert_eq!(texts(log, false)[0], ("s1:1".into(), false));
    }

    #[test]
    fn in_tls13_the_inner_content_type_tells() {
        let log = ">>> TLS 1.2, RecordHeader [length 0005]\n    14 03 03 00 01\n\
                   >>> TLS 1.0, RecordHeader [length 0005]\n    16 03 01 00 05\n\
                   >>> TLS 1.3, Handshake [length 0004], ClientHello\n    01 00 00 00\n\
                   >>> TLS 1.2, RecordHeader [length 0005]\n    17 03 03 00 13\n\
                   >>> TLS 1.3, InnerContent [length 0001]\n    15\n\
                   >>> TLS 1.3, Alert [length 0002], warning close_notify\n    01 00\n";
        assert_eq!(texts(log, true), [("c1:0".into(), false), ("c!1/0".into(), true)]);
    }
}
