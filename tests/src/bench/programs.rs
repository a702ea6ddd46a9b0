//! Nanoseconds that the kernel programs take, as the kernel counts them.

use anyhow::Result;

use super::bpf::{self, CGROUP_SKB, CLASSIFIER, Runs, Statistics};
use super::figures::Series;
use super::watch::Watch;
use super::workload::Server;
use super::{Extent, Ground};
use crate::agent::Attach;
use crate::peers::{Stack, Version};
use crate::world::Mode;

/// Name of the attached program. What it tail-calls is counted with it.
pub fn program(mode: Mode) -> &'static str {
    match mode {
        Mode::Cgroup => "cgroup_observe",
        Mode::Interface => "classifier_observe",
    }
}

/// Figures of one way of attaching and one TLS version.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    /// Nanoseconds for each packet of connections with a handshake and a tiny request, SYN to FIN.
    pub handshake_packet: Series,
    /// Such packets for each handshake: both ends see each packet.
    pub handshake_packets: Series,
    /// Nanoseconds for each packet of a bulk connection with segments as large as the kernel makes them.
    pub bulk_packet: Series,
    /// Application bytes for each such packet, acknowledgements included: both ends see each packet.
    pub bulk_size: Series,
    /// Nanoseconds of program time for each application byte of it.
    pub bulk_byte: Series,
    /// Nanoseconds for each packet of a bulk connection with each segment cut to an Ethernet frame.
    pub frame_packet: Series,
    /// Nanoseconds of program time for each application byte of it.
    pub frame_byte: Series,
}

/// Measures the programs of one way of attaching, with the statistics switched on for just that time.
///
/// # Errors
/// When the statistics cannot be had, a connection fails, or the agent loses anything.
pub fn measure(ground: &Ground, extent: Extent, mode: Mode, version: Version) -> Result<Cost> {
    let _statistics = Statistics::enable()?;
    let (attach, kind) = match mode {
        Mode::Cgroup => (Attach::Cgroup(&ground.cgroup), CGROUP_SKB),
        Mode::Interface => (Attach::Interface(&ground.namespace, "lo"), CLASSIFIER),
    };
    let server = Server::start(ground, Stack::Rustls, version)?;
    let mut watch = Watch::start(attach)?;
    let mut made = 0;
    let mut run = |connections: u32, bytes: u64| -> Result<Runs> {
        let before = bpf::runs(watch.pid(), kind)?;
        server.load(connections, bytes)?;
        watch.wait_events(connections)?;
        made += connections;
        Ok(bpf::runs(watch.pid(), kind)?.since(before))
    };
    let mut cost = Cost::default();
    let (handshakes, bytes) = (extent.handshakes / 3, extent.bytes / 4);
    run(extent.warm_up, 0)?;
    for _ in 0..extent.repeats {
        let shaking = run(handshakes, 0)?;
        cost.handshake_packet.push(shaking.mean());
        cost.handshake_packets
            .push(shaking.count as f64 / f64::from(handshakes));
        let bulk = run(1, bytes)?;
        cost.bulk_packet.push(bulk.mean());
        cost.bulk_size.push(bytes as f64 / bulk.count as f64);
        cost.bulk_byte.push(bulk.nanoseconds as f64 / bytes as f64);
        let framed = Frames::set(ground)?;
        let bulk = run(1, bytes)?;
        drop(framed);
        cost.frame_packet.push(bulk.mean());
        cost.frame_byte.push(bulk.nanoseconds as f64 / bytes as f64);
    }
    watch.finish(made)?;
    Ok(cost)
}

/// Makes the loopback interface carry Ethernet-sized frames only, until dropped.
struct Frames<'a>(&'a Ground);

impl<'a> Frames<'a> {
    fn set(ground: &'a Ground) -> Result<Self> {
        ground
            .namespace
            .ip(&["link", "set", "lo", "mtu", "1500", "gso_max_segs", "1"])?;
        Ok(Self(ground))
    }
}

impl Drop for Frames<'_> {
    fn drop(&mut self) {
        let whole = ["link", "set", "lo", "mtu", "65536", "gso_max_segs", "65535"];
        if let Err(error) = self.0.namespace.ip(&whole) {
            eprintln!("{error:#}");
        }
    }
}
