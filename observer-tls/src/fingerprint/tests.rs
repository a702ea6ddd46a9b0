//! Examples published with the methods, and the rules one by one.

use bytes::Bytes;

use super::*;
use crate::codepoints::CipherSuite;
use crate::support::*;

/// A hello with these suites and extensions.
fn hello(legacy_version: u16, suites: &[u16], extensions: &[Vec<u8>]) -> ClientHello {
    let body = [
        u16s(&[legacy_version]),
        CLIENT_RANDOM.to_vec(),
        vec8(&[]),
        vec16(&u16s(suites)),
        vec8(&[0]),
        vec16(&extensions.concat()),
    ]
    .concat();
    ClientHello::parse(&body.into()).unwrap()
}

fn u16s(values: &[u16]) -> Vec<u8> {
    crate::support::u16s(values)
}

fn versions(values: &[u16]) -> Vec<u8> {
    extension(43, &vec8(&u16s(values)))
}

fn alpn(names: &[&[u8]]) -> Vec<u8> {
    let names: Vec<_> = names.iter().map(|name| vec8(name)).collect();
    extension(16, &vec16(&names.concat()))
}

/// The readable part of a hello's JA4.
fn readable(hello: &ClientHello) -> String {
    ja4(hello).as_str()[..10].to_owned()
}

fn readable_alpn(names: &[&[u8]]) -> String {
    readable(&hello(0x0303, &[0x1301], &[alpn(names)]))[8..].to_owned()
}

/// The hello of FoxIO's example, with GREASE wherever a client may put it.
fn example() -> ClientHello {
    let empty = |typ| extension(typ, &[]);
    let signatures = [
        0x3a3a, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
    ];
    hello(
        0x0303,
        &[
            0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ],
        &[
            empty(0xdada),
            empty(0x001b),
            server_name("service.example"),
            empty(0x0033),
            alpn(&[&[0x2a, 0x2a], b"h2", b"http/1.1"]),
            empty(0x4469),
            empty(0x0017),
            empty(0x002d),
            extension(13, &vec16(&u16s(&signatures))),
            empty(0x0005),
            empty(0x0023),
            empty(0x0012),
            versions(&[0x6a6a, 0x0304, 0x0303]),
            empty(0xff01),
            extension(11, &vec8(&[0])),
            extension(10, &vec16(&u16s(&[0xcaca, 29, 23, 24]))),
            empty(0x0015),
            extension(0xfafa, &[0]),
        ],
    )
}

#[test]
fn ja4_of_the_published_example() {
    assert_eq!(
        ja4(&example()).to_string(),
        "t13d1516h2_8daaf6152771_e5627efa2ab1"
    );
}

