//! Hits in Go's crypto/tls and crypto/x509. `Conn` and `Certificate` stand for addresses, which are compared and never
//! followed.

/// `(*Conn).processCertsFromClient` was entered: a server has a client's chain. Once for each certificate, leaf first.
/// Values: the `Conn`, the certificate's place in the chain, how many there are. Bytes: the certificate, DER. A chain of none
/// is one hit without bytes.
pub const CLIENT_CHAIN: u16 = 0x301;
/// `(*Conn).verifyServerCertificate` was entered: a client has a server's chain. As [`CLIENT_CHAIN`].
pub const SERVER_CHAIN: u16 = 0x302;
/// `(*Certificate).Verify` returned. Values: [`FINE`] or [`FAILED`], the hash by which the runtime knows the error's type,
/// the error's first two words. Bytes: the detail of a `CertificateInvalidError` for [`REASON_EXPIRED`].
pub const VERIFIED: u16 = 0x303;
/// `(*Conn).sendAlert` was entered: any alert but those that end an orderly connection. Values: the `Conn`, the alert.
pub const ALERT: u16 = 0x304;
/// `(*Conn).clientHandshake` returned. Values: [`FINE`], [`FAILED`] or [`ALERTED`], the alert. Bytes: the error's text, if it
/// is one of crypto/tls itself.
pub const CLIENT_HANDSHAKE: u16 = 0x305;
/// `(*Conn).serverHandshake` returned. As [`CLIENT_HANDSHAKE`].
pub const SERVER_HANDSHAKE: u16 = 0x306;

/// There was no error.
pub const FINE: u64 = 0;
/// There was an error.
pub const FAILED: u64 = 1;
/// The error is an alert of the peer.
pub const ALERTED: u64 = 2;

/// `x509.Expired`, an `InvalidReason` of `CertificateInvalidError`: a time before or after that of the certificate.
pub const REASON_EXPIRED: u64 = 1;

/// Certificates of one chain that are copied at most; its length is told all the same.
pub const MAX_CERTIFICATES: u64 = 10;
/// Bytes of an error's text that are copied at most.
pub const MAX_TEXT: u64 = 256;
/// What the texts of crypto/tls begin with.
pub const TEXT_PREFIX: &[u8; 5] = b"tls: ";
