//! Link types, tags and tunnels: each way that a packet can be wrapped leads to the same segment.

use super::build::*;
use crate::replay::Decoder;

const SEQ: u32 = 0x0102_0304;
const PAYLOAD: &[u8] = b"\x16\x03\x01 hello";

fn v4() -> Vec<u8> {
    ipv4(TCP, &tcp(ACK, SEQ, PAYLOAD))
}

fn v6() -> Vec<u8> {
    ipv6(TCP, &tcp(ACK, SEQ, PAYLOAD))
}

/// Frames: what they show, their link type, the IP version of the packet in them.
fn frames() -> Vec<(&'static str, u16, u8, Vec<u8>)> {
    let mut frames = links();
    let on_ethernet = |(name, version, ether_type, payload): (_, _, u16, Vec<u8>)| {
        (name, 1, version, ethernet(ether_type, &payload))
    };
    frames.extend(tags().into_iter().map(on_ethernet));
    frames.extend(
        tunnels()
            .into_iter()
            .map(|(name, version, packet)| (name, 101, version, packet)),
    );
    frames
}

fn links() -> Vec<(&'static str, u16, u8, Vec<u8>)> {
    let snap = |ether_type: u16, packet: &[u8]| {
        join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ether_type.to_be_bytes(), packet])
    };
    let cooked = |protocol: u16, packet: &[u8]| {
        join(&[
            &[0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0],
            &protocol.to_be_bytes(),
            packet,
        ])
    };
    let cooked2 = |protocol: u16, packet: &[u8]| {
        let rest = [0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0];
        join(&[&protocol.to_be_bytes(), &rest, packet])
    };
    // Data from the distribution system; with quality of service and four addresses; aggregated.
    let air = join(&[&[0x08, 0x02], &[0; 22], &snap(IPV4, &v4())]);
    let air_qos = join(&[&[0x88, 0x03], &[0; 28], &[0, 0], &snap(IPV6, &v6())]);
    let one = snap(IPV4, &v4());
    let aggregate = join(&[
        &[0x88, 0x02],
        &[0; 22],
        &[0x80, 0],
        &[0; 12],
        &(one.len() as u16).to_be_bytes(),
        &one,
    ]);
    let radiotap_padded = join(&[
        &[0, 0, 25, 0, 0x03, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0; 8],
        &[0x20],
        &[0x88, 0x02],
        &[0; 22],
        &[0, 0, 0, 0],
        &snap(IPV4, &v4()),
    ]);
    let mut prism = vec![0; 144];
    prism[0] = 0x44;
    prism[4] = 144;
    let payload_attribute = join(&[&((4 + v4().len()) as u16).to_le_bytes(), &[9, 0], &v4()]);
    vec![
        ("Ethernet, IPv4", 1, 4, ethernet(IPV4, &v4())),
        ("Ethernet, IPv6", 1, 6, ethernet(IPV6, &v6())),
        (
            "Ethernet, padding",
            1,
            4,
            join(&[&ethernet(IPV4, &v4()), &[0xee; 20]]),
        ),
        (
            "Ethernet, SNAP",
            1,
            4,
            ethernet(snap(IPV4, &v4()).len() as u16, &snap(IPV4, &v4())),
        ),
        ("null, little-endian", 0, 4, join(&[&[2, 0, 0, 0], &v4()])),
        ("null, big-endian", 0, 6, join(&[&[0, 0, 0, 30], &v6()])),
        ("loop", 108, 6, join(&[&[0, 0, 0, 24], &v6()])),
        (
            "Token Ring",
            6,
            4,
            join(&[
                &[0x10, 0x40],
                &[1; 6],
                &[0x81, 1, 1, 1, 1, 1, 6, 0, 1, 2, 3, 4],
                &snap(IPV4, &v4()),
            ]),
        ),
        ("FDDI", 10, 4, join(&[&[0x50], &[1; 12], &snap(IPV4, &v4())])),
        ("PPP", 9, 4, join(&[&[0, 0x21], &v4()])),
        ("PPP, HDLC", 9, 6, join(&[&[0xff, 3, 0, 0x57], &v6()])),
        (
            "PPP, compressed protocol",
            50,
            4,
            join(&[&[0xff, 3, 0x21], &v4()]),
        ),
        ("PPP, Cisco HDLC", 50, 4, join(&[&[0x0f, 0, 8, 0], &v4()])),
        ("Cisco HDLC", 104, 6, join(&[&[0x8f, 0, 0x86, 0xdd], &v6()])),
        (
            "PPP with direction",
            204,
            4,
            join(&[&[1, 0xff, 3, 0, 0x21], &v4()]),
        ),
        ("PPPoE", 51, 4, join(&[&[0x11, 0, 0, 1, 0, 0xff, 0, 0x21], &v4()])),
        ("raw 12", 12, 4, v4()),
        ("raw 14", 14, 6, v6()),
        ("raw 101", 101, 6, v6()),
        ("IPv4", 228, 4, v4()),
        ("IPv6", 229, 6, v6()),
        ("ATM", 100, 4, snap(IPV4, &v4())),
        ("cooked", 113, 4, cooked(IPV4, &v4())),
        (
            "cooked, VLAN",
            113,
            4,
            cooked(0x8100, &join(&[&[0, 1, 8, 0], &v4()])),
        ),
        ("cooked, LLC", 113, 4, cooked(4, &snap(IPV4, &v4()))),
        ("cooked 2", 276, 6, cooked2(IPV6, &v6())),
        ("802.11", 105, 4, air.clone()),
        ("802.11, four addresses", 105, 6, air_qos),
        ("802.11, aggregated", 105, 4, aggregate),
        ("radiotap", 127, 4, join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &air])),
        ("radiotap, padded", 127, 4, radiotap_padded),
        ("Prism", 119, 4, join(&[&prism, &air])),
        (
            "AVS",
            163,
            4,
            join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0], &air]),
        ),
        (
            "AVS as Prism",
            119,
            4,
            join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0], &air]),
        ),
        ("PPI", 192, 4, join(&[&[0, 0, 8, 0, 105, 0, 0, 0], &air])),
        ("PF log", 117, 4, join(&[&[61, 2], &[0; 62], &v4()])),
        ("FireWire", 138, 4, join(&[&[0; 16], &[8, 0], &v4()])),
        ("InfiniBand", 242, 4, join(&[&[0; 40], &[8, 0, 0, 0], &v4()])),
        (
            "Ethernet with preamble",
            274,
            4,
            join(&[&[0x55; 8], &ethernet(IPV4, &v4())]),
        ),
        (
            "netfilter log",
            239,
            4,
            join(&[&[2, 0, 0, 1, 5, 0, 10, 0, b'x', 0, 0, 0], &payload_attribute]),
        ),
    ]
}

