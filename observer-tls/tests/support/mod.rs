//! Builds records and handshake messages for the tests, and a random number generator to cut them up with.
#![allow(dead_code, reason = "each test crate uses a part")]

pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

pub const CLIENT_RANDOM: [u8; 32] = [0xc1; 32];
pub const SERVER_RANDOM: [u8; 32] = [0x5e; 32];

fn vector(length_bytes: usize, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    [&length[4 - length_bytes..], content].concat()
}

pub fn vec8(content: &[u8]) -> Vec<u8> {
    vector(1, content)
}

pub fn vec16(content: &[u8]) -> Vec<u8> {
    vector(2, content)
}

pub fn vec24(content: &[u8]) -> Vec<u8> {
    vector(3, content)
}

pub fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

pub fn extension(typ: u16, data: &[u8]) -> Vec<u8> {
    [u16s(&[typ]), vec16(data)].concat()
}

pub fn server_name(name: &str) -> Vec<u8> {
    extension(0, &vec16(&[vec![0], vec16(name.as_bytes())].concat()))
}

/// The body of a ClientHello with these extensions.
pub fn client_hello_body(extensions: &[Vec<u8>]) -> Vec<u8> {
    [
        u16s(&[0x0303]),
        CLIENT_RANDOM.to_vec(),
        vec8(&[7; 32]),
        vec16(&u16s(&[0x0a0a, 0x1301, 0xc02f])),
        vec8(&[0]),
        vec16(&extensions.concat()),
    ]
    .concat()
}

/// The body of a ServerHello with these extensions.
pub fn server_hello_body(random: [u8; 32], extensions: &[Vec<u8>]) -> Vec<u8> {
    let fixed = [
        u16s(&[0x0303]),
        random.to_vec(),
        vec8(&[]),
        u16s(&[0xc02f]),
        vec![0],
    ]
    .concat();
    [fixed, vec16(&extensions.concat())].concat()
}

/// A handshake message.
pub fn message(typ: u8, body: &[u8]) -> Vec<u8> {
    [vec![typ], vec24(body)].concat()
}

/// A record.
pub fn record(content_type: u8, payload: &[u8]) -> Vec<u8> {
    [vec![content_type, 3, 3], vec16(payload)].concat()
}

/// Records with at most `size` bytes of the payload each.
pub fn records(content_type: u8, payload: &[u8], size: usize) -> Vec<u8> {
    payload
        .chunks(size)
        .flat_map(|part| record(content_type, part))
        .collect()
}

/// A ClientHello message with a hybrid key share: longer than a segment.
pub fn client_hello() -> Vec<u8> {
    let shares = [u16s(&[0x2a2a]), vec16(&[0]), u16s(&[4588]), vec16(&[0xab; 1216])].concat();
    message(
        1,
        &client_hello_body(&[
            extension(0x3a3a, &[]),
            server_name("service.example"),
            extension(10, &vec16(&u16s(&[0x2a2a, 4588, 29]))),
            extension(13, &vec16(&u16s(&[0x0403, 0x0804]))),
            extension(16, &vec16(&[vec8(b"h2"), vec8(b"http/1.1")].concat())),
            extension(43, &vec8(&u16s(&[0x0304, 0x0303]))),
            extension(51, &vec16(&shares)),
        ]),
    )
}

pub fn server_hello() -> Vec<u8> {
    message(
        2,
        &server_hello_body(SERVER_RANDOM, &[extension(0xff01, &vec8(&[]))]),
    )
}

pub fn certificate(chain: &[&[u8]]) -> Vec<u8> {
    message(
        11,
        &vec24(&chain.iter().flat_map(|der| vec24(der)).collect::<Vec<_>>()),
    )
}

