//! Rules for the tool calls of every answer, whole or streamed: ids of their own, and arguments that are one JSON
//! object.

use std::borrow::Cow;

/// The arguments of a call without arguments.
const NONE: &str = "{}";

/// The arguments of one call as they arrive, in pieces that need not add up: some servers begin with `{}` or `null`
/// and then send the arguments, others send them twice.
#[derive(Debug, Default)]
pub struct Arguments {
    state: State,
    /// What may still turn out to mean that there are no arguments.
    held: String,
    /// The arguments in case no piece has any.
    otherwise: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but white space, `{}` and `null`, or the start of them.
    #[default]
    Begin,
    /// Inside an object.
    Object(Depth),
    /// The object is complete; more would spoil it.
    Complete,
    /// Not an object; nothing can be known about what belongs to it.
    Other,
}

/// Where in an object a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Depth {
    /// Objects and arrays that are open.
    open: usize,
    in_string: bool,
    escaped: bool,
}

/// How a text that may mean no arguments continues.
enum Lead<'t> {
    /// It may still mean that.
    Open,
    /// It does, and this follows.
    None(&'t str),
    /// It does not.
    Some(&'t str),
}

impl Arguments {
    /// Takes a piece and returns the part of it that certainly belongs to the arguments.
    pub fn push<'p>(&mut self, piece: &'p str) -> Cow<'p, str> {
        match &mut self.state {
            State::Begin => {}
            State::Object(depth) => {
                let (own, is_complete) = depth.scan(piece);
                if is_complete {
                    self.state = State::Complete;
                }
                return own.into();
            }
            State::Complete => return "".into(),
            State::Other => return piece.into(),
        }
        if self.held.is_empty() {
            return match self.begin(piece) {
                Some(own) => own.into(),
                None => {
                    piece.clone_into(&mut self.held);
                    "".into()
                }
            };
        }
        let mut held = std::mem::take(&mut self.held);
        held.push_str(piece);
        match self.begin(&held) {
            Some(own) => own.to_owned().into(),
            None => {
                self.held = held;
                "".into()
            }
        }
    }

    /// The arguments in case no piece has any: some servers give them with the call itself.
    pub fn unless_said(&mut self, json: &str) {
        if !matches!(json.trim(), "" | NONE | "null") {
            self.otherwise = Some(json.to_owned());
        }
    }

    /// What is missing at the end: arguments are an object, even if the model gave none.
    pub fn end(&mut self) -> Cow<'static, str> {
        if self.state != State::Begin {
            return "".into();
        }
        self.state = State::Complete;
        let mut own = Self::default();
        let otherwise = self.otherwise.take().unwrap_or_default();
        let written = own.push(&otherwise);
        if written.is_empty() {
            NONE.into()
        } else {
            written.into_owned().into()
        }
    }

    /// The arguments of a call that came in one piece.
    pub(super) fn whole(json: &str) -> String {
        let mut own = Self::default();
        let mut written = own.push(json).into_owned();
        written.push_str(&own.end());
        written
    }

    /// Leaves the beginning, if the text allows it: returns what belongs to the arguments.
    fn begin<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let mut rest = text;
        loop {
            match lead(rest) {
                Lead::Open => return None,
                Lead::None(after) if after.starts_with('{') => rest = after,
                // Whatever follows the sign for no arguments means nothing either.
                Lead::None(_) => {
                    self.state = State::Complete;
                    return Some(NONE);
                }
                Lead::Some(own) if own.starts_with('{') => {
                    let mut depth = Depth::default();
                    let (own, is_complete) = depth.scan(own);
                    self.state = if is_complete {
                        State::Complete
                    } else {
                        State::Object(depth)
                    };
                    return Some(own);
                }
                Lead::Some(_) => {
                    self.state = State::Other;
                    return Some(rest);
                }
            }
        }
    }
}

fn lead(text: &str) -> Lead<'_> {
    let text = text.trim_start();
    let after = if let Some(inside) = text.strip_prefix('{') {
        let inside = inside.trim_start();
        match inside.strip_prefix('}') {
            Some(after) => after,
            None if inside.is_empty() => return Lead::Open,
            None => return Lead::Some(text),
        }
    } else if let Some(after) = text.strip_prefix("null") {
        after
    } else if "null".starts_with(text) {
        return Lead::Open;
    } else {
        return Lead::Some(text);
    };
    match after.trim_start() {
        "" => Lead::Open,
        after => Lead::None(after),
    }
}