/// EtherTypes and what follows them.
fn tags() -> Vec<(&'static str, u8, u16, Vec<u8>)> {
    let mac = [2; 12];
    vec![
        ("VLAN", 4, 0x8100, join(&[&[0, 5, 8, 0], &v4()])),
        (
            "VLAN, LLC",
            4,
            0x8100,
            join(&[&[0, 5, 0, v4().len() as u8 + 3, 6, 6, 3], &v4()]),
        ),
        (
            "QinQ",
            6,
            0x88a8,
            join(&[&[0, 5, 0x81, 0, 0, 6, 0x86, 0xdd], &v6()]),
        ),
        (
            "QinQ of old",
            4,
            0x9100,
            join(&[&[0, 5, 0x91, 0, 0, 6, 8, 0], &v4()]),
        ),
        (
            "Cisco metadata",
            4,
            0x8909,
            join(&[&[1, 1, 0, 1, 0, 7, 8, 0], &v4()]),
        ),
        ("VN tag", 4, 0x8926, join(&[&[0, 0, 0, 0, 8, 0], &v4()])),
        ("E tag", 4, 0x893f, join(&[&[0, 0, 0, 0, 0, 0, 8, 0], &v4()])),
        ("R tag", 4, 0xf1c1, join(&[&[0, 0, 0, 1, 8, 0], &v4()])),
        (
            "backbone bridge",
            4,
            0x88e7,
            join(&[&[0, 0, 0, 1], &ethernet(IPV4, &v4())]),
        ),
        ("MPLS", 4, 0x8847, join(&[&[0, 1, 0, 64, 0, 2, 1, 64], &v4()])),
        ("MPLS, IPv6", 6, 0x8848, join(&[&[0, 1, 1, 64], &v6()])),
        (
            "MPLS, Ethernet",
            4,
            0x8847,
            join(&[&[0, 1, 1, 64], &ethernet(IPV4, &v4())]),
        ),
        (
            "MPLS, Ethernet to an address that looks like IPv4",
            4,
            0x8847,
            join(&[&[0, 1, 1, 64, 0x45, 0, 0, 0, 0, 1], &mac[..6], &[8, 0], &v4()]),
        ),
        (
            "MPLS, Ethernet to an address that looks like a control word",
            4,
            0x8847,
            join(&[&[0, 1, 1, 64, 0, 0, 0, 0, 0, 1], &mac[..6], &[8, 0], &v4()]),
        ),
        (
            "MPLS, control word, Ethernet",
            6,
            0x8847,
            join(&[&[0, 1, 1, 64, 0, 0, 0, 9], &ethernet(IPV6, &v6())]),
        ),
        (
            "PPPoE",
            4,
            0x8864,
            join(&[&[0x11, 0, 0, 1, 0, 0xff, 0, 0x21], &v4()]),
        ),
        (
            "NSH, IPv4",
            4,
            0x894f,
            join(&[&[0x0f, 0xc2, 2, 1, 0, 0, 1, 255], &v4()]),
        ),
        (
            "NSH with context, Ethernet",
            6,
            0x894f,
            join(&[
                &[0x0f, 0xc6, 1, 3, 0, 0, 1, 255],
                &[0; 16],
                &ethernet(IPV6, &v6()),
            ]),
        ),
    ]
}

