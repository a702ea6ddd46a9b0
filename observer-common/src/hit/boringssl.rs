//! Hits in BoringSSL: those of OpenSSL, from which it comes, with other numbers of kinds, and of errors.

use super::openssl;

/// What a kind is above that of the same hit in [`openssl`], whose values and bytes it has.
pub const ABOVE_OPENSSL: u16 = 0x500;

/// `ERR_put_error` was entered for the SSL library. Values: the reason, an `SSL_R_…` of BoringSSL's own.
pub const FAILURE: u16 = openssl::FAILURE + ABOVE_OPENSSL;

/// `ERR_LIB_SSL`, the SSL library's number among BoringSSL's.
pub const ERR_LIB_SSL: u64 = 16;