impl Depth {
    /// Reads to the end of the object, or of the text: what belongs to the object, and whether it is complete.
    fn scan<'t>(&mut self, text: &'t str) -> (&'t str, bool) {
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.open += 1,
                b'}' | b']' => {
                    self.open = self.open.saturating_sub(1);
                    if self.open == 0 {
                        return (text.get(..=at).unwrap_or(text), true);
                    }
                }
                _ => {}
            }
        }
        (text, false)
    }
}

/// The id itself, or one like it if an earlier call of the answer has the same: clients match results to calls by it.
pub(super) fn own_id(id: &str, index: usize, is_taken: impl Fn(&str) -> bool) -> Cow<'_, str> {
    if !id.is_empty() && !is_taken(id) {
        return Cow::Borrowed(id);
    }
    let stem = if id.is_empty() {
        format!("call_{index}")
    } else {
        id.to_owned()
    };
    let numbered = (2_u32..).map(|number| format!("{stem}-{number}"));
    let free = std::iter::once(stem.clone())
        .chain(numbered)
        .find(|id| !is_taken(id));
    Cow::Owned(free.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(pieces: &[&str], expected: &str) {
        let mut own = Arguments::default();
        let mut written: String = pieces.iter().map(|piece| own.push(piece)).collect();
        written.push_str(&own.end());
        assert_eq!(written, expected, "{pieces:?}");
    }

    #[test]
    fn an_object_passes_as_it_is() {
        check(&["{\"a\":", "", "{}", "}"], "{\"a\":{}}");
        check(&["{", "\"a\": \"}{\\\"\"", "}"], "{\"a\": \"}{\\\"\"}");
        check(
            &["{\"a\": [null, {\"b\": 1}]}"],
            "{\"a\": [null, {\"b\": 1}]}",
        );
        check(&["{\"cut", " off"], "{\"cut off");
    }

    #[test]
    fn no_arguments_become_an_empty_object() {
        for pieces in [
            &[][..],
            &[""],
            &["null"],
            &["nu", "ll"],
            &["{}"],
            &["{", " ", "}"],
            &[" "],
        ] {
            check(pieces, "{}");
        }
        check(&["{}", "null"], "{}");
        check(&["{}", "junk"], "{}");
    }

    #[test]
    fn arguments_behind_a_stand_in_take_its_place() {
        check(&["{}", "{\"city\":", "\"Oslo\"}"], "{\"city\":\"Oslo\"}");
        check(&["null", "{\"city\":\"Oslo\"}"], "{\"city\":\"Oslo\"}");
        check(&["{}{\"city\":\"Oslo\"}"], "{\"city\":\"Oslo\"}");
        check(&["{}", "{}", "{\"a\":1}"], "{\"a\":1}");
    }

    #[test]
    fn what_follows_the_object_is_dropped() {
        check(&["{\"a\":1}", "{\"a\":1}"], "{\"a\":1}");
        check(&["{\"a\":1}", "{}"], "{\"a\":1}");
        check(&["{\"a\":1}null"], "{\"a\":1}");
    }

    #[test]
    fn arguments_that_are_not_an_object_pass() {
        check(&["[1]", "x"], "[1]x");
        check(&["no", " json"], "no json");
    }

    #[test]
    fn arguments_given_with_the_call_count_unless_others_come() {
        let given = |piece: &str| {
            let mut own = Arguments::default();
            own.unless_said("{\"city\":\"Oslo\"}");
            own.push(piece).into_owned() + &own.end()
        };
        assert_eq!(given(""), "{\"city\":\"Oslo\"}");
        assert_eq!(given("{}"), "{\"city\":\"Oslo\"}");
        assert_eq!(given("{\"a\":1}"), "{\"a\":1}");
    }

    #[test]
    fn an_id_that_is_taken_or_missing_gets_a_like_one() {
        let taken = ["a", "a-2", "call_1"];
        let own = |id, index| own_id(id, index, |id| taken.contains(&id)).into_owned();
        assert_eq!(own("b", 0), "b");
        assert_eq!(own("a", 0), "a-3");
        assert_eq!(own("", 0), "call_0");
        assert_eq!(own("", 1), "call_1-2");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_arguments(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "{}", "null", "nu", "\"", "\\", "\"a\":", "1", " ", "é",
            ]), 0..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let text = parts.concat();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.push(text.len());
            cuts.sort_unstable();
            let (mut own, mut written, mut from) = (Arguments::default(), String::new(), 0);
            for to in cuts {
                if let Some(piece) = text.get(from..to) {
                    written.push_str(&own.push(piece));
                    from = to;
                }
            }
            written.push_str(&own.end());
            prop_assert_eq!(written, Arguments::whole(&text));
        }
    }
}
