//! Name constraints (RFC 5280, section 4.2.1.10): authorities that may only name what is below some names.

use std::cell::Cell;

use super::Status;
use super::certificate::Certificate;
use super::der::{self, Element, Elements};
use super::distinguished_name;
use super::faults::Fault;
use super::path::title;

/// Comparisons of a name with a constraint that are made for one chain; real ones need a few dozen, and webpki makes about
/// as many.
const MAX_COMPARISONS: usize = 1 << 18;

/// Kinds of `GeneralName` by their tags.
const MAIL: u8 = der::primitive(1);
const DNS: u8 = der::primitive(2);
const DIRECTORY: u8 = der::constructed(4);
const URI: u8 = der::primitive(6);
const ADDRESS: u8 = der::primitive(7);

/// emailAddress of PKCS #9, 1.2.840.113549.1.9.1.
const MAIL_ATTRIBUTE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// A name that a certificate has.
struct Name {
    /// The tag of its `GeneralName`.
    kind: u8,
    /// Its bytes; a directory name in canonical form.
    value: Vec<u8>,
}

/// A name that a constraint is made of.
type Base = Name;

/// One extension.
#[derive(Default)]
struct Constraints {
    permitted: Vec<Base>,
    excluded: Vec<Base>,
}

/// Why a name is refused.
enum Refusal {
    NotPermitted,
    Excluded,
    NotComparable,
}

/// How many comparisons were made for one chain.
#[derive(Default)]
pub struct Comparisons(Cell<usize>);

impl Comparisons {
    /// Counts some more; false when they are too many.
    fn add(&self, more: usize) -> bool {
        self.0.set(self.0.get().saturating_add(more));
        self.0.get() <= MAX_COMPARISONS
    }
}

/// The first name of each certificate of a path that an authority above it does not allow.
pub fn violations(path: &[&Certificate], comparisons: &Comparisons) -> Vec<Fault> {
    let mut found = Vec::new();
    for (above, authority) in path.iter().enumerate().skip(1) {
        let Some(extension) = &authority.extensions.name_constraints else {
            continue;
        };
        let authority_title = title(authority, above);
        let Some(constraints) = Constraints::read(extension) else {
            let text = format!("{authority_title} has name constraints that cannot be read");
            found.push(Fault::new(Status::Untrusted, text));
            continue;
        };
        for (depth, certificate) in path.iter().enumerate().take(above) {
            // Self-issued authorities are the same authority with other keys.
            if depth > 0 && certificate.is_self_issued() {
                continue;
            }
            let names = names_of(certificate, depth == 0);
            if !comparisons.add(names.len().saturating_mul(constraints.len())) {
                let text = format!("names and name constraints are more than {MAX_COMPARISONS} to compare");
                found.push(Fault::new(Status::Untrusted, text));
                return found;
            }
            let refused = names
                .iter()
                .find_map(|name| Some((name, constraints.refuse(name)?)));
            found.extend(refused.map(|(name, refusal)| {
                let certificate = title(certificate, depth);
                let why = match refusal {
                    Refusal::NotPermitted => "is not among those permitted by",
                    Refusal::Excluded => "is excluded by",
                    Refusal::NotComparable => "cannot be compared with the name constraints of",
                };
                let text = format!(
                    "{certificate} has the {} which {why} {authority_title}",
                    name.text()
                );
                Fault::new(Status::Untrusted, text)
            }));
        }
    }
    found
}

impl Constraints {
    /// Reads the content of the extension; `None` if it is broken or has minimum or maximum distances, which RFC 5280
    /// forbids.
    fn read(extension: &[u8]) -> Option<Self> {
        let mut lists = Elements(extension);
        let mut constraints = Self::default();
        for (tag, list) in [(0, &mut constraints.permitted), (1, &mut constraints.excluded)] {
            let mut subtrees = lists.inside(der::constructed(tag)).unwrap_or(Elements(&[]));
            while !subtrees.is_empty() {
                let mut subtree = subtrees.inside(der::SEQUENCE)?;
                list.push(Name::read(&subtree.any()?)?);
                if !subtree.is_empty() {
                    return None;
                }
            }
        }
        lists.is_empty().then_some(constraints)
    }

    /// How many there are, at least one, as reading them takes time, too.
    fn len(&self) -> usize {
        (self.permitted.len() + self.excluded.len()).max(1)
    }

