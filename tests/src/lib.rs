//! Harness for the live tests of TLS Observer: own network namespaces and cgroups, real TLS peers, the agent itself, and
//! the means to compare each event with what really happened.
//!
//! Nearly everything here needs root. Whatever it makes (namespace, cgroup, process, directory) is a guard that removes it.

pub mod agent;
pub mod attachments;
pub mod bench;
pub mod bulk;
pub mod cgroup;
pub mod conversation;
pub mod copies;
pub mod events;
pub mod expect;
pub mod fixtures;
pub mod http;
pub mod inject;
pub mod lab;
pub mod leaks;
pub mod memory;
pub mod metrics;
pub mod netns;
pub mod packets;
pub mod peers;
pub mod pki;
pub mod poll;
pub mod private;
pub mod probed;
pub mod process;
pub mod prometheus;
pub mod record;
pub mod stacks;
pub mod target;
pub mod world;
