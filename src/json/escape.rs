//! Strings: bytes that must be escaped are found many at a time; the rest is copied in spans.

use super::special::find_special;

/// Appends a text as a JSON string, including the quotes.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Appends the inside of a JSON string.
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some((span, byte, after)) = split_at_special(rest) {
        out.extend_from_slice(span);
        escape(out, byte);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// What comes before the first byte that must be escaped, that byte, and what follows it.
fn split_at_special(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (span, found) = bytes.split_at_checked(find_special(bytes)?)?;
    let (byte, after) = found.split_first()?;
    Some((span, *byte, after))
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b"\\\"",
        b'\\' => b"\\\\",
        0x08 => b"\\b",
        b'\t' => b"\\t",
        b'\n' => b"\\n",
        0x0c => b"\\f",
        b'\r' => b"\\r",
        other => {
            const DIGITS: [u8; 16] = *b"0123456789abcdef";
            let low = DIGITS.get(usize::from(other & 15)).copied();
            out.extend_from_slice(b"\\u00");
            out.push(if other < 0x10 { b'0' } else { b'1' });
            out.extend(low);
            return;
        }
    };
    out.extend_from_slice(short);
}
