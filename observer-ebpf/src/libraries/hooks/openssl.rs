//! OpenSSL 1.1.1 and later: libcrypto's functions for certificates, verification and errors.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{uprobe, uretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use observer_common::hit::openssl::{
    CERTIFICATE, CERTIFICATE_PARSED, ERR_LIB_SSL, ERROR, ERROR_NOT_READ, FAILURE, NO_PEER_CERTIFICATE,
    PURPOSE, PURPOSE_CLIENT, PURPOSE_SERVER, RESULT, SESSION, VERIFICATION,
};

use crate::hit::Hit;
use crate::maps::{ERROR_OFFSETS, VERIFICATIONS};
use crate::user::{self, Unreadable};

/// `X509 *d2i_X509(X509 **into, const unsigned char **in, long length)`.
#[uprobe]
pub fn openssl_d2i_x509(ctx: ProbeContext) -> u32 {
    d2i_x509(&ctx, 0)
}

/// For OpenSSL, and for a relative whose kinds are that far above.
#[inline(always)]
pub fn d2i_x509(ctx: &ProbeContext, above: u16) -> u32 {
    let (into, input, length) = (argument(ctx, 0), argument(ctx, 1), argument(ctx, 2));
    let Some(hit) = Hit::of_thread(ctx, CERTIFICATE + above) else {
        return 0;
    };
    // Without a place to put it in, it makes one, and returns it.
    let certificate = match into {
        0 => 0,
        into => user::read::<u64>(into).unwrap_or(0),
    };
    let hit = hit.values([certificate, length, 0, 0]);
    match user::read::<u64>(input) {
        Ok(start) => hit.send_with(start, length),
        Err(error) => hit.unreadable(error).send(),
    }
    0
}

/// The `X509` that `d2i_X509` returns.
#[uretprobe]
pub fn openssl_d2i_x509_return(ctx: RetProbeContext) -> u32 {
    let certificate: u64 = ctx.ret();
    if let Some(hit) = Hit::of_thread(&ctx, CERTIFICATE_PARSED) {
        hit.values([certificate, 0, 0, 0]).send();
    }
    0
}

/// `int X509_STORE_CTX_init(X509_STORE_CTX *context, X509_STORE *store, X509 *leaf, STACK_OF(X509) *others)`.
#[uprobe]
pub fn openssl_x509_store_ctx_init(ctx: ProbeContext) -> u32 {
    x509_store_ctx_init(&ctx, 0)
}

/// For OpenSSL, and for a relative whose kinds are that far above.
#[inline(always)]
pub fn x509_store_ctx_init(ctx: &ProbeContext, above: u16) -> u32 {
    if let Some(hit) = Hit::of_thread(ctx, VERIFICATION + above) {
        hit.values([argument(ctx, 0), argument(ctx, 2), 0, 0]).send();
    }
    0
}

/// `int X509_STORE_CTX_set_default(X509_STORE_CTX *context, const char *name)`.
#[uprobe]
pub fn openssl_x509_store_ctx_set_default(ctx: ProbeContext) -> u32 {
    x509_store_ctx_set_default(&ctx, 0)
}

/// For OpenSSL, and for a relative whose kinds are that far above.
#[inline(always)]
pub fn x509_store_ctx_set_default(ctx: &ProbeContext, above: u16) -> u32 {
    let (context, Ok(name)) = (argument(ctx, 0), user::read::<[u8; 11]>(argument(ctx, 1))) else {
        return 0;
    };
    let purpose = match &name {
        b"ssl_client\0" => PURPOSE_CLIENT,
        b"ssl_server\0" => PURPOSE_SERVER,
        _ => return 0,
    };
    if let Some(hit) = Hit::of_thread(ctx, PURPOSE + above) {
        // If it fails, the result goes untold.
        let _ = VERIFICATIONS.insert(&bpf_get_current_pid_tgid(), &context, 0);
        hit.values([context, purpose, 0, 0]).send();
    }
    0
}

/// What `X509_verify_cert` returns, for a peer's chain: the library's check of its own chain has no purpose.
#[uretprobe]
pub fn openssl_x509_verify_cert_return(ctx: RetProbeContext) -> u32 {
    x509_verify_cert_return(&ctx, 0)
}

/// For OpenSSL, and for a relative whose kinds are that far above.
#[inline(always)]
pub fn x509_verify_cert_return(ctx: &RetProbeContext, above: u16) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: the entry of this thread, which is here.
    let Some(context) = unsafe { VERIFICATIONS.get(thread) }.copied() else {
        return 0;
    };
    let _ = VERIFICATIONS.remove(thread);
    let result: i32 = ctx.ret();
    let Some(hit) = Hit::of_thread(ctx, RESULT + above) else {
        return 0;
    };
    // SAFETY: the agent fills the map before it attaches, and changes no entry.
    let offset = unsafe { ERROR_OFFSETS.get(hit.target()) }.copied();
    let hit = match offset.map(|offset| user::read::<i32>(context.wrapping_add(u64::from(offset)))) {
        None => hit.values([result as u64, ERROR_NOT_READ, 0, 0]),
        Some(Ok(error)) => hit.values([result as u64, error as u64, 0, 0]),
        Some(Err(error)) => hit
            .values([result as u64, ERROR_NOT_READ, 0, 0])
            .unreadable(error),
    };
    hit.send();
    0
}

/// What `X509_STORE_CTX_get_error` returns.
#[uretprobe]
pub fn openssl_x509_store_ctx_get_error_return(ctx: RetProbeContext) -> u32 {
    x509_store_ctx_get_error_return(&ctx, 0)
}

