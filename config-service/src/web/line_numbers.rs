//! Finds the line of a map's entry in a text.

/// Line, from 1, of the member `key` of the outermost object of a JSON text.
pub(super) fn of_key(text: &str, key: &str) -> Option<usize> {
    let mut scanner = Scanner {
        rest: text,
        line: 1,
    };
    let mut depth = 0_usize;
    let mut expects_key = false;
    while let Some(token) = scanner.token() {
        match token.text {
            "{" | "[" => {
                depth += 1;
                expects_key = token.text == "{";
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                expects_key = false;
            }
            "," => expects_key = depth == 1,
            ":" => expects_key = false,
            string
                if depth == 1
                    && expects_key
                    && serde_json::from_str::<String>(string).is_ok_and(|own| own == key) =>
            {
                return Some(token.line);
            }
            _ => {}
        }
    }
    None
}

/// Splits JSON into tokens as well as possible, because the text may be invalid.
struct Scanner<'t> {
    rest: &'t str,
    line: usize,
}

struct Token<'t> {
    text: &'t str,
    line: usize,
}

impl<'t> Scanner<'t> {
    fn token(&mut self) -> Option<Token<'t>> {
        let trimmed = self.rest.trim_start();
        self.skip(self.rest.len() - trimmed.len());
        let first = self.rest.chars().next()?;
        let length = match first {
            '"' => string_length(self.rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => self
                .rest
                .find(|c: char| c.is_whitespace() || "{}[],:\"".contains(c))
                .unwrap_or(self.rest.len()),
        };
        let line = self.line;
        let text = self.skip(length);
        Some(Token { text, line })
    }

    fn skip(&mut self, length: usize) -> &'t str {
        let (skipped, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.line += skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        skipped
    }
}

/// Length of the string at the start of a text, including quotes; all of the text if the
/// string has no end.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, key: &str, line: Option<usize>) {
        assert_eq!(of_key(text, key), line, "{text}");
    }

    #[test]
    fn keys_are_found_on_their_lines() {
        let text = "{\n  \"a\": \"b\",\n  \"c\\\"d\": \"a\",\n\n  \"x\": {\"y\": \"1\"},\n  \"z\": [\"k\"]\n}";
        check(text, "a", Some(2));
        check(text, "c\"d", Some(3));
        check(text, "x", Some(5));
        check(text, "y", None);
        check(text, "k", None);
        check(text, "z", Some(6));
        check("{\"a\" \"b\": \"c", "a", Some(1));
        check("", "a", None);
        check("{\"é\": \"1\",\n\"\\u00e9\": \"2\"}", "é", Some(1));
    }
}
