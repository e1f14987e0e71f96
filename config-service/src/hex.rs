//! Lower-case hexadecimal.

use std::fmt::Write as _;

/// Two digits per byte.
pub(crate) fn encode<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
