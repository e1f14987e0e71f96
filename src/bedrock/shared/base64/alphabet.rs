//! Distinguishes base64's characters from all others.
//!
//! <https://www.rfc-editor.org/rfc/rfc4648#section-4>

#[cfg(target_feature = "simd128")]
mod vectors;
#[cfg(target_feature = "simd128")]
pub(super) use vectors::is_base64;

/// Whether all characters are in the alphabet, or padding.
#[cfg(not(target_feature = "simd128"))]
pub(super) fn is_base64(data: &[u8]) -> bool {
    has_only_base64(data)
}

/// The same, byte by byte.
fn has_only_base64(data: &[u8]) -> bool {
    data.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_accepted_or_refused_at_any_position() {
        for byte in 0..=u8::MAX {
            let is_own = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            for before in [0, 1, 15, 16, 63, 64, 100] {
                let mut data = vec![b'A'; 150];
                data[before] = byte;
                assert_eq!(is_base64(&data), is_own, "{byte} after {before}");
                assert_eq!(is_base64(&data[..=before]), is_own, "{byte} at the end");
            }
        }
        assert!(is_base64(b""));
    }
}
