//! JSON as people paste it: with comments, commas at the end, the spaces of web pages, or in a fence.
//!
//! What JSON does not have becomes blanks, so that lines and columns stay those of the text. No message repeats more
//! of the text than a quote, because there may be a secret in it.

use bedrock_filter::config::Invisible;

use super::json::SyntaxError;

/// What a fenced block of a chat or a page begins and ends with.
const FENCE: &str = "```";

/// The text as strict JSON; blank where there is nothing but blanks and comments in it.
///
/// # Errors
///
/// For quotes that JSON does not have, for keys and values without quotes, and for a comment without an end.
pub(crate) fn plain_json(text: &str) -> Result<String, SyntaxError> {
    let mut scanner = Scanner::new(text);
    scanner.blank_fence();
    while let Some(sign) = scanner.peek() {
        scanner.take(sign)?;
    }
    // Whole characters became ASCII, so it is UTF-8 still.
    Ok(String::from_utf8(scanner.out).unwrap_or_else(|_| text.to_owned()))
}

/// A parser's error about a text in words of those who wrote it.
pub(super) fn reworded(error: &SyntaxError, text: &str) -> SyntaxError {
    let reason = match error.reason.as_str() {
        own if own.starts_with("EOF") => "the text ends too early",
        own if own.starts_with("control character") => {
            "a line break or a tab inside quotes: is a \" missing?"
        }
        "trailing characters" => "something follows the object",
        "expected `,` or `}`" => "a comma or a } is missing before this",
        "expected `:`" => "a colon is missing after the key",
        "key must be a string" => "a key in \" is missing here",
        own => own,
    };
    let line = text.lines().nth(error.line.saturating_sub(1));
    let before = line.and_then(|line| line.get(..error.column.saturating_sub(1)));
    SyntaxError {
        reason: reason.to_owned(),
        line: error.line,
        column: before.map_or(error.column, |before| before.chars().count() + 1),
    }
}

/// What stands before a token, as far as it decides what that can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Colon,
    Other,
}