/// IP packets with others in them.
fn tunnels() -> Vec<(&'static str, u8, Vec<u8>)> {
    let frame = ethernet(IPV4, &v4());
    let routing = [TCP, 0, 4, 0, 0, 0, 0, 0];
    let authentication = join(&[&[TCP, 4], &[0; 22], &tcp(ACK, SEQ, PAYLOAD)]);
    let mut options = v4();
    options[0] = 0x46;
    let total = (options.len() + 4) as u16;
    options[2..4].copy_from_slice(&total.to_be_bytes());
    options.splice(20..20, [1, 1, 1, 0]);
    let mut offload = v4();
    offload[2..4].copy_from_slice(&[0, 0]);
    let gre = |header: &[u8], payload: &[u8]| ipv4(47, &join(&[header, payload]));
    let gtp = |header: &[u8], payload: &[u8]| udp(2152, &join(&[header, payload]));
    vec![
        ("IPv4 options", 4, options),
        ("IPv4 without a length", 4, offload),
        (
            "IPv6 extensions",
            6,
            ipv6(
                0,
                &join(&[
                    &[60, 0, 1, 4, 0, 0, 0, 0],
                    &[43, 0, 1, 4, 0, 0, 0, 0],
                    &routing,
                    &tcp(ACK, SEQ, PAYLOAD),
                ]),
            ),
        ),
        (
            "IPv6 atomic fragment",
            6,
            ipv6(44, &join(&[&[TCP, 0, 0, 0, 0, 0, 0, 9], &tcp(ACK, SEQ, PAYLOAD)])),
        ),
        ("IPv4 authentication", 4, ipv4(51, &authentication)),
        ("IPv6 authentication", 6, ipv6(51, &authentication)),
        ("IP in IP", 4, ipv4(4, &v4())),
        ("6in4", 6, ipv4(41, &v6())),
        ("4in6", 4, ipv6(4, &v4())),
        ("three deep", 4, ipv4(4, &ipv6(4, &ipv4(4, &v4())))),
        ("Ethernet in IP", 4, ipv4(97, &join(&[&[0x30, 0], &frame]))),
        ("Ethernet in IPv6", 4, ipv6(143, &frame)),
        ("MPLS in IP", 4, ipv4(137, &join(&[&[0, 1, 1, 64], &v4()]))),
        ("GRE", 4, gre(&[0, 0, 8, 0], &v4())),
        (
            "GRE with all fields",
            6,
            gre(&[0xb0, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], &v6()),
        ),
        (
            "GRE with routes",
            4,
            gre(
                &[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 8, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0],
                &v4(),
            ),
        ),
        ("NVGRE", 4, gre(&[0x20, 0, 0x65, 0x58, 0, 0, 1, 0], &frame)),
        ("GRE, MPLS", 4, gre(&[0, 0, 0x88, 0x47, 0, 1, 1, 64], &v4())),
        ("ERSPAN I", 4, gre(&[0, 0, 0x88, 0xbe], &frame)),
        (
            "ERSPAN II",
            4,
            gre(
                &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0],
                &frame,
            ),
        ),
        (
            "ERSPAN III",
            4,
            gre(
                &[
                    0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                ],
                &frame,
            ),
        ),
        (
            "ERSPAN III with a platform header, IP",
            6,
            gre(
                &join(&[
                    &[
                        0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 1,
                    ],
                    &[0; 8],
                ]),
                &v6(),
            ),
        ),
        (
            "PPTP",
            4,
            gre(
                &[
                    0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21,
                ],
                &v4(),
            ),
        ),
        ("WCCP", 4, gre(&[0, 0, 0x88, 0x3e, 0, 0, 0, 0], &v4())),
        (
            "VXLAN",
            4,
            ipv4(UDP, &udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 1, 0], &frame]))),
        ),
        (
            "VXLAN, Linux port",
            4,
            ipv6(UDP, &udp(8472, &join(&[&[8, 0, 0, 0, 0, 0, 1, 0], &frame]))),
        ),
        (
            "VXLAN-GPE",
            6,
            ipv4(UDP, &udp(4790, &join(&[&[0x0c, 0, 0, 2, 0, 0, 1, 0], &v6()]))),
        ),
        (
            "GENEVE",
            4,
            ipv4(UDP, &udp(6081, &join(&[&[0, 0, 0x65, 0x58, 0, 0, 1, 0], &frame]))),
        ),
        (
            "GENEVE with options",
            6,
            ipv4(
                UDP,
                &udp(6081, &join(&[&[2, 0, 0x86, 0xdd, 0, 0, 1, 0], &[0; 8], &v6()])),
            ),
        ),
        ("GTP", 4, ipv4(UDP, &gtp(&[0x30, 255, 0, 0, 0, 0, 0, 1], &v4()))),
        (
            "GTP with sequence number",
            6,
            ipv6(UDP, &gtp(&[0x32, 255, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0], &v6())),
        ),
        (
            "GTP with extensions",
            4,
            ipv4(
                UDP,
                &gtp(
                    &[
                        0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0xc0, 1, 0, 0, 0,
                    ],
                    &v4(),
                ),
            ),
        ),
        ("Teredo", 6, ipv4(UDP, &udp(3544, &v6()))),
        (
            "Teredo with authentication and origin",
            6,
            ipv4(
                UDP,
                &udp(
                    3544,
                    &join(&[&[0, 1, 2, 1, 7, 7, 7], &[0; 9], &[0, 0, 1, 2, 3, 4, 5, 6], &v6()]),
                ),
            ),
        ),
        (
            "AYIYA",
            6,
            ipv4(
                UDP,
                &udp(
                    5072,
                    &join(&[&[0x41, 0x52, 0x11, 41, 0, 0, 0, 0], &[0; 36], &v6()]),
                ),
            ),
        ),
        (
            "MPLS in UDP",
            4,
            ipv4(UDP, &udp(6635, &join(&[&[0, 1, 1, 64], &v4()]))),
        ),
        (
            "L2TP",
            4,
            ipv4(UDP, &udp(1701, &join(&[&[0, 2, 0, 1, 0, 1, 0, 0x21], &v4()]))),
        ),
        (
            "L2TP with all fields",
            4,
            ipv4(
                UDP,
                &udp(
                    1701,
                    &join(&[
                        &[
                            0x4a, 2, 0, 99, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2, 0, 0, 0xff, 3, 0, 0x21,
                        ],
                        &v4(),
                    ]),
                ),
            ),
        ),
    ]
}

