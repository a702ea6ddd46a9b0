//! The extensions of a certificate that are reported (RFC 5280, section 4.2.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension, X509Extension};

use super::CertificateFacts;
use super::name::hex_upper;

impl CertificateFacts {
    pub(super) fn fill_extensions(&mut self, extensions: &[X509Extension<'_>]) {
        for extension in extensions {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    names.general_names.iter().for_each(|name| self.add_name(name));
                }
                ParsedExtension::BasicConstraints(constraints) => self.is_ca = constraints.ca,
                ParsedExtension::ExtendedKeyUsage(usage) => self.extended_key_usage = purposes(usage),
                ParsedExtension::ParseError { error } => {
                    self.complain(format!("extension {}: {error}", extension.oid.to_id_string()));
                }
                _ => {}
            }
        }
    }

    fn add_name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
            GeneralName::URI(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::RFC822Name(address) => self.emails.push((*address).to_owned()),
            GeneralName::IPAddress(bytes) => match address_text(bytes) {
                Some(text) => self.ip_addresses.push(text),
                None => self.complain(format!("subjectAltName: an IP address of {} bytes", bytes.len())),
            },
            GeneralName::Invalid(tag, bytes) => {
                self.complain(format!(
                    "subjectAltName: name of type {} is no text: {}",
                    tag.0,
                    hex_upper(bytes)
                ));
            }
            _ => {}
        }
    }
}

fn address_text(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).to_string());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|bytes| Ipv6Addr::from(bytes).to_string())
}

/// The purposes, known ones first.
fn purposes(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let known = known
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name.to_owned());
    known
        .chain(usage.other.iter().map(|oid| oid.to_id_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        assert_eq!(address_text(&[192, 0, 2, 1]).as_deref(), Some("192.0.2.1"));
        let mut v6 = [0; 16];
        v6[15] = 1;
        assert_eq!(address_text(&v6).as_deref(), Some("::1"));
        assert_eq!(address_text(&[1, 2, 3]), None);
    }
}
