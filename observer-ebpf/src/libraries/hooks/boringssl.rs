//! BoringSSL, as a library with its names: OpenSSL's functions, but for the numbers of errors.

use aya_ebpf::macros::{uprobe, uretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use observer_common::hit::boringssl::{ABOVE_OPENSSL, ERR_LIB_SSL, FAILURE};

use super::openssl;
use crate::user;

/// `ASN1_VALUE *ASN1_item_d2i(ASN1_VALUE **into, const unsigned char **in, long length, const ASN1_ITEM *)`, to which
/// `d2i_X509` is a shorthand that the library itself does not take. Certificates are parsed into objects that are there
/// already; of all else, as extensions, it makes new ones.
#[uprobe]
pub fn boringssl_asn1_item_d2i(ctx: ProbeContext) -> u32 {
    match user::read::<u64>(ctx.arg(0).unwrap_or(0)) {
        Ok(0) | Err(_) => 0,
        Ok(_) => openssl::d2i_x509(&ctx, ABOVE_OPENSSL),
    }
}

/// As [`openssl::openssl_x509_store_ctx_init`].
#[uprobe]
pub fn boringssl_x509_store_ctx_init(ctx: ProbeContext) -> u32 {
    openssl::x509_store_ctx_init(&ctx, ABOVE_OPENSSL)
}

/// As [`openssl::openssl_x509_store_ctx_set_default`].
#[uprobe]
pub fn boringssl_x509_store_ctx_set_default(ctx: ProbeContext) -> u32 {
    openssl::x509_store_ctx_set_default(&ctx, ABOVE_OPENSSL)
}

/// As [`openssl::openssl_x509_verify_cert_return`].
#[uretprobe]
pub fn boringssl_x509_verify_cert_return(ctx: RetProbeContext) -> u32 {
    openssl::x509_verify_cert_return(&ctx, ABOVE_OPENSSL)
}

/// As [`openssl::openssl_x509_store_ctx_get_error_return`].
#[uretprobe]
pub fn boringssl_x509_store_ctx_get_error_return(ctx: RetProbeContext) -> u32 {
    openssl::x509_store_ctx_get_error_return(&ctx, ABOVE_OPENSSL)
}

/// `void ERR_put_error(int library, int unused, int reason, …)`.
#[uprobe]
pub fn boringssl_err_put_error(ctx: ProbeContext) -> u32 {
    openssl::failure(&ctx, 2, FAILURE, ERR_LIB_SSL)
}

/// As [`openssl::openssl_peer_certificate_return`], of `SSL_get_peer_certificate`.
#[uretprobe]
pub fn boringssl_peer_certificate_return(ctx: RetProbeContext) -> u32 {
    openssl::peer_certificate_return(&ctx, ABOVE_OPENSSL)
}
