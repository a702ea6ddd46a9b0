//! Hits in GnuTLS. Pointers are compared, never followed, but for those that its interface documents.
//!
//! The values of every kind begin with the session's address, and the time at which it was made (`CLOCK_MONOTONIC`
//! nanoseconds, 0 if that was not seen): together they name a session, for addresses are used again. The third has the
//! `SESSION_…` bits, and above them, from [`COUNT_SHIFT`] on, a number.

/// A certificate of the peer, in `gnutls_certificate_verify_peers`, or out of `gnutls_certificate_get_peers`. Number: its
/// place in the chain, 0 for the leaf. Bytes: the certificate, DER.
pub const CERTIFICATE: u16 = 0x201;
/// `gnutls_certificate_verify_peers` returned. Number: how many certificates were told. Fourth value: the status, of
/// `GNUTLS_CERT_…` bits, and in the upper half what it returned; without success there is no status.
pub const VERIFIED: u16 = 0x202;
/// `gnutls_certificate_get_peers` returned. Number: how many certificates there are, of which [`MAX_CHAIN`] are told.
pub const PEERS: u16 = 0x203;
/// `gnutls_handshake` returned, and is not to be called again for the same handshake. Fourth value: what it returned, and
/// in the upper half, from [`ALERT_KNOWN`] on, the alert that the session received last.
pub const HANDSHAKE: u16 = 0x204;
/// `gnutls_alert_send` was entered. Fourth value: the alert. Never close_notify.
pub const ALERT_SENT: u16 = 0x205;
/// `gnutls_alert_get` returned. Fourth value: the alert that the session received last. Never close_notify.
pub const ALERT_RECEIVED: u16 = 0x206;

/// The session is a server's.
pub const SESSION_SERVER: u64 = 1 << 0;
/// The session is a client's.
pub const SESSION_CLIENT: u64 = 1 << 1;
/// The thread is in `gnutls_handshake` for this session and has received in that call, so that the hit's socket is the
/// session's.
pub const SESSION_RECEIVED: u64 = 1 << 2;

/// Where the number in the third value begins.
pub const COUNT_SHIFT: u32 = 32;

/// Certificates of one chain that are told. The library accepts no more by default.
pub const MAX_CHAIN: u64 = 16;

/// Added to the alert in [`HANDSHAKE`], where 0 is that nobody knows of one, and close_notify that there was none.
pub const ALERT_KNOWN: u64 = 1 << 16;

/// `GNUTLS_E_FATAL_ALERT_RECEIVED`.
pub const E_FATAL_ALERT_RECEIVED: i32 = -12;
/// `GNUTLS_E_NO_CERTIFICATE_FOUND`, which is told of alerts in the place of a certificate, too.
pub const E_NO_CERTIFICATE_FOUND: i32 = -49;
/// `GNUTLS_E_AGAIN`.
pub const E_AGAIN: i32 = -28;
/// `GNUTLS_E_INTERRUPTED`.
pub const E_INTERRUPTED: i32 = -52;
