//! As much of an SMTP server as comes before TLS (RFC 3207).

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Result, bail};

/// Stands in the greeting: plaintext that no probe may copy.
pub const GREETING_CANARY: &str = "canary-in-the-smtp-greeting";

/// Greets, answers EHLO and whatever else comes, and returns when STARTTLS has been accepted.
///
/// # Errors
/// When the client closes or does not send lines.
pub fn until_starttls(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(format!("220 {GREETING_CANARY} ESMTP\r\n").as_bytes())?;
    loop {
        let line = line(stream)?;
        let verb = line
            .split_ascii_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-observer.test greets you\r\n250-SIZE 1000\r\n250 STARTTLS\r\n",
            "STARTTLS" => "220 go ahead\r\n",
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes())?;
        if verb == "STARTTLS" {
            return Ok(());
        }
    }
}

/// One line, read byte by byte so that nothing of what follows is taken.
fn line(stream: &mut TcpStream) -> Result<String> {
    const LONGEST: usize = 1000;
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LONGEST {
        if stream.read(&mut byte)? == 0 {
            bail!("closed before STARTTLS");
        }
        if byte == *b"\n" {
            return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        line.extend(byte);
    }
    bail!("no end of line")
}
