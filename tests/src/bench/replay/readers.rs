//! The programs that read the captures, each with the cheapest command line that does the job.

use std::fmt;
use std::path::Path;
use std::process::Command;

use crate::bench::ADDRESS;

/// What tshark prints of each handshake message: about what an event tells.
const TSHARK_FIELDS: [&str; 20] = [
    "frame.time_epoch",
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "tls.handshake.type",
    "tls.handshake.version",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.extensions_supported_group",
    "tls.handshake.ja3",
    "tls.handshake.ja3s",
    "tls.alert_message.desc",
    "x509af.serialNumber",
    "x509af.utcTime",
    "x509sat.uTF8String",
    "x509sat.printableString",
    "x509ce.dNSName",
];

/// A program and what it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The observer's events.
    Events,
    /// A line a message.
    Messages,
    /// The report for people.
    Summary,
    /// tshark, fields of each handshake message.
    Tshark,
    /// tcpdump, which copies the capture to nowhere: reading alone.
    Copy,
    /// tcpdump, a line a packet.
    Print,
}

impl Reader {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Events,
        Self::Messages,
        Self::Summary,
        Self::Tshark,
        Self::Copy,
        Self::Print,
    ];

    /// How many times it is given the same file in one run, so that what is fast runs for long enough.
    pub fn times(self, handshakes: bool) -> u32 {
        match self {
            Self::Events | Self::Messages | Self::Summary if handshakes => 10,
            Self::Events | Self::Messages | Self::Summary => 3,
            Self::Tshark | Self::Copy | Self::Print => 1,
        }
    }

    /// The command that reads `capture` `times` times; `observer` is the observer's binary.
    pub fn command(self, observer: &Path, capture: &Path, times: u32) -> Command {
        let mut command = match self {
            Self::Events | Self::Messages | Self::Summary => {
                let mut command = Command::new(observer);
                command.arg("replay").args(self.observer_flags());
                (0..times).for_each(|_| {
                    command.arg(capture);
                });
                return command;
            }
            Self::Tshark => {
                let mut command = Command::new("tshark");
                let port = format!("tcp.port=={},tls", ADDRESS.port());
                command.args(["-n", "-d", &port, "-Y", "tls.handshake || tls.alert_message"]);
                command.args(["-T", "fields"]);
                for field in TSHARK_FIELDS {
                    command.args(["-e", field]);
                }
                command
            }
            Self::Copy => {
                let mut command = Command::new("tcpdump");
                command.args(["-n", "-w", "/dev/null"]);
                command
            }
            Self::Print => {
                let mut command = Command::new("tcpdump");
                command.arg("-n");
                command
            }
        };
        command.arg("-r").arg(capture);
        command
    }

    fn observer_flags(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &["--messages", "--format", "json"],
            Self::Summary => &["--summary"],
            _ => &["--format", "json"],
        }
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Events => "tls-observer replay",
            Self::Messages => "tls-observer replay --messages",
            Self::Summary => "tls-observer replay --summary",
            Self::Tshark => "tshark -T fields",
            Self::Copy => "tcpdump -w /dev/null",
            Self::Print => "tcpdump, a line a packet",
        })
    }
}
