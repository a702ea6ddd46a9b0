//! What a bundle's text means, and which handshakes it is for.

use super::*;
use crate::config::file;
use crate::config::service::Service;

fn trust(text: &str) -> Trust {
    Trust::from_text(text).unwrap()
}

fn from_file(text: &str) -> Vec<Trust> {
    file::parse(text).unwrap().trust.unwrap()
}

fn error(text: &str) -> String {
    file::parse(text).unwrap_err().message
}

/// Whether `selector` selects this, where the listener on port 8443 has the name `api`.
fn selects(selector: &Selector, side: Side, server: &str, server_name: Option<&str>) -> bool {
    let services = ServiceNames::new(&[Service::from_text("api=8443").unwrap()]);
    let target = Target {
        side,
        server: server.parse().unwrap(),
        server_name,
    };
    selector.matches(&target, &services)
}

#[test]
fn the_file_and_the_flag_say_the_same() {
    let file = from_file(
        "[[trust]]\nname = \"mesh\"\nca = [\"/a.pem\", \"/b\"]\ncrl = \"/c.crl\"\nside = \"client\"\n\
         service = \"api\"\naddress = [\"10.0.0.1\", \"10.0.0.2:443\"]\nport = [443, 8443]\n\
         server_name = \"*.Example.com\"\nexpected_client = \"spiffe://example.com/\"\nsystem_roots = true\n",
    );
    let flag = trust(
        "mesh=/a.pem;ca=/b;crl=/c.crl;side=client;service=api;address=10.0.0.1;address=10.0.0.2:443;port=443;\
         port=8443;server_name=*.example.com;expected_client=spiffe://example.com/;system_roots=true",
    );
    assert_eq!(file, [flag]);
}

#[test]
fn a_name_and_a_file_are_enough() {
    let simple = trust("mesh=/etc/ca.pem");
    assert_eq!((simple.name.as_str(), simple.ca.len()), ("mesh", 1));
    assert!(!simple.selector.is_specific());
    assert!(trust("public;system_roots=true").ca.is_empty());
}

#[test]
fn errors_name_the_bundle_and_the_key() {
    for (text, wanted) in [
        ("mesh", "trust \"mesh\": it trusts nobody"),
        ("=/a", "\"\" is not a trust bundle name"),
        (
            "mesh=/a;port=x",
            "trust \"mesh\": port: \"x\" is not a whole number",
        ),
        (
            "mesh=/a;colour=red",
            "trust \"mesh\": colour: there is no such key",
        ),
        (
            "mesh=/a;side=both",
            "trust \"mesh\": side: \"both\" is neither client nor server",
        ),
        (
            "mesh=/a;address=host:1",
            "trust \"mesh\": address: \"host:1\" is not an address",
        ),
        (
            "mesh=/a;server_name=a.*.b",
            "trust \"mesh\": server_name: \"a.*.b\" is not a server name",
        ),
        (
            "mesh=/a;side=server;expected_client=dns:x",
            "expected_client is about clients",
        ),
        (
            "mesh=/a;expected_client=x",
            "expected_client: `x`: not of the form",
        ),
        ("mesh=/a;crl", "write NAME=FILE or NAME;KEY=VALUE"),
    ] {
        let message = Trust::from_text(text).unwrap_err();
        assert!(message.contains(wanted), "{text}: {message}");
    }
    let message = error("[[trust]]\nname = \"mesh\"\ncrl = \"/x\"\n");
    assert!(
        message.starts_with("trust: trust \"mesh\": it trusts nobody"),
        "{message}"
    );
    assert!(error("[[trust]]\nname = \"mesh\"\nca = 7.5\n").starts_with("trust.ca: "));
    assert!(error("[[trust]]\nname = \"mesh\"\nfile = \"/x\"\n").contains("unknown field `file`"));
}

#[test]
fn nothing_is_fetched_unless_it_is_said_what_and_from_where() {
    assert_eq!(trust("a=/a").fetch, None);
    assert_eq!(trust("a=/a;revocation_allow=10.0.0.0/8").fetch, None);
    let fetch = trust(
        "a=/a;revocation_fetch=crl;revocation_allow=10.0.0.0/8;revocation_allow=*.example.com:8080;\
         revocation_timeout=2s;revocation_max_bytes=4096",
    )
    .fetch
    .unwrap();
    assert_eq!((fetch.ocsp, fetch.crls, fetch.allow.len()), (false, true, 2));
    assert_eq!(
        (fetch.timeout, fetch.max_bytes),
        (Some(Duration::from_secs(2)), Some(4096))
    );
    let both = trust("a=/a;revocation_fetch=both;revocation_allow=10.0.0.1")
        .fetch
        .unwrap();
    assert!(both.ocsp && both.crls);
    for (text, wanted) in [
        (
            "a=/a;revocation_fetch=ocsp",
            "revocation_fetch needs revocation_allow",
        ),
        (
            "a=/a;revocation_fetch=on",
            "revocation_fetch: \"on\" is none of off, ocsp, crl, both",
        ),
        (
            "a=/a;revocation_allow=a/b",
            "revocation_allow: \"a/b\" is none of",
        ),
    ] {
        let message = Trust::from_text(text).unwrap_err();
        assert!(
            message.starts_with(&format!("trust \"a\": {wanted}")),
            "{message}"
        );
    }
}

#[test]
fn every_key_must_match_and_any_value_of_it() {
    let selector = trust("a=/a;port=443;port=8443;address=10.0.0.1").selector;
    assert!(selector.is_specific());
    assert!(selects(&selector, Side::Client, "10.0.0.1:443", None));
    assert!(selects(&selector, Side::Server, "[::ffff:10.0.0.1]:8443", None));
    assert!(!selects(&selector, Side::Client, "10.0.0.1:444", None));
    assert!(!selects(&selector, Side::Client, "10.0.0.2:443", None));
    let listener = trust("a=/a;address=10.0.0.1:443").selector;
    assert!(!selects(&listener, Side::Client, "10.0.0.1:444", None));
}

#[test]
fn sides_and_services() {
    let clients = trust("a=/a;side=client").selector;
    assert!(!clients.is_specific(), "it is the default for clients");
    assert!(selects(&clients, Side::Client, "10.0.0.1:1", None));
    assert!(!selects(&clients, Side::Server, "10.0.0.1:1", None));
    let api = trust("a=/a;service=api;service=web").selector;
    assert!(selects(&api, Side::Client, "10.0.0.1:8443", None));
    assert!(!selects(&api, Side::Client, "10.0.0.1:443", None));
}

#[test]
fn server_names_are_whole_names_or_their_ends() {
    let exact = trust("a=/a;server_name=api.example.com").selector;
    let below = trust("a=/a;server_name=*.example.com").selector;
    let selects = |selector, name| selects(selector, Side::Server, "10.0.0.1:1", name);
    assert!(selects(&exact, Some("API.example.com.")));
    for name in [None, Some("x.api.example.com"), Some("api.example.co")] {
        assert!(!selects(&exact, name), "{name:?}");
    }
    assert!(selects(&below, Some("a.b.Example.com")));
    for name in [
        None,
        Some("example.com"),
        Some(".example.com"),
        Some("notexample.com"),
        Some("é.com"),
    ] {
        assert!(!selects(&below, name), "{name:?}");
    }
}
