//! Passive TLS parsing: captured pieces of a TCP stream in, handshake messages, alerts and certificates out.
//!
//! The crate sees what an onlooker sees. It decrypts nothing and decides nothing; it does no I/O, reads no clock and
//! starts no task. Everything it buffers has a named limit, and what it could not read it says so as an item of its own.
//!
//! - [`stream::Stream`] puts one direction of a connection back together and gives [`stream::Item`]s.
//! - [`handshake::Message`] and the modules of its variants hold the parsed messages: all of RFC 5246 and RFC 8446, those
//!   of their extensions' RFCs, and some that only drafts and experiments had. What is encrypted on the wire can be handed
//!   to it by who has it decrypted.
//! - [`extension::Extension`] is kept raw and gives its typed content on demand.
//! - [`ssl2`] holds the messages of SSL 2, with which clients of SSL 3 and TLS once began.
//! - [`codepoints`] holds the registered numbers; unknown and GREASE values survive as numbers.
//! - [`x509::CertificateFacts`] tells what a certificate says, [`crl::CertificateList`] and [`ocsp::Response`] what is said
//!   of its revocation.
//!
//! ```
//! use observer_tls::stream::{ItemBody, Stream};
//!
//! // A fatal unknown_ca alert, cut in the middle and with its halves in the wrong order.
//! let record = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30];
//! let mut stream = Stream::new();
//! let mut items = Vec::new();
//! stream.push(1000, &record[..3], 3, 1, &mut items);
//! stream.push(1005, &record[5..], 2, 3, &mut items);
//! assert!(items.is_empty());
//! stream.push(1003, &record[3..5], 2, 2, &mut items);
//!
//! let ItemBody::Alert(alert) = &items[0].body else { panic!("not an alert") };
//! assert_eq!(alert.to_string(), "fatal unknown_ca");
//! assert_eq!(items[0].time_ns, 1);
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

pub mod alert;
pub mod certificate;
pub mod certificate_forms;
pub mod certificate_request;
pub mod client_hello;
pub mod codepoints;
pub mod crl;
pub mod encrypted_extensions;
pub mod error;
pub mod extension;
pub mod fingerprint;
pub mod handshake;
pub mod key_exchange;
pub mod ocsp;
pub mod reader;
pub mod server_hello;
pub mod session_ticket;
pub mod ssl2;
pub mod stream;
pub mod uncommon;
mod vectors;
pub mod x509;

pub use error::ParseError;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
