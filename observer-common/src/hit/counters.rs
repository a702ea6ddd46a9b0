//! Ids of the per-CPU counters in the kernel map `LIBRARY_COUNTERS`.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $stage:literal, $label:literal;)*) => {
        /// What a counter of the library probes counts. The number is its index in the map `LIBRARY_COUNTERS`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum LibraryCounter {
            $($(#[$doc])* $name = $id,)*
        }

        impl LibraryCounter {
            /// Every counter, in the order of its id.
            pub const ALL: &'static [LibraryCounter] = &[$(LibraryCounter::$name,)*];

            /// The `stage` label under which the agent exports the counter; empty for those that count no loss.
            pub const fn stage(self) -> &'static str {
                match self { $(LibraryCounter::$name => $stage,)* }
            }

            /// The `reason` label under which the agent exports the counter.
            pub const fn reason(self) -> &'static str {
                match self { $(LibraryCounter::$name => $label,)* }
            }
        }
    };
}

counters! {
    /// Hits written to the ring buffer.
    Emitted = 0, "", "emitted";
    /// Hits by processes that are not watched.
    Unwanted = 1, "", "unwanted";
    /// Hits of threads that have received nothing: programs that read their own certificates.
    NoSocket = 2, "", "no_socket";
    /// Hits that found no room in the ring buffer.
    RingFull = 3, "library_ring", "full";
    /// Hits at which the memory of the process could not be read.
    Unreadable = 4, "library_hits", "unreadable";
    /// Hits with more bytes than are copied.
    TooLong = 5, "library_hits", "too_long";
    /// Per-CPU scratch space that was missing: as many tasks as there are slots preempted each other.
    ScratchMissing = 6, "library_hits", "no_scratch";
    /// Programs that began and of which the agent was not told at once; it finds them at its next look.
    ExecsLost = 7, "", "execs_lost";
}

/// How many counters there are.
pub const COUNTERS: u32 = LibraryCounter::ALL.len() as u32;
