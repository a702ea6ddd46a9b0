//! Who calls: the name in the certificate that the client showed.

use std::any::Any;

use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use openssl::nid::Nid;
use serde::Serialize;

/// The common name of the client's certificate.
#[derive(Clone, Serialize)]
pub struct Caller(Option<String>);

/// Keeps the caller beside a new connection, for its requests.
pub fn remember(connection: &dyn Any, data: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() {
        data.insert(Caller(common_name(stream)));
    }
}

fn common_name(stream: &TlsStream<TcpStream>) -> Option<String> {
    let certificate = stream.ssl().peer_certificate()?;
    let name = certificate
        .subject_name()
        .entries_by_nid(Nid::COMMONNAME)
        .next()?;
    name.data().to_string().ok()
}
