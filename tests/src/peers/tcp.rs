//! Peers that do not play by the rules of TLS: they run as subcommands of the `peer` binary.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long a raw peer waits for the other end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Accepts connections and never says a word; keeps them open until the process ends.
///
/// # Errors
/// When the address cannot be had.
pub fn silent_server(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address)?;
    let mut held = Vec::new();
    for stream in listener.incoming() {
        held.push(stream?);
    }
    Ok(())
}

/// Accepts one connection at a time, reads once, and answers with RST.
///
/// # Errors
/// When the address cannot be had.
pub fn reset_server(address: SocketAddr) -> Result<()> {
    for stream in TcpListener::bind(address)?.incoming() {
        let mut stream = stream?;
        let _ = stream.read(&mut [0; 4096])?;
        reset(stream)?;
    }
    Ok(())
}

/// Accepts one connection at a time, reads once, and answers in HTTP whatever it was.
///
/// # Errors
/// When the address cannot be had.
pub fn http_server(address: SocketAddr) -> Result<()> {
    for stream in TcpListener::bind(address)?.incoming() {
        let mut stream = stream?;
        let _ = stream.read(&mut [0; 4096])?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")?;
    }
    Ok(())
}

/// Sends bytes, waits for some answer when asked to, and ends with RST.
///
/// # Errors
/// When the connection fails before.
pub fn reset_client(address: SocketAddr, bytes: &[u8], await_answer: bool) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(bytes)?;
    super::wire::wait_acknowledged(&stream)?;
    if await_answer {
        let _ = stream.read(&mut [0; 4096])?;
    }
    reset(stream)
}

/// Sends bytes and returns all that comes back until the other end closes.
///
/// # Errors
/// When there is no connection, or the other end keeps it open too long.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // A server may reset when it leaves bytes unread: that is an end too.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        other => drop(other?),
    }
    let _ = stream.shutdown(Shutdown::Both);
    Ok(answer)
}

/// Closes with RST instead of FIN.
///
/// # Errors
/// When the socket refuses the option.
pub fn reset(stream: TcpStream) -> Result<()> {
    let linger = nix::libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::Linger, &linger)?;
    drop(stream);
    Ok(())
}
