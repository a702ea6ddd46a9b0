//! Go's crypto/tls.

use super::feature::Feature::{Alpn, Closes, Crl, Group, Idles, NoTickets, Resume, SpeaksFirst, Suite12};
use super::program::{Form, Program, built};

/// Go, with what its standard library has: cipher suites of TLS 1.3 and the number of tickets, if any, are its own choice.
pub const GO: Program = Program {
    name: "go",
    command: || built("go-peer"),
    server: &[Crl, NoTickets, Suite12, Group, Alpn, SpeaksFirst, Closes],
    client: &[Suite12, Group, Alpn, Resume, Closes, Idles],
    rename: |_| (),
    form: Form::Json,
    configure: None,
};
