//! Finds markup in a text that arrives piece by piece.

use std::borrow::Cow;

use memchr::memchr3;

use super::calls::{Call, Form, Offer};
use super::fence::Fence;
use super::forms::channels::{self, CHANNEL, Goal, START};
use super::side::Side;
use super::state::{Body, Lane, Mode, Opened, Start};
use super::vocabulary::{Found, Kinds, Place, Rest, Token, Vocabulary};
use super::{Piece, Rules};
use crate::bedrock::ToolNames;
use crate::bedrock::shared::end_reason::Called;

/// Longest header of a message on a channel, in bytes; anything longer is not a header.
const MAX_HEADER: usize = 256;

/// Takes what was found.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Piece<'_>);

/// Separates reasoning, answer and tool calls.
#[derive(Debug)]
pub(in crate::bedrock) struct Scanner {
    rules: Rules,
    kinds: Kinds,
    mode: Mode,
    lane: Lane,
    answer: Side,
    thought: Side,
    fence: Fence,
    opened: Opened,
    body: Body,
    /// Calls that were read.
    calls: Vec<Call>,
    /// Tokens that end whatever the answer has turned out to begin.
    shown: Vec<&'static str>,
    /// The tokens that matter in the present state.
    tokens: Vocabulary,
    /// Possibly the start of a token.
    held: String,
}

impl Scanner {
    /// A scanner at the beginning of a text.
    pub(in crate::bedrock) fn new(rules: Rules, start: Start, names: &ToolNames) -> Self {
        let is_inside = start == Start::Reasoning;
        let mut scanner = Self {
            // Only an answer was asked to be JSON.
            fence: Fence::of(rules.json && start != Start::Thoughts),
            rules,
            kinds: Kinds {
                calls: names.offers(),
                tags: start != Start::Thoughts,
            },
            mode: Mode::Text,
            lane: if is_inside {
                Lane::Thought
            } else {
                Lane::Answer
            },
            answer: Side::default(),
            thought: Side::between_tags(),
            opened: if is_inside {
                Opened::JustNow
            } else {
                Opened::Never
            },
            body: Body::None,
            calls: Vec::new(),
            shown: Vec::new(),
            tokens: Vocabulary::default(),
            held: String::new(),
        };
        if is_inside {
            scanner.answer.mark();
        }
        scanner.learn_tokens();
        scanner
    }

    /// Takes the next text and passes on what is certain.
    pub(in crate::bedrock) fn push(&mut self, text: &str, names: &ToolNames, sink: Sink<'_>) {
        if self.passes(text) {
            if self.lane == Lane::Answer {
                self.fence.skip(text);
            }
            return sink(self.piece(self.lane, text));
        }
        let text = if self.held.is_empty() {
            Cow::Borrowed(text)
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.push_str(text);
            Cow::Owned(held)
        };
        self.run((&text, Rest::MayFollow), names, sink);
    }

    /// Takes the end of the text and passes on what was held back. More text may still follow.
    ///
    /// `called` is whether the answer has calls of its own: then what looks like the start of one is only the remains
    /// of it.
    pub(in crate::bedrock) fn finish(&mut self, called: Called, names: &ToolNames, sink: Sink<'_>) {
        let held = std::mem::take(&mut self.held);
        if called == Called::Tools && self.tokens.is_rudiment(&held) {
            self.side(self.lane).hold_token(&held);
        } else if !held.is_empty() {
            self.run((&held, Rest::Nothing), names, sink);
        }
        match std::mem::replace(&mut self.mode, Mode::Text) {
            Mode::Text => {}
            Mode::Header(header) => self.side(self.lane).hold_token(&header),
            Mode::Calls(form, text, from) => {
                self.close_calls((form, &text, from), called, names, sink);
            }
        }
        self.learn_tokens();
        for lane in [Lane::Thought, Lane::Answer] {
            let rest = self.side(lane).finish();
            if !rest.is_empty() {
                sink(self.piece(lane, &rest));
            }
        }
    }