#[test]
fn every_wrapping_leads_to_the_segment() {
    for (name, link_type, version, frame) in frames() {
        let mut decoder = Decoder::default();
        let told = told(&mut decoder, link_type, &frame, frame.len());
        assert_eq!(
            told,
            [expected(version, SEQ, PAYLOAD)],
            "{name}: {:?}",
            decoder.counts()
        );
    }
}

/// A snap length may cut anywhere: what is told is right, and only less.
#[test]
fn a_snap_length_takes_bytes_from_the_end_alone() {
    for (name, link_type, version, frame) in frames() {
        let whole = expected(version, SEQ, PAYLOAD);
        for captured in 0..frame.len() {
            let mut decoder = Decoder::default();
            let told = told(&mut decoder, link_type, &frame[..captured], frame.len());
            for one in &told {
                let cut = &whole.data[..one.data.len()];
                assert_eq!(one.data, cut, "{name}, {captured} bytes");
                assert_eq!(
                    (one.source, one.seq, one.wire_len),
                    (whole.source, whole.seq, whole.wire_len),
                    "{name}, {captured} bytes"
                );
            }
            let passed_over: u64 = decoder
                .counts()
                .passed_over()
                .iter()
                .map(|(_, count)| count)
                .sum();
            assert_eq!(told.len() as u64 + passed_over, 1, "{name}, {captured} bytes");
        }
    }
}

