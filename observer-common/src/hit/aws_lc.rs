//! Hits in AWS-LC below rustls: what is said in TLS 1.3 records before they are sealed and after they are opened.
//!
//! The functions see application data too, of which nothing is copied: handshake messages are copied only as far as this
//! module says. Addresses of keys are compared, never followed.

/// A piece of a message that was opened, [`HANDSHAKE_CERTIFICATE`] or [`HANDSHAKE_COMPRESSED_CERTIFICATE`]. Values: the
/// address of the key, the message's type, the length of its body, where in it the piece begins. Bytes: the piece.
pub const CERTIFICATE: u16 = 0x401;
/// A message of which only the header is told: [`HANDSHAKE_ENCRYPTED_EXTENSIONS`] or [`HANDSHAKE_FINISHED`]. Values: the
/// address of the key, [`OPENED`] or [`SEALED`], the message's type, the length of its body.
pub const MESSAGE: u16 = 0x402;
/// An alert (RFC 8446, section 6). Values: the address of the key, [`OPENED`] or [`SEALED`], its level and its description.
pub const ALERT: u16 = 0x403;
/// A NewSessionTicket that is whole within its record. Values: the address of the key, [`OPENED`] or [`SEALED`], the length
/// of its body. Bytes: its body; what a session is resumed by is not in it, but a secret that is never sent.
pub const TICKET: u16 = 0x404;

/// The peer's record, decrypted.
pub const OPENED: u64 = 1;
/// A record of this end, before it is encrypted.
pub const SEALED: u64 = 2;

/// `new_session_ticket` (RFC 8446, section 4).
pub const HANDSHAKE_NEW_SESSION_TICKET: u8 = 4;
/// `encrypted_extensions`.
pub const HANDSHAKE_ENCRYPTED_EXTENSIONS: u8 = 8;
/// `certificate`.
pub const HANDSHAKE_CERTIFICATE: u8 = 11;
/// `finished`.
pub const HANDSHAKE_FINISHED: u8 = 20;
/// `compressed_certificate` (RFC 8879).
pub const HANDSHAKE_COMPRESSED_CERTIFICATE: u8 = 25;

/// A longer message is none of a handshake: as rustls has it, which takes no longer certificate messages.
pub const MAX_MESSAGE: usize = 64 * 1024;
