//! Is this the beginning of TLS? Strict enough that other protocols do not match by chance.

use observer_common::limits::MAX_RECORD_PAYLOAD;

use crate::flow::{DETECT_LEN, PARTIAL_LEN};

/// Record type of ChangeCipherSpec.
pub const CHANGE_CIPHER_SPEC: u8 = 20;
/// Record type of alerts.
pub const ALERT: u8 = 21;
/// Record type of handshake messages.
pub const HANDSHAKE: u8 = 22;
/// Record type of application data, and of everything encrypted in TLS 1.3.
pub const APPLICATION_DATA: u8 = 23;
/// Record type of heartbeats (RFC 6520).
pub const HEARTBEAT: u8 = 24;

/// Handshake type of a ClientHello.
pub const CLIENT_HELLO: u8 = 1;
/// Handshake type of a ServerHello.
pub const SERVER_HELLO: u8 = 2;

/// Shortest ClientHello body: version, random, empty session id, one suite, one compression method.
const MIN_CLIENT_HELLO: u32 = 41;
/// Shortest ServerHello body: version, random, empty session id, suite, compression method.
const MIN_SERVER_HELLO: u32 = 38;
/// Longest hello that is believed; the largest post-quantum offers are under a tenth of it.
const MAX_HELLO: u32 = 64 * 1024;

/// A record header (RFC 8446, section 5.1).
#[derive(Clone, Copy)]
pub struct Header {
    /// Content type.
    pub content: u8,
    /// Payload length.
    pub length: u32,
    /// Whether type, version and length are ones that TLS sends.
    pub plausible: bool,
}

impl Header {
    /// Reads the five bytes of a record header.
    #[inline(always)]
    pub fn read(bytes: &[u8; 8]) -> Self {
        let content = bytes[0];
        let length = ((bytes[3] as u32) << 8) | bytes[4] as u32;
        let plausible = content >= CHANGE_CIPHER_SPEC
            && content <= HEARTBEAT
            && bytes[1] == 3
            && bytes[2] <= 4
            && length <= MAX_RECORD_PAYLOAD;
        Self {
            content,
            length,
            plausible,
        }
    }
}

/// Whether `bytes[..known]` begins a TLS connection: a handshake record whose message is a ClientHello or ServerHello.
/// With fewer than [`DETECT_LEN`] bytes, whether they can still become one.
#[inline(always)]
pub fn begins_tls(bytes: &[u8; PARTIAL_LEN], known: u32) -> bool {
    if bytes[0] != HANDSHAKE || (known > 1 && bytes[1] != 3) || (known > 2 && bytes[2] > 4) {
        return false;
    }
    if known < 6 {
        return true;
    }
    let record = ((bytes[3] as u32) << 8) | bytes[4] as u32;
    let kind = bytes[5];
    if record == 0 || record > MAX_RECORD_PAYLOAD || (kind != CLIENT_HELLO && kind != SERVER_HELLO) {
        return false;
    }
    if known < DETECT_LEN as u32 {
        return true;
    }
    if record < 6 {
        // A hello cut into records of a few bytes (RFC 5246, section 6.2.1 allows it): the next header stands among
        // the bytes that are checked below.
        return true;
    }
    let message = ((bytes[6] as u32) << 16) | ((bytes[7] as u32) << 8) | bytes[8] as u32;
    let shortest = if kind == CLIENT_HELLO {
        MIN_CLIENT_HELLO
    } else {
        MIN_SERVER_HELLO
    };
    // A ClientHello is alone in its flight; a ServerHello may share its record with what follows it.
    let fits = kind == SERVER_HELLO || message + 4 >= record;
    message >= shortest && message <= MAX_HELLO && fits && bytes[9] == 3 && bytes[10] <= 4
}

/// Whether six payload bytes of a handshake record of `length` bytes are a plaintext hello. Behind a ChangeCipherSpec
/// handshake records are encrypted, but for the second ClientHello and the ServerHello after a HelloRetryRequest
/// (RFC 8446, appendix D.4).
#[inline(always)]
pub fn is_plain_hello(bytes: &[u8; 8], length: u32) -> bool {
    let message = ((bytes[1] as u32) << 16) | ((bytes[2] as u32) << 8) | bytes[3] as u32;
    (bytes[0] == CLIENT_HELLO || bytes[0] == SERVER_HELLO)
        && message >= MIN_SERVER_HELLO
        && message <= MAX_HELLO
        && message + 4 >= length
        && bytes[4] == 3
        && bytes[5] == 3
}

/// Whether seven bytes are one plaintext alert record: all a TLS server says to a client that does not speak TLS.
#[inline(always)]
pub fn is_alert_record(bytes: &[u8; 8]) -> bool {
    bytes[0] == ALERT
        && bytes[1] == 3
        && bytes[2] <= 4
        && bytes[3] == 0
        && bytes[4] == 2
        && (bytes[5] == 1 || bytes[5] == 2)
}