    /// Whether a call was read.
    pub(super) fn has_called(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Takes the calls that were read.
    pub(super) fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// Whether something is held back.
    pub(super) fn is_waiting(&self) -> bool {
        !self.held.is_empty() || !matches!(self.mode, Mode::Text) || self.answer.holds()
    }

    /// Whether a text stands for itself, as most do.
    fn passes(&self, text: &str) -> bool {
        let side = match self.lane {
            Lane::Answer => &self.answer,
            Lane::Thought => &self.thought,
        };
        self.held.is_empty()
            && matches!(self.mode, Mode::Text)
            && self.opened != Opened::JustNow
            && side.passes()
            && text.ends_with(|c: char| !c.is_whitespace())
            && memchr3(b'<', b'[', b'`', text.as_bytes()).is_none()
    }

    fn run(&mut self, (text, follows): (&str, Rest), names: &ToolNames, sink: Sink<'_>) {
        let mut rest = text;
        loop {
            let found = self.tokens.find(rest, follows);
            let sure = match found {
                Found::Nothing => rest.len(),
                Found::Start(at) | Found::Token { at, .. } => at,
            };
            let (text, _) = rest.split_at_checked(sure).unwrap_or((rest, ""));
            let taken = self.take(text, sink);
            if taken < sure {
                rest = rest.get(taken..).unwrap_or_default();
                continue;
            }
            match found {
                Found::Nothing => return,
                Found::Start(at) => {
                    self.held.push_str(rest.get(at..).unwrap_or_default());
                    return;
                }
                Found::Token { at, end, token } => {
                    let written = rest.get(at..end).unwrap_or_default();
                    rest = rest.get(end..).unwrap_or_default();
                    self.token(token, written, names, sink);
                    self.learn_tokens();
                }
            }
        }
    }

    /// Takes text between tokens; returns how much of it.
    fn take(&mut self, text: &str, sink: Sink<'_>) -> usize {
        match &mut self.mode {
            Mode::Text => self.write(self.lane, text, sink),
            Mode::Calls(_, calls, _) => calls.push_str(text),
            Mode::Header(header) => {
                let room = text.floor_char_boundary(MAX_HEADER.saturating_sub(header.len()));
                let own = text.get(..room).unwrap_or(text);
                header.push_str(own);
                if own.len() < text.len() {
                    let header = std::mem::take(header);
                    self.mode = Mode::Text;
                    self.learn_tokens();
                    self.write(self.lane, &header, sink);
                    return own.len();
                }
            }
        }
        text.len()
    }

    fn token(&mut self, token: Token, written: &str, names: &ToolNames, sink: Sink<'_>) {
        if let Mode::Calls(_, text, _) = &mut self.mode {
            match token {
                Token::Open => self.lane = Lane::Thought,
                Token::Close => self.lane = Lane::Answer,
                _ => {
                    let begins_next = matches!(written, START | CHANNEL);
                    if !begins_next {
                        text.push_str(written);
                    }
                    let mode = if begins_next {
                        Mode::Header(written.to_owned())
                    } else {
                        Mode::Text
                    };
                    if let Mode::Calls(form, text, from) = std::mem::replace(&mut self.mode, mode) {
                        self.close_calls((form, &text, from), Called::Nothing, names, sink);
                    }
                }
            }
            return;
        }
        match token {
            Token::Open if self.lane == Lane::Thought && self.opened == Opened::JustNow => {}
            Token::Open if self.lane == Lane::Answer && !self.answer.has_text() => self.think(),
            Token::Close if self.lane == Lane::Thought => self.lane = Lane::Answer,
            Token::Close if !self.answer.has_text() => self.answer.mark(),
            Token::Calls(form) if self.lane == Lane::Thought || !self.fence.is_quoting() => {
                self.mode = Mode::Calls(form, written.to_owned(), self.lane);
            }
            Token::End => self.end_token(written, sink),
            Token::Pair(end) => {
                if self.answer.has_text() {
                    self.shown.push(end);
                }
                self.write(self.lane, written, sink);
            }
            Token::Header if !self.fence.is_quoting() => {
                self.mode = Mode::Header(written.to_owned())
            }
            Token::Message => self.message(written, sink),
            Token::MessageEnd if self.fence.is_inside_json() => {
                self.write(self.lane, written, sink)
            }
            Token::MessageEnd if self.body == Body::Message => {
                self.body = Body::None;
                self.lane = Lane::Answer;
                self.answer.mark();
            }
            Token::MessageEnd if self.body == Body::None => {
                self.side(self.lane).hold_token(written);
            }
            Token::MessageEnd => {
                self.body = Body::None;
                self.write(self.lane, written, sink);
            }
            _ => self.write(self.lane, written, sink),
        }
    }

    /// Takes the end of a header.
    fn message(&mut self, written: &str, sink: Sink<'_>) {
        let Mode::Header(mut header) = std::mem::replace(&mut self.mode, Mode::Text) else {
            return;
        };
        self.body = Body::Message;
        self.fence = Fence::of(self.rules.json);
        match Goal::of(&header) {
            Goal::Thought => self.think(),
            Goal::Answer => {
                self.lane = Lane::Answer;
                self.answer.mark();
            }
            Goal::Function => {
                header.push_str(written);
                self.lane = Lane::Answer;
                if self.kinds.calls {
                    self.body = Body::None;
                    self.mode = Mode::Calls(&channels::CALL, header, Lane::Answer);
                } else {
                    self.body = Body::Shown;
                    self.write(Lane::Answer, &header, sink);
                }
            }
        }
    }

    /// Takes a token that belongs to the template, unless the answer has its other half.
    fn end_token(&mut self, written: &str, sink: Sink<'_>) {
        match self.shown.iter().rposition(|own| *own == written) {
            Some(at) => {
                self.shown.remove(at);
                self.write(self.lane, written, sink);
            }
            None => self.side(self.lane).hold_token(written),
        }
    }

    fn think(&mut self) {
        self.lane = Lane::Thought;
        self.opened = Opened::JustNow;
        self.answer.mark();
    }

    /// Keeps calls, or writes what only looks like calls.
    fn close_calls(
        &mut self,
        (form, text, from): (&Form, &str, Lane),
        called: Called,
        names: &ToolNames,
        sink: Sink<'_>,
    ) {
        let offer = Offer {
            names,
            schemas: &self.rules.schemas,
        };
        let calls = (form.parse)(text, offer);
        if calls.is_none() && called == Called::Nothing {
            return self.write(from, text, sink);
        }
        self.answer.mark();
        self.thought.mark();
        self.calls.extend(calls.unwrap_or_default());
    }

    fn write(&mut self, lane: Lane, text: &str, sink: Sink<'_>) {
        if lane == Lane::Answer {
            self.fence.read(text);
        }
        let side = self.side(lane);
        let is_first = !side.has_text();
        let text = side.write(text);
        if !text.is_empty() {
            if is_first || self.opened == Opened::JustNow {
                self.opened = self.opened.then_text();
                self.learn_tokens();
            }
            sink(self.piece(lane, &text));
        }
    }

    fn side(&mut self, lane: Lane) -> &mut Side {
        match lane {
            Lane::Answer => &mut self.answer,
            Lane::Thought => &mut self.thought,
        }
    }

    fn piece<'t>(&self, lane: Lane, text: &'t str) -> Piece<'t> {
        // A text without tags is reasoning from a field of its own.
        if !self.kinds.tags || lane == Lane::Thought {
            Piece::Reasoning(text)
        } else {
            Piece::Answer(text)
        }
    }

    /// Sets which tokens matter from here on.
    fn learn_tokens(&mut self) {
        let place = match &self.mode {
            Mode::Text if self.lane == Lane::Answer && !self.answer.has_text() => {
                Place::AnswerBegins
            }
            Mode::Text if self.lane == Lane::Answer => Place::Answer,
            Mode::Text if self.opened == Opened::JustNow => Place::ThoughtBegins,
            Mode::Text => Place::Thought,
            Mode::Header(_) => Place::Header,
            Mode::Calls(form, _, Lane::Answer) => Place::Calls(form),
            Mode::Calls(form, _, Lane::Thought) => Place::CallsInThought(form),
        };
        self.tokens.learn(self.rules.markup, place, self.kinds);
    }
}
