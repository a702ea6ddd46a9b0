//! Messages of fixed size, and what tells that sizes mean nothing.

use observer_tls::codepoints::CipherSuite;

/// Lengths of the records that can be told by their size. An encrypted record has one byte of content type and the AEAD's
/// tag more than what is in it (RFC 8446, section 5.2).
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// An alert, close_notify too.
    pub alert: u16,
    pub(super) end_of_early_data: u16,
    /// A Finished.
    pub finished: u16,
    pub(super) empty_certificate: u16,
    pub(super) empty_certificate_and_finished: u16,
    /// What a record has more than its content.
    pub overhead: u16,
}

impl Sizes {
    /// The lengths with this suite.
    pub fn of(cipher: Option<CipherSuite>) -> Self {
        let hash = match cipher {
            Some(CipherSuite::TLS_AES_256_GCM_SHA384) => 48,
            _ => 32,
        };
        let tag = match cipher {
            Some(CipherSuite::TLS_AES_128_CCM_8_SHA256) => 8,
            _ => 16,
        };
        let overhead = 1 + tag;
        Self {
            alert: 2 + overhead,
            end_of_early_data: 4 + overhead,
            finished: 4 + hash + overhead,
            empty_certificate: 8 + overhead,
            empty_certificate_and_finished: 8 + 4 + hash + overhead,
            overhead,
        }
    }

    /// Whether the sender of these records, its whole flight, lets sizes tell something. Padded records do not: then
    /// nothing in the flight has the size of a Finished, though it is not all in one run of bytes either.
    pub(super) fn hold_for(&self, flight: impl Iterator<Item = u16> + Clone) -> bool {
        self.is_one_run(flight.clone()) || flight.into_iter().any(|length| length == self.finished)
    }

    /// Whether the content of all these records, with the byte of its type, fills blocks (RFC 8446, section 5.4).
    pub(super) fn may_be_padded(&self, lengths: impl ExactSizeIterator<Item = u16>) -> bool {
        let block = match lengths.len() {
            1 => LONE_PADDING_BLOCK,
            _ => PADDING_BLOCK,
        };
        let tag = self.overhead - 1;
        { lengths }.all(|length| length.saturating_sub(tag).is_multiple_of(block))
    }

    /// Whether all of this is one run of bytes, in one record, or cut into as long ones as can be (RFC 8446, section 5.1,
    /// and RFC 6066, section 4) and the rest.
    pub(super) fn is_one_run(&self, mut lengths: impl Iterator<Item = u16>) -> bool {
        let Some(first) = lengths.next() else { return true };
        let content = first.saturating_sub(self.overhead);
        let full = content.is_power_of_two() && content >= MIN_FRAGMENT;
        let mut last = first;
        lengths.all(|length| {
            let follows = full && last == first && length <= first;
            last = length;
            follows
        })
    }
}

/// Least block to which anybody pads.
const PADDING_BLOCK: u16 = 16;

/// The same of a single record: it may fill a small block by chance.
const LONE_PADDING_BLOCK: u16 = 64;

/// Shortest limit that peers may agree on for the content of a record (RFC 6066, section 4).
const MIN_FRAGMENT: u16 = 512;
