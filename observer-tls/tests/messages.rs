//! Messages that went wrong: whatever became of them, they can be read, and what is read of them was sent.

mod reading;
mod support;

use bytes::Bytes;
use observer_tls::codepoints::HandshakeType;
use reading::read_everything;
use support::*;

/// Changed messages of each kind. Enough to reach every branch that a single wrong length leads to.
const ROUNDS: usize = if cfg!(miri) { 20 } else { 3_000 };

/// Messages with as many vectors within vectors as there are.
fn messages() -> Vec<(u8, Vec<u8>)> {
    let shares = [u16s(&[29]), vec16(&[1; 32])].concat();
    let sct = [vec![0; 41], vec16(&[]), u16s(&[0x0403]), vec16(&[1; 8])].concat();
    let status = [vec![1], vec24(b"ocsp")].concat();
    let psk = [
        vec16(&[vec16(b"ticket"), vec![0; 4]].concat()),
        vec16(&vec8(&[2; 32])),
    ]
    .concat();
    let client = [
        server_name("service.example"),
        extension(5, &[vec![1], vec16(&vec16(b"id")), vec16(&[])].concat()),
        extension(10, &vec16(&u16s(&[4588, 29]))),
        extension(13, &vec16(&u16s(&[0x0403]))),
        extension(14, &[vec16(&u16s(&[1])), vec8(b"m")].concat()),
        extension(16, &vec16(&[vec8(b"h2"), vec8(b"http/1.1")].concat())),
        extension(
            17,
            &vec16(&[vec![2], vec16(&[vec16(&[]), vec16(&[])].concat())].concat()),
        ),
        extension(43, &vec8(&u16s(&[0x0304, 0x0303]))),
        extension(51, &vec16(&shares)),
        extension(0xfe0d, &[vec![0; 6], vec16(&[3; 32]), vec16(&[4; 40])].concat()),
        extension(
            0xffce,
            &[u16s(&[0x1301, 29]), vec16(&[5; 32]), vec16(&[]), vec16(&[6; 9])].concat(),
        ),
        extension(41, &psk),
    ];
    let server = [
        extension(43, &u16s(&[0x0304])),
        extension(51, &shares),
        extension(18, &vec16(&vec16(&sct))),
    ];
    let entry = [
        vec24(&[0x30; 20]),
        vec16(&[extension(5, &status), extension(18, &vec16(&vec16(&sct)))].concat()),
    ];
    let request = [vec8(&[1, 64]), vec16(&u16s(&[0x0403])), vec16(&vec16(&[0x30, 0]))].concat();
    let request13 = [
        vec8(&[]),
        vec16(
            &[
                extension(13, &vec16(&u16s(&[0x0403]))),
                extension(47, &vec16(&vec16(&[0x30, 0]))),
            ]
            .concat(),
        ),
    ];
    vec![
        (1, client_hello_body(&client)),
        (2, server_hello_body(SERVER_RANDOM, &server)),
        (3, [u16s(&[0xfeff]), vec8(b"cookie")].concat()),
        (4, [vec![0; 4], vec16(b"ticket")].concat()),
        (
            4,
            [
                vec![0; 8],
                vec8(b"n"),
                vec16(b"ticket"),
                vec16(&extension(42, &[0; 4])),
            ]
            .concat(),
        ),
        (
            6,
            [u16s(&[0x7f13, 0x1301]), vec16(&extension(40, &[0, 29]))].concat(),
        ),
        (
            8,
            vec16(&[extension(0, &[]), extension(16, &vec16(&vec8(b"h2")))].concat()),
        ),
        (11, certificate(&[&[0x30; 30], &[0x31; 20]])[4..].to_vec()),
        (11, [vec8(&[]), vec24(&entry.concat())].concat()),
        (
            11,
            vec24(&[&[0x30, 14, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70][..], &[3; 7]].concat()),
        ),
        (
            12,
            [vec![3, 0, 29], vec8(&[9; 32]), u16s(&[0x0403]), vec16(&[8; 70])].concat(),
        ),
        (
            12,
            [
                vec16(&[0xff; 64]),
                vec16(&[2]),
                vec16(&[7; 64]),
                u16s(&[0x0401]),
                vec16(&[8; 64]),
            ]
            .concat(),
        ),
        (13, request),
        (13, request13.concat()),
        (15, [u16s(&[0x0804]), vec16(&[1; 64])].concat()),
        (16, [vec16(b"identity"), vec8(&[4; 65])].concat()),
        (
            21,
            [
                vec![0],
                vec16(&[vec16(b"http://a.example"), vec![1; 21]].concat()),
            ]
            .concat(),
        ),
        (
            22,
            [vec![2], vec24(&[vec24(b"leaf"), vec24(b"")].concat())].concat(),
        ),
        (23, vec24(&[u16s(&[0]), vec16(b"entry")].concat())),
        (24, vec![1]),
        (25, [u16s(&[2]), vec![0, 1, 0], vec24(b"brotli")].concat()),
        (67, [vec8(b"spdy/3"), vec8(&[0; 24])].concat()),
        (203, extension(0x7550, &[1; 128])),
    ]
}

#[test]
fn messages_are_read_whole_and_cut_at_every_byte() {
    for (typ, body) in messages() {
        let body = Bytes::from(body);
        for end in 0..=body.len() {
            read_everything(HandshakeType(typ), &body.slice(..end));
        }
    }
}

#[test]
fn changed_messages_give_nothing_that_was_not_sent() {
    let mut random = Random::new(3);
    for (typ, body) in messages() {
        for _ in 0..ROUNDS {
            let mut changed = body.clone();
            for _ in 0..=random.below(3) {
                change(&mut changed, &mut random);
            }
            read_everything(HandshakeType(typ), &changed.into());
        }
    }
}

/// Another bit, another small number, a byte less, a byte more.
fn change(body: &mut Vec<u8>, random: &mut Random) {
    if body.is_empty() {
        body.push(0);
    }
    let at = random.below(body.len());
    match random.below(4) {
        0 => body[at] ^= 1 << random.below(8),
        1 => body[at] = random.below(4) as u8,
        2 => drop(body.remove(at)),
        _ => body.insert(at, random.below(256) as u8),
    }
}

#[test]
fn random_bytes_of_every_type_can_be_read() {
    let mut random = Random::new(8446);
    for typ in 0..=u8::MAX {
        for _ in 0..ROUNDS / 60 {
            let bytes: Vec<u8> = (0..random.below(90)).map(|_| random.below(256) as u8).collect();
            read_everything(HandshakeType(typ), &bytes.into());
        }
    }
}
