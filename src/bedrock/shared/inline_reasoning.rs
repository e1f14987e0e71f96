//! Reasoning that a model writes into its answer, between tags.
//!
//! Open models think aloud before they answer: `<think>…</think>` (`DeepSeek` R1 and its kin,
//! <https://api-docs.deepseek.com/guides/reasoning_model>) or `<reasoning>…</reasoning>` (gpt-oss
//! on Bedrock). [`Splitter`] takes the text as it arrives, cut anywhere, and gives each part its
//! name.

use std::borrow::Cow;

/// Opening tags with the tags that close them.
const TAGS: [(&str, &[&str]); 2] = [
    ("<reasoning>", &["</reasoning>"]),
    ("<think>", &["</think>"]),
];

/// What closes reasoning that no tag opened.
const ANY_CLOSING: &[&str] = &["</reasoning>", "</think>"];

/// Tells reasoning from answer in a text that arrives piece by piece.
///
/// An opening tag counts only at the very beginning, after optional white space; so an answer that
/// talks about such tags stays whole. White space right after a tag belongs to the tag.
#[derive(Debug)]
pub(in crate::bedrock) struct Splitter {
    state: State,
    closing: &'static [&'static str],
    /// What cannot be told yet: white space at the beginning, the start of a tag.
    held: String,
}

/// Where a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Start {
    /// In the answer, unless a tag opens reasoning first.
    Answer,
    /// In the reasoning: the prompt ended with the opening tag. A tag that the model writes all the
    /// same is dropped.
    Reasoning,
}

/// A piece of text with its name; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Piece<'t> {
    /// What the model thought.
    Reasoning(&'t str),
    /// What the model said.
    Answer(&'t str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space or the start of an opening tag was seen.
    Begin(Start),
    /// White space before the reasoning.
    ReasoningLead,
    Reasoning,
    /// White space between the closing tag and the answer.
    AnswerLead,
    Answer,
}

/// The reasoning and the answer of a whole text.
pub(in crate::bedrock) fn split(text: &str, start: Start) -> (String, String) {
    let (mut reasoning, mut answer) = (String::new(), String::new());
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Reasoning(text) => reasoning.push_str(text),
        Piece::Answer(text) => answer.push_str(text),
    };
    let mut splitter = Splitter::new(start);
    splitter.push(text, &mut sink);
    splitter.finish(&mut sink);
    (reasoning, answer)
}

impl Splitter {
    /// A splitter at the beginning of a text.
    pub(in crate::bedrock) fn new(start: Start) -> Self {
        Self {
            state: State::Begin(start),
            closing: ANY_CLOSING,
            held: String::new(),
        }
    }

    /// Takes the next text and gives away what can be told of it.
    pub(in crate::bedrock) fn push(&mut self, text: &str, sink: &mut dyn FnMut(Piece<'_>)) {
        let text = if self.held.is_empty() {
            Cow::Borrowed(text)
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.push_str(text);
            Cow::Owned(held)
        };
        let mut rest = &*text;
        while let Some(next) = self.step(rest, sink) {
            rest = next;
        }
    }

    /// Takes the end of the text and gives away what was held back.
    pub(in crate::bedrock) fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Begin(Start::Answer) => give(Piece::Answer(&held), sink),
            State::Begin(Start::Reasoning) => give(Piece::Reasoning(held.trim_start()), sink),
            State::Reasoning => give(Piece::Reasoning(&held), sink),
            State::ReasoningLead | State::AnswerLead | State::Answer => {}
        }
        self.state = State::Answer;
    }

    /// Handles the text in the current state: the rest for the next state, or nothing when more
    /// text is needed.
    fn step<'t>(&mut self, text: &'t str, sink: &mut dyn FnMut(Piece<'_>)) -> Option<&'t str> {
        match self.state {
            State::Begin(start) => self.begin(start, text),
            State::ReasoningLead => self.lead(text, State::Reasoning),
            State::Reasoning => self.reasoning(text, sink),
            State::AnswerLead => self.lead(text, State::Answer),
            State::Answer => {
                give(Piece::Answer(text), sink);
                None
            }
        }
    }

    fn begin<'t>(&mut self, start: Start, text: &'t str) -> Option<&'t str> {
        let body = text.trim_start();
        for (opening, closing) in TAGS {
            if let Some(rest) = body.strip_prefix(opening) {
                self.closing = closing;
                self.state = State::ReasoningLead;
                return Some(rest);
            }
        }
        if TAGS.iter().any(|(opening, _)| opening.starts_with(body)) {
            text.clone_into(&mut self.held);
            return None;
        }
        self.state = match start {
            Start::Answer => State::Answer,
            Start::Reasoning => State::ReasoningLead,
        };
        Some(text)
    }

    fn lead<'t>(&mut self, text: &'t str, next: State) -> Option<&'t str> {
        let text = text.trim_start();
        if text.is_empty() {
            return None;
        }
        self.state = next;
        Some(text)
    }

    fn reasoning<'t>(&mut self, text: &'t str, sink: &mut dyn FnMut(Piece<'_>)) -> Option<&'t str> {
        let closed = self.closing.iter().filter_map(|tag| text.split_once(tag));
        if let Some((before, after)) = closed.min_by_key(|(before, _)| before.len()) {
            give(Piece::Reasoning(before), sink);
            self.state = State::AnswerLead;
            return Some(after);
        }
        let tail = self.closing.iter().map(|tag| overlap(text, tag)).max();
        let sure = text.len() - tail.unwrap_or(0);
        let (sure, tail) = text.split_at_checked(sure).unwrap_or((text, ""));
        give(Piece::Reasoning(sure), sink);
        tail.clone_into(&mut self.held);
        None
    }
}

