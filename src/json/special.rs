//! Finds what ends or interrupts a JSON string: a quote, a backslash, or a control character.
//!
//! <https://www.rfc-editor.org/rfc/rfc8259#section-7>

#[cfg(not(target_feature = "simd128"))]
mod words;
#[cfg(not(target_feature = "simd128"))]
pub(super) use words::find_special;

#[cfg(target_feature = "simd128")]
mod vectors;
#[cfg(target_feature = "simd128")]
pub(super) use vectors::find_special;

fn is_special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

/// Where the first one is, found byte by byte.
fn find_in_rest(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| is_special(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_or_passed_at_any_position() {
        for byte in 0..=u8::MAX {
            for before in [0, 1, 7, 8, 15, 16, 17, 31, 32, 100] {
                let mut bytes = vec![b'x'; before];
                bytes.push(byte);
                bytes.extend([0xc3, 0xa9, b' ']);
                let found = is_special(byte).then_some(before);
                assert_eq!(find_special(&bytes), found, "{byte} after {before}");
                bytes.extend([b'x'; 40]);
                bytes.push(b'"');
                let found = found.unwrap_or(bytes.len() - 1);
                assert_eq!(find_special(&bytes), Some(found), "{byte} after {before}");
            }
        }
    }
}
