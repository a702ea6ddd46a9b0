//! Servers of protocols that begin in plaintext: they speak their lines, then hand the connection on to a TLS server in
//! another namespace, where no capture sees it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::stage::Stage;
use crate::netns::Namespace;

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the server awaits in the client's bytes, and what it then says. An empty wait is for the server that speaks first.
pub type Line = (&'static [u8], &'static [u8]);

/// A protocol's lines up to the ClientHello.
pub struct Protocol {
    /// As `openssl s_client -starttls` calls it.
    pub name: &'static str,
    /// Its registered port.
    pub port: u16,
    /// The server's part.
    pub lines: &'static [Line],
}

/// The protocols that OpenSSL's client knows. References: RFC 3207 (SMTP), 2033 (LMTP), 2595 (POP3, IMAP), 4217 (FTP), 4642
/// (NNTP), 5804 (Sieve), 6120 (XMPP), 4511 (LDAP); the protocol manuals of PostgreSQL and MySQL.
pub const PROTOCOLS: [Protocol; 14] = [
    Protocol {
        name: "smtp",
        port: 25,
        lines: &[
            (b"", b"220-observer.test ESMTP\r\n220 at your service\r\n"),
            (b"EHLO ", b""),
            (b"\r\n", b"250-observer.test\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"),
            (b"STARTTLS\r\n", b"220 go ahead\r\n"),
        ],
    },
    Protocol {
        name: "lmtp",
        port: 24,
        lines: &[
            (b"", b"220 observer.test LMTP\r\n"),
            (b"LHLO ", b""),
            (b"\r\n", b"250-observer.test\r\n250 STARTTLS\r\n"),
            (b"STARTTLS\r\n", b"220 go ahead\r\n"),
        ],
    },
    Protocol {
        name: "pop3",
        port: 110,
        lines: &[
            (b"", b"+OK POP3 observer.test\r\n"),
            (b"STLS\r\n", b"+OK begin\r\n"),
        ],
    },
    Protocol {
        name: "imap",
        port: 143,
        lines: &[
            (b"", b"* OK [CAPABILITY IMAP4rev1 STARTTLS] observer.test\r\n"),
            (
                b"CAPABILITY\r\n",
                b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n. OK done\r\n",
            ),
            (b"STARTTLS\r\n", b". OK begin\r\n"),
        ],
    },
    Protocol {
        name: "ftp",
        port: 21,
        lines: &[
            (b"", b"220-observer.test\r\n220 ready\r\n"),
            (b"AUTH TLS\r\n", b"234 AUTH TLS OK\r\n"),
        ],
    },
    Protocol {
        name: "nntp",
        port: 119,
        lines: &[
            (b"", b"200 observer.test\r\n"),
            (b"CAPABILITIES\r\n", b"101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"),
            (b"STARTTLS\r\n", b"382 go on\r\n"),
        ],
    },
    Protocol {
        name: "sieve",
        port: 4190,
        lines: &[
            (
                b"",
                b"\"IMPLEMENTATION\" \"observer\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n",
            ),
            (b"STARTTLS\r\n", b"OK \"begin\"\r\n"),
        ],
    },
    Protocol {
        name: "irc",
        port: 6667,
        lines: &[(
            b"STARTTLS\r\n",
            b":observer.test 020 * :wait\r\n:observer.test 670 * :STARTTLS successful\r\n",
        )],
    },
    Protocol {
        name: "xmpp",
        port: 5222,
        lines: &[
            (
                b"version='1.0'>",
                b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                  xmlns:stream='http://etherx.jabber.org/streams' id='1' from='observer.test' version='1.0'>\
                  <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
                  </stream:features>",
            ),
            (
                b"xmpp-tls'/>",
                b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ),
        ],
    },
    Protocol {
        name: "xmpp-server",
        port: 5269,
        lines: &[
            (
                b"version='1.0'>",
                b"<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
                  xmlns:stream='http://etherx.jabber.org/streams' id='2' from='observer.test' version='1.0'>\
                  <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
                  </stream:features>",
            ),
            (
                b"xmpp-tls'/>",
                b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ),
        ],
    },
    Protocol {
        name: "telnet",
        port: 23,
        // IAC DO START_TLS, WILL, then SB START_TLS FOLLOWS IAC SE from either side.
        lines: &[
            (b"", b"\xff\xfd\x2e"),
            (b"\xff\xfb\x2e", b""),
            (b"\xff\xfa\x2e\x01\xff\xf0", b"\xff\xfa\x2e\x01\xff\xf0"),
        ],
    },
    Protocol {
        name: "ldap",
        port: 389,
        // ExtendedRequest 1.3.6.1.4.1.1466.20037, answered with resultCode success.
        lines: &[(
            b"1.3.6.1.4.1.1466.20037",
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
        )],
    },
    Protocol {
        name: "postgres",
        port: 5432,
        // SSLRequest: length 8, code 80877103.
        lines: &[(b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"S")],
    },
    Protocol {
        name: "mysql",
        port: 3306,
        // Initial handshake packet, version 10, with CLIENT_SSL among the capabilities; then an SSLRequest of 32 bytes,
        // whose last 23 are zero.
        lines: &[
            (
                b"",
                b"\x49\x00\x00\x00\x0a8.0.0\x00\x01\x00\x00\x00abcdefgh\x00\xff\xff\x21\x02\x00\xff\xc1\x15\
                  \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00ijklmnopqrst\x00mysql_native_password\x00",
            ),
            (&[0; 23], b""),
        ],
    },
];

/// A server for one connection.
pub struct Front {
    work: JoinHandle<Result<()>>,
}

impl Front {
    /// Listens on `address`, speaks `lines` with the first client, and connects it with the server of the same address
    /// in the namespace `behind`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(
        stage: &Stage<'_>,
        address: SocketAddr,
        lines: &'static [Line],
        behind: &Namespace,
    ) -> Result<Self> {
        let behind = behind.share()?;
        let listener = stage.namespace.run(|| Ok(TcpListener::bind(address)?))?;
        let work = std::thread::spawn(move || {
            let (mut client, _) = listener.accept()?;
            client.set_read_timeout(Some(PATIENCE))?;
            client.set_nodelay(true)?;
            speak(&mut client, lines)?;
            let server = behind.run(|| TcpStream::connect(address).context("the server behind"))?;
            join(client, server)
        });
        Ok(Self { work })
    }

    /// Waits for the end of the connection.
    ///
    /// # Errors
    /// When the client did not speak as it should.
    pub fn finish(self) -> Result<()> {
        self.work
            .join()
            .map_err(|_| anyhow!("the front server panicked"))?
    }
}

/// Speaks the server's part. Reads byte by byte, so that nothing of what follows is taken.
fn speak(client: &mut TcpStream, lines: &[Line]) -> Result<()> {
    for (awaited, answer) in lines {
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(awaited) {
            if client.read(&mut byte)? == 0 {
                bail!("closed instead of saying {}", awaited.escape_ascii());
            }
            heard.extend(byte);
        }
        client.write_all(answer)?;
    }
    Ok(())
}

/// Carries bytes both ways until both sides have closed.
fn join(client: TcpStream, server: TcpStream) -> Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let (mut from_server, mut to_client) = (server, client);
    let up = std::thread::spawn(move || {
        // Either may be gone already when the other closes.
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Write);
    up.join().map_err(|_| anyhow!("the upward thread panicked"))
}
