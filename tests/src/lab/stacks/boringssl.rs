//! BoringSSL, as Debian packages Android's.

use super::feature::Feature::{
    Alpn, Closes, Crl, Group, Idles, NoTickets, OnlyName, Resume, SpeaksFirst, Suite12, Tickets, UpdatesKey,
};
use super::openssl_conf::rename;
use super::program::{Form, Program, built};

/// BoringSSL, which lets no one choose among the cipher suites of TLS 1.3.
pub const BORINGSSL: Program = Program {
    name: "boringssl",
    command: || built("boringssl-peer"),
    server: &[
        Crl,
        NoTickets,
        Tickets,
        Suite12,
        Group,
        Alpn,
        OnlyName,
        SpeaksFirst,
        Closes,
    ],
    client: &[Suite12, Group, Alpn, Resume, Closes, Idles, UpdatesKey],
    rename,
    form: Form::Pairs,
    configure: None,
};
