//! Sixteen bytes at a time, with the vector instructions that the module is built for.

use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_min, v128_or};

use super::find_in_rest;
use crate::vectors::{WIDTH, load, splat};

/// Where the first special byte is.
pub(in crate::json) fn find_special(bytes: &[u8]) -> Option<usize> {
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
