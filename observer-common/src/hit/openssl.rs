//! Hits in OpenSSL's libcrypto and libssl. Pointers are compared, never followed.

/// `d2i_X509` was entered. Values: the `X509` that is to be filled (`*arg1`; 0 if it makes a new one), the length of the
/// certificate. Bytes: the certificate, DER.
pub const CERTIFICATE: u16 = 0x101;
/// `d2i_X509` returned. Values: the `X509`. Only OpenSSL 1.1.1 needs it.
pub const CERTIFICATE_PARSED: u16 = 0x102;
/// `X509_STORE_CTX_init` was entered. Values: the context, the `X509` of the leaf.
pub const VERIFICATION: u16 = 0x103;
/// `X509_STORE_CTX_set_default` was entered for a peer's chain. Values: the context, [`PURPOSE_CLIENT`] or
/// [`PURPOSE_SERVER`].
pub const PURPOSE: u16 = 0x104;
/// `X509_verify_cert` returned, for a peer's chain. Values: its result, and the error that the context keeps, an
/// `X509_V_…`, or [`ERROR_NOT_READ`].
pub const RESULT: u16 = 0x105;
/// `X509_STORE_CTX_get_error` returned. Values: the error, an `X509_V_…`.
pub const ERROR: u16 = 0x106;
/// `ERR_vset_error` (3.x) or `ERR_put_error` (1.1.1) was entered for the SSL library. Values: the reason, an `SSL_R_…`.
pub const FAILURE: u16 = 0x107;
/// `SSL_get1_peer_certificate` (3.x) or `SSL_get_peer_certificate` (1.1.1) returned none.
pub const NO_PEER_CERTIFICATE: u16 = 0x108;
/// `d2i_SSL_SESSION_ex` (3.2 and later) or `d2i_SSL_SESSION` was entered. Bytes: the peer's certificate in the session, DER;
/// none if it has none, or with a `FLAG_…`. Nothing else of a session is copied: it has the secrets, too.
pub const SESSION: u16 = 0x109;

/// Where the error is, is not known in this library: [`ERROR`] tells it.
pub const ERROR_NOT_READ: u64 = u64::MAX;

/// The chain is a client's, so the process is the server ("ssl_client").
pub const PURPOSE_CLIENT: u64 = 1;
/// The chain is a server's, so the process is the client ("ssl_server").
pub const PURPOSE_SERVER: u64 = 2;

/// `ERR_LIB_SSL`, the SSL library's number among OpenSSL's.
pub const ERR_LIB_SSL: u64 = 20;
