//! A capture of all that passes in a network namespace, written as pcapng.

use std::borrow::Cow;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::sys::socket::sockopt::{ReceiveTimeout, ReceiveTimestampns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket,
};
use nix::sys::time::{TimeSpec, TimeVal};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness};

use crate::fixtures::Packet;
use crate::netns::Namespace;

/// Silence after which the peers' last packets are taken to have passed.
const QUIET: i64 = 150_000;
/// Larger than any packet of a loopback interface.
const LARGEST: usize = 1 << 17;
/// `if_tsresol`: times in units of 10^-9 s.
const NANOSECONDS: u8 = 9;

/// A running capture.
pub struct Capture {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Result<Vec<Packet>>>,
}

impl Capture {
    /// Begins to capture what passes in `namespace`.
    ///
    /// # Errors
    /// When the caller is not root.
    pub fn start(namespace: &Namespace) -> Result<Self> {
        let socket = namespace.run(|| {
            let socket = socket(
                AddressFamily::Packet,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC,
                SockProtocol::EthAll,
            )
            .context("AF_PACKET")?;
            setsockopt(&socket, ReceiveTimestampns, &true)?;
            setsockopt(&socket, ReceiveTimeout, &TimeVal::new(0, QUIET))?;
            Ok(socket)
        })?;
        let stop = Arc::new(AtomicBool::new(false));
        let reader = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || read(&socket, &stop)
        });
        Ok(Self { stop, reader })
    }

    /// Ends it once nothing passes any more; the packets in order.
    ///
    /// # Errors
    /// When reading has failed.
    pub fn finish(self) -> Result<Vec<Packet>> {
        self.stop.store(true, Ordering::Relaxed);
        self.reader
            .join()
            .map_err(|_| anyhow!("the reader of the capture panicked"))?
    }
}

fn read(socket: &OwnedFd, stop: &AtomicBool) -> Result<Vec<Packet>> {
    let mut buffer = vec![0; LARGEST];
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut packets = Vec::new();
    loop {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let received = recvmsg::<LinkAddr>(
            socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::empty(),
        );
        let received = match received {
            Ok(received) => received,
            Err(Errno::EAGAIN) if stop.load(Ordering::Relaxed) => return Ok(packets),
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            Err(error) => return Err(error).context("the capture's socket"),
        };
        // The loopback interface shows each packet twice: as it leaves and as it arrives.
        let leaves = received
            .address
            .is_none_or(|from| from.pkttype() == libc::PACKET_OUTGOING);
        let time = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
            _ => None,
        });
        let time = time.context("a packet without a time")?;
        let length = received.bytes;
        if !leaves {
            packets.push(Packet {
                time_ns: u64::try_from(time.as_nanos())?,
                frame: buffer.get(..length).unwrap_or_default().to_vec(),
            });
        }
    }
}

/// Writes packets as a pcapng file of Ethernet frames with times in nanoseconds.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, comment: &str, packets: &[Packet]) -> Result<()> {
    let section = SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::Comment(comment.to_owned().into()),
            SectionHeaderOption::UserApplication("cargo xtask fixtures".into()),
        ],
        ..SectionHeaderBlock::default()
    };
    let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
    let mut writer = PcapNgWriter::with_section_header(file, section)?;
    writer.write_pcapng_block(InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: 0,
        options: vec![
            InterfaceDescriptionOption::IfName("lo".into()),
            InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
        ],
    })?;
    for packet in packets {
        writer.write_pcapng_block(EnhancedPacketBlock {
            interface_id: 0,
            timestamp: Duration::from_nanos(packet.time_ns),
            original_len: u32::try_from(packet.frame.len())?,
            data: Cow::Borrowed(&packet.frame),
            options: Vec::new(),
        })?;
    }
    Ok(())
}
