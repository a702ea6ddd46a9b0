//! The harness itself, without the agent: peers run where they should, behave as they should, and leave nothing behind.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Result;
use observer_tests::cgroup::Cgroup;
use observer_tests::netns::{Namespace, Veth, VethOptions};
use observer_tests::peers::{ClientAuth, Place, Stack, Version};
use observer_tests::pki::Pki;
use observer_tests::poll::PATIENCE;
use observer_tests::world::LOOPBACKS;

#[test]
#[ignore = "needs root"]
fn a_process_is_inside_its_namespace_and_cgroup_and_both_go_away() -> Result<()> {
    let (namespace, cgroup) = (Namespace::new()?, Cgroup::new()?);
    let path = cgroup.path().to_owned();
    let place = Place {
        namespace: &namespace,
        cgroup: &cgroup,
    };
    let mut shell =
        place.spawn(Command::new("sh").args(["-c", "cat /proc/self/cgroup; ip -br link; read x"]))?;
    shell.wait_stdout("lo", PATIENCE, |lines| {
        lines.iter().any(|line| line.starts_with("lo")).then_some(())
    })?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_owned();
    let lines = shell.stdout();
    assert!(lines.contains(&format!("0::/{name}")), "{lines:?}");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("LOOPBACK") || line.contains("BROADCAST"))
            .count(),
        1
    );
    drop(cgroup);
    assert!(!path.exists());
    assert!(
        !shell.wait(PATIENCE)?.success(),
        "the cgroup's end did not end its process"
    );
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn openssl_and_rustls_peers_accept_and_refuse() -> Result<()> {
    let (namespace, cgroup, pki) = (Namespace::new()?, Cgroup::new()?, Pki::new()?);
    let place = Place {
        namespace: &namespace,
        cgroup: &cgroup,
    };
    let clients = [
        (Some(&pki.good), true),
        (None, false),
        (Some(&pki.expired), false),
        (Some(&pki.not_yet_valid), false),
        (Some(&pki.unknown_ca), false),
        (Some(&pki.wrong_purpose), false),
    ];
    let trusted = &pki.server_ca.files.certificate;
    for stack in Stack::ALL {
        for version in Version::ALL {
            for ip in LOOPBACKS {
                let at = SocketAddr::new(ip, 4433);
                let _server = stack.serve(place, &pki, at, version, ClientAuth::Required)?;
                for (certificate, accepted) in clients {
                    let served = stack.call(place, trusted, at, version, certificate)?;
                    assert_eq!(served, accepted, "{stack:?} {version:?} {ip} {certificate:?}");
                }
            }
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs root"]
fn a_cable_carries_both_families_with_and_without_offload() -> Result<()> {
    for offload in [true, false] {
        let veth = Veth::new(VethOptions { mtu: 1500, offload })?;
        for target in [Veth::RIGHT_V4, Veth::RIGHT_V6] {
            let listener = veth
                .right
                .run(|| Ok(std::net::TcpListener::bind((target, 7000))?))?;
            veth.left
                .run(|| Ok(std::net::TcpStream::connect((target, 7000))?))?;
            listener.accept()?;
        }
    }
    Ok(())
}
