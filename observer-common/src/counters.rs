//! Ids of the per-CPU counters in the kernel map `COUNTERS`.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $stage:literal, $label:literal;)*) => {
        /// What a kernel counter counts. The number is its index in the map `COUNTERS`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Counter {
            $($(#[$doc])* $name = $id,)*
        }

        impl Counter {
            /// Every counter, in the order of its id.
            pub const ALL: &'static [Counter] = &[$(Counter::$name,)*];

            /// The `stage` label under which the agent exports the counter; empty for those that count no loss.
            pub const fn stage(self) -> &'static str {
                match self { $(Counter::$name => $stage,)* }
            }

            /// The `reason` label under which the agent exports the counter.
            pub const fn reason(self) -> &'static str {
                match self { $(Counter::$name => $label,)* }
            }
        }
    };
}

counters! {
    /// Records written to the ring buffer.
    Emitted = 0, "", "emitted";
    /// Bytes written to the ring buffer, record headers included.
    EmittedBytes = 1, "", "emitted_bytes";
    /// Records that found no room in the ring buffer.
    RingFull = 2, "ring", "full";
    /// Handshakes of which the opening record found no room: nothing more of them is sent, so each is one handshake
    /// that no event will tell of.
    HandshakesLost = 3, "ring", "handshake_lost";
    /// Connections that could not be entered into the flow map.
    FlowInsertFailed = 4, "kernel_flows", "insert_failed";
    /// Out-of-order segments that could not be set aside (too long, too many, or the map refused).
    StashFailed = 5, "kernel_stash", "insert_failed";
    /// Packet bytes that `bpf_skb_load_bytes` would not give.
    LoadFailed = 6, "kernel_packet", "load_failed";
    /// Packets with IP or TCP headers that do not hold together.
    BadHeaders = 7, "kernel_packet", "bad_headers";
    /// IP fragments: their TCP payload cannot be followed in the kernel.
    Fragments = 8, "kernel_packet", "ip_fragment";
    /// Times that a direction lost its record boundaries (bytes that never passed the hook, or a broken header).
    SyncLost = 9, "kernel_records", "sync_lost";
    /// Packets with more records than the walk may visit; the rest was left unread.
    WalkLimit = 10, "kernel_records", "walk_limit";
    /// Per-CPU scratch space that was missing: cannot happen, so it is counted.
    ScratchMissing = 11, "kernel_maps", "lookup_failed";
    /// Handshake bytes beyond `MAX_HANDSHAKE_BYTES`, left out of the ring.
    HandshakeTooLong = 12, "kernel_records", "handshake_too_long";
}

/// How many counters there are.
pub const COUNTERS: u32 = Counter::ALL.len() as u32;
