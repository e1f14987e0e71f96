//! Makes reasons for failures safe to show.

use bedrock_filter::secret::Secret;

/// Longest reason, in bytes.
const MAX_LEN: usize = 600;

/// A text on one line of limited length, without these secrets.
pub(crate) fn redacted(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.replace(char::is_control, " ");
    for secret in secrets {
        if !secret.expose().is_empty() {
            text = text.replace(secret.expose(), "[redacted]");
        }
    }
    text.truncate(text.floor_char_boundary(MAX_LEN));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_without_secrets() {
        let text = redacted("a\r\nb hush c", &[Secret::new("hush"), Secret::new("")]);
        assert_eq!(text, "a  b [redacted] c");
        assert_eq!(redacted(&"ä".repeat(400), &[]).len(), MAX_LEN);
    }
}
