//! Strings: what must be escaped is found in blocks, the rest is copied in spans.

/// Bytes that are looked at together; the compiler makes a few vector instructions of it.
const BLOCK: usize = 32;

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
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean = blocks
        .iter()
        .position(|block| has_special(block))
        .unwrap_or(blocks.len());
    let from = clean * BLOCK;
    let offset = bytes
        .get(from..)?
        .iter()
        .position(|byte| is_special(*byte))?;
    let (span, found) = bytes.split_at_checked(from + offset)?;
    let (byte, after) = found.split_first()?;
    Some((span, *byte, after))
}

fn has_special(block: &[u8; BLOCK]) -> bool {
    // Without an early exit, so that it becomes vector instructions.
    block
        .iter()
        .fold(false, |found, byte| found | is_special(*byte))
}

fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
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
