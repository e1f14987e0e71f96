//! Sixteen bytes at a time, with the vector instructions that the module is built for.

use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_min, u8x16_splat, u64x2, v128, v128_or};
use std::hint::black_box;

use super::find_in_rest;

const WIDTH: usize = size_of::<v128>();

/// Where the first of them is.
pub(in crate::json) fn find_special(bytes: &[u8]) -> Option<usize> {
    // V8 makes constants anew each time they are used; of what it does not know it keeps a register.
    let (control, quote, backslash) = (splat(0x1f), splat(b'"'), splat(b'\\'));
    let (vectors, rest) = bytes.as_chunks::<WIDTH>();
    for (index, bytes) in vectors.iter().enumerate() {
        let vector = load(bytes);
        let is_control = u8x16_eq(u8x16_min(vector, control), vector);
        let ends = v128_or(u8x16_eq(vector, quote), u8x16_eq(vector, backslash));
        let found = u8x16_bitmask(v128_or(is_control, ends));
        if found != 0 {
            return Some(index * WIDTH + found.trailing_zeros() as usize);
        }
    }
    Some(vectors.len() * WIDTH + find_in_rest(rest)?)
}

fn splat(byte: u8) -> v128 {
    u8x16_splat(black_box(byte))
}

fn load(bytes: &[u8; WIDTH]) -> v128 {
    let bits = u128::from_le_bytes(*bytes);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half and the upper half"
    )]
    let halves = (bits as u64, (bits >> 64) as u64);
    u64x2(halves.0, halves.1)
}
