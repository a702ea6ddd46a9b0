//! Whether certificates are revoked, by CRLs and by OCSP responses.
//!
//! Each source gives a finding of each certificate of a path. One that says "revoked" counts more than any that says
//! "good", and both more than those that do not tell.

mod crl;
mod evidence;
pub mod fetch;
mod ocsp;
mod signature;

pub use crl::{Crl, CrlError};

use std::collections::HashMap;
use std::sync::Arc;

use evidence::{Finding, Known, Subject};
use fetch::{Fetched, Fetcher, Lookup, Question};

use super::{Link, Revocation};

/// Sources that do not tell and are named in one answer; of more only the number is told.
const MAX_REMARKS: usize = 4;
/// URLs of each kind of source that are asked about one certificate.
const MAX_URLS: usize = 4;
/// Bytes of a URL; a longer one is passed over.
const MAX_URL_LENGTH: usize = 2048;

/// Where is looked for revoked certificates.
#[derive(Debug, Default)]
pub struct RevocationSources {
    /// CRLs by [`name_key`] of their issuer.
    lists: HashMap<String, Vec<Arc<Crl>>>,
    fetcher: Option<Fetcher>,
    signers: ocsp::Signers,
}

/// What is known of the revocation of a path's certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of the leaf.
    pub revocation: Revocation,
    /// By whom that is known, with dates, or why it is not known; and which certificate above the leaf is revoked.
    pub detail: Option<String>,
    /// A certificate above the leaf is revoked.
    pub chain_revoked: bool,
    /// The last second of later handshakes for which the same is known; `None`: no end is known.
    pub until: Option<i64>,
    /// What is fetched from URLs has a part in this, or may have soon: the same question may have another answer the next
    /// time.
    pub provisional: bool,
}

impl RevocationSources {
    /// These CRLs.
    pub fn new(lists: impl IntoIterator<Item = Arc<Crl>>) -> Self {
        let mut sources = Self::default();
        for list in lists {
            let of_issuer = sources.lists.entry(name_key(list.issuer())).or_default();
            of_issuer.push(list);
        }
        sources
    }

    /// Asks the URLs that certificates name, too, about what the other sources do not tell.
    #[must_use]
    pub fn with_fetcher(mut self, fetcher: Fetcher) -> Self {
        self.fetcher = Some(fetcher);
        self
    }

