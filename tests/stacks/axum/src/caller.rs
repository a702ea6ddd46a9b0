//! Who calls: the names in the certificate that the client showed.

use std::io;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower_layer::Layer;
use webpki::EndEntityCert;

/// The DNS names of the client's certificate.
#[derive(Clone, Serialize)]
pub struct Caller(Vec<String>);

/// Accepts TLS connections and tells the service who calls.
#[derive(Clone)]
pub struct CallerAcceptor(pub RustlsAcceptor);

impl<S: Send + 'static> Accept<TcpStream, S> for CallerAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = AddExtension<S, Caller>;
    type Future = std::pin::Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let acceptor = self.0.clone();
        Box::pin(async move {
            let (stream, service) = acceptor.accept(stream, service).await?;
            let caller = Caller(names(&stream));
            Ok((stream, Extension(caller).layer(service)))
        })
    }
}

fn names(stream: &TlsStream<TcpStream>) -> Vec<String> {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let certificate = certificate.and_then(|certificate| EndEntityCert::try_from(certificate).ok());
    certificate.map_or_else(Vec::new, |certificate| {
        certificate.valid_dns_names().map(str::to_owned).collect()
    })
}
