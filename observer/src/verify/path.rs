//! A way from a leaf to a trusted certificate, and what is wrong with it apart from signatures.

use super::Status;
use super::certificate::Certificate;
use super::constraints::{self, Comparisons};
use super::faults::{Fault, Faults};
use super::purpose;
use crate::observation::Side;
use crate::output::event::time::Time;

/// Certificates, the leaf first, each the issuer of the one before it as far as names tell; the last one is trusted.
/// A leaf that is trusted itself is a path alone.
pub type Path<'a> = Vec<&'a Certificate>;

/// How a certificate of a path is called in what is said of it.
pub fn title(certificate: &Certificate, depth: usize) -> String {
    let subject = &certificate.facts.subject;
    match (depth, subject.is_empty()) {
        (0, _) => "the certificate".to_owned(),
        (_, true) => "the issuer without a name".to_owned(),
        (_, false) => format!("the issuer {subject}"),
    }
}

/// How the paths of one chain are looked at.
pub struct Inspection {
    side: Side,
    time: i64,
    comparisons: Comparisons,
}

impl Inspection {
    /// For a chain of one side of TLS at a time, seconds since the Unix epoch.
    pub fn new(side: Side, time: i64) -> Self {
        Self {
            side,
            time,
            comparisons: Comparisons::default(),
        }
    }

    /// All that is wrong with the certificates of a path. `is_trusted` tells whether its last one is trusted.
    pub fn faults(&self, path: &[&Certificate], is_trusted: bool) -> Faults {
        let mut faults = Faults::default();
        // Authorities below the one looked at, the self-issued ones not counted (RFC 5280, section 6.1.4 (l)).
        let mut below = 0;
        for (depth, certificate) in path.iter().enumerate() {
            let title = title(certificate, depth);
            faults.extend(outside_validity(certificate, self.time, &title));
            for unknown in &certificate.extensions.unknown_critical {
                let text = format!("{title} has a critical extension that is not known: {unknown}");
                faults.add(Status::Untrusted, text);
            }
            let is_authority = depth > 0;
            if is_authority {
                let is_anchor = is_trusted && depth + 1 == path.len();
                if let Some(why) = purpose::authority_objection(certificate, is_anchor) {
                    faults.add(
                        Status::Untrusted,
                        format!("{title} is no certificate authority: {why}"),
                    );
                }
                let constraints = certificate.extensions.basic_constraints;
                let limit = constraints.and_then(|constraints| constraints.path_length);
                if let Some(limit) = limit.filter(|limit| below > *limit) {
                    let text = format!("{title} allows {limit} authorities below it, and there are {below}");
                    faults.add(Status::Untrusted, text);
                }
                below += u32::from(!certificate.is_self_issued());
            }
            if let Some(why) = purpose::objection(certificate, self.side, is_authority) {
                faults.add(Status::WrongPurpose, format!("{title}: {why}"));
            }
        }
        faults.extend(constraints::violations(path, &self.comparisons));
        faults
    }
}

/// Whether it has expired or is not valid yet, and since or until when.
pub fn outside_validity(certificate: &Certificate, time: i64, title: &str) -> Option<Fault> {
    if time > certificate.not_after {
        let end = Time::from_seconds(certificate.not_after);
        return Some(Fault::new(Status::Expired, format!("{title} expired {end}")));
    }
    let start = Time::from_seconds(certificate.not_before);
    (time < certificate.not_before).then(|| {
        Fault::new(
            Status::NotYetValid,
            format!("{title} is not valid before {start}"),
        )
    })
}
