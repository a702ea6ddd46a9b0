//! A TCP relay between two peers that cuts the connection at a chosen point.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::lab::peer::PEER_PATIENCE;
use crate::netns::Namespace;
use crate::peers::tcp;
use crate::poll;

/// A direction through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From client to server.
    ToServer,
    /// From server to client.
    ToClient,
}

/// How both connections are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// With FIN.
    Fin,
    /// With RST.
    Rst,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Cut {
    /// The direction that is counted.
    pub direction: Direction,
    /// Whole TLS records that are let through.
    pub records: usize,
    /// Bytes of the next one that are let through.
    pub bytes: usize,
    /// How it ends.
    pub how: How,
}

/// Lets bytes through until the cut.
struct Gate {
    cut: Cut,
    /// What of a header has come; it ends with the length (RFC 8446, section 5.1).
    header: Vec<u8>,
    /// Bytes of the present record's payload that are to come.
    payload: usize,
    records: usize,
    /// Bytes let through behind the last whole record that counts.
    beyond: usize,
}

impl Gate {
    const fn new(cut: Cut) -> Self {
        Self {
            cut,
            header: Vec::new(),
            payload: 0,
            records: 0,
            beyond: 0,
        }
    }

    /// How many of these bytes pass; fewer than there are means the cut.
    fn admit(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            if self.records == self.cut.records {
                if self.beyond == self.cut.bytes {
                    return index;
                }
                self.beyond += 1;
                continue;
            }
            if self.payload > 0 {
                self.payload -= 1;
            } else {
                self.header.push(*byte);
                if let [_, _, _, high, low] = self.header[..] {
                    self.payload = usize::from(u16::from_be_bytes([high, low]));
                    self.header.clear();
                }
            }
            if self.payload == 0 && self.header.is_empty() {
                self.records += 1;
            }
        }
        bytes.len()
    }

    /// The cut is due although nothing more has come.
    fn is_shut(&self) -> bool {
        self.records == self.cut.records && self.beyond == self.cut.bytes
    }
}

/// Relays one connection from `listener` to `server`, and cuts it. Both sockets stay outside of every observed cgroup.
/// Gives the port that the server sees.
fn relay(listener: &TcpListener, server: SocketAddr, cut: Cut) -> Result<u16> {
    let client = accept(listener)?;
    let upstream = TcpStream::connect(server).context("connect")?;
    let port = upstream.local_addr()?.port();
    for stream in [&client, &upstream] {
        stream.set_read_timeout(Some(Duration::from_millis(20)))?;
        stream.set_nodelay(true)?;
    }
    let over = AtomicBool::new(false);
    let gate = Mutex::new(Gate::new(cut));
    std::thread::scope(|scope| {
        for (direction, from, to) in [
            (Direction::ToServer, &client, &upstream),
            (Direction::ToClient, &upstream, &client),
        ] {
            let (gate, over) = (&gate, &over);
            scope.spawn(move || {
                let gate = (direction == cut.direction).then_some(gate);
                carry(from, to, gate, over);
                over.store(true, Ordering::Release);
            });
        }
    });
    for stream in [client, upstream] {
        match cut.how {
            How::Fin => drop(stream),
            How::Rst => tcp::reset(stream)?,
        }
    }
    Ok(port)
}

/// The next connection; an error if none comes.
fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let accepted = poll::until("a connection to relay", PEER_PATIENCE, || {
        match listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error).context("accept"),
        }
    })?;
    accepted.set_nonblocking(false)?;
    Ok(accepted)
}

/// Carries one direction until it ends, the gate shuts, or the other direction is over.
fn carry(mut from: &TcpStream, mut to: &TcpStream, gate: Option<&Mutex<Gate>>, over: &AtomicBool) {
    let mut gate = gate.and_then(|gate| gate.lock().ok());
    let mut buffer = [0; 16 * 1024];
    let deadline = std::time::Instant::now() + PEER_PATIENCE * 2;
    while !over.load(Ordering::Acquire) && std::time::Instant::now() < deadline {
        if gate.as_ref().is_some_and(|gate| gate.is_shut()) {
            return;
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => return,
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        let admitted = gate.as_mut().map_or(count, |gate| gate.admit(bytes));
        if to.write_all(bytes.get(..admitted).unwrap_or_default()).is_err() || admitted < count {
            return;
        }
    }
}

/// Relays one connection on a thread in `namespace`, from `address`, which is bound when this returns. The thread gives the
/// port that the server sees.
///
/// # Errors
/// When the address cannot be had.
pub fn start(
    namespace: &Namespace,
    address: SocketAddr,
    server: SocketAddr,
    cut: Cut,
) -> Result<std::thread::JoinHandle<Result<u16>>> {
    let listener = namespace.run(|| TcpListener::bind(address).context("listen"))?;
    let namespace = namespace.share()?;
    Ok(std::thread::spawn(move || {
        namespace.run(|| relay(&listener, server, cut))
    }))
}

#[cfg(test)]
mod tests {
    use super::{Cut, Direction, Gate, How};

    #[test]
    fn the_gate_counts_whole_records_and_then_bytes_however_they_are_cut_up() {
        let stream = [22, 3, 3, 0, 2, 1, 1, 20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 3, 9, 9, 9];
        for (records, bytes, expected) in [
            (0, 0, 0),
            (0, 4, 4),
            (1, 0, 7),
            (2, 3, 16),
            (3, 0, 21),
            (4, 0, 21),
        ] {
            for piece in [1, 2, 6, 21] {
                let cut = Cut {
                    direction: Direction::ToServer,
                    records,
                    bytes,
                    how: How::Fin,
                };
                let mut gate = Gate::new(cut);
                let passed: usize = stream.chunks(piece).map(|part| gate.admit(part)).sum();
                assert_eq!(passed, expected, "{records} {bytes} {piece}");
                assert_eq!(gate.is_shut(), records < 4);
            }
        }
    }
}
