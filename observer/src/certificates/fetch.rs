//! One HTTP request to an agent.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an agent may take for everything: it answers from memory.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer in bytes: what the largest certificates fill an inventory with, written as JSON.
const MAX_BODY: usize = 256 * 1024 * 1024;
/// The port of a URL without one.
const HTTP_PORT: u16 = 80;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nobody answers.
    #[error(
        "cannot reach an agent at {base}: {source}; is it running, and does its setting listen name this address?"
    )]
    Connect {
        /// Where it was looked for.
        base: Uri,
        /// What the system says.
        source: io::Error,
    },
    /// What answers is no agent, or stopped before the end.
    #[error("{base} gives no answer that can be read: {message}")]
    Answer {
        /// Who was asked.
        base: Uri,
        /// What is wrong.
        message: String,
    },
    /// Another status than 200.
    #[error("{base} answers {status}: {body}")]
    Status {
        /// Who was asked.
        base: Uri,
        /// The status.
        status: StatusCode,
        /// What it says, the first line of it.
        body: String,
    },
}

/// The body at `path` of the server `base`. It blocks.
///
/// # Errors
/// See [`FetchError`].
pub fn get(base: &Uri, path: &str) -> Result<Bytes, FetchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| unreachable(base, source))?;
    runtime.block_on(async {
        let asked = ask(base, path);
        let late = || FetchError::Answer {
            base: base.clone(),
            message: format!("not within {} seconds", PATIENCE.as_secs()),
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_| late())?
    })
}

fn unreachable(base: &Uri, source: io::Error) -> FetchError {
    FetchError::Connect {
        base: base.clone(),
        source,
    }
}

async fn ask(base: &Uri, path: &str) -> Result<Bytes, FetchError> {
    let unreadable = |error: &dyn std::fmt::Display| FetchError::Answer {
        base: base.clone(),
        message: error.to_string(),
    };
    let host = base.host().unwrap_or_default();
    // The resolver wants an IPv6 address without the brackets that it has in a URL.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((name, base.port_u16().unwrap_or(HTTP_PORT)));
    let stream = stream.await.map_err(|source| unreachable(base, source))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreadable(&error))?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path)
        .header(
            HOST,
            base.authority().map_or(host, |authority| authority.as_str()),
        )
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| unreadable(&error))?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| unreadable(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_BODY).collect().await;
    let body = body.map_err(|error| unreadable(&error))?.to_bytes();
    connection.abort();
    if status == StatusCode::OK {
        return Ok(body);
    }
    let body = String::from_utf8_lossy(&body);
    let line: String = body
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    Err(FetchError::Status {
        base: base.clone(),
        status,
        body: line,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What is made of `answer`.
    fn asked(answer: &'static str) -> (String, Result<Bytes, FetchError>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base: Uri = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let found = get(&base, "/certificates");
        (server.join().unwrap(), found)
    }

    #[test]
    fn the_body_of_a_good_answer() {
        let (request, body) = asked("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert_eq!(body.unwrap(), "{}");
        assert!(
            request.starts_with("GET /certificates HTTP/1.1\r\nhost: 127.0.0.1:"),
            "{request}"
        );
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        let (_, error) = asked("HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\nthere is none\n");
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with("answers 404 Not Found: there is none"), "{error}");
        for broken in [
            "",
            "220 mail ESMTP\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        ] {
            let error = asked(broken).1.unwrap_err().to_string();
            assert!(error.contains("gives no answer that can be read: "), "{error}");
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn nobody_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = get(&format!("http://{address}").parse().unwrap(), "/")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("cannot reach an agent at http://{address}/: ")),
            "{error}"
        );
        assert!(error.contains("listen"));
    }
}
