//! CRLs: out of files, and what they say.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use observer_tls::crl::{CertificateList, Scope};
use observer_tls::x509::{GeneralName, name_text};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;

use super::evidence::{Finding, Period, Subject, date};
use super::signature::{self, Fault};

/// Keys for which it is remembered whether one CRL is signed by them: the keys that an issuer of one name had.
const MAX_KEYS: usize = 8;

/// A CRL, and which keys it is signed by.
#[derive(Debug)]
pub struct Crl {
    list: CertificateList,
    /// The issuer as text.
    issuer: String,
    /// Keys that its signature was checked with, the last one last.
    checked: Mutex<Vec<Checked>>,
}

/// Whether a CRL is signed by a key.
#[derive(Debug)]
struct Checked {
    /// DER `SubjectPublicKeyInfo`.
    key: Box<[u8]>,
    outcome: Result<(), Fault>,
}

/// Why a file is no CRLs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// It has the marks of PEM, and none of its blocks is a CRL.
    #[error("no block \"X509 CRL\" in it")]
    NoBlock,
    /// A block of PEM cannot be decoded.
    #[error("block {number} is not PEM: {why}")]
    Pem {
        /// Which CRL of the file, counted from 1.
        number: usize,
        /// What is wrong.
        why: String,
    },
    /// A CRL cannot be read.
    #[error("CRL {number} of the file: {why}")]
    Crl {
        /// Which CRL of the file, counted from 1.
        number: usize,
        /// What is wrong.
        why: observer_tls::ParseError,
    },
}

impl Crl {
    /// Reads the CRLs of a file: one as DER, or any number as PEM, among other blocks.
    ///
    /// # Errors
    /// [`CrlError`] when there is none, or one cannot be read.
    pub fn parse_file(content: &[u8]) -> Result<Vec<Arc<Self>>, CrlError> {
        /// The first byte of DER.
        const SEQUENCE: u8 = 0x30;
        if content.first() == Some(&SEQUENCE) {
            return Ok(vec![Self::parse(Bytes::copy_from_slice(content), 1)?]);
        }
        let blocks = CertificateRevocationListDer::pem_slice_iter(content);
        let lists: Vec<_> = blocks
            .zip(1..)
            .map(|(block, number)| match block {
                Ok(der) => Self::parse(Bytes::copy_from_slice(&der), number),
                Err(error) => Err(CrlError::Pem {
                    number,
                    why: error.to_string(),
                }),
            })
            .collect::<Result<_, _>>()?;
        if lists.is_empty() {
            return Err(CrlError::NoBlock);
        }
        Ok(lists)
    }

    fn parse(der: Bytes, number: usize) -> Result<Arc<Self>, CrlError> {
        let list = CertificateList::parse(&der).map_err(|why| CrlError::Crl { number, why })?;
        Ok(Arc::new(Self {
            issuer: name_text(&list.issuer),
            list,
            checked: Mutex::default(),
        }))
    }

    /// What it says, as it stands in it.
    pub fn list(&self) -> &CertificateList {
        &self.list
    }

    /// Bytes of memory that it takes.
    pub fn weight(&self) -> usize {
        self.list.weight()
    }

    /// The issuer as RFC 4514 text.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it says of `subject`, whose issuer has its name, at `time`.
    pub(super) fn judge(&self, subject: &Subject<'_>, time: i64) -> Finding {
        let source = format!("the CRL of {} of {}", self.issuer, date(self.list.this_update));
        if !subject.issuer_signs_crls {
            return Finding::nothing(format!("the certificate of {} is not for CRLs", self.issuer));
        }
        match self.check_signature(subject.link.issuer_key) {
            Ok(()) => {}
            Err(Fault::UnknownAlgorithm) => {
                return Finding::nothing(format!("{source} is signed with an algorithm that is not known"));
            }
            Err(Fault::Wrong) => {
                let key = self.list.authority_key_id.as_deref();
                let other = key.is_some_and(|key| {
                    let own = subject.facts.authority_key_id.as_deref();
                    own.is_some_and(|own| own != key)
                });
                let whose = if other {
                    "signed by another key of that name"
                } else {
                    "not signed by its issuer"
                };
                return Finding::nothing(format!("{source} is {whose}"));
            }
        }
        let scope = &self.list.scope;
        if scope.indirect {
            return Finding::nothing(format!("{source} is an indirect CRL, which is not used"));
        }
        let period = Period {
            this_update: self.list.this_update,
            next_update: self.list.next_update,
            without_end: None,
        };
        if let Some(entry) = self.list.find(subject.parts.serial_number) {
            return period.revoked(&source, time, entry.revoked_at, entry.reason);
        }
        match gap(scope, subject) {
            Some(gap) => Finding::nothing(format!("{source} {gap}")),
            None => period.good(&source, time),
        }
    }

    fn check_signature(&self, key: &[u8]) -> Result<(), Fault> {
        // Held while the signature is checked, so that nobody else checks it, too.
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = checked.iter().find(|known| *known.key == *key) {
            return known.outcome;
        }
        let outcome = signature::verify(&self.list.signed(), key);
        if checked.len() == MAX_KEYS {
            checked.remove(0);
        }
        checked.push(Checked {
            key: key.into(),
            outcome,
        });
        outcome
    }
}

/// Why a CRL of this scope does not tell that `subject` is not revoked, in words.
fn gap(scope: &Scope, subject: &Subject<'_>) -> Option<Cow<'static, str>> {
    if let Some(oid) = &scope.unknown_critical {
        return Some(format!("has a critical extension that is not known, {oid}").into());
    }
    let said = if scope.delta {
        "is a delta CRL, which tells only of changes"
    } else if scope.only_attribute_certificates {
        "is only about attribute certificates"
    } else if scope.only_user_certificates && subject.facts.is_ca {
        "is not about CA certificates"
    } else if scope.only_ca_certificates && !subject.facts.is_ca {
        "is only about CA certificates"
    } else if scope.only_some_reasons {
        "is only about some reasons"
    } else if scope
        .distribution_point
        .as_ref()
        .is_some_and(|point| !is_named(point, subject))
    {
        "is of another distribution point"
    } else {
        return None;
    };
    Some(said.into())
}

/// Whether the certificate has one of these names of a distribution point (RFC 5280, section 6.3.3 (b) (2)).
fn is_named(point: &[GeneralName], subject: &Subject<'_>) -> bool {
    let points = subject.facts.crl_distribution_points.iter();
    points
        .filter(|own| !own.other_issuer)
        .flat_map(|own| &own.names)
        .any(|name| point.contains(name))
}
