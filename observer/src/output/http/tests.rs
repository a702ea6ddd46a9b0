//! The server over loopback.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::config::watching::Watching;
use crate::output::samples;

async fn server() -> (SocketAddr, Arc<Metrics>, Readiness) {
    let metrics = Arc::new(Metrics::new(&[]));
    let readiness = Readiness::default();
    (
        serve(metrics.clone(), readiness.clone(), None).await,
        metrics,
        readiness,
    )
}

async fn serve(
    metrics: Arc<Metrics>,
    readiness: Readiness,
    inventory: Option<SharedInventory>,
) -> SocketAddr {
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(any, metrics, readiness, inventory).await.unwrap();
    let address = server.local_address().unwrap();
    tokio::spawn(server.serve());
    address
}

#[tokio::test]
async fn the_certificate_inventory() {
    let inventory = SharedInventory::new(&Watching::default()).unwrap();
    inventory.lock().observe(&samples::refused_client(), 0);
    let metrics = Arc::new(Metrics::new(&[]));
    let address = serve(metrics, Readiness::default(), Some(inventory)).await;
    let answer = request(address, "GET", "/certificates", "*/*").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: application/json"),
        "{head}"
    );
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["certificates"].as_array().unwrap().len(), 2);

    let (without, ..) = server().await;
    let answer = request(without, "GET", "/certificates", "*/*").await;
    assert!(
        answer.starts_with("HTTP/1.1 404 ") && answer.contains("certificate_inventory"),
        "{answer}"
    );
}

async fn request(address: SocketAddr, method: &str, path: &str, accept: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn metrics_in_the_format_asked_for() {
    let (address, metrics, _) = server().await;
    metrics.record(&samples::refused_client());
    let open = request(address, "GET", "/metrics", "application/openmetrics-text").await;
    assert!(
        open.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{open}"
    );
    assert!(open.contains("# {event_id=") && open.ends_with("# EOF\n"));
    let plain = request(address, "GET", "/metrics", "*/*").await;
    assert!(
        plain.contains("content-type: text/plain; version=0.0.4"),
        "{plain}"
    );
    assert!(plain.contains("# TYPE tls_handshake_failures_total counter"));
    assert!(!plain.contains("{event_id") && !plain.contains("# EOF"));
}

#[tokio::test]
async fn health_and_readiness() {
    let (address, _, readiness) = server().await;
    assert!(
        request(address, "GET", "/healthz", "*/*")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    assert!(
        request(address, "GET", "/readyz", "*/*")
            .await
            .starts_with("HTTP/1.1 503 ")
    );
    readiness.set(true);
    assert!(
        request(address, "GET", "/readyz", "*/*")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let (address, ..) = server().await;
    assert!(
        request(address, "GET", "/", "*/*")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
    let answer = request(address, "POST", "/metrics", "*/*").await;
    assert!(
        answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: GET, HEAD"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_taken_port_is_one_line_with_a_remedy() {
    let (address, metrics, readiness) = server().await;
    let error = Server::bind(address, metrics, readiness, None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("cannot listen on {address}: ")) && error.contains("--listen"),
        "{error}"
    );
    assert!(!error.contains('\n'));
}

#[tokio::test]
async fn silent_connections_take_no_more_than_their_places() {
    let (address, ..) = server().await;
    let mut idle = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let waiting = request(address, "GET", "/healthz", "*/*");
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(early.is_err(), "there was no free place");
    idle.clear();
    let answer = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "));
}
