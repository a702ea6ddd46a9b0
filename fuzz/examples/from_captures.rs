//! Makes inputs of captures: `cargo run --example from_captures CORPUS DIRECTORY…` puts into `CORPUS/TARGET` what the
//! captures in these directories hold for each target. The inputs are named by their content, as libFuzzer names its own.

use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use observer_fuzz::shape;
use observer_tls::handshake::Message;
use observer_tls::stream::{ItemBody, Stream};
use tls_observer::replay::{self, Decoder};
use tls_observer::segment::Segment;

type Error = Box<dyn std::error::Error>;

/// Longer inputs make fuzzing slow.
const MAX_INPUT: usize = 16 * 1024;
/// Bits of a step's first byte in `flow_table`.
const BACK: u8 = 4;
/// The first byte of a script for `flow_table`: packets, and ample limits.
const PACKETS: u8 = 0xc0;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let corpus = arguments.next().ok_or("no corpus")?;
    for directory in arguments {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_file() {
                capture(&corpus, &path)?;
            }
        }
    }
    Ok(())
}

/// What one capture holds. A damaged one gives what is before the damage.
fn capture(corpus: &Path, path: &Path) -> Result<(), Error> {
    let whole = fs::read(path)?;
    put(corpus, "capture", &whole)?;
    let mut decoder = Decoder::default();
    let mut streams: HashMap<(SocketAddr, SocketAddr), Vec<u8>> = HashMap::new();
    let mut script = vec![PACKETS];
    let _ = replay::read(File::open(path)?, |packet| {
        decoder.packet(&packet, |segment| {
            let stream = streams.entry((segment.source, segment.destination)).or_default();
            stream.extend(piece(segment));
            script.extend(step(segment));
        });
    });
    put(corpus, "flow_table", &script)?;
    for pieces in streams.values() {
        put(corpus, "segment_stream", pieces)?;
        // Without order: most streams are in order anyway.
        let bytes = data_of(pieces);
        put(
            corpus,
            "stream_splits",
            &[&[bytes.len() as u8], &bytes[..]].concat(),
        )?;
        items(corpus, &bytes)?;
    }
    Ok(())
}

/// What can be read in a stream.
fn items(corpus: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut stream = Stream::new();
    let mut items = Vec::new();
    stream.push(0, bytes, bytes.len() as u32, 0, &mut items);
    let messages = items.iter().filter_map(|item| match &item.body {
        ItemBody::Handshake { message, .. } => Some(message),
        _ => None,
    });
    for message in messages {
        let extensions = match message {
            Message::ClientHello(hello) => &hello.extensions,
            Message::ServerHello(hello) => &hello.extensions,
            Message::Certificate(list) => {
                for der in &list.certificates {
                    put(corpus, "certificate", der)?;
                }
                continue;
            }
            Message::CertificateStatus(status) => {
                for response in &status.responses {
                    put(corpus, "revocation", response)?;
                }
                continue;
            }
            _ => continue,
        };
        for extension in extensions {
            let input = [&extension.typ.0.to_be_bytes()[..], &extension.data].concat();
            put(corpus, "extension", &input)?;
        }
    }
    records(corpus, bytes)
}

/// The records at the beginning of a stream, and the messages that are whole in one.
fn records(corpus: &Path, mut bytes: &[u8]) -> Result<(), Error> {
    const HANDSHAKE: u8 = 22;
    let mut pieces = Vec::new();
    while let Some(([typ @ 20..=24, 3, minor, length @ ..], rest)) = bytes.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((payload, rest)) = rest.split_at_checked(length) else {
            break;
        };
        bytes = rest;
        pieces.extend([shape::LONG | minor << shape::ACTION_SHIFT]);
        pieces.extend((1 + length.min(usize::from(u16::MAX - 1)) as u16).to_be_bytes());
        pieces.push(typ - 20);
        pieces.extend(payload);
        if *typ == HANDSHAKE
            && let Some(([kind, a, b, c], body)) = payload.split_first_chunk::<4>()
            && let Some(body) = body.get(..u32::from_be_bytes([0, *a, *b, *c]) as usize)
        {
            put(corpus, "handshake_message", &[&[*kind], body].concat())?;
        }
    }
    put(corpus, "record", &pieces)
}

/// A segment as a piece with its sequence number.
fn piece(segment: &Segment<'_>) -> Vec<u8> {
    let elided = segment.wire_len.saturating_sub(segment.data.len() as u32);
    let syn = u8::from(segment.flags.syn) << shape::ACTION_SHIFT;
    let mut piece = vec![shape::AT | shape::ELIDED32 | shape::LONG | syn];
    piece.extend(segment.seq.to_be_bytes());
    piece.extend(elided.to_be_bytes());
    // Segments are shorter than 64 KiB, or an IP packet could not hold them.
    piece.extend((segment.data.len() as u16).to_be_bytes());
    piece.extend(segment.data);
    piece
}

/// The captured bytes of pieces that [`piece`] made.
fn data_of(mut pieces: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some((header, rest)) = pieces.split_first_chunk::<11>() {
        let length = usize::from(u16::from_be_bytes([header[9], header[10]]));
        let (part, rest) = rest.split_at(length.min(rest.len()));
        data.extend(part);
        pieces = rest;
    }
    data
}

/// A segment as a step of `flow_table`; connections share four tuples there.
fn step(segment: &Segment<'_>) -> Vec<u8> {
    let back = segment.source < segment.destination;
    let (low, high) = match back {
        true => (segment.source, segment.destination),
        false => (segment.destination, segment.source),
    };
    let connection = (low.port() ^ high.port()) as u8 & 3;
    let flags = u8::from(segment.ack.is_some()) << 1
        | u8::from(segment.flags.fin) << 5
        | u8::from(segment.flags.rst) << 6;
    let who = connection | if back { BACK } else { 0 };
    [vec![who, flags], piece(segment)].concat()
}

fn put(corpus: &Path, target: &str, input: &[u8]) -> Result<(), Error> {
    if input.len() > MAX_INPUT {
        return Ok(());
    }
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let directory = corpus.join(target);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(format!("{:016x}", hasher.finish())), input)?;
    Ok(())
}
