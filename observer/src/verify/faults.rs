//! What speaks against a chain, in an order of weight.

use super::Status;

/// Statuses in the order in which they go before others when several things are wrong: what says most about whether this
/// is the peer that it claims to be comes first, and what could not be found out comes last.
const PRIORITY: [Status; 8] = [
    Status::Malformed,
    Status::Revoked,
    Status::Untrusted,
    Status::Expired,
    Status::NotYetValid,
    Status::WrongPurpose,
    Status::NameMismatch,
    Status::NotChecked,
];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The status of a chain with only this fault.
    pub status: Status,
    /// Which certificate it is about, and what is wrong with it.
    pub text: String,
}

impl Fault {
    /// A fault.
    pub fn new(status: Status, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }
}

/// All that is wrong with a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, status: Status, text: impl Into<String>) {
        self.0.push(Fault::new(status, text));
    }

    /// Notes those of another list.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Fault>) {
        self.0.extend(others);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The gravest, and of how many: less is better.
    pub fn weight(&self) -> (usize, usize) {
        let gravest = self.0.iter().map(|fault| rank(fault.status)).min();
        (PRIORITY.len() - gravest.unwrap_or(PRIORITY.len()), self.0.len())
    }

    /// The status of a chain that has them, and all of them as text, the gravest first.
    pub fn verdict(mut self) -> (Status, Vec<String>) {
        self.0.sort_by_key(|fault| rank(fault.status));
        let status = self.0.first().map_or(Status::Valid, |fault| fault.status);
        (status, self.0.into_iter().map(|fault| fault.text).collect())
    }
}

fn rank(status: Status) -> usize {
    let place = PRIORITY.iter().position(|candidate| *candidate == status);
    place.unwrap_or(PRIORITY.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_fault_is_the_status_and_all_are_told() {
        let mut faults = Faults::default();
        assert_eq!(faults.clone().verdict(), (Status::Valid, Vec::new()));
        let none = faults.weight();
        for status in PRIORITY.into_iter().rev() {
            let before = faults.weight();
            faults.add(status, format!("{status:?}"));
            assert!(faults.weight() > before, "{status:?}");
            let (gravest, texts) = faults.clone().verdict();
            assert_eq!((gravest, texts[0].clone()), (status, format!("{status:?}")));
        }
        assert!(faults.weight() > none);
        assert_eq!(faults.verdict().1.len(), PRIORITY.len());
    }
}