/// For OpenSSL, and for a relative whose kinds are that far above.
#[inline(always)]
pub fn x509_store_ctx_get_error_return(ctx: &RetProbeContext, above: u16) -> u32 {
    let error: i32 = ctx.ret();
    if let Some(hit) = Hit::of_thread(ctx, ERROR + above) {
        hit.values([error as u64, 0, 0, 0]).send();
    }
    0
}

/// `void ERR_vset_error(int library, int reason, …)`: 3.0 and later.
#[uprobe]
pub fn openssl_err_vset_error(ctx: ProbeContext) -> u32 {
    failure(&ctx, 1, FAILURE, ERR_LIB_SSL)
}

/// `void ERR_put_error(int library, int function, int reason, …)`: 1.1.1.
#[uprobe]
pub fn openssl_err_put_error(ctx: ProbeContext) -> u32 {
    failure(&ctx, 2, FAILURE, ERR_LIB_SSL)
}

/// What `SSL_get1_peer_certificate` and `SSL_get_peer_certificate` return.
#[uretprobe]
pub fn openssl_peer_certificate_return(ctx: RetProbeContext) -> u32 {
    peer_certificate_return(&ctx, 0)
}

/// For OpenSSL, and for a relative whose kinds are that far above.
#[inline(always)]
pub fn peer_certificate_return(ctx: &RetProbeContext, above: u16) -> u32 {
    let certificate: u64 = ctx.ret();
    if certificate == 0
        && let Some(hit) = Hit::of_thread(ctx, NO_PEER_CERTIFICATE + above)
    {
        hit.send();
    }
    0
}

/// `SSL_SESSION *d2i_SSL_SESSION_ex(SSL_SESSION **into, const unsigned char **in, long length, …)`, and `d2i_SSL_SESSION`
/// with the same three: a server opens the ticket that a client resumes a session by.
#[uprobe]
pub fn openssl_d2i_ssl_session(ctx: ProbeContext) -> u32 {
    let Some(hit) = Hit::of_thread(&ctx, SESSION) else {
        return 0;
    };
    match peer_of_session(argument(&ctx, 1), argument(&ctx, 2)) {
        Ok(Some(certificate)) => hit.send_with(certificate.start, certificate.length),
        Ok(None) => hit.send(),
        Err(error) => hit.unreadable(error).send(),
    }
    0
}

/// What a session begins with: two versions, the cipher, the session's id, its master secret. All are skipped unread.
const BEFORE_OPTIONS: [u8; 5] = [0x02, 0x02, 0x04, 0x04, 0x04];
/// What may stand between these and the peer's certificate: `key_arg`, which is long out of use, time and timeout.
const OPTIONS: usize = 3;
/// The peer's certificate: `[3] EXPLICIT`.
const PEER: u8 = 0xa3;
/// What a certificate is.
const SEQUENCE: u8 = 0x30;

/// The peer's certificate in the session that is to be parsed: `SSL_SESSION_ASN1`, which has begun with the same fields
/// since SSLeay, DER. `None` if it has none. No more is read than the headers of what stands before.
#[inline(always)]
fn peer_of_session(input: u64, length: u64) -> Result<Option<Contents>, Unreadable> {
    let start = user::read::<u64>(input)?;
    let (tag, session) = element(start)?;
    let end = session.end();
    if tag != SEQUENCE || end > start.wrapping_add(length) {
        return Err(Unreadable);
    }
    let mut at = session.start;
    for number in 0..=BEFORE_OPTIONS.len() + OPTIONS {
        if at >= end {
            return Ok(None);
        }
        let (tag, contents) = element(at)?;
        at = contents.end();
        match BEFORE_OPTIONS.get(number) {
            _ if at > end => return Err(Unreadable),
            Some(expected) if tag == *expected => {}
            Some(_) => return Err(Unreadable),
            None if tag == PEER => {
                let (tag, certificate) = element(contents.start)?;
                return match tag == SEQUENCE && certificate.end() == at {
                    true => Ok(Some(contents)),
                    false => Err(Unreadable),
                };
            }
            // They stand in the order of their numbers.
            None if tag > PEER => return Ok(None),
            None => {}
        }
    }
    Ok(None)
}

/// Where the contents of a DER element are.
struct Contents {
    start: u64,
    length: u64,
}

impl Contents {
    #[inline(always)]
    fn end(&self) -> u64 {
        self.start.wrapping_add(self.length)
    }
}

/// The tag of the element at an address, and its contents, of less than 64 KiB. Nothing of these is read.
#[inline(always)]
fn element(at: u64) -> Result<(u8, Contents), Unreadable> {
    let [tag, first] = user::read::<[u8; 2]>(at)?;
    let (header, length) = match first {
        0..=0x7f => (2, u64::from(first)),
        0x81 => (3, u64::from(user::read::<u8>(at + 2)?)),
        0x82 => (4, u64::from(u16::from_be_bytes(user::read(at + 2)?))),
        _ => return Err(Unreadable),
    };
    let start = at + header;
    Ok((tag, Contents { start, length }))
}

/// An error of the SSL library, which has the number `own` among the libraries, and whose reason is the argument number
/// `reason`.
#[inline(always)]
pub fn failure(ctx: &ProbeContext, reason: usize, kind: u16, own: u64) -> u32 {
    // `int`s: the upper half of the register is anything.
    let library = argument(ctx, 0) as u32;
    if u64::from(library) == own
        && let Some(hit) = Hit::of_thread(ctx, kind)
    {
        let reason = argument(ctx, reason) as u32;
        hit.values([u64::from(reason), 0, 0, 0]).send();
    }
    0
}

/// An argument, counted from 0; there are that many registers.
#[inline(always)]
fn argument(ctx: &ProbeContext, n: usize) -> u64 {
    ctx.arg(n).unwrap_or(0)
}
