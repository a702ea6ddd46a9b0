//! Reading the memory of the process. Pages that are not there, and pointers that lead nowhere, are errors and no more.

use aya_ebpf::helpers::bpf_probe_read_user;

/// The value at `address`.
#[inline(always)]
pub fn read<T: Copy>(address: u64) -> Result<T, Unreadable> {
    // SAFETY: the helper checks the address; `T` is plain data wherever this is called.
    unsafe { bpf_probe_read_user(address as *const T) }.map_err(|_| Unreadable)
}

/// The memory could not be read.
pub struct Unreadable;
