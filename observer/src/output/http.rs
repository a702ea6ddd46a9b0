//! The HTTP server: `/metrics`, `/certificates`, `/healthz`, `/readyz`.

pub mod exposition;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::certificates;
use super::metrics::Metrics;
use crate::watch::inventory::SharedInventory;

/// Connections served at once; more wait in the kernel's backlog. Scrapers need one or two.
const MAX_CONNECTIONS: usize = 16;
/// How long a peer may take for a request's header, and between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may last: none keeps its place by reading slowly.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest request header in bytes, hyper's own minimum.
const MAX_HEADER_BYTES: usize = 8192;

/// The path of the certificate inventory.
pub const CERTIFICATES: &str = "/certificates";

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; choose another address with --listen, or --listen off")]
pub struct ListenError {
    /// The configured address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

/// The server, bound and not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    state: Arc<State>,
}

/// Says whether the agent sees traffic: what `/readyz` answers.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Ready once the probes are attached.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct State {
    metrics: Arc<Metrics>,
    readiness: Readiness,
    inventory: Option<SharedInventory>,
}

impl Server {
    /// Binds `address`. Without an inventory, there is no `/certificates`.
    ///
    /// # Errors
    /// When the address is taken, not local or not allowed.
    pub async fn bind(
        address: SocketAddr,
        metrics: Arc<Metrics>,
        readiness: Readiness,
        inventory: Option<SharedInventory>,
    ) -> Result<Self, ListenError> {
        match TcpListener::bind(address).await {
            Ok(listener) => Ok(Self {
                listener,
                state: Arc::new(State {
                    metrics,
                    readiness,
                    inventory,
                }),
            }),
            Err(source) => Err(ListenError { address, source }),
        }
    }

    /// The address bound, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// Those of `getsockname`.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until dropped.
    pub async fn serve(self) -> Infallible {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let place = places.clone().acquire_owned().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let state = self.state.clone();
                    tokio::spawn(async move {
                        let _place = place;
                        serve_connection(stream, state).await;
                    });
                }
                Err(error) => {
                    // Out of descriptors, mostly: trying again at once would only burn CPU.
                    tracing::warn!("cannot accept a connection for metrics: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| {
        let response = answer(&request, &state);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_TIMEOUT, connection).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!("connection for metrics: {error}"),
    }
}

fn answer(request: &Request<Incoming>, state: &State) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if !["/metrics", CERTIFICATES, "/healthz", "/readyz"].contains(&path) {
        return plain(
            StatusCode::NOT_FOUND,
            "not found; there are /metrics, /certificates, /healthz and /readyz\n",
        );
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/metrics" => {
            let accept = request
                .headers()
                .get_all(ACCEPT)
                .iter()
                .filter_map(|value| value.to_str().ok());
            let text = state.metrics.open_metrics();
            if exposition::wants_open_metrics(accept) {
                respond(StatusCode::OK, exposition::OPEN_METRICS, text)
            } else {
                respond(StatusCode::OK, exposition::PLAIN, exposition::plain(&text))
            }
        }
        CERTIFICATES => inventory(state.inventory.as_ref()),
        "/readyz" if !state.readiness.get() => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "the kernel probes are not attached\n",
        ),
        _ => plain(StatusCode::OK, "ok\n"),
    }
}

/// The answer to `/certificates`. Its size is bounded by the inventory's.
fn inventory(inventory: Option<&SharedInventory>) -> Response<Full<Bytes>> {
    let Some(inventory) = inventory else {
        return plain(
            StatusCode::NOT_FOUND,
            "there is no inventory: certificate_inventory is 0\n",
        );
    };
    let mut body = Vec::new();
    certificates::write(&inventory.lock(), Timestamp::now(), &mut body);
    respond(StatusCode::OK, "application/json", body)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", text)
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests;
