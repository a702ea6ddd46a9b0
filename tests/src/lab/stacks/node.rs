//! Node's tls module.

use std::path::Path;
use std::process::Command;

use super::feature::Feature::{
    Alpn, Closes, Crl, Group, Idles, NoTickets, Padding, Resume, SpeaksFirst, Suite12, Suite13, Tickets,
};
use super::openssl_conf::rename;
use super::program::{Form, Program, sources};

/// Node with the OpenSSL that it brings. A name that its SNICallback refuses is answered by a close without an alert.
pub const NODE: Program = Program {
    name: "node",
    command: || {
        let mut command = Command::new("node");
        command.arg(sources().join("node/peer.js"));
        Ok(command)
    },
    server: &[
        Crl,
        NoTickets,
        Tickets,
        Suite12,
        Suite13,
        Group,
        Alpn,
        Padding,
        SpeaksFirst,
        Closes,
    ],
    client: &[Suite12, Suite13, Group, Alpn, Padding, Resume, Closes, Idles],
    rename,
    form: Form::Json,
    configure: Some(configure),
};

fn configure(command: &mut Command, file: &Path) {
    let mut option = std::ffi::OsString::from("--openssl-config=");
    option.push(file);
    command.env("NODE_OPTIONS", option);
}
