//! Redacted reasoning: a blob for Converse, text for the client.
//!
//! Claude's own text of a redacted thought is the content of the blob on Converse. The client gets Claude's text, so
//! that a conversation can move between the two APIs. A blob with any other content reaches the client as the marked
//! blob itself, and comes back unchanged.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Marks a blob without text; base64 has no such character.
const MARK: &str = "blob:";

/// The client's text for a blob.
pub(super) fn text(blob: &str) -> String {
    STANDARD
        .decode(blob)
        .ok()
        .filter(|bytes| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic))
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| format!("{MARK}{blob}"))
}

/// The blob for a client's text.
pub(super) fn blob(text: &str) -> Cow<'_, str> {
    match text.strip_prefix(MARK) {
        Some(blob) => Cow::Borrowed(blob),
        None => Cow::Owned(STANDARD.encode(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_of_a_thought_is_the_text_that_claude_wrote() {
        assert_eq!(text("RW13S0FoZ0I="), "EmwKAhgB");
        assert_eq!(blob("EmwKAhgB"), "RW13S0FoZ0I=");
    }

    proptest! {
        #[test]
        fn any_blob_comes_back_as_it_was(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let sent = STANDARD.encode(bytes);
            let text = text(&sent);
            prop_assert_eq!(blob(&text), sent);
        }
    }
}
