//! The benchmark from its start to its report.

use anyhow::Result;

use super::bpf::{self, Statistics};
use super::figures::{AGENT_PER_HANDSHAKE, BULK_IN_ALL, BULK_PACKET, Judged, MEMORY, Series};
use super::services::{self, Comparison, Task};
use super::{Extent, Ground, machine, programs};
use crate::peers::{Stack, Version};
use crate::world::Mode;

/// Bytes in a megabyte and a gigabyte; nanoseconds in a second.
const MEGA: f64 = 1e6;
const GIGA: f64 = 1e9;
const MEBI: f64 = 1_048_576.0;

/// Measures everything and prints it.
///
/// # Errors
/// When a connection fails or the agent loses anything. Missed goals are no error.
pub fn run(extent: Extent) -> Result<()> {
    println!("{}", machine::description());
    println!("{extent:?}");
    println!("Each figure: median (smallest–largest). The agent writes its events, JSON lines, to a file.\n");
    let ground = Ground::new()?;
    let mut judged = Vec::new();
    let mut peaks = Series::default();

    let idle = services::idle(&ground, extent)?;
    println!(
        "Idle agent: {:.3} % of one CPU over {} s\n",
        idle * 100.0,
        extent.idle_seconds
    );

    let stacks = if extent.openssl {
        &Stack::ALL[..]
    } else {
        &[Stack::Rustls]
    };
    for &stack in stacks {
        for version in Version::ALL {
            let found = services::compare(&ground, extent, (stack, version), Task::Handshakes, idle)?;
            let case = format!("{stack:?} server, TLS {}", version.text());
            show_handshakes(&case, &found);
            judged.push(Judged {
                goal: AGENT_PER_HANDSHAKE,
                case,
                value: found.agent.median() * MEGA,
            });
            peaks.push(found.resident_peak.largest() / MEBI);
        }
    }

    let mut bulk_agent = Vec::new();
    for version in Version::ALL {
        let found = services::compare(&ground, extent, (Stack::Rustls, version), Task::Bulk, idle)?;
        show_bulk(version, &found);
        bulk_agent.push((version, found.agent.median() * GIGA));
        peaks.push(found.resident_peak.largest() / MEBI);
    }

    let empty = {
        let _statistics = Statistics::enable()?;
        bpf::empty_run()?
    };
    println!(
        "Kernel programs, by the kernel's own count. Of each figure, {empty:.0} ns are the counting itself:"
    );
    println!("that is what it shows for a program that does nothing.");
    for mode in Mode::ALL {
        for &(version, agent) in &bulk_agent {
            let cost = programs::measure(&ground, extent, mode, version)?;
            let case = format!("{}, TLS {}", programs::program(mode), version.text());
            show_programs(&case, &cost);
            judged.push(Judged {
                goal: BULK_PACKET,
                case: case.clone(),
                value: cost.bulk_packet.median(),
            });
            // Nanoseconds a byte are seconds a gigabyte. Less agent CPU than an idle agent's counts as none.
            judged.push(Judged {
                goal: BULK_IN_ALL,
                case,
                value: agent.max(0.0) + cost.bulk_byte.median(),
            });
        }
    }

    judged.push(Judged {
        goal: MEMORY,
        case: "over all repeats".into(),
        value: peaks.largest(),
    });
    println!("\nLosses: every loss counter of the agent stayed 0, and it saw each handshake that was made.");
    println!("Load at the end: {}\n\nGoals", machine::load());
    judged.iter().for_each(|figure| println!("{figure}"));
    Ok(())
}

fn show_handshakes(case: &str, found: &Comparison) {
    println!("Mutual handshakes, {case}");
    println!("  handshakes a second without   {}", found.rate_without.show(0));
    println!("  with the agent                {}", found.rate_with.show(0));
    show_costs(
        found,
        "server CPU µs each without   ",
        "agent CPU µs each            ",
        MEGA,
        [1, 1],
    );
}

fn show_bulk(version: Version, found: &Comparison) {
    println!(
        "Bulk over one connection, Rustls server, TLS {}, AES-256-GCM",
        version.text()
    );
    println!(
        "  MB a second without           {}",
        found.rate_without.scaled(1.0 / MEGA).show(0)
    );
    println!(
        "  with the agent                {}",
        found.rate_with.scaled(1.0 / MEGA).show(0)
    );
    show_costs(
        found,
        "server CPU s per GB without  ",
        "agent CPU s per GB           ",
        GIGA,
        [3, 5],
    );
}

/// What follows the rates: CPU of server and agent, times `scale` and with so many `decimals` each, and memory.
fn show_costs(found: &Comparison, server: &str, agent: &str, scale: f64, decimals: [usize; 2]) {
    println!("  with / without                {}", found.rate_ratio.show(3));
    println!(
        "  {server} {}",
        found.server_without.scaled(scale).show(decimals[0])
    );
    println!(
        "  with the agent                {}",
        found.server_with.scaled(scale).show(decimals[0])
    );
    println!("  with / without                {}", found.server_ratio.show(3));
    println!("  {agent} {}", found.agent.scaled(scale).show(decimals[1]));
    println!(
        "  agent MiB resident            {}",
        found.resident.scaled(1.0 / MEBI).show(1)
    );
    println!(
        "  at its highest                {}\n",
        found.resident_peak.scaled(1.0 / MEBI).show(1)
    );
}

fn show_programs(case: &str, cost: &programs::Cost) {
    println!("  {case}");
    println!(
        "    ns per handshake packet     {}",
        cost.handshake_packet.show(0)
    );
    println!(
        "    packets per handshake       {}",
        cost.handshake_packets.show(1)
    );
    println!("    ns per bulk packet          {}", cost.bulk_packet.show(0));
    println!("    bytes per bulk packet       {}", cost.bulk_size.show(0));
    println!("    CPU s per GB of bulk        {}", cost.bulk_byte.show(5));
    println!("    ns per Ethernet-sized one   {}", cost.frame_packet.show(0));
    println!("    CPU s per GB of those       {}", cost.frame_byte.show(5));
}
