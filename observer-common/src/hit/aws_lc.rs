//! Hits in AWS-LC below rustls: what is said in TLS 1.3 records before they are sealed and after they are opened.
//!
//! The functions see application data too, of which nothing is copied: handshake messages are copied only as far as this
//! module says. Addresses of keys are compared, never followed.

/// A piece of the body of a Certificate message that was opened. Values: the address of the key, the length of the body,
/// where in it the piece begins. Bytes: the piece.
pub const CERTIFICATE: u16 = 0x401;
/// A message of which nothing but its header is told: an EncryptedExtensions, or a Finished that is sealed. Values: the
/// address of the key, [`OPENED`] or [`SEALED`], the message's type.
pub const MESSAGE: u16 = 0x402;
/// An alert. Values: the address of the key, [`OPENED`] or [`SEALED`], its level and its description.
pub const ALERT: u16 = 0x403;
/// A NewSessionTicket that is whole within its record. Values: the address of the key, [`OPENED`] or [`SEALED`]. Bytes: its
/// body. What it can be used with is not in it, but a secret that is never sent.
pub const TICKET: u16 = 0x404;

/// The peer's record, decrypted.
pub const OPENED: u64 = 1;
/// A record of this end, before it is encrypted.
pub const SEALED: u64 = 2;

/// Types of handshake messages (RFC 8446, section 4).
pub mod handshake {
    /// `new_session_ticket`.
    pub const NEW_SESSION_TICKET: u8 = 4;
    /// `encrypted_extensions`.
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    /// `certificate`.
    pub const CERTIFICATE: u8 = 11;
    /// `finished`.
    pub const FINISHED: u8 = 20;
}

/// Bytes of a handshake message's body. rustls takes no longer ones.
pub const MAX_MESSAGE: usize = 64 * 1024;