#[test]
fn without_signature_algorithms_there_is_no_underscore_to_hash() {
    let mut hello = example();
    for extension in &mut hello.extensions {
        if extension.typ == ExtensionType::SIGNATURE_ALGORITHMS {
            extension.data = Bytes::from(vec16(&[]));
        }
    }
    assert_eq!(ja4(&hello).to_string(), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

#[test]
fn neither_grease_nor_the_order_sent_changes_ja4() {
    let mut other = example();
    other.cipher_suites.reverse();
    other.cipher_suites.retain(|suite| !suite.is_grease());
    other.extensions.reverse();
    other.extensions.retain(|extension| !extension.typ.is_grease());
    assert_eq!(ja4(&other), ja4(&example()));
    assert_ne!(ja3(&other), ja3(&example()));
}

#[test]
fn nothing_offered_is_zeros() {
    assert_eq!(
        ja4(&hello(0x0301, &[0x5a5a], &[extension(0x1a1a, &[])])).to_string(),
        "t10i000000_000000000000_000000000000"
    );
    // Server name and ALPN stand in the readable part only.
    let named = hello(0x0303, &[], &[server_name("a.example"), alpn(&[b"h2"])]);
    assert_eq!(ja4(&named).to_string(), "t12d0002h2_000000000000_000000000000");
}

#[test]
fn versions_are_the_highest_offered() {
    let code = |legacy, offered: &[u16]| readable(&hello(legacy, &[], &[versions(offered)]))[1..3].to_owned();
    assert_eq!(code(0x0303, &[0x0302, 0xfafa, 0x0304, 0x0303]), "13");
    assert_eq!(code(0x0303, &[0x0301]), "10");
    // Drafts of TLS 1.3 have no code.
    assert_eq!(code(0x0303, &[0x7f1c, 0x0304]), "00");
    for (legacy, wanted) in [
        (0x0304, "13"),
        (0x0303, "12"),
        (0x0302, "11"),
        (0x0301, "10"),
        (0x0300, "s3"),
        (0x0002, "s2"),
        (0xfeff, "d1"),
        (0xfefd, "d2"),
        (0xfefc, "d3"),
        (0x0505, "00"),
    ] {
        assert_eq!(&readable(&hello(legacy, &[], &[]))[1..3], wanted);
    }
}

#[test]
fn an_unreadable_server_name_counts_as_one() {
    assert_eq!(readable(&hello(0x0303, &[1], &[extension(0, &[])])), "t12d010100");
}

#[test]
fn counts_stop_at_99() {
    let suites: Vec<u16> = (1..=100).collect();
    let extensions: Vec<_> = (100..300).map(|typ| extension(typ, &[])).collect();
    assert_eq!(readable(&hello(0x0303, &suites, &extensions)), "t12i999900");
    assert_eq!(readable(&hello(0x0303, &suites[..42], &[])), "t12i420000");
}

#[test]
fn alpn_is_shown_by_its_ends() {
    assert_eq!(readable_alpn(&[b"http/1.1", b"h2"]), "h1");
    assert_eq!(readable_alpn(&[b"x"]), "xx");
    assert_eq!(readable_alpn(&[]), "00");
    assert_eq!(readable_alpn(&[b"", b"h2"]), "00");
    // Other bytes than letters and digits at either end are shown by the digits of their hex.
    assert_eq!(readable_alpn(&[b"\xab"]), "ab");
    assert_eq!(readable_alpn(&[b"\xab\xcd"]), "ad");
    assert_eq!(readable_alpn(&[b"0\xab"]), "3b");
    assert_eq!(readable_alpn(&[b"01\xab\xcd"]), "3d");
    assert_eq!(readable_alpn(&[b"0\xab\xcd1"]), "01");
    assert_eq!(readable_alpn(&[b"-+"]), "2b");
    // GREASE: RFC 8701 reserves these names.
    assert_eq!(readable_alpn(&[b"\xba\xba", b"h2"]), "h2");
    assert_eq!(readable_alpn(&[b"\xba\xba"]), "00");
}

#[test]
fn ja3_of_the_published_examples() {
    let suites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
    let extensions = [
        server_name("service.example"),
        extension(10, &vec16(&u16s(&[23, 24, 25]))),
        extension(11, &vec8(&[0])),
    ];
    assert_eq!(
        ja3(&hello(769, &suites, &extensions)).to_string(),
        "ada70206e40642a3e4461f35503241d5"
    );
    let suites = [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99];
    assert_eq!(
        ja3(&hello(769, &suites, &[])).to_string(),
        "de350869b8c85de67a350c8d186f11e6"
    );
}

#[test]
fn ja3_leaves_grease_out_and_keeps_the_order() {
    let mut text = Text::for_values(0);
    text.0
        .extend_from_slice(b"771,4865-0-65535,16-10-11-51,29-23,0-1");
    let extensions = [
        extension(0x0a0a, &[]),
        alpn(&[b"h2"]),
        extension(10, &vec16(&u16s(&[0xeaea, 29, 23]))),
        extension(11, &vec8(&[0, 1])),
        extension(51, &[]),
    ];
    assert_eq!(
        ja3(&hello(0x0303, &[0x1301, 0x7a7a, 0, 0xffff], &extensions)),
        text.md5()
    );
}

#[test]
fn ja3s_has_the_version_the_suite_and_the_extensions() {
    let server_hello = ServerHello {
        legacy_version: ProtocolVersion(769),
        random: SERVER_RANDOM,
        session_id: Bytes::new(),
        cipher_suite: CipherSuite(47),
        compression: 0,
        extensions: [65281, 0, 0x3a3a, 11, 35, 5, 16]
            .map(|typ| Extension {
                typ: ExtensionType(typ),
                data: Bytes::new(),
            })
            .to_vec(),
        error: None,
    };
    // What md5sum says of 769,47,65281-0-11-35-5-16.
    assert_eq!(
        ja3s(&server_hello).to_string(),
        "836ce314215654b5b1f85f97c73e506f"
    );
}
