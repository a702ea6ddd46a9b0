//! Answers from URLs: OpenSSL as OCSP responder, and CRLs of OpenSSL, over HTTP on the loopback interface.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, CrlDistributionPoint, CustomExtension};
use tls_observer::verify::revocation::fetch::{FetchCounters, FetchPolicy, FetchResult, Fetcher};
use tls_observer::verify::revocation::{Answer, RevocationSources};
use tls_observer::verify::{Link, Revocation};
use tokio::runtime::Runtime;

use super::authority::{Authority, EC, Row, authority, plan, run};

/// Answers the body of a request to a path; `None`: 404.
type Handler = dyn Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + Sync;

/// A server of this process.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    handler: Arc<Mutex<Box<Handler>>>,
}

impl Server {
    /// One that finds nothing.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let handler: Arc<Mutex<Box<Handler>>> = Arc::new(Mutex::new(Box::new(|_, _| None)));
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, count) = (Arc::clone(&handler), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::Relaxed);
                serve(stream.unwrap(), &**answer.lock().unwrap());
            }
        });
        Self {
            address,
            requests,
            handler,
        }
    }

    fn answer(&self, handler: impl Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + Sync + 'static) {
        *self.handler.lock().unwrap() = Box::new(handler);
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Reads a request and answers it.
fn serve(mut stream: TcpStream, handler: &Handler) {
    let mut request = Vec::new();
    let (head, body) = loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the request ends early");
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lines = head.lines();
        let length = lines.find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        });
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let start = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        if request.len() >= start + length {
            break (head.to_owned(), request[start..].to_vec());
        }
    };
    let path = head.split(' ').nth(1).unwrap();
    let (status, content) = match handler(path, &body) {
        Some(content) => ("200 OK", content),
        None => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", content.len());
    stream.write_all(&[head.as_bytes(), &content].concat()).unwrap();
}

/// `openssl ocsp` as a responder: what it answers to a request, DER.
fn respond(folder: &Path, ca: &Path, key: &Path, database: &Path, request: &[u8]) -> Vec<u8> {
    let [asked, answer] = ["request.der", "answer.der"].map(|file| folder.join(file));
    fs::write(&asked, request).unwrap();
    run(Command::new("openssl")
        .args(["ocsp", "-ndays", "7", "-index"])
        .arg(database)
        .arg("-CA")
        .arg(ca)
        .arg("-rsigner")
        .arg(ca)
        .arg("-rkey")
        .arg(key)
        .arg("-reqin")
        .arg(asked)
        .arg("-respout")
        .arg(&answer));
    fs::read(answer).unwrap()
}

/// The extension that names an OCSP responder.
fn responder_at(url: &str) -> CustomExtension {
    let element = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 48, 1];
    let description = element(0x30, &[&method[..], &element(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], element(0x30, &description))
}

fn with_crl_at(mut plan: CertificateParams, urls: &[String]) -> CertificateParams {
    let uris = urls.to_vec();
    plan.crl_distribution_points = vec![CrlDistributionPoint { uris }];
    plan
}

/// A runtime, and the sources that fetch in it what this policy allows.
struct Agent {
    runtime: Runtime,
    sources: RevocationSources,
    counters: Arc<FetchCounters>,
}

impl Agent {
    fn new(server: &Server, change: impl Fn(&mut FetchPolicy)) -> Self {
        let mut policy = FetchPolicy {
            ocsp: true,
            crls: true,
            allow: vec![server.address.to_string().parse().unwrap()],
            ..FetchPolicy::default()
        };
        change(&mut policy);
        let runtime = Runtime::new().unwrap();
        let counters = Arc::new(FetchCounters::default());
        let fetcher = {
            let _inside = runtime.enter();
            Fetcher::start(policy, Arc::clone(&counters))
        };
        Self {
            runtime,
            sources: RevocationSources::default().with_fetcher(fetcher),
            counters,
        }
    }

