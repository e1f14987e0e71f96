//! Says what is wrong with JSON in terms that its author understands, not in those of the code that reads it.

use serde::de::IgnoredAny;

use super::reader::MAX_DEPTH;
use super::reason;

/// Longest part of a client's text that is repeated, in characters.
const MAX_ECHO: usize = 40;

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A member is missing.
    Missing(String),
    /// A member is unknown.
    Unknown,
    /// A member is there twice.
    Twice(String),
    /// Anything else: what follows the name of the value, such as `must be a number, got null`.
    Is(String),
}

impl Fault {
    /// What is wrong with a value that is valid JSON.
    pub(crate) fn of(fault: &serde_json::Error) -> Self {
        Self::of_reason(&reason(fault))
    }

    fn of_reason(reason: &str) -> Self {
        if let Some(name) = quoted_after(reason, "missing field ") {
            return Self::Missing(name.to_owned());
        }
        if let Some(name) = quoted_after(reason, "duplicate field ") {
            return Self::Twice(name.to_owned());
        }
        if reason.starts_with("unknown field ") {
            return Self::Unknown;
        }
        let mismatch = ["invalid type: ", "invalid value: "]
            .iter()
            .find_map(|start| reason.strip_prefix(start));
        if let Some((found, wanted)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
            let wanted = wanted_words(wanted);
            let found = found_words(found, &wanted);
            return Self::Is(format!("must be {wanted}, got {found}"));
        }
        if let Some((found, wanted)) = reason
            .strip_prefix("unknown variant `")
            .and_then(|rest| rest.rsplit_once("`, expected "))
        {
            let words: Vec<_> = wanted.split('`').skip(1).step_by(2).collect();
            let found = string_words(found);
            return Self::Is(format!("must be {}, got {found}", one_of(&words)));
        }
        Self::Is(format!("cannot be read: {}", syntax_words(reason)))
    }
}

/// What is wrong with a text that is not JSON, and where.
pub(crate) fn syntax(fault: &serde_json::Error) -> String {
    let words = reason(fault);
    let words = syntax_words(&words);
    format!("{words} (line {}, column {})", fault.line(), fault.column())
}

/// What is wrong with a text that our own reader did not take, and where: what follows the name of the text. Only
/// slower readers can say.
pub(crate) fn unread(text: &[u8]) -> String {
    if let Err(fault) = serde_json::from_slice::<IgnoredAny>(text) {
        return format!("is not valid JSON: {}", syntax(&fault));
    }
    if let Err(fault) = std::str::from_utf8(text) {
        let place = place(text, fault.valid_up_to());
        return format!("is not valid JSON: a string is not valid UTF-8 {place}");
    }
    let place = place(text, too_deep(text));
    format!("is nested more than {MAX_DEPTH} levels deep {place}")
}

/// Line and column of a byte, counted from 1 as `serde_json` counts them.
fn place(text: &[u8], at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n');
    format!("(line {}, column {})", lines + 1, column.count() + 1)
}

/// The bracket that opens one level too many; the end if there is none.
fn too_deep(text: &[u8]) -> usize {
    let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
    let found = text.iter().position(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
        depth > i64::from(MAX_DEPTH)
    });
    found.unwrap_or(text.len())
}

fn quoted_after<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    message.strip_prefix(start)?.split('`').nth(1)
}

/// What should be there. Most readers already say that in good words.
fn wanted_words(wanted: &str) -> String {
    let words = match wanted {
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        "i64" | "i32" => "a whole number",
        "u64" | "u32" | "usize" => "a whole number of at least 0",
        object if object.starts_with("struct ") => "an object",
        known => known,
    };
    words.replace('`', "\"")
}

/// What is there. A text is repeated only where something else was expected: others may be what a person wrote.
fn found_words(found: &str, wanted: &str) -> String {
    let kind = found.split(" `").next().unwrap_or_default();
    let value = found.split('`').nth(1).unwrap_or_default();
    match kind {
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        "null" | "unit value" => "null".to_owned(),
        "boolean" | "integer" | "floating point" => value.to_owned(),
        text if text.starts_with("string ") => {
            let quoted = text.strip_prefix("string \"");
            let inside = quoted.and_then(|rest| rest.strip_suffix('"'));
            let is_word = wanted.contains("number") || wanted == "true or false";
            match inside.filter(|_| is_word) {
                Some(inside) => string_words(inside),
                None => "a string".to_owned(),
            }
        }
        _ => "something else".to_owned(),
    }
}

fn string_words(text: &str) -> String {
    if text.chars().count() > MAX_ECHO || text.chars().any(char::is_control) {
        return "another string".to_owned();
    }
    format!("the string \"{text}\"")
}

/// `"a", "b" or "c"`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "something else".to_owned(),
    }
}

