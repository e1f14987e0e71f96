//! Images and other files in base64, recognised by their first bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The bytes of a base64 text; `None` if it is not padded, standard base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// What the answer says about a file.
pub(crate) fn describe(media_type: &str, base64: &str) -> String {
    let bytes = base64.trim_end_matches('=').len() * 3 / 4;
    format!("I see an {media_type} of {bytes} bytes.")
}

/// The media type of an image, according to its first bytes.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let riff = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    match () {
        () if starts(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        () if starts(b"\xff\xd8\xff") => Some("image/jpeg"),
        () if starts(b"GIF87a") || starts(b"GIF89a") => Some("image/gif"),
        () if riff => Some("image/webp"),
        () => None,
    }
}
