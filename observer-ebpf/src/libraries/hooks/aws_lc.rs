//! AWS-LC below rustls: `EVP_AEAD_CTX_open` and `EVP_AEAD_CTX_seal`, through which all records pass.
//!
//! Application data passes through them too, and whatever else the program encrypts. So a record is looked at only if the
//! additional data is the header of a TLS 1.3 record, whose lengths fit, or that of a TLS 1.2 alert. Of a TLS 1.3 record the
//! inner content type is read, its last byte that is not padding (RFC 8446, section 5.2): of an alert its two bytes are
//! copied, of a handshake record the messages that `observer_common::hit::aws_lc` names, of anything else nothing.

use core::ffi::c_void;

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{uprobe, uretprobe};
use aya_ebpf::programs::{ProbeContext, RetProbeContext};
use observer_common::hit::aws_lc::{
    ALERT, CERTIFICATE, MAX_MESSAGE, MESSAGE, OPENED, SEALED, TICKET, handshake,
};
use observer_common::hit::counters::LibraryCounter;

use crate::hit::Hit;
use crate::maps::{OPENINGS, UNFINISHED, count};
use crate::scope::is_wanted;
use crate::sockets;
use crate::user::{self, Unreadable};

/// Content types of records (RFC 8446, section 5.1).
const CONTENT_ALERT: u8 = 21;
const CONTENT_HANDSHAKE: u8 = 22;
const CONTENT_APPLICATION_DATA: u8 = 23;

/// Bytes of an alert.
const ALERT_LENGTH: u64 = 2;
/// Bytes that each AEAD of TLS in rustls adds to a record.
const TAG_LENGTH: u64 = 16;
/// Padding that is stepped over. Records with more are taken for application data: those are what is worth hiding the
/// length of.
const MAX_PADDING: u64 = 32;
/// Bytes of a handshake message's header (RFC 8446, section 4).
const HEADER_LENGTH: u32 = 4;
/// Steps through the messages of one record, five for each; a server's flight has five messages.
const MAX_STEPS: u32 = 48;
/// Types of handshake messages that are encrypted in TLS 1.3, as bits.
const HANDSHAKE_TYPES: u32 =
    1 << 4 | 1 << 5 | 1 << 8 | 1 << 11 | 1 << 13 | 1 << 15 | 1 << 20 | 1 << 24 | 1 << 25;

/// The plaintext of a record.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Record {
    /// Address of the `EVP_AEAD_CTX`, which stands for its key.
    key: u64,
    /// Where the plaintext is, or will be.
    plaintext: u64,
    /// Bytes of it.
    length: u64,
    /// [`OPENED`] or [`SEALED`].
    direction: u64,
    /// 1 for an alert of TLS 1.2, 0 for a record of TLS 1.3.
    is_old_alert: u64,
}

/// Records under one key.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Stream {
    pid: u64,
    key: u64,
    direction: u64,
}

/// A handshake message that goes on in the next record of its [`Stream`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Unfinished {
    /// The connection. Addresses of keys are used again.
    cookie: u64,
    message: Message,
}

/// A handshake message, as far as it was walked through.
#[repr(C)]
#[derive(Clone, Copy)]
struct Message {
    /// Bytes of its header that were read.
    known: u32,
    /// Those bytes: type and, in three bytes, the length of the body.
    header: u32,
    /// Bytes of the body that are still to come, once the header is known.
    left: u32,
    /// Always 0.
    pad: u32,
}

impl Walk {
    /// What follows is nothing that could be understood.
    #[inline(always)]
    fn give_up(&mut self) -> i64 {
        self.left = 0;
        self.message = NO_MESSAGE;
        1
    }
}

const NO_MESSAGE: Message = Message {
    known: 0,
    header: 0,
    left: 0,
    pad: 0,
};

impl Message {
    #[inline(always)]
    fn typ(&self) -> u8 {
        (self.header >> 24) as u8
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        self.header & 0xff_ffff
    }

    /// Whether there are such messages.
    #[inline(always)]
    fn is_plausible(&self) -> bool {
        self.typ() < 32 && HANDSHAKE_TYPES & 1 << self.typ() != 0 && self.length() as usize <= MAX_MESSAGE
    }
}

/// `int EVP_AEAD_CTX_open(const EVP_AEAD_CTX *key, uint8_t *out, size_t *out_length, size_t max_out, const uint8_t *nonce,
/// size_t nonce_length, const uint8_t *in, size_t in_length, const uint8_t *additional, size_t additional_length)`.
#[uprobe]
pub fn aws_lc_evp_aead_ctx_open(ctx: ProbeContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    if !is_wanted((thread >> 32) as u32) {
        return 0;
    }
    let Ok(Some(record)) = record(&ctx, OPENED) else {
        return 0;
    };
    // A full LRU map makes room.
    let _ = OPENINGS.insert(&thread, &record, 0);
    0
}

