//! TLS conversations held in memory: the bytes each side wrote, in order, for injection as hand-made packets.

use std::sync::Arc;

use anyhow::Result;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

use crate::peers::tls::{self, Identity, Offer};
use crate::peers::{ClientAuth, Version};
use crate::pki::{Leaf, Pki, SERVER_NAME};

/// What one side wrote before the other had its say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Who wrote it.
    pub from_client: bool,
    /// The bytes, one TLS record or more.
    pub bytes: Vec<u8>,
}

/// A mutual TLS conversation between rustls and rustls: handshake, `payload` from client to server and back, close.
///
/// # Errors
/// When the configurations do not fit; a handshake that fails is a conversation too, and no error.
pub fn mutual(
    pki: &Pki,
    version: Version,
    certificate: Option<&Leaf>,
    payload: &[u8],
) -> Result<Vec<Flight>> {
    let offer = Offer::only(version);
    let identity = |files: &crate::pki::Files| Identity::read(&files.certificate, &files.key);
    let server = tls::server(
        &offer,
        identity(&pki.server.files)?,
        ClientAuth::Required,
        Some(&pki.client_ca.files.certificate),
    )?;
    let certificate = certificate.map(|leaf| identity(&leaf.files)).transpose()?;
    let client = tls::client(&offer, &pki.server_ca.files.certificate, certificate)?;
    hold(client, server, payload)
}

/// Holds a conversation between any two configurations; see [`mutual`].
///
/// # Errors
/// When the configurations cannot be used.
pub fn hold(client: ClientConfig, server: ServerConfig, payload: &[u8]) -> Result<Vec<Flight>> {
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(SERVER_NAME)?)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    client.set_buffer_limit(None);
    server.set_buffer_limit(None);
    let mut flights = Vec::new();
    exchange(&mut client, &mut server, &mut flights)?;
    if !client.is_handshaking() && !server.is_handshaking() {
        use std::io::{Read, Write};
        // Piece by piece: a connection holds only so much plaintext that nobody has read.
        for piece in payload.chunks(8 * 1024) {
            client.writer().write_all(piece)?;
            exchange(&mut client, &mut server, &mut flights)?;
            let mut heard = vec![0; piece.len()];
            server.reader().read_exact(&mut heard)?;
            server.writer().write_all(&heard)?;
            exchange(&mut client, &mut server, &mut flights)?;
            client.reader().read_exact(&mut heard)?;
        }
        client.send_close_notify();
        exchange(&mut client, &mut server, &mut flights)?;
        server.send_close_notify();
        exchange(&mut client, &mut server, &mut flights)?;
    }
    Ok(flights)
}

/// Carries bytes to and fro until neither side has any left.
fn exchange(
    client: &mut ClientConnection,
    server: &mut ServerConnection,
    into: &mut Vec<Flight>,
) -> Result<()> {
    loop {
        let mut quiet = true;
        for from_client in [true, false] {
            let mut bytes = Vec::new();
            if from_client {
                while client.wants_write() {
                    client.write_tls(&mut bytes)?;
                }
            } else {
                while server.wants_write() {
                    server.write_tls(&mut bytes)?;
                }
            }
            let mut unread = bytes.as_slice();
            while !unread.is_empty() {
                // A side that refuses says so in its next flight.
                let refused = if from_client {
                    server.read_tls(&mut unread)?;
                    server.process_new_packets().is_err()
                } else {
                    client.read_tls(&mut unread)?;
                    client.process_new_packets().is_err()
                };
                if refused {
                    break;
                }
            }
            if !bytes.is_empty() {
                quiet = false;
                into.push(Flight { from_client, bytes });
            }
        }
        if quiet {
            return Ok(());
        }
    }
}

/// The payloads of the encrypted records among these flights: bytes that must never leave the kernel. Records after a
/// direction's ChangeCipherSpec and all of type application_data count as encrypted; their 5-byte headers do not.
pub fn secrets(flights: &[Flight]) -> Vec<Vec<u8>> {
    [true, false]
        .into_iter()
        .flat_map(|side| {
            let stream: Vec<u8> = flights
                .iter()
                .filter(|flight| flight.from_client == side)
                .flat_map(|flight| flight.bytes.clone())
                .collect();
            encrypted_payloads(&stream)
        })
        .collect()
}

/// The payloads of the encrypted records in one direction's bytes.
pub fn encrypted_payloads(mut stream: &[u8]) -> Vec<Vec<u8>> {
    const CHANGE_CIPHER_SPEC: u8 = 20;
    const APPLICATION_DATA: u8 = 23;
    let mut changed = false;
    let mut found = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = stream {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((payload, next)) = rest.split_at_checked(length) else {
            break;
        };
        match *kind {
            CHANGE_CIPHER_SPEC => changed = true,
            APPLICATION_DATA => found.push(payload.to_vec()),
            _ if changed => found.push(payload.to_vec()),
            _ => {}
        }
        stream = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_go_through_in_both_versions_and_hide_their_payload() {
        let pki = Pki::new().unwrap();
        for version in Version::ALL {
            let flights = mutual(&pki, version, Some(&pki.good), &[b'x'; 100_000]).unwrap();
            assert!(
                flights
                    .first()
                    .is_some_and(|flight| flight.from_client && flight.bytes.starts_with(&[22, 3, 1]))
            );
            let secret: usize = secrets(&flights).iter().map(Vec::len).sum();
            assert!(secret > 200_000, "{version:?}: {secret}");
        }
    }

    #[test]
    fn a_refused_client_ends_the_conversation_with_an_alert() {
        let pki = Pki::new().unwrap();
        let flights = mutual(&pki, Version::Tls12, None, b"never sent").unwrap();
        let last = flights.last().unwrap();
        assert!(
            !last.from_client && last.bytes.starts_with(&[21, 3, 3, 0, 2, 2]),
            "{last:?}"
        );
    }
}
