//! Fetching from servers of this process that do all that a server may do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// An OCSPResponse that says `tryLater`.
const TRY_LATER: &[u8] = &[0x30, 3, 0x0a, 1, 3];

/// A server on the loopback interface.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// One that does `serve` with each connection after its request.
    async fn new<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let mut request = vec![0; 4096];
                let _ = stream.read(&mut request).await.unwrap();
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections }
    }

    /// One that always says this.
    async fn saying(response: impl Into<Vec<u8>>) -> Self {
        let response: Arc<[u8]> = response.into().into();
        Self::new(move |mut stream| {
            let response = Arc::clone(&response);
            async move {
                // It may not be read to the end.
                let _ = stream.write_all(&response).await;
            }
        })
        .await
    }

    fn url(&self) -> String {
        format!("http://{}/list.crl", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A response with this status line and body.
fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn policy(allow: &[&str]) -> FetchPolicy {
    FetchPolicy {
        ocsp: true,
        crls: true,
        allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
        timeout: Duration::from_millis(500),
        max_bytes: 1000,
        ..FetchPolicy::default()
    }
}

/// A policy that allows `server`.
fn allowing(server: &Server) -> FetchPolicy {
    policy(&[&server.address.to_string()])
}

fn crl(url: &str) -> Question {
    Question::Crl { url: url.to_owned() }
}

/// Asks until it is known, and gives why nothing came.
async fn failure(fetcher: &Fetcher, question: &Question) -> String {
    loop {
        match fetcher.ask(question, false) {
            Lookup::Failed(why) => return why,
            Lookup::Answer(answer) => panic!("{answer:?}"),
            Lookup::Pending => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Fetches `question` in vain: it has to be for this reason, and nothing else may be counted.
async fn fails(policy: FetchPolicy, question: Question, result: FetchResult) -> String {
    let counters = Arc::new(FetchCounters::default());
    let fetcher = Fetcher::start(policy, Arc::clone(&counters));
    let why = failure(&fetcher, &question).await;
    for other in FetchResult::ALL {
        assert_eq!(
            counters.get(other),
            u64::from(other == result),
            "{}: {why}",
            other.label()
        );
    }
    why
}

#[tokio::test]
async fn broken_answers_are_told_by_kind() {
    use FetchResult::{BadResponse, TooBig, Unreadable};
    let endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let endless = [
        endless,
        b"3e8\r\n".to_vec(),
        vec![b'x'; 1000],
        b"\r\n3e8\r\n".to_vec(),
        vec![b'x'; 1000],
    ]
    .concat();
    let long_head = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 200_000]].concat();
    for (response, result, words) in [
        (http("404 Not Found", b"no"), BadResponse, "404 Not Found"),
        (http("204 No Content", b""), BadResponse, "204 No Content"),
        (http("200 OK", &[0; 1001]), TooBig, "more than 1000 bytes"),
        (endless, TooBig, "more than 1000 bytes"),
        (long_head, BadResponse, ""),
        (b"SSH-2.0-x\r\n".to_vec(), BadResponse, ""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec(),
            BadResponse,
            "",
        ),
        (Vec::new(), BadResponse, ""),
        (
            http("200 OK", b"<html>"),
            Unreadable,
            "no block \"X509 CRL\" in it",
        ),
        (
            http("200 OK", b"\x30\x03\x02\x01\x01"),
            Unreadable,
            "CRL 1 of the file: ",
        ),
        (http("200 OK", b""), Unreadable, "no block"),
    ] {
        let server = Server::saying(response).await;
        let why = fails(allowing(&server), crl(&server.url()), result).await;
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test]
async fn redirections_are_not_followed() {
    let target = Server::saying(http("200 OK", b"")).await;
    let head = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        target.url()
    );
    let server = Server::saying(head).await;
    let policy = policy(&[&server.address.to_string(), &target.address.to_string()]);
    fails(policy, crl(&server.url()), FetchResult::BadResponse).await;
    assert_eq!((server.connections(), target.connections()), (1, 0));
}

#[tokio::test]
async fn only_allowed_addresses_are_connected_to() {
    let server = Server::saying(http("200 OK", b"")).await;
    let port = server.address.port();
    let by_name = format!("http://localhost:{port}/");
    for (allow, url) in [
        (vec![], server.url()),
        (
            vec!["10.0.0.0/8".to_owned(), format!("10.0.0.0/8:{port}")],
            server.url(),
        ),
        (vec!["127.0.0.1".to_owned()], server.url()),
        // A name that leads to an address that is not public.
        (vec![format!("localhost:{port}")], by_name.clone()),
        (vec![format!("192.0.2.1:{port}")], by_name.clone()),
        (
            vec![format!("127.0.0.1:{port}")],
            format!("http://[::ffff:10.0.0.1]:{port}/"),
        ),
    ] {
        let allow: Vec<&str> = allow.iter().map(String::as_str).collect();
        let why = fails(policy(&allow), crl(&url), FetchResult::NotAllowed).await;
        assert!(why.ends_with("is not allowed"), "{why}");
        assert_eq!(server.connections(), 0, "{allow:?} {url}");
    }
    let allowed = policy(&[&format!("127.0.0.0/8:{port}")]);
    fails(allowed, crl(&by_name), FetchResult::Unreadable).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_cannot_be_reached_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let policy = policy(&[&closed.to_string()]);
    fails(
        policy.clone(),
        crl(&format!("http://{closed}/")),
        FetchResult::Unreachable,
    )
    .await;
    fails(
        policy.clone(),
        crl(&format!("https://{closed}/")),
        FetchResult::BadUrl,
    )
    .await;
    fails(
        policy,
        crl(&format!("http://{}.example/", "x".repeat(64))),
        FetchResult::Unresolved,
    )
    .await;
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    // It sends a byte now and then, and never ends.
    let server = Server::new(|mut stream| async move {
        while stream.write_all(b"H").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mut policy = allowing(&server);
    policy.timeout = Duration::from_millis(100);
    fails(policy, crl(&server.url()), FetchResult::Timeout).await;
}

#[tokio::test]
async fn a_responder_that_does_not_answer_is_told() {
    let server = Server::saying(http("200 OK", TRY_LATER)).await;
    let question = Question::Ocsp {
        url: server.url(),
        request: vec![0x30, 0],
    };
    let why = fails(allowing(&server), question, FetchResult::Unanswered).await;
    assert_eq!(why, "the responder said tryLater");
}

#[tokio::test]
async fn a_question_is_fetched_once_and_failures_are_not_repeated_at_once() {
    let server = Server::saying(http("200 OK", b"no CRL")).await;
    let fetcher = Fetcher::start(allowing(&server), Arc::default());
    for _ in 0..50 {
        assert!(matches!(fetcher.ask(&crl(&server.url()), false), Lookup::Pending));
    }
    failure(&fetcher, &crl(&server.url())).await;
    for stale in [false, true] {
        assert!(matches!(
            fetcher.ask(&crl(&server.url()), stale),
            Lookup::Failed(_)
        ));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn only_so_many_are_fetched_at_once_and_wait() {
    let server = Server::new(|mut stream| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Who waited may be gone.
        let _ = stream.write_all(&http("404 Not Found", b"")).await;
    })
    .await;
    let mut policy = allowing(&server);
    policy.max_concurrent = 2;
    let counters = Arc::new(FetchCounters::default());
    let fetcher = Fetcher::start(policy, Arc::clone(&counters));
    let question = |number| crl(&format!("{}?{number}", server.url()));
    for number in 0..=MAX_QUEUE {
        fetcher.ask(&question(number), false);
    }
    assert_eq!(counters.get(FetchResult::QueueFull), 1);
    assert!(matches!(
        fetcher.ask(&question(MAX_QUEUE), false),
        Lookup::Failed(_)
    ));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn the_task_ends_with_its_handles() {
    let fetcher = Fetcher::start(policy(&[]), Arc::default());
    let shared = Arc::downgrade(&fetcher.shared);
    drop(fetcher);
    for _ in 0..100 {
        if shared.upgrade().is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the task is still there");
}
