//! ServerKeyExchange and ClientKeyExchange (RFC 5246, sections 7.4.3 and 7.4.7; RFC 8422, sections 5.4 and 5.7;
//! RFC 4279, section 2; RFC 5054, section 2.8).

use bytes::Bytes;

use crate::certificate_forms::Signature;
use crate::codepoints::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::error::ParseError;
use crate::reader::Reader;

/// `ECCurveType` of a named curve (RFC 8422, section 5.4).
const NAMED_CURVE: u8 = 3;

/// How a cipher suite up to TLS 1.2 agrees on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyExchange {
    /// What the two sides exchange.
    pub method: KeyExchangeMethod,
    /// Whether a pre-shared key takes part.
    pub psk: bool,
    /// Whether the server signs its parameters.
    pub signed: bool,
}

/// What two sides exchange to agree on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyExchangeMethod {
    /// A secret encrypted to the key of the server's certificate.
    Rsa,
    /// A secret encrypted to a short RSA key of the moment.
    RsaExport,
    /// Finite-field Diffie-Hellman with a share of the moment.
    Dhe,
    /// Finite-field Diffie-Hellman with the certificate's share.
    Dh,
    /// The same on an elliptic curve with a share of the moment.
    Ecdhe,
    /// The same on an elliptic curve with the certificate's share.
    Ecdh,
    /// A password (SRP).
    Srp,
    /// Nothing but the name of a pre-shared key.
    Psk,
}

impl CipherSuite {
    /// How the suite agrees on keys, as its name tells. `None` for the suites of TLS 1.3, which do not say, for
    /// signalling values and unknown numbers, and for methods whose messages this crate does not read.
    pub fn key_exchange(self) -> Option<KeyExchange> {
        let name = self.name()?;
        let (name, _) = name.trim_start_matches("OLD_").split_once("_WITH_")?;
        let (_, name) = name.split_once('_')?;
        let psk = name.split('_').any(|word| word == "PSK");
        let method = match name {
            _ if name.starts_with("RSA_EXPORT") => KeyExchangeMethod::RsaExport,
            "RSA" | "RSA_PSK" | "RSA_FIPS" => KeyExchangeMethod::Rsa,
            "PSK" => KeyExchangeMethod::Psk,
            "ECDH_anon" => KeyExchangeMethod::Ecdhe,
            "DH_anon" | "DH_anon_EXPORT" | "PSK_DHE" => KeyExchangeMethod::Dhe,
            "ECDHE_RSA" | "ECDHE_ECDSA" | "ECDHE_PSK" => KeyExchangeMethod::Ecdhe,
            _ if name.starts_with("ECDH_") => KeyExchangeMethod::Ecdh,
            _ if name.starts_with("DHE_") => KeyExchangeMethod::Dhe,
            _ if name.starts_with("DH_") => KeyExchangeMethod::Dh,
            _ if name.starts_with("SRP_SHA") => KeyExchangeMethod::Srp,
            _ => return None,
        };
        let signed = match method {
            KeyExchangeMethod::Dhe | KeyExchangeMethod::Ecdhe => !psk && !name.contains("anon"),
            KeyExchangeMethod::RsaExport => true,
            KeyExchangeMethod::Srp => name != "SRP_SHA",
            _ => false,
        };
        Some(KeyExchange { method, psk, signed })
    }
}

/// The server's key exchange parameters. Their form depends on the cipher suite, so they are kept raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// The body of the message.
    pub body: Bytes,
}

/// What a ServerKeyExchange tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerParameters {
    /// Which pre-shared key the client is to use (RFC 4279, section 2).
    pub psk_identity_hint: Option<Bytes>,
    /// The server's share, if the method has one.
    pub share: Option<ServerShare>,
    /// The signature of the parameters.
    pub signature: Option<Signature>,
}

/// The server's part of an exchange. Sizes of numbers are in bits, without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerShare {
    /// A point of a named curve.
    EllipticCurve {
        /// The curve.
        group: NamedGroup,
        /// Length of the point in bytes.
        public_length: usize,
    },
    /// A Diffie-Hellman value of a finite field.
    FiniteField {
        /// Size of the field's prime.
        prime_bits: usize,
        /// Size of the value.
        public_bits: usize,
    },
    /// A short RSA key.
    Rsa {
        /// Size of its modulus.
        modulus_bits: usize,
    },
    /// A password's verifier.
    Srp {
        /// Size of the group's prime.
        prime_bits: usize,
    },
}

impl ServerKeyExchange {
    /// The curve of an ECDHE key exchange.
    ///
    /// The caller knows from the cipher suite whether it is one. Finite-field parameters are told apart by their form:
    /// they begin with a two-byte length, of which the first byte is 3 only for primes of 6,144 to 8,191 bits, and then
    /// the rest does not have the form of a point.
    pub fn named_group(&self) -> Option<NamedGroup> {
        let (group, public_length) = named_curve(&mut Reader::new(&self.body)).ok()?;
        (public_length > 0).then_some(group)
    }

