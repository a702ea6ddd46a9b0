//! Puts hand-made frames onto a cable of our own.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result, ensure};

use crate::netns::{VETH, Veth, VethOptions};
use crate::packets::{Headers, Segment};

/// A cable whose left end the agent watches; frames put in at the right end arrive there.
pub struct Injector {
    /// The cable.
    pub veth: Veth,
    socket: OwnedFd,
}

impl Injector {
    /// Addresses of a made-up conversation; no host has them, so nobody answers.
    pub const CLIENT: &str = "198.51.100.7:40123";
    /// See [`Injector::CLIENT`].
    pub const SERVER: &str = "203.0.113.9:8443";
    /// See [`Injector::CLIENT`].
    pub const CLIENT_V6: &str = "[2001:db8::7]:40123";
    /// See [`Injector::CLIENT`].
    pub const SERVER_V6: &str = "[2001:db8::9]:8443";

    /// Makes a cable that takes frames up to 65,000 bytes.
    ///
    /// # Errors
    /// When the caller is not root.
    pub fn new() -> Result<Self> {
        let veth = Veth::new(VethOptions {
            mtu: 65_535,
            offload: true,
        })?;
        let socket = veth.right.run(|| {
            // SAFETY: socket takes no pointers.
            let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
            ensure!(socket >= 0, "AF_PACKET: {}", std::io::Error::last_os_error());
            // SAFETY: the descriptor was just made and is nobody else's.
            let socket = unsafe { OwnedFd::from_raw_fd(socket) };
            let index = nix::net::if_::if_nametoindex(VETH).context(VETH)?;
            // SAFETY: all bytes zero is a valid `sockaddr_ll`.
            let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
            address.sll_family = u16::try_from(libc::AF_PACKET)?;
            address.sll_ifindex = i32::try_from(index)?;
            let length = libc::socklen_t::try_from(size_of_val(&address))?;
            // SAFETY: the address is a sockaddr_ll of the length given, and bind only reads it.
            let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
            ensure!(bound == 0, "bind: {}", std::io::Error::last_os_error());
            Ok(socket)
        })?;
        Ok(Self { veth, socket })
    }

    /// Headers of the made-up conversation, IPv4 or IPv6.
    ///
    /// # Errors
    /// Never: the addresses are constants.
    pub fn headers(v6: bool) -> Result<Headers> {
        let (client, server) = if v6 {
            (Self::CLIENT_V6, Self::SERVER_V6)
        } else {
            (Self::CLIENT, Self::SERVER)
        };
        Ok(Headers::new(client.parse::<SocketAddr>()?, server.parse()?))
    }

    /// Sends segments in the order given.
    ///
    /// # Errors
    /// When a frame is refused.
    pub fn send<'a>(&self, headers: &Headers, segments: impl IntoIterator<Item = &'a Segment>) -> Result<()> {
        for segment in segments {
            let frame = headers.frame(segment);
            // SAFETY: the buffer is readable for its whole length during the call.
            let sent = unsafe { libc::send(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
            ensure!(
                usize::try_from(sent) == Ok(frame.len()),
                "a frame of {} bytes: {}",
                frame.len(),
                std::io::Error::last_os_error()
            );
        }
        Ok(())
    }
}
