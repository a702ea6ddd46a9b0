//! Names that the operator expects in the certificates of clients.

use std::fmt;
use std::str::FromStr;

use observer_tls::x509::CertificateFacts;

use super::host_name;

/// A name that a client's certificate may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedName {
    /// `spiffe://domain/path`: this SPIFFE id.
    SpiffeId(String),
    /// `spiffe://domain/`: any SPIFFE id of this trust domain; kept with the slash at the end.
    SpiffeTrustDomain(String),
    /// `dns:name`: a DNS name of subjectAltName; `*.` stands for one label.
    Dns(String),
    /// `email:address`: a mail address of subjectAltName, its domain in any case.
    Email(String),
    /// `uri:text`: a URI of subjectAltName.
    Uri(String),
}

/// The names of which a client's certificate must have one; any will do when there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedNames(pub Vec<ExpectedName>);

impl ExpectedNames {
    /// Whether the certificate has one of them, or none is asked for.
    pub fn are_met_by(&self, certificate: &CertificateFacts) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| name.is_in(certificate))
    }
}

impl fmt::Display for ExpectedNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

impl ExpectedName {
    fn is_in(&self, certificate: &CertificateFacts) -> bool {
        let spiffe_id = certificate.spiffe_id();
        match self {
            Self::SpiffeId(expected) => spiffe_id.is_some_and(|id| id == expected),
            Self::SpiffeTrustDomain(domain) => {
                spiffe_id.is_some_and(|id| id.len() > domain.len() && id.starts_with(domain))
            }
            Self::Dns(expected) => certificate
                .dns_names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(expected) || host_name::matches(expected, name)),
            Self::Email(expected) => certificate
                .emails
                .iter()
                .any(|address| same_mailbox(address, expected)),
            Self::Uri(expected) => certificate.uris.contains(expected),
        }
    }
}

/// Whether two mail addresses are the same: the part before the `@` exactly, the domain in any case (RFC 5280, section 7.5).
fn same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, domain)), Some((other_local, other_domain))) => {
            local == other_local && domain.eq_ignore_ascii_case(other_domain)
        }
        _ => one == other,
    }
}

impl FromStr for ExpectedName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}`: not of the form spiffe://…, dns:…, email:… or uri:…"))?;
        let value = rest.to_owned();
        let name = match kind {
            "spiffe" => {
                let id = rest.strip_prefix("//").and_then(|id| id.split_once('/'));
                match id.filter(|(domain, _)| !domain.is_empty()) {
                    Some((_, "")) => Self::SpiffeTrustDomain(text.to_owned()),
                    Some(_) => Self::SpiffeId(text.to_owned()),
                    None => {
                        return Err(format!(
                            "`{text}`: neither spiffe://domain/ nor spiffe://domain/path"
                        ));
                    }
                }
            }
            "dns" => Self::Dns(value),
            "email" => Self::Email(value),
            "uri" => Self::Uri(value),
            _ => {
                return Err(format!(
                    "`{text}`: `{kind}` is none of spiffe, dns, email and uri"
                ));
            }
        };
        match rest {
            "" => Err(format!("`{text}`: no name after the colon")),
            _ => Ok(name),
        }
    }
}

impl fmt::Display for ExpectedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpiffeId(id) | Self::SpiffeTrustDomain(id) => f.write_str(id),
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Email(address) => write!(f, "email:{address}"),
            Self::Uri(uri) => write!(f, "uri:{uri}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> CertificateFacts {
        CertificateFacts {
            dns_names: vec!["a.clients.example".into()],
            emails: vec!["Ann@Example.org".into()],
            uris: vec!["spiffe://prod/ns/a".into()],
            ..Default::default()
        }
    }

    fn meets(names: &[&str]) -> bool {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        ExpectedNames(names).are_met_by(&certificate())
    }

    #[test]
    fn one_of_the_names_is_enough() {
        for name in [
            "spiffe://prod/ns/a",
            "spiffe://prod/",
            "dns:A.clients.example",
            "dns:*.clients.example",
            "email:Ann@example.ORG",
            "uri:spiffe://prod/ns/a",
        ] {
            assert!(meets(&[name]) && meets(&["dns:other.example", name]), "{name}");
            assert_eq!(name.parse::<ExpectedName>().unwrap().to_string(), name);
        }
        assert!(meets(&[]));
    }

    #[test]
    fn what_is_near_is_not_enough() {
        for name in [
            "spiffe://prod/ns",
            "spiffe://prod/ns/a/b",
            "spiffe://pro/",
            "dns:clients.example",
            "dns:*.example",
            "email:ann@example.org",
            "uri:spiffe://prod/ns/A",
        ] {
            assert!(!meets(&[name]), "{name}");
        }
    }

    #[test]
    fn names_without_kind_or_value_are_refused() {
        for text in [
            "a.example",
            "dns:",
            "ip:10.0.0.1",
            "spiffe://",
            "spiffe:///a",
            "spiffe://domain",
        ] {
            let error = text.parse::<ExpectedName>().unwrap_err();
            assert!(error.starts_with(&format!("`{text}`")), "{error}");
        }
    }
}