/// What a TLS 1.2 server sends in a full handshake with client authentication.
pub fn server_flights_tls12() -> Vec<u8> {
    let request = [vec8(&[1, 64]), vec16(&u16s(&[0x0403])), vec16(&vec16(&[0x30, 0]))].concat();
    let key_exchange = [vec![3, 0, 29], vec8(&[9; 32]), u16s(&[0x0403]), vec16(&[8; 70])].concat();
    let flight = [
        server_hello(),
        certificate(&[&[0x11; 700], &[0x22; 900]]),
        message(22, &[vec![1], vec24(&[0x33; 40])].concat()),
        message(12, &key_exchange),
        message(13, &request),
        message(14, &[]),
    ]
    .concat();
    [
        records(HANDSHAKE, &flight, 500),
        record(
            HANDSHAKE,
            &message(4, &[vec![0, 0, 0x1c, 0x20], vec16(&[0x44; 160])].concat()),
        ),
        record(CHANGE_CIPHER_SPEC, &[1]),
        record(HANDSHAKE, &[0; 40]),
        record(APPLICATION_DATA, &[0x16; 60]),
        record(ALERT, &[0x99; 26]),
    ]
    .concat()
}

/// What a TLS 1.3 client sends after a HelloRetryRequest, with an alert in plaintext at the end.
pub fn client_flights_tls13() -> Vec<u8> {
    [
        records(HANDSHAKE, &client_hello(), 600),
        record(CHANGE_CIPHER_SPEC, &[1]),
        record(HANDSHAKE, &client_hello()),
        record(APPLICATION_DATA, &[0x77; 53]),
        record(ALERT, &[2, 48]),
    ]
    .concat()
}

/// What a client sends that begins with a hello of SSL 2 and a TLS 1.0 handshake, ends it, and begins another.
pub fn client_flights_ssl2() -> Vec<u8> {
    [
        ssl2_client_hello(0x0301),
        records(HANDSHAKE, &message(16, &[7; 130]), 100),
        record(CHANGE_CIPHER_SPEC, &[1]),
        record(HANDSHAKE, &[0x99; 40]),
        record(ALERT, &[0x99; 26]),
        records(HANDSHAKE, &client_hello(), 600),
        record(ALERT, &[1]),
        record(ALERT, &[90, 2]),
        record(ALERT, &[48]),
    ]
    .concat()
}

/// A xorshift generator: the same numbers for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A ClientHello of SSL 2 that offers `version`, with its header.
pub fn ssl2_client_hello(version: u16) -> Vec<u8> {
    let ciphers = [0x01, 0, 0x80, 0, 0, 0x2f, 0, 0, 0x0a];
    let lengths = u16s(&[version, ciphers.len() as u16, 0, 32]);
    ssl2_record(&[&[1], &lengths[..], &ciphers, &CLIENT_RANDOM].concat())
}

/// The same hello as version 3.1's, behind a header of three bytes, with padding.
pub fn ssl2_padded_client_hello() -> Vec<u8> {
    let hello = ssl2_client_hello(0x0301);
    let length = hello.len() as u16 - 2 + 5;
    [&u16s(&[length])[..], &[5], &hello[2..], &[0; 5]].concat()
}

/// A ServerHello of SSL 2 with a certificate, with its header.
pub fn ssl2_server_hello() -> Vec<u8> {
    let certificate = [0x30; 300];
    let lengths = u16s(&[2, certificate.len() as u16, 3, 16]);
    let content: [&[u8]; 6] = [
        &[4, 0, 1],
        &lengths,
        &certificate,
        &[1, 0, 0x80],
        &[0xc0; 16],
        &[],
    ];
    ssl2_record(&content.concat())
}

/// The client's choice of a cipher of SSL 2, with its header.
pub fn ssl2_master_key() -> Vec<u8> {
    let content: [&[u8]; 4] = [&[2, 1, 0, 0x80], &u16s(&[11, 64, 0]), &[0; 11], &[0xe0; 64]];
    ssl2_record(&content.concat())
}

fn ssl2_record(content: &[u8]) -> Vec<u8> {
    [&u16s(&[0x8000 | content.len() as u16])[..], content].concat()
}