    /// Why a name is refused. One of the kind that it permits must fit, if there are any, and none that it excludes.
    fn refuse(&self, name: &Name) -> Option<Refusal> {
        let mut of_this_kind = self
            .permitted
            .iter()
            .filter(|base| base.kind == name.kind)
            .peekable();
        if of_this_kind.peek().is_some() {
            let mut permitted = false;
            for base in of_this_kind {
                match name.is_within(base) {
                    Some(within) => permitted |= within,
                    None => return Some(Refusal::NotComparable),
                }
            }
            if !permitted {
                return Some(Refusal::NotPermitted);
            }
        }
        let excluded = self.excluded.iter().filter(|base| base.kind == name.kind);
        for base in excluded {
            match name.is_within(base) {
                Some(false) => {}
                Some(true) => return Some(Refusal::Excluded),
                None => return Some(Refusal::NotComparable),
            }
        }
        None
    }
}

impl Name {
    /// A `GeneralName`; `None` for a directory name that is broken.
    fn read(element: &Element<'_>) -> Option<Self> {
        let value = match element.tag {
            DIRECTORY => distinguished_name::canonical(element.content)?,
            _ => element.content.to_vec(),
        };
        Some(Self {
            kind: element.tag,
            value,
        })
    }

    /// Whether it is within the names below `base`, which is of the same kind; `None` where this cannot be told.
    fn is_within(&self, base: &Base) -> Option<bool> {
        match self.kind {
            DIRECTORY => Some(self.value.starts_with(&base.value)),
            DNS => Some(is_below(&self.value, &base.value)),
            MAIL => mail_is_within(&self.value, &base.value),
            URI => Some(host_is_within(host_of(&self.value)?, &base.value)),
            ADDRESS => address_is_within(&self.value, &base.value),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.value);
        match self.kind {
            MAIL => format!("mail address {text},"),
            DNS => format!("DNS name {text},"),
            URI => format!("URI {text},"),
            DIRECTORY => "subject or directory name".to_owned(),
            ADDRESS => "IP address".to_owned(),
            _ => "alternative name".to_owned(),
        }
    }
}

/// The names of a certificate that constraints are about. A leaf without DNS names in subjectAltName has its common name
/// for one where it looks like one, as OpenSSL sees it.
fn names_of(certificate: &Certificate, is_leaf: bool) -> Vec<Name> {
    let mut names = Vec::new();
    if !certificate.canonical_subject.is_empty() {
        names.push(Name {
            kind: DIRECTORY,
            value: certificate.canonical_subject.clone(),
        });
    }
    let in_subject = |kind, attribute| {
        let values = distinguished_name::values(&certificate.subject, attribute).into_iter();
        values.map(move |value| Name {
            kind,
            value: value.into_bytes(),
        })
    };
    names.extend(in_subject(MAIL, MAIL_ATTRIBUTE));
    let alternative = certificate
        .extensions
        .alternative_names
        .as_deref()
        .unwrap_or_default();
    let mut alternative = Elements(alternative);
    let mut has_dns_name = false;
    while let Some(element) = alternative.any() {
        has_dns_name |= element.tag == DNS;
        names.extend(Name::read(&element));
    }
    if is_leaf && !has_dns_name {
        names.extend(in_subject(DNS, COMMON_NAME).filter(|name| looks_like_host(&name.value)));
    }
    names
}

fn looks_like_host(name: &[u8]) -> bool {
    let label = |label: &[u8]| {
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.iter().all(letter) && !label.starts_with(b"-") && !label.ends_with(b"-")
    };
    name.contains(&b'.') && name.split(|byte| *byte == b'.').all(label)
}

/// Whether a DNS name is `base` or below it; everything is below the empty one. A dot before the base makes no difference
/// but that the base itself is then not within.
fn is_below(name: &[u8], base: &[u8]) -> bool {
    let Some((before, end)) = name
        .len()
        .checked_sub(base.len())
        .and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    let at_label = base.is_empty() || before.is_empty() || base.starts_with(b".") || before.ends_with(b".");
    at_label && end.eq_ignore_ascii_case(base)
}