/// Frames that end early on the wire, and frames with wrong bytes: anything may be told but nothing breaks.
#[test]
fn broken_frames_break_nothing() {
    let mut state = 0x9e37_79b9_u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize
    };
    for (_, link_type, _, frame) in frames() {
        let mut decoder = Decoder::default();
        for captured in 0..frame.len() {
            told(&mut decoder, link_type, &frame[..captured], captured);
        }
        for _ in 0..2000 {
            let mut broken = frame.clone();
            for _ in 0..=random() % 4 {
                let at = random() % broken.len();
                broken[at] = random() as u8;
            }
            told(&mut decoder, link_type, &broken, broken.len());
        }
    }
}

#[test]
fn what_opens_and_closes_is_told_and_bare_acknowledgments_are_not() {
    let one = |flags, payload: &[u8]| {
        let frame = ipv4(TCP, &tcp(flags, u32::MAX, payload));
        told(&mut Decoder::default(), 101, &frame, frame.len())
    };
    assert_eq!(one(ACK, b""), []);

    let syn = one(SYN, b"early").remove(0);
    assert_eq!((syn.from_client, syn.seq, syn.wire_len), (Some(true), 0, 5));
    assert!(syn.flags.syn && syn.data == b"early");
    let answer = one(SYN | ACK, b"").remove(0);
    assert_eq!((answer.from_client, answer.seq), (Some(false), 0));

    let fin = one(FIN | ACK, b"last").remove(0);
    assert!(fin.flags.fin && fin.data == b"last");
    let reset = one(RST, b"go away").remove(0);
    assert!(reset.flags.rst && reset.data.is_empty());
    assert_eq!(reset.wire_len, 0);
}

#[test]
fn an_ip_length_beyond_the_frame_counts_as_on_the_wire() {
    let whole = v4();
    let frame = &whole[..whole.len() - 4];
    let told = told(&mut Decoder::default(), 101, frame, frame.len());
    let wire_len = PAYLOAD.len() as u32;
    assert_eq!(
        (told[0].data.len() as u32, told[0].wire_len),
        (wire_len - 4, wire_len)
    );
}

#[test]
fn what_is_passed_over_is_counted_by_reason() {
    let mut decoder = Decoder::default();
    let mut nested = v4();
    for _ in 0..40 {
        nested = ipv4(4, &nested);
    }
    let encrypted = join(&[&[0x08, 0x42], &[0; 40]]);
    for (link_type, frame) in [
        (1, ethernet(0x0806, &[0; 28])),
        (105, encrypted),
        (0, vec![7, 7, 7, 7, 0x45]),
        (101, ipv4(UDP, &udp(53, &[0; 12]))),
        (101, ipv4(UDP, &udp(4789, &[0; 12]))),
        (101, ipv4(1, &[8, 0, 0, 0])),
        (101, ipv4(TCP, &[0; 20])),
        (101, nested),
        (249, vec![0; 30]),
    ] {
        assert_eq!(told(&mut decoder, link_type, &frame, frame.len()), []);
    }
    let counts = decoder.counts();
    assert_eq!(counts.packets, 9);
    assert_eq!((counts.not_ip, counts.not_tcp, counts.malformed), (3, 3, 1));
    assert_eq!((counts.nesting, counts.link_type), (1, 1));
}
