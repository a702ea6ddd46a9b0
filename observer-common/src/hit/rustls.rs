//! Hits in rustls itself, where its cryptography has no functions of C.

/// A server verifies a client's chain: a hit for each certificate, leaf first. Values: the number of the certificate, from
/// 0 on, 1 if it is the last one that could be read. Bytes: the certificate, DER.
pub const CLIENT_CERTIFICATE: u16 = 0x501;
/// A client verifies a server's chain; as [`CLIENT_CERTIFICATE`].
pub const SERVER_CERTIFICATE: u16 = 0x502;
/// The alert for a chain that is refused, or for a signature with its key, is about to be sent. No values.
pub const REFUSED: u16 = 0x503;

/// Certificates of a chain that are copied. rustls builds no path with more than six issuers.
pub const MAX_CHAIN: u64 = 8;
