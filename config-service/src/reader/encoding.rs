//! Encodings that editors and shells give a JSON text: PowerShell writes files in UTF-16, and others put a
//! byte order mark in front.

use super::json::SyntaxError;

/// The UTF-8 byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A body without a UTF-8 byte order mark.
///
/// # Errors
///
/// When the body is in another Unicode encoding, which [`SyntaxError`] names.
pub(crate) fn without_mark(body: &[u8]) -> Result<&[u8], SyntaxError> {
    match wide(body) {
        None => Ok(body.strip_prefix(MARK).unwrap_or(body)),
        Some(encoding) => Err(SyntaxError {
            reason: format!("expected UTF-8, found {encoding}"),
            line: 1,
            column: 1,
        }),
    }
}

/// The encoding of a body whose characters take more than a byte each. A JSON text begins with an ASCII
/// character, so without a mark the zeros around it reveal the encoding.
fn wide(body: &[u8]) -> Option<&'static str> {
    match body {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [1..=255, 0, 0, 0, ..] | [0, 0, 0, 1..=255, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [1..=255, 0, ..] | [0, 1..=255, ..] => Some("UTF-16"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_utf_8_byte_order_mark_is_skipped_once() {
        assert_eq!(without_mark(b"\xef\xbb\xbf{}"), Ok(&b"{}"[..]));
        assert_eq!(without_mark(b"{}"), Ok(&b"{}"[..]));
        assert_eq!(without_mark(b""), Ok(&b""[..]));
        let twice = b"\xef\xbb\xbf\xef\xbb\xbf{}";
        assert_eq!(without_mark(twice), Ok(&b"\xef\xbb\xbf{}"[..]));
        // Not UTF-8 either, but no known encoding; the parser reports it.
        assert_eq!(without_mark(b"\xff{}"), Ok(&b"\xff{}"[..]));
    }

    #[test]
    fn other_encodings_are_named() {
        let utf_16: Vec<u8> = "{\"a\":1}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (body, encoding) in [
            (&utf_16[..], "UTF-16"),
            (&big, "UTF-16"),
            (&[b"\xff\xfe", &utf_16[..]].concat(), "UTF-16"),
            (&[b"\xfe\xff", &big[..]].concat(), "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0{", "UTF-32"),
            (b"{\0\0\0}\0\0\0", "UTF-32"),
            (b"\0\0\0{", "UTF-32"),
        ] {
            let error = without_mark(body).unwrap_err().to_string();
            let expected = format!("expected UTF-8, found {encoding} at line 1 column 1");
            assert_eq!(error, expected, "{body:?}");
        }
    }
}
