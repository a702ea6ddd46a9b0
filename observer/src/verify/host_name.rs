//! DNS names of certificates against the name that a client asked for (RFC 9525, section 6.3).

/// Labels that must follow a wildcard: OpenSSL, webpki and others refuse `*.com`.
const LABELS_BELOW_WILDCARD: usize = 2;

/// Whether a name as a certificate has it, which may begin with `*.`, is that of the host. Case makes no difference, nor
/// does a dot at the end of the host's name.
pub fn matches(presented: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if presented.is_empty() || host.is_empty() {
        return false;
    }
    let Some(below) = presented.strip_prefix("*.") else {
        return presented.eq_ignore_ascii_case(host);
    };
    let enough = below.split('.').filter(|label| !label.is_empty()).count() >= LABELS_BELOW_WILDCARD;
    let host = host.split_once('.');
    enough && host.is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_one_whole_label() {
        for (presented, host) in [
            ("a.example", "A.example"),
            ("a.example", "a.example."),
            ("*.example.org", "a.example.org"),
            ("*.Example.org", "a.example.ORG"),
        ] {
            assert!(matches(presented, host), "{presented} {host}");
        }
        for (presented, host) in [
            ("a.example", "b.example"),
            ("*.example.org", "example.org"),
            ("*.example.org", "a.b.example.org"),
            ("*.example.org", ".example.org"),
            ("f*.example.org", "foo.example.org"),
            ("*.example", "a.example"),
            ("*.", "a."),
            ("*", "a"),
            ("", ""),
        ] {
            assert!(!matches(presented, host), "{presented} {host}");
        }
    }
}