    fn check(&self, links: &[Link<'_>]) -> Answer {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.sources.check(links, now.as_secs().try_into().unwrap(), None)
    }

    /// What it says once nothing is being fetched any more.
    fn settled(&self, links: &[Link<'_>]) -> Answer {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.check(links);
            assert!(answer.provisional || answer.revocation == Revocation::NotChecked);
            let waits = answer
                .detail
                .as_ref()
                .is_some_and(|detail| detail.contains("is being asked"));
            if !waits {
                return answer;
            }
            assert!(Instant::now() < deadline, "{answer:?}");
            self.runtime
                .block_on(async { tokio::time::sleep(Duration::from_millis(5)).await });
        }
    }
}

#[test]
fn a_responder_is_asked_in_the_background_and_once() {
    let home = Authority::new(authority("Works"), &EC);
    let server = Server::new();
    let rows: [Row<'_>; 2] = [("05", None), ("06", Some("240301000000Z,keyCompromise"))];
    let database: PathBuf = home.database(&rows);
    let (folder, ca, key) = (
        home.path().to_owned(),
        home.ca.certificate.clone(),
        home.ca.key.clone(),
    );
    server.answer(move |path, request| {
        assert_eq!(path, "/ocsp?a=b");
        Some(respond(&folder, &ca, &key, &database, request))
    });
    let leaf = |serial: u8| {
        let mut plan = plan("leaf", serial);
        plan.custom_extensions = vec![responder_at(&server.url("/ocsp?a=b"))];
        home.issue(&home.ca, &format!("leaf{serial}"), plan)
    };
    let agent = Agent::new(&server, |_| {});
    let good = leaf(5);
    let links = [good.link(&home.ca)];
    let first = agent.check(&links);
    assert_eq!(first.revocation, Revocation::Unknown);
    assert_eq!(
        first.detail,
        Some(format!("{} is being asked", server.url("/ocsp?a=b")))
    );

    let answer = agent.settled(&links);
    assert_eq!(answer.revocation, Revocation::Good, "{answer:?}");
    let detail = answer.detail.unwrap();
    let start = format!(
        "not revoked by the OCSP response from {} of 20",
        server.url("/ocsp?a=b")
    );
    assert!(detail.starts_with(&start), "{detail}");
    assert!(answer.until.is_some());
    agent.settled(&links);
    assert_eq!((server.requests(), agent.counters.get(FetchResult::Ok)), (1, 1));

    for (serial, revocation, words) in [
        (
            6,
            Revocation::Revoked,
            "revoked 2024-03-01T00:00:00Z (keyCompromise) by the OCSP response",
        ),
        (9, Revocation::Unknown, "says that the responder does not know it"),
    ] {
        let leaf = leaf(serial);
        let answer = agent.settled(&[leaf.link(&home.ca)]);
        assert_eq!(answer.revocation, revocation, "{answer:?}");
        assert!(answer.detail.as_ref().unwrap().contains(words), "{answer:?}");
    }
    assert_eq!(agent.counters.get(FetchResult::Ok), 3);
}

#[test]
fn crls_are_fetched_for_all_of_a_path() {
    let home = Authority::new(authority("Works"), &EC);
    let server = Server::new();
    let above = with_crl_at(authority("Middle"), &[server.url("/root.crl")]);
    let mut above = above;
    above.serial_number = Some(vec![77].into());
    let above = home.issue(&home.ca, "middle", above);
    let urls = [
        "ldap://127.0.0.1/x".to_owned(),
        server.url("/missing.crl"),
        server.url("/middle.crl"),
    ];
    let leaf = home.issue(&above, "leaf", with_crl_at(plan("leaf", 5), &urls));
    let links = [leaf.link(&above), above.link(&home.ca)];

    let [from, until] = ["240101000000Z", "440101000000Z"];
    let root = home.crl(&home.ca, &[("4D", Some("240301000000Z"))], from, until, "");
    let middle = home.crl(&above, &[], from, until, "");
    server.answer(move |path, _| match path {
        "/root.crl" => Some(root.clone()),
        "/middle.crl" => Some(middle.clone()),
        _ => None,
    });
    let agent = Agent::new(&server, |_| {});
    let deadline = Instant::now() + Duration::from_secs(20);
    let answer = loop {
        // What is above the leaf is told of only when it is known.
        let answer = agent.settled(&links);
        if answer.chain_revoked {
            break answer;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
    };
    assert_eq!(answer.revocation, Revocation::Good);
    let detail = answer.detail.unwrap();
    assert!(
        detail.contains("not revoked by the CRL of CN=Middle of 2024-01-01T00:00:00Z"),
        "{detail}"
    );
    assert!(
        detail.ends_with(
            "; CN=Middle: revoked 2024-03-01T00:00:00Z by the CRL of CN=Works of 2024-01-01T00:00:00Z"
        ),
        "{detail}"
    );
    assert_eq!(agent.counters.get(FetchResult::BadResponse), 1);
    assert_eq!(agent.counters.get(FetchResult::Ok), 2);
}

#[test]
fn nothing_is_asked_that_is_not_wanted_or_not_allowed() {
    let home = Authority::new(authority("Works"), &EC);
    let server = Server::new();
    let mut plan = with_crl_at(plan("leaf", 5), &[server.url("/list.crl")]);
    plan.custom_extensions = vec![responder_at(&server.url("/ocsp"))];
    let leaf = home.issue(&home.ca, "leaf", plan);
    let links = [leaf.link(&home.ca)];

    let off = Agent::new(&server, |policy| (policy.ocsp, policy.crls) = (false, false));
    assert_eq!(off.settled(&links).revocation, Revocation::NotChecked);
    let elsewhere = Agent::new(&server, |policy| {
        policy.allow = vec!["192.0.2.0/24".parse().unwrap()]
    });
    let answer = elsewhere.settled(&links);
    assert_eq!(answer.revocation, Revocation::Unknown);
    assert!(answer.detail.unwrap().contains("did not answer: 127.0.0.1:"));
    assert_eq!(elsewhere.counters.get(FetchResult::NotAllowed), 2);
    assert_eq!(server.requests(), 0);

    let ocsp_only = Agent::new(&server, |policy| policy.crls = false);
    let detail = ocsp_only.settled(&links).detail.unwrap();
    assert_eq!(
        detail,
        format!("{} did not answer: 404 Not Found", server.url("/ocsp"))
    );
    assert_eq!(server.requests(), 1);
}
