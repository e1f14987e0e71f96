//! Sixteen bytes at a time, with the vector instructions that the module is built for.

use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128, v128_or};

use super::find_in_rest;

const WIDTH: usize = size_of::<v128>();

/// Where the first of them is.
pub(in crate::json) fn find_special(bytes: &[u8]) -> Option<usize> {
    let (vectors, rest) = bytes.as_chunks::<WIDTH>();
    for (index, vector) in vectors.iter().enumerate() {
        let found = u8x16_bitmask(special_bytes(load(vector)));
        if found != 0 {
            return Some(index * WIDTH + found.trailing_zeros() as usize);
        }
    }
    Some(vectors.len() * WIDTH + find_in_rest(rest)?)
}

/// All bits of every special byte.
fn special_bytes(vector: v128) -> v128 {
    let is = |byte: u8| u8x16_eq(vector, u8x16_splat(byte));
    let is_control = u8x16_lt(vector, u8x16_splat(0x20));
    v128_or(is_control, v128_or(is(b'"'), is(b'\\')))
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
