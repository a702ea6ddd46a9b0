//! The TLS libraries of the laboratory, one file each.

mod openssl;
mod rustls;
pub mod strangers;

use super::peer::Stack;

/// All that this machine may have, in the order of tables. A stack whose program is missing says so when it is to start.
pub fn all() -> Vec<Box<dyn Stack>> {
    vec![
        Box::new(openssl::OpenSsl),
        Box::new(rustls::Rustls {
            name: "rustls",
            provider: "ring",
        }),
    ]
}
