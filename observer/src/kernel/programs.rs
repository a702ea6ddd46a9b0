//! The kernel programs: which there are, and which one continues which.

/// Tail-call slot of the program that goes on with the same packet; as in the kernel half's `hooks`.
pub const CONTINUE: u32 = 0;
/// Tail-call slot of the program that looks at segments which waited.
pub const DRAIN: u32 = 1;

/// The programs of one way of attaching. Both run the same body.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The hook, as metrics name it.
    pub hook: &'static str,
    /// The program that is attached, for both directions, and that goes on with packets of many records.
    pub observe: &'static str,
    /// The program that looks at segments which came too early. Only ever tail-called.
    pub drain: &'static str,
    /// The map of tail-call targets.
    pub calls: &'static str,
}

/// Packets of the sockets in a cgroup.
pub const CGROUP: Family =
    Family { hook: "cgroup_skb", observe: "cgroup_observe", drain: "cgroup_drain", calls: "CGROUP_CALLS" };

/// Packets of an interface.
pub const CLASSIFIER: Family = Family {
    hook: "classifier",
    observe: "classifier_observe",
    drain: "classifier_drain",
    calls: "CLASSIFIER_CALLS",
};