/// Whether a mail address is `base`, at the host `base`, or at one below it if it begins with a dot.
fn mail_is_within(address: &[u8], base: &[u8]) -> Option<bool> {
    let split = |text: &[u8]| text.iter().rposition(|byte| *byte == b'@');
    let at = split(address)?;
    let (local, host) = (address.get(..at)?, address.get(at + 1..)?);
    Some(match split(base) {
        None => host_is_within(host, base),
        Some(at) => {
            let (base_local, base_host) = (base.get(..at)?, base.get(at + 1..)?);
            (base_local.is_empty() || local == base_local) && host.eq_ignore_ascii_case(base_host)
        }
    })
}

/// Whether a host is `base`, or below it if it begins with a dot.
fn host_is_within(host: &[u8], base: &[u8]) -> bool {
    match base {
        [b'.', ..] => host.len() > base.len() && is_below(host, base),
        _ => host.eq_ignore_ascii_case(base),
    }
}

/// The host of a URI; `None` if it has none.
fn host_of(uri: &[u8]) -> Option<&[u8]> {
    let colon = uri.iter().position(|byte| *byte == b':')?;
    let rest = uri.get(colon + 1..)?.strip_prefix(b"//")?;
    let end = rest.iter().position(|byte| matches!(byte, b':' | b'/'));
    let host = rest.get(..end.unwrap_or(rest.len()))?;
    (!host.is_empty()).then_some(host)
}

/// Whether an address is in the range of a constraint, which is an address and a mask of the same length.
fn address_is_within(address: &[u8], base: &[u8]) -> Option<bool> {
    const LENGTHS: [usize; 2] = [4, 16];
    let (network, mask) = base.split_at_checked(base.len() / 2)?;
    if !LENGTHS.contains(&address.len()) || !LENGTHS.contains(&network.len()) || network.len() != mask.len() {
        return None;
    }
    let differs = |((address, network), mask): ((&u8, &u8), &u8)| (address ^ network) & mask != 0;
    Some(address.len() == network.len() && !address.iter().zip(network).zip(mask).any(differs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(kind: u8, name: &[u8], base: &[u8]) -> Option<bool> {
        let name_of = |value: &[u8]| Name {
            kind,
            value: value.to_vec(),
        };
        name_of(name).is_within(&name_of(base))
    }

    #[test]
    fn dns_names_are_below_at_labels() {
        for base in ["example.org", ".example.org", "", "a.Example.org"] {
            assert_eq!(
                within(DNS, b"a.example.org", base.as_bytes()),
                Some(true),
                "{base}"
            );
        }
        for base in ["xample.org", "b.example.org", ".a.example.org", "c.a.example.org"] {
            assert_eq!(
                within(DNS, b"a.example.org", base.as_bytes()),
                Some(false),
                "{base}"
            );
        }
    }

    #[test]
    fn mail_addresses_are_at_hosts() {
        for base in ["Ann@example.org", "example.ORG", "@example.org"] {
            assert_eq!(
                within(MAIL, b"Ann@example.org", base.as_bytes()),
                Some(true),
                "{base}"
            );
        }
        for base in ["ann@example.org", ".example.org", "org", "ample.org"] {
            assert_eq!(
                within(MAIL, b"Ann@example.org", base.as_bytes()),
                Some(false),
                "{base}"
            );
        }
        assert_eq!(within(MAIL, b"Ann@a.example.org", b".example.org"), Some(true));
        assert_eq!(within(MAIL, b"nobody", b"example.org"), None);
    }

    #[test]
    fn uris_are_judged_by_their_host() {
        assert_eq!(within(URI, b"spiffe://prod/ns/a", b"prod"), Some(true));
        assert_eq!(
            within(URI, b"https://a.example.org:8443/x", b".example.org"),
            Some(true)
        );
        assert_eq!(within(URI, b"https://example.org/", b".example.org"), Some(false));
        assert_eq!(within(URI, b"urn:a", b"a"), None);
        assert_eq!(within(URI, b"file:///x", b"x"), None);
    }

    #[test]
    fn addresses_are_in_networks_of_their_family() {
        let network = [10, 1, 0, 0, 255, 255, 0, 0];
        assert_eq!(within(ADDRESS, &[10, 1, 2, 3], &network), Some(true));
        assert_eq!(within(ADDRESS, &[10, 2, 2, 3], &network), Some(false));
        assert_eq!(within(ADDRESS, &[0; 16], &network), Some(false));
        assert_eq!(within(ADDRESS, &[10, 1, 2, 3], &network[..7]), None);
        assert_eq!(within(der::primitive(8), b"", b""), None);
    }
}
