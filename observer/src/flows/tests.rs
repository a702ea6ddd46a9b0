//! Handshakes byte by byte through the whole table.

mod endings;
mod late;
mod limits;
mod packets;
mod places;
mod renegotiation;
mod rules;
mod sessions;
mod sockets;
mod ssl2;
mod tls12;
mod tls13;
mod wire;
