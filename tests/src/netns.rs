//! Network namespaces of our own. A namespace has no name and lives as long as its guard (or a process in it), so even
//! a killed test leaves none behind.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, setns, unshare};

use crate::process::Confine;

/// A network namespace with its loopback interface up.
pub struct Namespace {
    handle: File,
}

impl Namespace {
    /// Makes a namespace.
    ///
    /// # Errors
    /// When the caller may not (not root), or `ip` is missing.
    pub fn new() -> Result<Self> {
        let handle = on_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).context("a network namespace of one's own needs root")?;
            File::open("/proc/thread-self/ns/net").context("/proc/thread-self/ns/net")
        })?;
        let namespace = Self { handle };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// A second guard of the same namespace.
    ///
    /// # Errors
    /// When no more files can be opened.
    pub fn share(&self) -> Result<Self> {
        Ok(Self {
            handle: self.handle.try_clone()?,
        })
    }

    /// The open namespace file, for `setns`.
    pub fn handle(&self) -> &File {
        &self.handle
    }

    /// Runs `work` on a thread inside the namespace. Sockets made there stay in it, also after the thread has ended.
    ///
    /// # Errors
    /// What `work` gives, or the failure to enter.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        on_thread(|| {
            setns(self.handle.as_fd(), CloneFlags::CLONE_NEWNET).context("setns")?;
            work()
        })
    }

    /// Runs `ip` with these arguments inside the namespace.
    ///
    /// # Errors
    /// With what `ip` said, when it failed.
    pub fn ip(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("ip");
        command.args(arguments);
        let done = command
            .confine(Some(self), None)?
            .output()
            .context("ip (package iproute2)")?;
        if !done.status.success() {
            bail!(
                "ip {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&done.stderr).trim()
            );
        }
        Ok(())
    }

    /// Whether some socket in the namespace listens on TCP `port`.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn listens(&self, port: u16) -> Result<bool> {
        const LISTEN: &str = "0A";
        let port = format!(":{port:04X}");
        self.run(|| {
            for table in ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"] {
                let text = std::fs::read_to_string(table).context(table)?;
                let found = text.lines().skip(1).any(|line| {
                    let mut columns = line.split_whitespace().skip(1);
                    let local = columns.next().unwrap_or_default();
                    local.ends_with(&port) && columns.nth(1) == Some(LISTEN)
                });
                if found {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

/// Runs `work` on a thread of its own and waits, so that a namespace it enters does not stick to the caller.
fn on_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| scope.spawn(work).join())
        .map_err(|_| anyhow!("a namespace thread panicked"))?
}

/// How the two ends of a [`Veth`] are set up.
#[derive(Clone, Copy, Debug)]
pub struct VethOptions {
    /// Largest IP packet in bytes.
    pub mtu: u32,
    /// Whether segmentation and checksums are left to the "hardware": segments are then far larger than the MTU.
    pub offload: bool,
}

impl Default for VethOptions {
    fn default() -> Self {
        Self {
            mtu: 1500,
            offload: true,
        }
    }
}

/// Interface name of a veth end, the same in both namespaces.
pub const VETH: &str = "veth0";

/// Two namespaces joined by a cable. The ends are [`Veth::LEFT_V4`] and so on.
pub struct Veth {
    /// The namespace with the `LEFT` addresses.
    pub left: Namespace,
    /// The namespace with the `RIGHT` addresses.
    pub right: Namespace,
}

impl Veth {
    /// IPv4 address of the left end.
    pub const LEFT_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
    /// IPv4 address of the right end.
    pub const RIGHT_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2));
    /// IPv6 address of the left end.
    pub const LEFT_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1));
    /// IPv6 address of the right end.
    pub const RIGHT_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2));

    /// Makes two namespaces and the cable.
    ///
    /// # Errors
    /// Like [`Namespace::new`].
    pub fn new(options: VethOptions) -> Result<Self> {
        let (left, right) = (Namespace::new()?, Namespace::new()?);
        let mut anchor = Command::new("cat");
        anchor.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut anchor = anchor.confine(Some(&right), None)?.spawn().context("cat")?;
        let pid = anchor.id().to_string();
        let made = left.ip(&[
            "link", "add", VETH, "type", "veth", "peer", "name", VETH, "netns", &pid,
        ]);
        drop(anchor.stdin.take());
        anchor.wait().context("cat")?;
        made?;
        let mtu = options.mtu.to_string();
        for (namespace, v4, v6) in [
            (&left, Self::LEFT_V4, Self::LEFT_V6),
            (&right, Self::RIGHT_V4, Self::RIGHT_V6),
        ] {
            namespace.ip(&["link", "set", VETH, "mtu", &mtu])?;
            if !options.offload {
                namespace.run(|| offload::turn_off(VETH))?;
            }
            namespace.ip(&["addr", "add", &format!("{v4}/24"), "dev", VETH])?;
            namespace.ip(&["addr", "add", &format!("{v6}/64"), "dev", VETH, "nodad"])?;
            namespace.ip(&["link", "set", VETH, "up"])?;
        }
        Ok(Self { left, right })
    }
}

/// Segmentation and checksum offload, through the old ethtool ioctl.
mod offload {
    use std::os::fd::AsRawFd;

    use anyhow::{Context, Result};

    /// `ETHTOOL_SGRO`, `ETHTOOL_SGSO`, `ETHTOOL_STSO`, `ETHTOOL_STXCSUM` of `linux/ethtool.h`.
    const SETTINGS: [u32; 4] = [0x2c, 0x24, 0x1f, 0x17];

    /// `struct ethtool_value`.
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }

    /// Turns segmentation, receive merging and checksum offload of `interface` off.
    pub fn turn_off(interface: &str) -> Result<()> {
        let socket = std::net::UdpSocket::bind(("127.0.0.1", 0)).context("socket")?;
        for command in SETTINGS {
            let mut value = Value { command, data: 0 };
            // SAFETY: all bytes zero is a valid `ifreq`.
            let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
            for (slot, byte) in request
                .ifr_name
                .iter_mut()
                .zip(interface.bytes().take(libc::IFNAMSIZ - 1))
            {
                *slot = byte.cast_signed();
            }
            request.ifr_ifru.ifru_data = (&raw mut value).cast();
            // SAFETY: the request names an interface and points to an `ethtool_value` that outlives the call.
            let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
            if answer < 0 {
                return Err(std::io::Error::last_os_error()).context(format!("SIOCETHTOOL {command:#x}"));
            }
        }
        Ok(())
    }
}
