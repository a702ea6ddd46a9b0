//! Builds handshakes as they are on the wire, and plays them into a table.

use std::net::SocketAddr;

use crate::flows::{FlowLimits, FlowTable};
use crate::observation::{Observation, Side};
use crate::segment::{Segment, SegmentFlags};

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1_000_000_000;
/// Time of the first piece.
pub const START: u64 = 1_700_000_000 * SECOND;
pub const ECDHE: u16 = 0xc02f;
pub const AES_256: u16 = 0x1302;

pub fn limits() -> FlowLimits {
    FlowLimits {
        max_connections: 100,
        max_buffered_bytes: 1 << 20,
        handshake_timeout_ns: 10 * SECOND,
        settle_timeout_ns: 2 * SECOND,
        late_alerts_all: false,
    }
}

pub fn record(content_type: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![content_type, 3, 3];
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A plaintext handshake message in a record of its own.
pub fn message(typ: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![typ];
    bytes.extend(&(body.len() as u32).to_be_bytes()[1..]);
    bytes.extend(body);
    record(22, &bytes)
}

/// A vector with a length of `width` bytes.
pub fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let mut bytes = content.len().to_be_bytes()[8 - width..].to_vec();
    bytes.extend(content);
    bytes
}

pub fn extension(typ: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = typ.to_be_bytes().to_vec();
    bytes.extend(vector(2, content));
    bytes
}

/// `random` fills the random.
pub fn client_hello(random: u8, session_id: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    client_hello_with(&[0x13, 0x02, 0xc0, 0x2f], random, session_id, extensions)
}

pub fn client_hello_with(suites: &[u8], random: u8, session_id: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    client_hello_of([3, 3], suites, random, session_id, extensions)
}

pub fn client_hello_of(
    version: [u8; 2],
    suites: &[u8],
    random: u8,
    session_id: &[u8],
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([random; 32]);
    body.extend(vector(1, session_id));
    body.extend(vector(2, suites));
    body.extend(vector(1, &[0]));
    body.extend(vector(2, &extensions.concat()));
    message(1, &body)
}

pub fn server_hello(suite: u16, session_id: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    server_hello_with([0x55; 32], suite, session_id, extensions)
}

pub fn server_hello_with(random: [u8; 32], suite: u16, session_id: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend(vector(1, session_id));
    body.extend(suite.to_be_bytes());
    body.push(0);
    body.extend(vector(2, &extensions.concat()));
    message(2, &body)
}

/// supported_versions of a client that offers TLS 1.3 and 1.2.
pub fn offers_tls13() -> Vec<u8> {
    extension(43, &[4, 3, 4, 3, 3])
}

/// supported_versions of a server that chose TLS 1.3.
pub fn chooses_tls13() -> Vec<u8> {
    extension(43, &[3, 4])
}

/// Certificate in the form of TLS 1.2, of certificates that are not DER.
pub fn certificate(ders: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = ders.iter().flat_map(|der| vector(3, der)).collect();
    message(11, &vector(3, &list))
}

/// ECDHE with x25519.
pub fn server_key_exchange() -> Vec<u8> {
    let mut body = vec![3, 0, 29];
    body.extend(vector(1, &[7; 32]));
    body.extend([4, 3, 0, 2, 1, 2]);
    message(12, &body)
}

/// CertificateRequest of TLS 1.2 that names one authority, CN=Test CA.
pub fn certificate_request() -> Vec<u8> {
    let name = b"\x30\x12\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c\x07Test CA";
    let mut body = vec![1, 64, 0, 2, 4, 3];
    body.extend(vector(2, &vector(2, name)));
    message(13, &body)
}

pub fn server_hello_done() -> Vec<u8> {
    message(14, &[])
}

pub fn client_key_exchange() -> Vec<u8> {
    message(16, &vector(1, &[8; 32]))
}

pub fn certificate_verify() -> Vec<u8> {
    message(15, &[4, 3, 0, 2, 1, 2])
}

/// ChangeCipherSpec and the encrypted Finished of TLS 1.2.
pub fn finished() -> Vec<u8> {
    [record(20, &[1]), record(22, &[0xee; 40])].concat()
}

pub fn alert(level: u8, description: u8) -> Vec<u8> {
    record(21, &[level, description])
}

/// An encrypted record.
pub fn opaque(content_type: u8, length: usize) -> Vec<u8> {
    record(content_type, &vec![0xee; length])
}

/// Encrypted records of TLS 1.3.
pub fn encrypted(lengths: &[usize]) -> Vec<u8> {
    lengths.iter().flat_map(|length| opaque(23, *length)).collect()
}

/// A place from which the connection is seen.
#[derive(Clone, Copy)]
pub struct Place {
    pub scope: u64,
    pub born: u64,
}

/// One connection that is played into a table, a millisecond between two pieces.
pub struct Play {
    pub table: FlowTable,
    pub sink: Vec<Observation>,
    pub places: Vec<Place>,
    pub now: u64,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Next sequence number of the client and of the server.
    pub next: [u32; 2],
    /// Flags of the next piece alone.
    pub flags: SegmentFlags,
    pub dropped: u64,
    /// Pieces tell what their sender has had.
    pub ack: bool,
    /// Cookies of the sockets that send: the client's and the server's.
    pub sockets: [u64; 2],
    /// Cookie of the socket that receives the next piece.
    pub listener: u64,
}

