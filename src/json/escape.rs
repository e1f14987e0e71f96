//! Strings: what must be escaped is found eight bytes at a time, the rest is copied in spans.

/// Bytes that are looked at together.
const WORD: usize = size_of::<u64>();

/// Adds a text as a JSON string, quotes included.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Adds the inside of a JSON string.
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some((span, byte, after)) = split_at_special(rest) {
        out.extend_from_slice(span);
        escape(out, byte);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// What stands before the first byte that must be escaped, that byte, and what follows.
fn split_at_special(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (span, found) = bytes.split_at_checked(find_special(bytes)?)?;
    let (byte, after) = found.split_first()?;
    Some((span, *byte, after))
}

/// Where the first byte is that must be escaped.
pub(super) fn find_special(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        let found = special_bytes(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(index * WORD + found.trailing_zeros() as usize / 8);
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let offset = rest.iter().position(is_special)?;
    Some(words.len() * WORD + offset)
}

/// The highest bit of every byte that must be escaped; bits above the lowest of these mean nothing.
///
/// A byte less than `n`, neither of them above 127, is the only one to borrow when `n` is taken away.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; WORD]);
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
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
