//! The verb `certificates`: the inventory of a running agent, or of captures, as JSON or as a table.

mod fetch;

use std::io::{IsTerminal as _, Write as _, stdout};

use hyper::Uri;
use jiff::Timestamp;

use crate::config::values::Format;
use crate::exit::Exit;
use crate::output::certificates::table::{self, Listing};
use crate::output::http::CERTIFICATES;

/// What is wrong with the URL of an agent.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{url:?} is not the URL of an agent; write http://127.0.0.1:9465, as its setting listen says")]
pub struct UrlError {
    /// What was given.
    url: String,
}

/// An inventory that cannot be shown.
#[derive(Debug, thiserror::Error)]
#[error("this is no certificate inventory: {0}")]
pub struct ListingError(#[from] serde_json::Error);

/// Asks the agent that serves on `url`, and prints its inventory.
pub fn run(url: &str, format: Format) -> Exit {
    let asked = base(url)
        .map_err(|error| (error.to_string(), Exit::Usage))
        .and_then(|base| fetch::get(&base, CERTIFICATES).map_err(|error| (error.to_string(), Exit::Failed)))
        .and_then(|json| shown(&json, format).map_err(|error| (format!("{url}: {error}"), Exit::Failed)));
    match asked {
        Ok(text) => {
            // A reader that goes away early has seen enough.
            let _ = stdout().write_all(&text);
            Exit::Done
        }
        Err((error, exit)) => {
            eprintln!("tls-observer: {error}");
            exit
        }
    }
}

/// The inventory in `json`, as it is or as a table.
///
/// # Errors
/// When a table is wanted and it is none.
pub fn shown(json: &[u8], format: Format) -> Result<Vec<u8>, ListingError> {
    if format == Format::Json {
        return Ok(json.to_vec());
    }
    let listing: Listing = serde_json::from_slice(json)?;
    let color = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = String::new();
    table::write(&listing, Timestamp::now(), color, &mut text);
    Ok(text.into_bytes())
}

/// An agent's URL, which has a host and no path.
fn base(url: &str) -> Result<Uri, UrlError> {
    let uri: Option<Uri> = url.parse().ok();
    uri.filter(|uri| {
        uri.scheme_str() == Some("http")
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.path() == "/"
            && uri.query().is_none()
    })
    .ok_or_else(|| UrlError { url: url.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_agents() {
        for url in ["http://127.0.0.1:9465", "http://[::1]:9465/", "http://host"] {
            assert!(base(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:9465",
            "https://host",
            "http://",
            "http://host/metrics",
            "http://h/?x",
            "é",
        ] {
            let error = base(url).unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:9465"), "{error}");
            assert_eq!(run(url, Format::Json), Exit::Usage);
        }
    }

    #[test]
    fn what_is_no_inventory_is_called_so() {
        let error = shown(b"{\"certificates\":7}", Format::Text)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("this is no certificate inventory: "), "{error}");
        assert_eq!(
            shown(b"{\"certificates\":7}", Format::Json).unwrap(),
            b"{\"certificates\":7}"
        );
    }
}
