//! Vectors of sixteen bytes, with the instructions that the module is built for.
//!
//! Written out where it counts, because the compiler makes vector instructions of a loop only where it optimises for
//! speed.

use std::arch::wasm32::{u8x16_splat, u64x2, v128};
use std::hint::black_box;

/// Bytes in a vector.
pub(crate) const WIDTH: usize = size_of::<v128>();

/// The same byte sixteen times. V8 makes constants anew each time they are used, so it must not know that it is one;
/// variables stay in registers.
#[inline]
pub(crate) fn splat(byte: u8) -> v128 {
    u8x16_splat(black_box(byte))
}

/// These bytes, in their order.
#[inline]
pub(crate) fn load(bytes: &[u8; WIDTH]) -> v128 {
    let bits = u128::from_le_bytes(*bytes);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half and the upper half"
    )]
    let halves = (bits as u64, (bits >> 64) as u64);
    u64x2(halves.0, halves.1)
}