struct Scanner<'t> {
    text: &'t str,
    out: Vec<u8>,
    at: usize,
    before: Before,
    /// A comma after which nothing has come yet.
    comma: Option<usize>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            out: text.as_bytes().to_vec(),
            at: 0,
            before: Before::Nothing,
            comma: None,
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, sign: char) -> Result<(), SyntaxError> {
        let length = sign.len_utf8();
        match sign {
            ' ' | '\t' | '\n' | '\r' => self.at += length,
            _ if sign.is_whitespace()
                || Invisible::find(sign.encode_utf8(&mut [0; 4])).is_some() =>
            {
                self.blank(length);
            }
            '/' if self.rest().starts_with("//") => {
                self.blank(self.rest().find('\n').unwrap_or(self.rest().len()));
            }
            '/' if self.rest().starts_with("/*") => match self.rest().find("*/") {
                Some(end) => self.blank(end + 2),
                None => return Err(self.fault("the comment has no end")),
            },
            '"' => self.string()?,
            '“' | '”' | '„' | '‟' | '«' | '»' | '″' => {
                return Err(self.fault(&format!("curly quote {sign}; use \"")));
            }
            '\'' | '`' | '‘' | '’' | '‚' | '′' => {
                return Err(self.fault(&format!("single quote {sign}; use \"")));
            }
            '}' | ']' => {
                if let Some(comma) = self.comma.take() {
                    self.out
                        .get_mut(comma)
                        .into_iter()
                        .for_each(|own| *own = b' ');
                }
                self.step(length, Before::Other);
            }
            ',' => {
                let at = self.at;
                self.step(length, Before::Other);
                self.comma = Some(at);
            }
            ':' => self.step(length, Before::Colon),
            '{' | '[' => self.step(length, Before::Other),
            _ => self.word()?,
        }
        Ok(())
    }

    /// A text in quotes, or as much of one as there is in its line.
    fn string(&mut self) -> Result<(), SyntaxError> {
        let mut is_escaped = false;
        let inner = self.rest().char_indices().skip(1);
        let end = inner.into_iter().find(|(_, sign)| {
            let ends = !is_escaped && *sign == '"';
            is_escaped = !is_escaped && *sign == '\\';
            ends || *sign == '\n'
        });
        let length = end.map_or(self.rest().len(), |(at, sign)| at + sign.len_utf8());
        let follows = self.rest().get(length..).unwrap_or_default();
        if self.before == Before::Nothing && follows.trim_start().starts_with(':') {
            return Err(self.fault("the { } around the entries are missing"));
        }
        self.step(length, Before::Other);
        Ok(())
    }

    /// What is neither in quotes nor a sign of JSON's: a number or a word.
    fn word(&mut self) -> Result<(), SyntaxError> {
        let ends = |sign: char| sign.is_whitespace() || "{}[],:\"".contains(sign);
        let length = self.rest().find(ends).unwrap_or(self.rest().len()).max(1);
        let (word, follows) = self.rest().split_at_checked(length).unwrap_or_default();
        let is_json = ["true", "false", "null"].contains(&word)
            || word.starts_with(|sign: char| sign.is_ascii_digit() || sign == '-');
        let lacks_quotes = !is_json || follows.starts_with(':');
        if self.before == Before::Colon && lacks_quotes {
            return Err(self.fault("a value without quotes; put it in \""));
        }
        if self.before != Before::Colon && follows.trim_start().starts_with(':') {
            return Err(self.fault("a key without quotes; put it in \""));
        }
        self.step(length, Before::Other);
        Ok(())
    }

    fn step(&mut self, length: usize, before: Before) {
        self.at += length;
        self.before = before;
        self.comma = None;
    }

    /// Puts blanks in the place of what comes, but for its line breaks.
    fn blank(&mut self, length: usize) {
        let part = self.out.get_mut(self.at..self.at + length);
        let bytes = part.into_iter().flatten().filter(|byte| **byte != b'\n');
        bytes.for_each(|byte| *byte = b' ');
        self.at += length;
    }

    /// The fence around a block, with the name of its language.
    fn blank_fence(&mut self) {
        let is_blank = |sign: char| sign.is_whitespace() || sign == '\u{feff}';
        let start = self.text.len() - self.text.trim_start_matches(is_blank).len();
        let inner = self.text.get(start..).unwrap_or_default();
        if !inner.starts_with(FENCE) {
            return;
        }
        self.blank(start + inner.find(['\n', '{']).unwrap_or(inner.len()));
        if let Some(end) = self.text.rfind(FENCE).filter(|end| *end >= self.at) {
            let at = std::mem::replace(&mut self.at, end);
            self.blank(FENCE.len());
            self.at = at;
            self.text = self.text.get(..end).unwrap_or_default();
        }
    }

    fn fault(&self, reason: &str) -> SyntaxError {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let in_line = before.get(line_start..).unwrap_or_default();
        let shown = in_line.chars().filter(|sign| *sign != '\u{feff}');
        SyntaxError {
            reason: reason.to_owned(),
            line: before.matches('\n').count() + 1,
            column: shown.count() + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, expected: &str) {
        let plain = plain_json(text).unwrap();
        let compact = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(compact(&plain), compact(expected), "{plain}");
        assert_eq!(plain.lines().count(), text.lines().count());
    }

    #[track_caller]
    fn refuses(text: &str, fault: &str) {
        let error = plain_json(text).unwrap_err();
        let told = format!("{}:{} {}", error.line, error.column, error.reason);
        assert_eq!(told, fault, "{text}");
    }

    #[test]
    fn what_people_paste_is_json() {
        let map = r#"{"m": "a", "n": "b"}"#;
        for text in [
            map,
            "\u{feff}{\"m\": \"a\", \"n\": \"b\"}",
            "{\u{a0}\"m\":\u{a0}\"a\",\u{200b}\"n\":\u{3000}\"b\"\u{2028}}",
            "{\n  // the first\n  \"m\": \"a\", /* and\n the other */ \"n\": \"b\"\n}",
            "{\"m\": \"a\", \"n\": \"b\",}",
            "{\"m\": \"a\", \"n\": \"b\" , // last\n}",
            "```json\n{\"m\": \"a\", \"n\": \"b\"}\n```",
            "\u{feff}\n ```\n{\"m\": \"a\", \"n\": \"b\"}\n```\n",
            "```{\"m\": \"a\", \"n\": \"b\"}```",
            "{\"m\": \"a\", \"n\": \"b\"} // done",
        ] {
            reads(text, map);
        }
        reads("[1, 2, [true, null,],]", "[1, 2, [true, null]]");
    }

    #[test]
    fn what_stands_in_quotes_stays() {
        for text in [
            r#"{"a//b": "/* c */", "d,}": "e\",}"}"#,
            "{\"a\u{a0}b\": \"\u{feff}“c” 'd' ```\"}",
            r#"{"a": "\\", "b": "c"}"#,
        ] {
            reads(text, text);
            assert_eq!(plain_json(text).unwrap(), text);
        }
    }

    #[test]
    fn nothing_but_comments_is_blank() {
        for text in [
            "",
            "  \n",
            "\u{feff}\u{a0}",
            "// nothing yet",
            "/* a */ // b\n",
            "```json\n```",
        ] {
            assert_eq!(plain_json(text).unwrap().trim(), "", "{text:?}");
        }
    }

    #[test]
    fn quotes_that_are_none_are_named_with_their_place() {
        refuses("{“m”: \"a\"}", "1:2 curly quote “; use \"");
        refuses("{\n  \"m\": „a“}", "2:8 curly quote „; use \"");
        refuses("{'m': 'a'}", "1:2 single quote '; use \"");
        refuses("{\"m\": ‘a’}", "1:7 single quote ‘; use \"");
        refuses("\u{feff}{“m”: 1}", "1:2 curly quote “; use \"");
        refuses("{\"é\": “a”}", "1:7 curly quote “; use \"");
        refuses("{m: \"a\"}", "1:2 a key without quotes; put it in \"");
        refuses(
            "{\"m\": \"a\",\n n-1 : \"b\"}",
            "2:2 a key without quotes; put it in \"",
        );
        refuses("m: a", "1:1 a key without quotes; put it in \"");
        refuses(
            "{\"m\": arn:aws:bedrock}",
            "1:7 a value without quotes; put it in \"",
        );
        refuses(
            "{\"m\": anthropic.claude}",
            "1:7 a value without quotes; put it in \"",
        );
        refuses(
            "\"m\": \"a\", \"n\": \"b\"",
            "1:1 the { } around the entries are missing",
        );
        refuses("{} /* a", "1:4 the comment has no end");
    }

    #[test]
    fn a_parsers_words_become_plainer() {
        for (text, fault) in [
            ("{\"m\":", "1:5 the text ends too early"),
            (
                "{\"m\": \"a\" \"n\": \"b\"}",
                "1:11 a comma or a } is missing before this",
            ),
            ("{\"é\" \"a\"}", "1:6 a colon is missing after the key"),
            ("{} {}", "1:4 something follows the object"),
            (
                "{\"m\": \"a\n\"}",
                "1:8 a line break or a tab inside quotes: is a \" missing?",
            ),
            ("{\"m\": {}, 5}", "1:11 a key in \" is missing here"),
        ] {
            let plain = plain_json(text).unwrap();
            let error = reworded(&super::super::json::parse(&plain).unwrap_err(), &plain);
            let told = format!("{}:{} {}", error.line, error.column, error.reason);
            assert_eq!(told, fault, "{text}");
        }
    }
}
