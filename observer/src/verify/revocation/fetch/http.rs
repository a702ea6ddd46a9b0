//! One request over HTTP, to an address that is allowed.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinHandle;

use super::{FetchPolicy, FetchResult};

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 4;
/// What a response may have in front of its body.
const MAX_HEAD: usize = 64 * 1024;

/// Why nothing came, for counters and for people.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) result: FetchResult,
    pub(super) words: String,
}

impl Failure {
    pub(super) fn new(result: FetchResult, words: impl Into<String>) -> Self {
        Self {
            result,
            words: words.into(),
        }
    }
}

/// Gets what is at `url`, or, with an OCSP request, posts that there. Redirections are not followed.
pub(super) async fn fetch(
    policy: &FetchPolicy,
    url: &str,
    ocsp_request: Option<&[u8]>,
    max_bytes: usize,
) -> Result<Bytes, Failure> {
    let exchange = async {
        let (uri, host, port) = target(url)?;
        let stream = connect(policy, &host, port).await?;
        let request = request(&uri, ocsp_request)?;
        exchange(stream, request, max_bytes).await
    };
    match tokio::time::timeout(policy.timeout, exchange).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::new(
            FetchResult::Timeout,
            format!("no answer within {:?}", policy.timeout),
        )),
    }
}

/// The host and the port of a URL, and the URL taken apart.
fn target(url: &str) -> Result<(Uri, String, u16), Failure> {
    let bad = |why: &str| Failure::new(FetchResult::BadUrl, why);
    let uri: Uri = url.parse().map_err(|_| bad("it is not a URL"))?;
    if uri.scheme_str() != Some("http") {
        return Err(bad("only http is fetched"));
    }
    let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
    if authority.as_str().contains('@') {
        return Err(bad("it has a user name"));
    }
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    // A colon without a number behind it would be passed over.
    let port = match authority.as_str().strip_prefix(authority.host()) {
        None | Some("") => 80,
        Some(_) => authority.port_u16().ok_or_else(|| bad("its port is none"))?,
    };
    Ok((uri, host, port))
}

/// Connects to an address of the host that is allowed. The address that is looked at is the one that is connected to,
/// whatever the name leads to the next time.
async fn connect(policy: &FetchPolicy, host: &str, port: u16) -> Result<TcpStream, Failure> {
    let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => lookup_host((host, port))
            .await
            .map_err(|error| Failure::new(FetchResult::Unresolved, format!("{host}: {error}")))?
            .collect(),
    };
    let is_allowed = |address: &SocketAddr| policy.allow.iter().any(|allowed| allowed.allows(host, *address));
    let mut last = match addresses.first() {
        Some(first) => Failure::new(FetchResult::NotAllowed, format!("{first} is not allowed")),
        None => Failure::new(FetchResult::Unresolved, format!("{host} has no address")),
    };
    for address in addresses
        .iter()
        .filter(|address| is_allowed(address))
        .take(MAX_ADDRESSES)
    {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Failure::new(FetchResult::Unreachable, format!("{address}: {error}")),
        }
    }
    Err(last)
}

fn request(uri: &Uri, ocsp_request: Option<&[u8]>) -> Result<Request<Full<Bytes>>, Failure> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let builder = Request::builder()
        .uri(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "tls-observer")
        .header(header::CONNECTION, "close");
    let request = match ocsp_request {
        None => builder.method(Method::GET).body(Full::default()),
        Some(body) => builder
            .method(Method::POST)
            .header(header::CONTENT_TYPE, "application/ocsp-request")
            .body(Full::from(Bytes::copy_from_slice(body))),
    };
    request.map_err(|error| Failure::new(FetchResult::BadUrl, error.to_string()))
}

async fn exchange(
    stream: TcpStream,
    request: Request<Full<Bytes>>,
    max_bytes: usize,
) -> Result<Bytes, Failure> {
    let broken = |error: hyper::Error| Failure::new(FetchResult::BadResponse, error.to_string());
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // The connection ends with this function, however that ends.
    let _driver = Driver(tokio::spawn(
        async move { connection.await.map_err(io::Error::other) },
    ));
    let response = sender.send_request(request).await.map_err(broken)?;
    if response.status() != StatusCode::OK {
        return Err(Failure::new(
            FetchResult::BadResponse,
            response.status().to_string(),
        ));
    }
    match Limited::new(response.into_body(), max_bytes).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::new(
            FetchResult::TooBig,
            format!("more than {max_bytes} bytes"),
        )),
        Err(error) => Err(Failure::new(FetchResult::BadResponse, error.to_string())),
    }
}

/// The task that moves the bytes of a connection.
struct Driver(JoinHandle<io::Result<()>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_a_host_is_fetched() {
        let parts = |url| target(url).map(|(_, host, port)| (host, port)).ok();
        let expected = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parts("http://crl.example/a.crl"), expected("crl.example", 80));
        assert_eq!(parts("http://192.0.2.1:8080"), expected("192.0.2.1", 8080));
        assert_eq!(parts("http://[2001:db8::1]:81/x?y"), expected("2001:db8::1", 81));
        for url in [
            "",
            "/a",
            "crl.example",
            "https://crl.example/",
            "ldap://crl.example/",
            "file:///etc/passwd",
            "http://user@crl.example/",
            "http://crl.example:99999/",
            "http://a b/",
            "http://\n/",
        ] {
            assert!(target(url).is_err(), "{url}");
        }
    }
}
