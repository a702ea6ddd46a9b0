//! Python's ssl module, over blocking sockets and under asyncio.

use std::path::Path;
use std::process::Command;

use super::feature::Feature::{
    Alpn, Closes, Crl, Group, Idles, NoTickets, OnlyName, Padding, PostHandshakeAuth, Resume, SpeaksFirst,
    Suite12, Suite13, Tickets,
};
use super::openssl_conf::rename_without_tls13;
use super::program::{Form, Program, sources};

/// The one that Debian installs, whatever else is in `PATH`.
const INTERPRETER: &str = "/usr/bin/python3";

/// Blocking sockets. A server that shares no ALPN protocol goes on without, so it cannot be asked to refuse.
pub const BLOCKING: Program = Program {
    name: "python",
    command: || Ok(script("blocking.py")),
    server: &[
        Crl,
        NoTickets,
        Tickets,
        Suite12,
        Suite13,
        Group,
        Padding,
        PostHandshakeAuth,
        OnlyName,
        SpeaksFirst,
        Closes,
    ],
    client: &[
        Suite12,
        Suite13,
        Group,
        Alpn,
        Padding,
        PostHandshakeAuth,
        Resume,
        Closes,
        Idles,
    ],
    rename: rename_without_tls13,
    form: Form::Json,
    configure: Some(configure),
};

/// Blocking sockets in worker processes: some from the start, and as many more for each SIGUSR1.
pub const PREFORK: Program = Program {
    name: "python-prefork",
    command: || Ok(script("prefork.py")),
    server: &[],
    client: &[],
    rename: rename_without_tls13,
    form: Form::Json,
    configure: None,
};

/// asyncio, which has no call for resuming a session.
pub const ASYNCIO: Program = Program {
    name: "python-asyncio",
    command: || Ok(script("streams.py")),
    server: &[
        Crl,
        NoTickets,
        Tickets,
        Suite12,
        Suite13,
        Group,
        Padding,
        OnlyName,
        SpeaksFirst,
        Closes,
    ],
    client: &[Suite12, Suite13, Group, Alpn, Padding, Closes, Idles],
    rename: rename_without_tls13,
    form: Form::Json,
    configure: Some(configure),
};

fn script(name: &str) -> Command {
    let mut command = Command::new(INTERPRETER);
    command.arg(sources().join("python").join(name));
    command
}

fn configure(command: &mut Command, file: &Path) {
    command.env("OPENSSL_CONF", file);
}
