//! What the agent should make of certificates.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Expected;
use crate::pki::Leaf;

impl Expected {
    /// The certificate of `side` is judged by itself: by its dates alone.
    #[must_use]
    pub(super) fn judged_without_trust(self, side: &str, leaf: &Leaf) -> Self {
        let path = |field: &str| format!("verdict.{side}.{field}");
        let date = |text: &str| {
            text.parse::<Timestamp>()
                .expect("a date of the tests' certificates")
        };
        let (start, end, now) = (date(&leaf.not_before), date(&leaf.not_after), Timestamp::now());
        let status = match now {
            _ if now < start => "not_yet_valid",
            _ if now > end => "expired",
            _ => "not_checked",
        };
        let expected = self
            .set(&path("status"), status)
            .set(&path("revocation"), "not_checked");
        let expected = match status {
            "not_checked" => expected,
            _ => expected.rule(&path("detail"), is_sentence),
        };
        let days = if side == "server" { 398 } else { 825 };
        match end.duration_since(start).as_hours() > days * 24 {
            true => expected.set(&path("warnings"), json!([format!("validity_over_{days}_days")])),
            false => expected,
        }
    }

    /// The certificate of `side` is judged by this trust bundle, as `status` and `revocation`.
    #[must_use]
    pub fn judged(self, side: &str, bundle: &str, status: &str, revocation: &str) -> Self {
        let path = |field: &str| format!("verdict.{side}.{field}");
        let expected = self
            .set(&path("trust_bundle"), bundle)
            .set(&path("status"), status)
            .set(&path("revocation"), revocation);
        match (status, revocation) {
            ("valid", "not_checked") => expected,
            _ => expected.rule(&path("detail"), is_sentence),
        }
    }

    /// The peers did something else than the trust bundle says.
    #[must_use]
    pub fn disagreement(self, kind: &str) -> Self {
        self.set("verdict.disagreement", kind)
    }
}

fn is_sentence(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(' '))
}
