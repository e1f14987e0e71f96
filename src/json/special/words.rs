//! Eight bytes at a time, on machines without Wasm's vectors.

use super::find_in_rest;

const WORD: usize = size_of::<u64>();

/// Where the first special byte is.
pub(in crate::json) fn find_special(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(index * WORD + found.trailing_zeros() as usize / 8);
        }
    }
    Some(words.len() * WORD + find_in_rest(rest)?)
}

/// The highest bit of every special byte; bits above the lowest of these mean nothing.
///
/// A byte less than `n`, neither of them above 127, is the only one that borrows when `n` is subtracted.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
}
