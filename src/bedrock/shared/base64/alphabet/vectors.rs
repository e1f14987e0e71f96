//! Sixteen bytes at a time, with the vector instructions that the module is built for.

use std::arch::wasm32::{
    u8x16_min, u8x16_splat, u8x16_sub, u8x16_sub_sat, v128, v128_any_true, v128_or, v128_xor,
};

use super::has_only_base64;
use crate::vectors::{WIDTH, load, splat};

/// Bytes in one turn of the loop: four vectors, which do not depend on each other.
const BLOCK: usize = 4 * WIDTH;

/// Whether there is nothing but characters of the alphabet, and its padding.
pub(in crate::bedrock::shared::base64) fn is_base64(data: &[u8]) -> bool {
    let alphabet = Alphabet::new();
    let (blocks, rest) = data.as_chunks::<BLOCK>();
    let mut foreign = u8x16_splat(0);
    // No early exit: data that is not base64 is rare.
    for block in blocks {
        if let ([one, two, three, four], []) = block.as_chunks::<WIDTH>() {
            let first = v128_or(alphabet.foreignness(one), alphabet.foreignness(two));
            let last = v128_or(alphabet.foreignness(three), alphabet.foreignness(four));
            foreign = v128_or(foreign, v128_or(first, last));
        }
    }
    !v128_any_true(foreign) && has_only_base64(rest)
}

/// What tells the characters of the alphabet from others, in every byte of a vector.
struct Alphabet {
    lower_case: v128,
    a: v128,
    letters: v128,
    slash: v128,
    digits: v128,
    plus: v128,
    padding: v128,
}

impl Alphabet {
    fn new() -> Self {
        Self {
            lower_case: splat(0x20),
            a: splat(b'a'),
            letters: splat(b'z' - b'a'),
            slash: splat(b'/'),
            digits: splat(b'9' - b'/'),
            plus: splat(b'+'),
            padding: splat(b'='),
        }
    }

    /// For each byte, zero if the alphabet has it: how far it is from the nearest character, in a way.
    fn foreignness(&self, bytes: &[u8; WIDTH]) -> v128 {
        let bytes = load(bytes);
        let letter = u8x16_sub(v128_or(bytes, self.lower_case), self.a);
        // `/` stands right before the digits.
        let digit = u8x16_sub(bytes, self.slash);
        let group = u8x16_min(
            u8x16_sub_sat(letter, self.letters),
            u8x16_sub_sat(digit, self.digits),
        );
        let single = u8x16_min(v128_xor(bytes, self.plus), v128_xor(bytes, self.padding));
        u8x16_min(group, single)
    }
}
