//! The TLS libraries of the laboratory, one file each.

mod boringssl;
mod curl;
mod feature;
mod gnutls;
mod go;
mod nginx;
mod node;
pub mod openssl;
mod openssl_conf;
pub mod program;
mod python;
mod rustls;
pub mod strangers;

use super::peer::Stack;
pub use nginx::Nginx;
pub use program::REPLY;
pub use python::PREFORK;

/// All that this machine may have, in the order of tables. A stack whose program is missing says so when it is to start.
pub fn all() -> Vec<Box<dyn Stack>> {
    vec![
        Box::new(openssl::OpenSsl),
        Box::new(rustls::RING),
        Box::new(rustls::AWS_LC),
        Box::new(python::BLOCKING),
        Box::new(python::ASYNCIO),
        Box::new(node::NODE),
        Box::new(go::GO),
        Box::new(gnutls::GNUTLS),
        Box::new(boringssl::BORINGSSL),
        Box::new(nginx::Nginx { workers: 0 }),
        Box::new(curl::Curl),
    ]
}
