//! ServerKeyExchange (RFC 5246, section 7.4.3; RFC 8422, section 5.4).

use bytes::Bytes;

use crate::codepoints::NamedGroup;
use crate::reader::Reader;

/// `ECCurveType` of a named curve (RFC 8422, section 5.4).
const NAMED_CURVE: u8 = 3;

/// The server's key exchange parameters. Their form depends on the cipher suite, so they are kept raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// The body of the message.
    pub body: Bytes,
}

impl ServerKeyExchange {
    /// The curve of an ECDHE key exchange.
    ///
    /// The caller knows from the cipher suite whether it is one. Finite-field parameters are told apart by their form:
    /// they begin with a two-byte length, of which the first byte is 3 only for primes of 6,144 to 8,191 bits, and then
    /// the rest does not have the form of a point.
    pub fn named_group(&self) -> Option<NamedGroup> {
        let mut reader = Reader::new(&self.body);
        if reader.u8("curve_type").ok()? != NAMED_CURVE {
            return None;
        }
        let group = NamedGroup(reader.u16("namedcurve").ok()?);
        let point = reader.vec8("public").ok()?;
        (!point.is_empty()).then_some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    #[test]
    fn only_named_curves_name_a_group() {
        let group = |body: Vec<u8>| ServerKeyExchange { body: body.into() }.named_group();
        assert_eq!(
            group([vec![3, 0, 23], vec8(&[4; 65])].concat()),
            Some(NamedGroup::SECP256R1)
        );
        // Finite field: a prime of 2,048 bits, one of 6,144 bits; an explicit curve; cut off.
        assert_eq!(group(vec16(&[0xff; 256])), None);
        assert_eq!(group([vec16(&[0; 768]), vec16(&[2])].concat()), None);
        assert_eq!(group(vec![1, 0, 23, 1, 4]), None);
        assert_eq!(group(vec![3, 0, 23, 65, 4]), None);
    }
}
