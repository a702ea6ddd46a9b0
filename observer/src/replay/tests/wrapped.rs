//! The same segment in all that can be around it.

use super::build::*;
use super::tunnelled::tunnels;

pub const SEQ: u32 = 0x0102_0304;
pub const PAYLOAD: &[u8] = b"\x16\x03\x01 hello";

pub fn v4() -> Vec<u8> {
    ipv4(TCP, &tcp(ACK, SEQ, PAYLOAD))
}

pub fn v6() -> Vec<u8> {
    ipv6(TCP, &tcp(ACK, SEQ, PAYLOAD))
}

/// Frames: what they show, their link type, the IP version of the packet in them.
pub fn frames() -> Vec<(&'static str, u16, u8, Vec<u8>)> {
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
