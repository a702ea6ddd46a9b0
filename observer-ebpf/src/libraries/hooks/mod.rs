//! What is copied at which function: one file for each library.
//!
//! A program's name is that of its library and function, which is how the agent finds it.

pub mod aws_lc;
pub mod boringssl;
pub mod gnutls;
pub mod go;
pub mod openssl;
pub mod rustls;
