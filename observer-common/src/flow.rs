//! How a TCP connection is named in the kernel maps and in ring buffer records.

/// Direction of a segment that travels from the lower to the higher endpoint of its [`FlowKey`].
pub const LO_TO_HI: u8 = 0;
/// Direction of a segment that travels from the higher to the lower endpoint of its [`FlowKey`].
pub const HI_TO_LO: u8 = 1;
/// Used in [`crate::RecordHeader::client_direction`] while it is not known which end is the TLS client.
pub const CLIENT_UNKNOWN: u8 = 0xff;

/// One TCP connection in one scope, the same for both of its directions.
///
/// The endpoints are ordered by address, then port, both compared as big-endian bytes. IPv4 addresses are stored
/// IPv4-mapped (`::ffff:a.b.c.d`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct FlowKey {
    /// What keeps equal tuples of different network namespaces apart: the namespace cookie where the kernel gives one,
    /// else the socket cookie, else 0 (interface mode: the agent's own namespace).
    pub scope: u64,
    /// Address of the lower endpoint.
    pub lo_addr: [u8; 16],
    /// Address of the higher endpoint.
    pub hi_addr: [u8; 16],
    /// TCP port of the lower endpoint, host byte order.
    pub lo_port: u16,
    /// TCP port of the higher endpoint, host byte order.
    pub hi_port: u16,
    /// Always 0; it makes the padding explicit, for the map compares keys as bytes.
    pub pad: u32,
}

const _: () = assert!(core::mem::size_of::<FlowKey>() == 48);
