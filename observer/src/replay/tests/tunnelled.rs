//! The same segment in tunnels, the innermost of which is the one in [`v4`] or [`v6`].

use super::build::*;
use super::wrapped::{PAYLOAD, SEQ, v4, v6};

/// IP packets with others in them.
pub fn tunnels() -> Vec<(&'static str, u8, Vec<u8>)> {
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
