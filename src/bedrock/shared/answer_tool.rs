//! The arguments of the tool whose arguments are the answer, see [`super::structured`].

use std::borrow::Cow;

use super::schema::VALUE;
use crate::chat::Arguments;

/// The arguments as they arrive, and the answer in them.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct AnswerArguments {
    arguments: Arguments,
    /// Unwraps an answer that is not an object from the object that holds it.
    unwrapping: Option<Unwrapping>,
}

/// Where the arguments have the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bedrock) enum AnswerPlace {
    /// They are the answer, which is an object.
    #[default]
    Arguments,
    /// It is their only member, because it need not be an object.
    Member,
}

impl AnswerArguments {
    /// Nothing yet.
    pub(in crate::bedrock) fn new(place: AnswerPlace) -> Self {
        Self {
            arguments: Arguments::default(),
            unwrapping: (place == AnswerPlace::Member).then(Unwrapping::default),
        }
    }

    /// Takes a piece and returns what it adds to the answer.
    pub(in crate::bedrock) fn push<'p>(&mut self, piece: &'p str) -> Cow<'p, str> {
        let piece = self.arguments.push(piece);
        match &mut self.unwrapping {
            None => piece,
            Some(own) => own.push(&piece).into(),
        }
    }

    /// The arguments in case no piece has any.
    pub(in crate::bedrock) fn unless_said(&mut self, json: &str) {
        self.arguments.unless_said(json);
    }

    /// What is missing at the end.
    pub(in crate::bedrock) fn end(&mut self) -> Cow<'static, str> {
        let rest = self.arguments.end();
        match &mut self.unwrapping {
            None => rest,
            Some(own) => own.push(&rest).into(),
        }
    }
}

/// The answer in whole arguments.
pub(super) fn unwrapped(json: &str) -> String {
    Unwrapping::default().push(json)
}

/// Takes the value out of `{"value": …}`, however it is cut. Anything else stays as it is.
#[derive(Debug)]
enum Unwrapping {
    /// Before the value: what may still lead to it.
    Before(String),
    Inside(Value),
    /// The value is complete.
    After,
    /// There is nothing to take out.
    Other,
}

impl Default for Unwrapping {
    fn default() -> Self {
        Self::Before(String::new())
    }
}

impl Unwrapping {
    fn push(&mut self, piece: &str) -> String {
        match self {
            Self::Before(held) => {
                held.push_str(piece);
                let held = std::mem::take(held);
                self.begin(held)
            }
            Self::Inside(_) => self.inside(piece).to_owned(),
            Self::After => String::new(),
            Self::Other => piece.to_owned(),
        }
    }

    fn begin(&mut self, text: String) -> String {
        match lead(&text) {
            Lead::Open => {
                *self = Self::Before(text);
                String::new()
            }
            Lead::Value(value) => {
                *self = Self::Inside(Value::default());
                self.inside(value).to_owned()
            }
            Lead::Other => {
                *self = Self::Other;
                text
            }
        }
    }

    fn inside<'p>(&mut self, piece: &'p str) -> &'p str {
        let Self::Inside(value) = self else {
            return "";
        };
        match value.end(piece) {
            None => piece,
            Some(end) => {
                *self = Self::After;
                piece.get(..end).unwrap_or(piece)
            }
        }
    }
}

/// How the beginning of arguments continues.
enum Lead<'t> {
    /// It may still lead to the value.
    Open,
    /// The value follows.
    Value(&'t str),
    /// It does not lead to it.
    Other,
}

fn lead(text: &str) -> Lead<'_> {
    let name = format!("\"{VALUE}\"");
    let mut rest = text;
    for token in ["{", &name, ":"] {
        rest = rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => rest = after,
            None if token.starts_with(rest) => return Lead::Open,
            None => return Lead::Other,
        }
    }
    match rest.trim_start() {
        "" => Lead::Open,
        value => Lead::Value(value),
    }
}

/// Where in a JSON value a text is.
#[derive(Debug, Default)]
struct Value {
    /// Objects and arrays that are open.
    open: usize,
    in_string: bool,
    escaped: bool,
}

impl Value {
    /// Where the value ends in a text, if it does.
    fn end(&mut self, text: &str) -> Option<usize> {
        text.bytes()
            .enumerate()
            .find_map(|(at, byte)| self.ends(byte).map(|length| at + length))
    }

    /// Whether the value ends with a byte (1), or before it (0).
    fn ends(&mut self, byte: u8) -> Option<usize> {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    return (self.open == 0).then_some(1);
                }
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.open += 1,
            b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' if self.open == 0 => return Some(0),
            b'}' | b']' => {
                self.open -= 1;
                return (self.open == 0).then_some(1);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer in arguments that arrive in one piece, cut in two anywhere, and in single characters.
    #[track_caller]
    fn check(arguments: &str, expected: &str) {
        assert_eq!(unwrapped(arguments), expected, "{arguments}");
        let read = |pieces: &[&str]| {
            let mut own = AnswerArguments::new(AnswerPlace::Member);
            let mut answer = String::new();
            for piece in pieces {
                answer.push_str(&own.push(piece));
            }
            answer.push_str(&own.end());
            answer
        };
        for (at, _) in arguments.char_indices() {
            let (before, after) = arguments.split_at(at);
            assert_eq!(read(&[before, after]), expected, "{before} {after}");
        }
        let characters = arguments.split("").collect::<Vec<_>>();
        assert_eq!(read(&characters), expected, "{arguments}");
    }

    #[test]
    fn the_value_is_taken_out_of_its_object() {
        check(r#"{"value":["a","]}"]}"#, r#"["a","]}"]"#);
        check(r#" { "value" : [ {"b":[1]} ] } "#, r#"[ {"b":[1]} ]"#);
        check(r#"{"value":"a \"b\" \\"}"#, r#""a \"b\" \\""#);
        check(r#"{"value":"é, ü"}"#, r#""é, ü""#);
        check(r#"{"value":5.25 }"#, "5.25");
        check(r#"{"value":null}"#, "null");
        check(r#"{"value":true,"note":"x"}"#, "true");
        check(r#"{"value":[1,2"#, "[1,2");
    }

    #[test]
    fn what_has_no_value_stays() {
        check(r#"{"values":[1]}"#, r#"{"values":[1]}"#);
        check("{}", "{}");
        check("[1,2]", "[1,2]");
    }

    #[test]
    fn an_object_that_is_the_answer_stays() {
        let mut own = AnswerArguments::new(AnswerPlace::Arguments);
        assert_eq!(own.push(r#"{"value":1}"#), r#"{"value":1}"#);
        assert_eq!(own.end(), "");
    }
}