    /// What is known of the certificates of a path, leaf first, at `time` (seconds since the Unix epoch). `stapled` is the
    /// DER OCSP response that came with the leaf.
    pub fn check(&self, links: &[Link<'_>], time: i64, stapled: Option<&[u8]>) -> Answer {
        let mut answer = Answer {
            revocation: Revocation::NotChecked,
            detail: None,
            chain_revoked: false,
            until: None,
            provisional: false,
        };
        if self.lists.is_empty() && self.fetcher.is_none() && stapled.is_none() {
            return answer;
        }
        let mut details = Vec::new();
        for (place, link) in links.iter().enumerate() {
            let staple = stapled.filter(|_| place == 0);
            let subject = Subject::new(link, links.get(place + 1));
            let mut findings = Findings::default();
            match &subject {
                Ok(subject) => self.look(subject, time, staple, &mut findings),
                Err(why) => findings.add(Finding::nothing(why.clone())),
            }
            answer.provisional |= findings.provisional;
            let (revocation, words, until) = findings.conclude();
            answer.until = earlier(answer.until, until);
            if place == 0 {
                answer.revocation = revocation;
                details.extend(words);
            } else if let (Revocation::Revoked, Some(words), Ok(subject)) = (revocation, words, &subject) {
                answer.chain_revoked = true;
                details.push(format!("{}: {words}", subject.facts.subject));
            }
        }
        answer.detail = (!details.is_empty()).then(|| details.join("; "));
        answer
    }

    /// The CRLs of an issuer.
    fn lists_of(&self, issuer: &str) -> &[Arc<Crl>] {
        self.lists.get(&name_key(issuer)).map_or(&[], Vec::as_slice)
    }

    /// Collects what the sources say of `subject`. URLs are asked only about what the others do not tell.
    fn look(&self, subject: &Subject<'_>, time: i64, stapled: Option<&[u8]>, findings: &mut Findings) {
        let lists = self.lists_of(&subject.issuer);
        if let Some(response) = stapled {
            let source = "the stapled OCSP response";
            findings.add(ocsp::judge(response, source, subject, lists, time, &self.signers));
        }
        for list in lists {
            findings.add(list.judge(subject, time));
        }
        if lists.is_empty() && !self.lists.is_empty() {
            let words = format!("no CRL of {} is configured", subject.issuer);
            findings.add(Finding::nothing(words));
        }
        if let Some(fetcher) = &self.fetcher {
            for question in questions(fetcher, subject) {
                if findings.decided() {
                    return;
                }
                findings.add(self.ask(fetcher, &question, subject, time));
                findings.provisional = true;
            }
        }
    }

    /// What came from a URL says of `subject`.
    fn ask(&self, fetcher: &Fetcher, question: &Question, subject: &Subject<'_>, time: i64) -> Finding {
        let url = question.url();
        match fetcher.ask(question, false) {
            Lookup::Answer(answer) => {
                let finding = match answer {
                    Fetched::Crl(list) if name_key(list.issuer()) == name_key(&subject.issuer) => {
                        list.judge(subject, time)
                    }
                    Fetched::Crl(list) => {
                        Finding::nothing(format!("the CRL at {url} is of {}", list.issuer()))
                    }
                    Fetched::Ocsp(response) => {
                        let source = format!("the OCSP response from {url}");
                        let lists = self.lists_of(&subject.issuer);
                        ocsp::judge(&response, &source, subject, lists, time, &self.signers)
                    }
                };
                if finding.known == Known::Nothing {
                    fetcher.ask(question, true);
                }
                finding
            }
            Lookup::Pending => Finding::nothing(format!("{url} is being asked")),
            Lookup::Failed(why) => Finding::nothing(format!("{url} did not answer: {why}")),
        }
    }
}

/// What can be asked about a certificate, in the order in which it is.
fn questions(fetcher: &Fetcher, subject: &Subject<'_>) -> Vec<Question> {
    let is_short = |url: &&str| url.len() <= MAX_URL_LENGTH;
    let mut questions = Vec::new();
    if let Some(request) = fetch::ocsp_request(subject).filter(|_| fetcher.policy().ocsp) {
        let urls = subject.facts.ocsp_urls.iter().map(String::as_str);
        questions.extend(urls.filter(is_short).take(MAX_URLS).map(|url| Question::Ocsp {
            url: url.to_owned(),
            request: request.clone(),
        }));
    }
    if fetcher.policy().crls {
        let points = subject.facts.crl_distribution_points.iter();
        let names = points
            .filter(|point| !point.other_issuer)
            .flat_map(|point| &point.names);
        // Those of LDAP stand beside those of HTTP.
        let urls = names
            .filter_map(|name| name.uri())
            .filter(|url| url.starts_with("http:"));
        questions.extend(
            urls.filter(is_short)
                .take(MAX_URLS)
                .map(|url| Question::Crl { url: url.to_owned() }),
        );
    }
    questions
}

/// Names that differ only in case and in the types of their strings are of the same issuer: whether it signed what it is
/// said to have signed, its key tells.
fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// What the sources say of one certificate.
#[derive(Debug, Default)]
struct Findings {
    revoked: Option<Finding>,
    /// Of several the one that is good the longest.
    good: Option<Finding>,
    /// Why the others do not tell.
    remarks: Vec<String>,
    left_out: usize,
    /// When one of the others may tell.
    remarks_until: Option<i64>,
    /// See [`Answer::provisional`].
    provisional: bool,
}

impl Findings {
    fn add(&mut self, finding: Finding) {
        match finding.known {
            Known::Revoked => {
                self.revoked.get_or_insert(finding);
            }
            Known::Good => {
                let end = |finding: &Finding| finding.until.unwrap_or(i64::MAX);
                if self.good.as_ref().is_none_or(|best| end(best) < end(&finding)) {
                    self.good = Some(finding);
                }
            }
            Known::Nothing => {
                self.remarks_until = earlier(self.remarks_until, finding.until);
                if self.remarks.len() < MAX_REMARKS {
                    self.remarks.push(finding.words);
                } else {
                    self.left_out += 1;
                }
            }
        }
    }

    /// Whether it is known.
    fn decided(&self) -> bool {
        self.revoked.is_some() || self.good.is_some()
    }

    /// What they say together, in words, too, and until when.
    fn conclude(mut self) -> (Revocation, Option<String>, Option<i64>) {
        if let Some(revoked) = self.revoked {
            return (Revocation::Revoked, Some(revoked.words), revoked.until);
        }
        if let Some(good) = self.good {
            // Who does not tell yet may say later that it is revoked.
            return (
                Revocation::Good,
                Some(good.words),
                earlier(good.until, self.remarks_until),
            );
        }
        if self.left_out > 0 {
            self.remarks.push(format!("and {} more", self.left_out));
        }
        match self.remarks.is_empty() {
            true => (Revocation::NotChecked, None, None),
            false => (
                Revocation::Unknown,
                Some(self.remarks.join("; ")),
                self.remarks_until,
            ),
        }
    }
}

/// The earlier of two ends, of which either may be none.
fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}