/// It returns 1 if the record is authentic, and was decrypted.
#[uretprobe]
pub fn aws_lc_evp_aead_ctx_open_return(ctx: RetProbeContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: plain data; only this thread uses the entry.
    let Some(record) = (unsafe { OPENINGS.get(thread) }).copied() else {
        return 0;
    };
    let _ = OPENINGS.remove(thread);
    if ctx.ret::<i32>() == 1 {
        tell(&ctx, thread, &record);
    }
    0
}

/// `int EVP_AEAD_CTX_seal(…)`, with the arguments of `EVP_AEAD_CTX_open`.
#[uprobe]
pub fn aws_lc_evp_aead_ctx_seal(ctx: ProbeContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    if is_wanted((thread >> 32) as u32)
        && let Ok(Some(record)) = record(&ctx, SEALED)
    {
        tell(&ctx, thread, &record);
    }
    0
}

/// The record that a call is about; `None` if it is about something else, or about TLS 1.2's other records.
#[inline(always)]
fn record(ctx: &ProbeContext, direction: u64) -> Result<Option<Record>, Unreadable> {
    let [input, length, additional, additional_length] = later_arguments(ctx)?;
    let is_opened = direction == OPENED;
    let length = match is_opened {
        true => length.wrapping_sub(TAG_LENGTH),
        false => length,
    };
    // What the header says: the type, the protocol's version, and the length on the wire or, in TLS 1.2, of the plaintext.
    let (header, said, expected_type) = match additional_length {
        5 => (
            additional,
            length.wrapping_add(TAG_LENGTH),
            CONTENT_APPLICATION_DATA,
        ),
        // Behind a sequence number.
        13 => (additional.wrapping_add(8), length, CONTENT_ALERT),
        _ => return Ok(None),
    };
    let [typ, major, minor, high, low] = user::read::<[u8; 5]>(header)?;
    let is_old_alert = expected_type == CONTENT_ALERT;
    if (typ, major, minor) != (expected_type, 3, 3)
        || u64::from(high) << 8 | u64::from(low) != said
        || is_old_alert && length != ALERT_LENGTH
    {
        return Ok(None);
    }
    Ok(Some(Record {
        key: ctx.arg(0).unwrap_or(0),
        plaintext: if is_opened { ctx.arg(1).unwrap_or(0) } else { input },
        length,
        direction,
        is_old_alert: is_old_alert.into(),
    }))
}

/// The seventh argument and those behind it.
#[cfg(bpf_target_arch = "x86_64")]
#[inline(always)]
fn later_arguments(ctx: &ProbeContext) -> Result<[u64; 4], Unreadable> {
    // SAFETY: the program's own context. Above the return address are the arguments that found no register.
    user::read(unsafe { (*ctx.regs).rsp } + 8)
}

/// The seventh argument and those behind it.
#[cfg(bpf_target_arch = "aarch64")]
#[inline(always)]
fn later_arguments(ctx: &ProbeContext) -> Result<[u64; 4], Unreadable> {
    // SAFETY: the program's own context. Two more arguments are in registers, the others on the stack.
    let [additional, length] = user::read(unsafe { (*ctx.regs).sp })?;
    Ok([
        ctx.arg(6).unwrap_or(0),
        ctx.arg(7).unwrap_or(0),
        additional,
        length,
    ])
}