/// How many bytes at the end of the text are the start of the tag, but not all of it.
fn overlap(text: &str, tag: &str) -> usize {
    (1..tag.len())
        .rev()
        .find(|length| {
            tag.get(..*length)
                .is_some_and(|start| text.ends_with(start))
        })
        .unwrap_or(0)
}

fn give(piece: Piece<'_>, sink: &mut dyn FnMut(Piece<'_>)) {
    let (Piece::Reasoning(text) | Piece::Answer(text)) = piece;
    if !text.is_empty() {
        sink(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(start: Start, text: &str, reasoning: &str, answer: &str) {
        let expected = (reasoning.to_owned(), answer.to_owned());
        assert_eq!(split(text, start), expected, "{text:?}");
    }

    #[test]
    fn a_tag_at_the_beginning_opens_reasoning() {
        let check = |text, reasoning, answer| check(Start::Answer, text, reasoning, answer);
        check("<think>\nhm</think>\n\nHi.", "hm", "Hi.");
        check(" \n<reasoning>hm</reasoning>Hi.", "hm", "Hi.");
        check("<think>\n\n</think>\n\nHi.", "", "Hi.");
        check("<think>a</reasoning>b</think>c", "a</reasoning>b", "c");
        check("<think>never closed", "never closed", "");
        check("<think>never </thi", "never </thi", "");
    }

    #[test]
    fn a_tag_elsewhere_is_text() {
        let check = |text, answer| check(Start::Answer, text, "", answer);
        check(
            "Use <think>x</think>, please.",
            "Use <think>x</think>, please.",
        );
        check("  no tag", "  no tag");
        check("<thin", "<thin");
        check("<thinker>", "<thinker>");
        check(" ", " ");
        check("", "");
        check("a </think> b", "a </think> b");
    }

    #[test]
    fn only_the_first_tags_count() {
        let text = "<think>a</think>b <think>c</think>";
        check(Start::Answer, text, "a", "b <think>c</think>");
    }

    #[test]
    fn a_text_that_starts_inside_reasoning_needs_no_opening_tag() {
        let check = |text, reasoning, answer| check(Start::Reasoning, text, reasoning, answer);
        check("hm\n</think>\n\nHi.", "hm\n", "Hi.");
        check("<think>hm</think>Hi.", "hm", "Hi.");
        check("\nhm</reasoning>Hi.", "hm", "Hi.");
        check("cut sho", "cut sho", "");
        check("\n</think>\n\nHi.", "", "Hi.");
    }

    /// Texts in which tags are likely.
    fn tagged() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "<think>",
            "</think>",
            "<reasoning>",
            "</reasoning>",
            "<",
            "</",
            "think>",
            "\n",
            " ",
            "é",
            "word",
        ]);
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_two_texts(
            text in tagged(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            inside in any::<bool>(),
        ) {
            let start = if inside { Start::Reasoning } else { Start::Answer };
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.push(text.len());
            cuts.sort_unstable();
            let (mut reasoning, mut answer) = (String::new(), String::new());
            let mut sink = |piece: Piece<'_>| match piece {
                Piece::Reasoning(text) => reasoning.push_str(text),
                Piece::Answer(text) => answer.push_str(text),
            };
            let mut splitter = Splitter::new(start);
            let mut from = 0;
            for to in cuts {
                if let Some(piece) = text.get(from..to) {
                    splitter.push(piece, &mut sink);
                    from = to;
                }
            }
            splitter.finish(&mut sink);
            prop_assert_eq!((reasoning, answer), split(&text, start));
        }
    }
}
