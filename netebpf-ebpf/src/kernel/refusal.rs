//! What a refused socket call fails with.

use aya_ebpf::helpers::bpf_set_retval;

/// Sets the error number of the call, instead of `EPERM` (Linux 5.18).
#[inline(always)]
pub(crate) fn set_error(number: i32) {
    // SAFETY: the helper takes a plain number.
    unsafe { bpf_set_retval(-number) };
}