impl Play {
    pub fn new() -> Self {
        Self::with(limits())
    }

    /// A connection of a source that knows nothing but packets.
    pub fn packets() -> Self {
        Self {
            places: vec![Place { scope: 0, born: 0 }],
            ..Self::new()
        }
    }

    pub fn with(limits: FlowLimits) -> Self {
        Self {
            table: FlowTable::new(limits),
            sink: Vec::new(),
            places: vec![Place { scope: 1, born: 77 }],
            now: START - MS,
            client: "10.0.0.9:40000".parse().unwrap(),
            server: "10.0.0.2:443".parse().unwrap(),
            // The client's numbers wrap in mid-handshake.
            next: [u32::MAX - 99, 5_000],
            flags: SegmentFlags::default(),
            dropped: 0,
            ack: false,
            sockets: [0; 2],
            listener: 0,
        }
    }

    /// Goes on as another connection of the same tuple, with sequence numbers of its own.
    pub fn reconnect(&mut self, places: &[Place]) {
        self.places = places.to_vec();
        self.next = [self.next[1] ^ 0x00aa_0000, self.next[0] ^ 0x0055_0000];
    }

    /// A piece of which `data` was captured and `wire_len` bytes were on the wire.
    pub fn piece(&mut self, side: Side, data: &[u8], wire_len: u32) -> &mut Self {
        self.now += MS;
        let flags = std::mem::take(&mut self.flags);
        let index = usize::from(side == Side::Server);
        let ends = [self.client, self.server];
        for place in self.places.clone() {
            let segment = Segment {
                scope: place.scope,
                source: ends[index],
                destination: ends[1 - index],
                // Of packets alone, only SYNs tell.
                from_client: (place.born != 0 || flags.syn).then_some(side == Side::Client),
                seq: self.next[index],
                ack: self.ack.then_some(self.next[1 - index]),
                data,
                wire_len,
                time_ns: self.now,
                born: place.born,
                flags,
                source_socket: self.sockets[index],
                destination_socket: self.listener,
                cgroup_id: 0,
            };
            self.table.push(&segment, &mut self.sink);
        }
        self.next[index] = self.next[index].wrapping_add(wire_len);
        self
    }

    pub fn send(&mut self, side: Side, data: &[u8]) -> &mut Self {
        self.piece(side, data, data.len() as u32)
    }

    pub fn client(&mut self, messages: &[Vec<u8>]) -> &mut Self {
        self.send(Side::Client, &messages.concat())
    }

    pub fn server(&mut self, messages: &[Vec<u8>]) -> &mut Self {
        self.send(Side::Server, &messages.concat())
    }

    pub fn flagged(&mut self, flags: SegmentFlags) -> &mut Self {
        self.flags = flags;
        self
    }

    pub fn fin(&mut self, side: Side) -> &mut Self {
        self.flagged(SegmentFlags {
            fin: true,
            ..self.flags
        })
        .piece(side, &[], 0);
        let next = &mut self.next[usize::from(side == Side::Server)];
        *next = next.wrapping_add(1);
        self
    }

    /// SYN and SYN+ACK of a connection that is seen packet by packet.
    pub fn connect(&mut self) -> &mut Self {
        for side in [Side::Client, Side::Server] {
            self.syn(side);
        }
        self
    }

    pub fn syn(&mut self, side: Side) -> &mut Self {
        self.flagged(SegmentFlags {
            syn: true,
            ..self.flags
        })
        .piece(side, &[], 0)
    }

    pub fn rst(&mut self, side: Side) -> &mut Self {
        self.flagged(SegmentFlags {
            rst: true,
            ..self.flags
        })
        .piece(side, &[], 0)
    }

    /// Bytes that the source never sees.
    pub fn lose(&mut self, side: Side, bytes: u32) -> &mut Self {
        let next = &mut self.next[usize::from(side == Side::Server)];
        *next = next.wrapping_add(bytes);
        self
    }

    pub fn wait(&mut self, ns: u64) -> &mut Self {
        self.now += ns;
        self.table.tick(self.now, self.dropped, &mut self.sink);
        self
    }

    /// What was observed so far, and since the last call.
    pub fn observed(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.sink)
    }

    /// The only observation since the last call.
    #[track_caller]
    pub fn only(&mut self) -> Observation {
        let mut observed = self.observed();
        assert_eq!(observed.len(), 1, "{observed:#?}");
        observed.remove(0)
    }

    #[track_caller]
    pub fn nothing(&mut self) -> &mut Self {
        assert!(self.sink.is_empty(), "{:#?}", self.sink);
        self
    }
}

/// Server's flight of TLS 1.2 with a certificate and, if asked for, a request for the client's.
pub fn server_flight(request: bool) -> Vec<u8> {
    let request = if request {
        certificate_request()
    } else {
        Vec::new()
    };
    let hello = server_hello(ECDHE, &[9; 32], &[]);
    [
        hello,
        certificate(&[b"server", b"authority"]),
        server_key_exchange(),
        request,
        server_hello_done(),
    ]
    .concat()
}

/// A complete mutual handshake of TLS 1.2.
pub fn mutual(play: &mut Play) {
    play.client(&[client_hello(1, &[], &[])])
        .server(&[server_flight(true)])
        .client(&[
            certificate(&[b"client"]),
            client_key_exchange(),
            certificate_verify(),
            finished(),
        ])
        .server(&[finished()]);
}