/// What `serde_json` says about text that is not JSON.
fn syntax_words(reason: &str) -> &str {
    match reason {
        "EOF while parsing a list" => "it ends inside an array",
        "EOF while parsing an object" => "it ends inside an object",
        "EOF while parsing a string" => "it ends inside a string",
        "EOF while parsing a value" => "it ends where a value should be",
        "expected `:`" => "a ':' is missing",
        "expected `,` or `]`" => "a ',' or ']' is missing",
        "expected `,` or `}`" => "a ',' or '}' is missing",
        "expected `\"`" => "a '\"' is missing",
        "expected ident" => "true, false or null is misspelt",
        "expected value" => "there is no value where one should be",
        "key must be a string" => "the name of a member is not a string",
        "invalid escape" => "a backslash in a string does not begin an escape sequence",
        "invalid number" => "a number is malformed",
        "number out of range" => "a number is too large",
        "invalid unicode code point" => "a string is not valid UTF-8",
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            "a string has half of a surrogate pair"
        }
        "trailing comma" => "nothing follows a comma",
        "trailing characters" => "something follows its end",
        "recursion limit exceeded" => "it is nested too deeply",
        control if control.starts_with("control character") => {
            "a string has a control character that is not escaped"
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only faults are looked at")]
    struct All {
        #[serde(default)]
        number: Option<f64>,
        #[serde(default)]
        count: Option<u32>,
        #[serde(default)]
        flag: Option<bool>,
        #[serde(default)]
        text: Option<String>,
        #[serde(default)]
        list: Option<Vec<String>>,
        #[serde(default)]
        object: Option<Inner>,
        #[serde(default)]
        word: Option<Word>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only faults are looked at")]
    struct Inner {
        name: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        One,
        Two,
        Three,
    }

    fn fault(json: &str) -> Fault {
        Fault::of(&serde_json::from_str::<All>(json).unwrap_err())
    }

    #[test]
    fn a_wrong_value_is_named_beside_what_it_should_be() {
        for (json, words) in [
            (
                r#"{"number":"hot"}"#,
                r#"must be a number, got the string "hot""#,
            ),
            (r#"{"number":true}"#, "must be a number, got true"),
            (r#"{"number":[1]}"#, "must be a number, got an array"),
            (
                r#"{"count":-5}"#,
                "must be a whole number of at least 0, got -5",
            ),
            (
                r#"{"count":1.5}"#,
                "must be a whole number of at least 0, got 1.5",
            ),
            (r#"{"flag":1}"#, "must be true or false, got 1"),
            (r#"{"text":{}}"#, "must be a string, got an object"),
            (r#"{"list":"a"}"#, "must be an array, got a string"),
            (r#"{"object":5}"#, "must be an object, got 5"),
            (
                r#"{"word":"four"}"#,
                r#"must be "one", "two" or "three", got the string "four""#,
            ),
        ] {
            assert_eq!(fault(json), Fault::Is(words.to_owned()), "{json}");
        }
        assert_eq!(fault(r#"{"object":{}}"#), Fault::Missing("name".to_owned()));
        assert_eq!(fault(r#"{"x":1}"#), Fault::Unknown);
        assert_eq!(
            fault(r#"{"flag":true,"flag":true}"#),
            Fault::Twice("flag".to_owned())
        );
    }

    #[test]
    fn what_a_person_may_have_written_is_not_repeated() {
        let long = "x".repeat(MAX_ECHO + 1);
        for json in [
            r#"{"list":"my secret, expected f64"}"#.to_owned(),
            format!(r#"{{"number":"{long}"}}"#),
            format!(r#"{{"word":"{long}"}}"#),
        ] {
            let Fault::Is(words) = fault(&json) else {
                panic!("{json}");
            };
            assert!(words.ends_with("string"), "{words}");
        }
    }

    #[test]
    fn what_only_our_own_reader_refuses_is_named_with_its_place() {
        let deep = |levels| {
            format!(
                "{{\"}}[\":\n {}1{}}}",
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        for (text, words) in [
            (
                deep(100).into_bytes(),
                "is nested more than 100 levels deep (line 2, column 101)",
            ),
            (
                b"{\"a\":\n\"b\xff\"}".to_vec(),
                "is not valid JSON: a string is not valid UTF-8 (line 2, column 3)",
            ),
            (
                b"{\"a\":}".to_vec(),
                "is not valid JSON: there is no value where one should be (line 1, column 6)",
            ),
        ] {
            assert_eq!(unread(&text), words);
        }
    }

    #[test]
    fn faults_of_syntax_are_described_without_a_readers_terms() {
        for (json, words) in [
            ("", "it ends where a value should be (line 1, column 0)"),
            ("{", "it ends inside an object (line 1, column 1)"),
            (
                r#"{"number":1 "flag""#,
                "a ',' or '}' is missing (line 1, column 13)",
            ),
            (
                "{'a':1}",
                "the name of a member is not a string (line 1, column 2)",
            ),
            (
                r#"{"flag":yes}"#,
                "there is no value where one should be (line 1, column 9)",
            ),
            (
                r#"{"flag":true,}"#,
                "nothing follows a comma (line 1, column 14)",
            ),
            ("{} x", "something follows its end (line 1, column 4)"),
        ] {
            let fault = serde_json::from_str::<All>(json).unwrap_err();
            assert_eq!(syntax(&fault), words, "{json}");
        }
    }
}