    /// Parses the parameters of a suite with this key exchange. `version` decides about the signature's form; when it
    /// is not known, the form is the one in which the lengths add up.
    ///
    /// # Errors
    /// When the message has not the form of that key exchange, or gives a curve by its parameters, which RFC 8422
    /// (section 5.4) did away with.
    pub fn parameters(
        &self,
        exchange: KeyExchange,
        version: Option<ProtocolVersion>,
    ) -> Result<ServerParameters, ParseError> {
        let mut reader = Reader::new(&self.body);
        let psk_identity_hint = match exchange.psk {
            true => Some(self.body.slice_ref(reader.vec16("psk_identity_hint")?.peek())),
            false => None,
        };
        let share = match exchange.method {
            KeyExchangeMethod::Ecdhe => {
                let (group, public_length) = named_curve(&mut reader)?;
                Some(ServerShare::EllipticCurve { group, public_length })
            }
            KeyExchangeMethod::Dhe => {
                let prime_bits = bits(reader.vec16("dh_p")?);
                reader.vec16("dh_g")?;
                let public_bits = bits(reader.vec16("dh_Ys")?);
                Some(ServerShare::FiniteField {
                    prime_bits,
                    public_bits,
                })
            }
            KeyExchangeMethod::RsaExport => {
                let modulus_bits = bits(reader.vec16("rsa_modulus")?);
                reader.vec16("rsa_exponent")?;
                Some(ServerShare::Rsa { modulus_bits })
            }
            KeyExchangeMethod::Srp => {
                let prime_bits = bits(reader.vec16("srp_N")?);
                reader.vec16("srp_g")?;
                reader.vec8("srp_s")?;
                reader.vec16("srp_B")?;
                Some(ServerShare::Srp { prime_bits })
            }
            KeyExchangeMethod::Rsa
            | KeyExchangeMethod::Dh
            | KeyExchangeMethod::Ecdh
            | KeyExchangeMethod::Psk => None,
        };
        let signature = match exchange.signed {
            true => Some(Signature::read(reader, version)?),
            false => {
                reader.finish("ServerKeyExchange")?;
                None
            }
        };
        Ok(ServerParameters {
            psk_identity_hint,
            share,
            signature,
        })
    }
}

/// The client's key exchange parameters. Their form depends on the cipher suite, so they are kept raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeyExchange {
    /// The body of the message.
    pub body: Bytes,
}

/// What a ClientKeyExchange tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientParameters {
    /// The name of the client's pre-shared key (RFC 4279, section 2).
    pub psk_identity: Option<Bytes>,
    /// Length in bytes of the encrypted secret, the value or the point; 0 when the client's certificate has it, or the
    /// method none.
    pub share_length: usize,
}

impl ClientKeyExchange {
    /// Parses the parameters of a suite with this key exchange.
    ///
    /// # Errors
    /// When the message has not the form of that key exchange.
    pub fn parameters(
        &self,
        exchange: KeyExchange,
        version: ProtocolVersion,
    ) -> Result<ClientParameters, ParseError> {
        let mut reader = Reader::new(&self.body);
        let psk_identity = match exchange.psk {
            true => Some(self.body.slice_ref(reader.vec16("psk_identity")?.peek())),
            false => None,
        };
        let share_length = match exchange.method {
            KeyExchangeMethod::Psk => 0,
            // SSL 3.0 sent it without a length (RFC 6101, section 5.6.7.1; RFC 5246, section 7.4.7.1).
            KeyExchangeMethod::Rsa | KeyExchangeMethod::RsaExport if version == ProtocolVersion::SSL3 => {
                reader.rest().len()
            }
            // The share is in the client's certificate (RFC 5246, section 7.4.7.2; RFC 8422, section 5.7).
            _ if reader.is_empty() && !exchange.psk => 0,
            KeyExchangeMethod::Ecdhe | KeyExchangeMethod::Ecdh => reader.vec8("ecdh_Yc")?.len(),
            _ => reader.vec16("exchange_keys")?.len(),
        };
        reader.finish("ClientKeyExchange")?;
        Ok(ClientParameters {
            psk_identity,
            share_length,
        })
    }
}

/// A named curve and the length of the point on it.
fn named_curve(reader: &mut Reader<'_>) -> Result<(NamedGroup, usize), ParseError> {
    if reader.u8("curve_type")? != NAMED_CURVE {
        return Err(ParseError::Invalid {
            field: "curve_type",
            why: "not a named curve",
        });
    }
    let group = NamedGroup(reader.u16("namedcurve")?);
    Ok((group, reader.vec8("public")?.len()))
}

/// The size of a number in bits, without leading zeros.
fn bits(number: Reader<'_>) -> usize {
    let bytes = number.peek();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let first = bytes.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    8 * (bytes.len() - zeros) - first
}

#[cfg(test)]
mod tests;