/// Tells what may be told of a record.
#[inline(always)]
fn tell(ctx: &impl EbpfContext, thread: u64, record: &Record) {
    let content = match record.is_old_alert {
        0 => content(record),
        _ => Ok((CONTENT_ALERT, record.length)),
    };
    let told = match content {
        Ok((CONTENT_ALERT, ALERT_LENGTH)) => tell_alert(ctx, record),
        Ok((CONTENT_HANDSHAKE, length)) => {
            tell_messages(ctx, thread, record, length);
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(unreadable) => Err(unreadable),
    };
    if told.is_err() {
        count(LibraryCounter::Unreadable);
    }
}

/// Type and length of what is in a TLS 1.3 record. Nothing but zeros is taken for application data.
#[inline(always)]
fn content(record: &Record) -> Result<(u8, u64), Unreadable> {
    match last_byte(record.plaintext, record.length) {
        UNREADABLE => Err(Unreadable),
        found => Ok((found as u8, found >> 8)),
    }
}

/// What [`last_byte`] gives when memory cannot be read.
const UNREADABLE: u64 = u64::MAX;

/// The last byte that is not padding and, above it, how many are before it. A function of its own, so that the verifier
/// does not follow each length of padding to the end of the program.
#[inline(never)]
fn last_byte(plaintext: u64, length: u64) -> u64 {
    let mut padding = 0;
    while padding <= MAX_PADDING && padding < length {
        let before = length - padding - 1;
        match user::read::<u8>(plaintext.wrapping_add(before)) {
            Ok(0) => padding += 1,
            Ok(byte) => return before << 8 | u64::from(byte),
            Err(Unreadable) => return UNREADABLE,
        }
    }
    CONTENT_APPLICATION_DATA.into()
}

#[inline(always)]
fn tell_alert(ctx: &impl EbpfContext, record: &Record) -> Result<(), Unreadable> {
    let [level, description] = user::read::<[u8; 2]>(record.plaintext)?;
    let told = Told {
        kind: ALERT,
        values: [record.key, record.direction, level.into(), description.into()],
        address: 0,
        length: 0,
    };
    send(ctx.as_ptr(), &told);
    Ok(())
}

/// Walks through the messages of a record of which `length` bytes are handshake.
#[inline(always)]
fn tell_messages(ctx: &impl EbpfContext, thread: u64, record: &Record, length: u64) {
    let Some(socket) = sockets::of_thread(thread) else {
        count(LibraryCounter::NoSocket);
        return;
    };
    let stream = Stream {
        pid: thread >> 32,
        key: record.key,
        direction: record.direction,
    };
    let mut walk = Walk {
        ctx: ctx.as_ptr(),
        key: record.key,
        direction: record.direction,
        here: record.plaintext,
        left: length,
        message: NO_MESSAGE,
    };
    // SAFETY: plain data. Records under a key come one after the other.
    if let Some(before) = (unsafe { UNFINISHED.get(stream) }).copied() {
        let _ = UNFINISHED.remove(stream);
        if before.cookie == socket.cookie {
            walk.message = before.message;
        }
    }
    // SAFETY: `step` is what the kernel calls with the address of `walk`, before this returns. A loop of the kernel's, for
    // unrolled by the verifier it would be too long.
    unsafe { generated::bpf_loop(MAX_STEPS, step as *mut c_void, (&raw mut walk).cast(), 0) };
    if walk.left != 0 {
        count(LibraryCounter::TooLong);
    } else if walk.message.known != 0 {
        let unfinished = Unfinished {
            cookie: socket.cookie,
            message: walk.message,
        };
        // A full LRU map makes room.
        let _ = UNFINISHED.insert(&stream, &unfinished, 0);
    }
}

/// A walk through the messages of a record.
#[repr(C)]
struct Walk {
    /// The program's.
    ctx: *mut c_void,
    /// As the record's.
    key: u64,
    direction: u64,
    /// Where it has come to.
    here: u64,
    /// Bytes of the record from there on.
    left: u64,
    /// The message that it is in.
    message: Message,
}

/// Takes one step: over a byte of a header, or a piece of a body. `bpf_loop` goes on while this gives 0.
extern "C" fn step(_: u32, walk: *mut Walk) -> i64 {
    const GO_ON: i64 = 0;
    const STOP: i64 = 1;
    // SAFETY: that of `tell_messages`.
    let walk = unsafe { &mut *walk };
    if walk.left == 0 {
        return STOP;
    }
    let message = &mut walk.message;
    let length = if message.known < HEADER_LENGTH {
        let Ok(byte) = user::read::<u8>(walk.here) else {
            count(LibraryCounter::Unreadable);
            return walk.give_up();
        };
        message.header = message.header << 8 | u32::from(byte);
        message.known += 1;
        if message.known == HEADER_LENGTH {
            if !message.is_plausible() {
                return walk.give_up();
            }
            message.left = message.length();
        }
        1
    } else {
        let piece = u64::from(message.left).min(walk.left);
        tell_piece(walk, piece);
        walk.message.left = walk.message.left.wrapping_sub(piece as u32);
        piece
    };
    if walk.message.known == HEADER_LENGTH && walk.message.left == 0 {
        walk.message = NO_MESSAGE;
    }
    walk.here = walk.here.wrapping_add(length);
    walk.left = walk.left.wrapping_sub(length);
    GO_ON
}

/// Tells of a piece of a message's body, if it is of those that are told of.
#[inline(always)]
fn tell_piece(walk: &Walk, piece: u64) {
    let body = walk.message.length();
    let offset = body.wrapping_sub(walk.message.left);
    let is_sealed = walk.direction == SEALED;
    let (kind, values, length) = match walk.message.typ() {
        handshake::CERTIFICATE if !is_sealed => (CERTIFICATE, [body.into(), offset.into()], piece),
        typ @ handshake::ENCRYPTED_EXTENSIONS if offset == 0 => (MESSAGE, [walk.direction, typ.into()], 0),
        typ @ handshake::FINISHED if is_sealed && offset == 0 => (MESSAGE, [walk.direction, typ.into()], 0),
        handshake::NEW_SESSION_TICKET if piece == u64::from(body) => (TICKET, [walk.direction, 0], piece),
        _ => return,
    };
    let told = Told {
        kind,
        values: [walk.key, values[0], values[1], 0],
        address: walk.here,
        length,
    };
    send(walk.ctx, &told);
}

/// What a hit says.
struct Told {
    kind: u16,
    values: [u64; 4],
    /// Its bytes.
    address: u64,
    length: u64,
}

/// Sends a hit. A function of its own, for a hit takes half of the stack.
#[inline(never)]
fn send(ctx: *mut c_void, told: &Told) {
    if let Some(hit) = Hit::of_thread(&ProbeContext::new(ctx), told.kind) {
        hit.values(told.values).send_with(told.address, told.length);
    }
}
