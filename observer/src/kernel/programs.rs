//! The kernel programs: which there are, and which one continues which.

/// The programs of one way of attaching. Both families run the same code.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The hook, as metrics name it.
    pub hook: &'static str,
    /// The program that is attached, for both directions.
    pub observe: &'static str,
    /// The programs that it tail-calls, by slot as in the kernel half's `hooks`: the one that walks a packet's records,
    /// and the one that looks at segments which came too early.
    pub called: [&'static str; 2],
    /// The map of tail-call targets.
    pub calls: &'static str,
}

/// Packets of the sockets in a cgroup.
pub const CGROUP: Family = Family {
    hook: "cgroup_skb",
    observe: "cgroup_observe",
    called: ["cgroup_walk", "cgroup_drain"],
    calls: "CGROUP_CALLS",
};

/// Packets of an interface.
pub const CLASSIFIER: Family = Family {
    hook: "classifier",
    observe: "classifier_observe",
    called: ["classifier_walk", "classifier_drain"],
    calls: "CLASSIFIER_CALLS",
};
