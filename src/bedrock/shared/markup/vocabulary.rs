//! The tokens that matter in a text, and the search for them.

use memchr::memchr2;

use super::calls::Form;
use super::forms::channels::{CHANNEL, ENDS, MESSAGE, START};
use super::table::Markup;

/// Fewest bytes that count as the start of a tool call if the text ends there and the call came elsewhere.
const MIN_RUDIMENT: usize = 3;

/// Tokens that templates put at the end of a turn; texts contain them too, after their other half.
const PAIRS: [(&str, &str); 2] = [("<s>", "</s>"), ("[INST]", "[/INST]")];

/// The tokens that matter at the present place.
#[derive(Debug, Default)]
pub(super) struct Vocabulary(Vec<(&'static str, Token)>);

/// Where a text continues.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In an answer that has no text yet.
    AnswerBegins,
    Answer,
    /// In reasoning that has no text yet.
    ThoughtBegins,
    Thought,
    /// In the header of a message.
    Header,
    Calls(&'static Form),
    CallsInThought(&'static Form),
}

/// What a token means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token {
    /// Opens reasoning.
    Open,
    /// Closes it.
    Close,
    /// Begins calls.
    Calls(&'static Form),
    /// Ends them.
    CallsEnd,
    /// Means nothing at the end of a text.
    End,
    /// Comes before such a token if both belong to the answer, as in HTML.
    Pair(&'static str),
    /// Begins a header.
    Header,
    /// Ends a header.
    Message,
    /// Ends a message.
    MessageEnd,
}

/// Whether a text goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// More of it may follow, so that its end may be the start of a token.
    MayFollow,
    /// This is its end.
    Nothing,
}

/// The result of a search.
pub(super) enum Found {
    Nothing,
    /// Possibly the start of a token, up to the end of the text.
    Start(usize),
    Token {
        at: usize,
        end: usize,
        token: Token,
    },
}

/// Which kinds of markup a text may contain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds {
    /// Tool calls: there are tools that the model may call.
    pub(super) calls: bool,
    /// Tags: the text may contain both reasoning and answer.
    pub(super) tags: bool,
}

impl Vocabulary {
    /// Sets the tokens that matter at a place.
    pub(super) fn learn(&mut self, markup: &'static Markup, place: Place, kinds: Kinds) {
        let own = &mut self.0;
        own.clear();
        match place {
            Place::Header => return own.push((MESSAGE, Token::Message)),
            Place::Calls(form) => return add(own, form.closes, Token::CallsEnd),
            Place::CallsInThought(form) => {
                add(own, form.closes, Token::CallsEnd);
                // Each piece of the reasoning may have tags of its own.
                if kinds.tags {
                    add(own, markup.opens, Token::Open);
                    add(own, markup.closes, Token::Close);
                }
                return;
            }
            Place::AnswerBegins | Place::Answer | Place::ThoughtBegins | Place::Thought => {}
        }
        if kinds.tags {
            match place {
                Place::AnswerBegins | Place::ThoughtBegins => {
                    add(own, markup.opens, Token::Open);
                    add(own, markup.closes, Token::Close);
                }
                Place::Thought => add(own, markup.closes, Token::Close),
                _ => {}
            }
            if markup.channels {
                add(own, &[START, CHANNEL], Token::Header);
                add(own, ENDS, Token::MessageEnd);
            }
        }
        if kinds.calls {
            for form in markup.calls {
                own.push((form.open, Token::Calls(form)));
                // A token that ends calls ends nothing if none began.
                add(own, form.closes, Token::End);
            }
        }
        add(own, markup.ends, Token::End);
        let pairs = PAIRS.iter().filter(|(_, end)| markup.ends.contains(end));
        own.extend(pairs.map(|(begin, end)| (*begin, Token::Pair(end))));
    }

    /// Looks for the first token.
    pub(super) fn find(&self, text: &str, rest: Rest) -> Found {
        let mut from = 0;
        while let Some(next) = text
            .as_bytes()
            .get(from..)
            .and_then(|b| memchr2(b'<', b'[', b))
        {
            let at = from + next;
            let tail = text.get(at..).unwrap_or_default();
            let whole = self.0.iter().filter(|(own, _)| tail.starts_with(own));
            let whole = whole.max_by_key(|(own, _)| own.len());
            let is_start = |own: &str| own.len() > tail.len() && own.starts_with(tail);
            if rest == Rest::MayFollow && self.0.iter().any(|(own, _)| is_start(own)) {
                return Found::Start(at);
            }
            if let Some((own, token)) = whole {
                let (end, token) = (at + own.len(), *token);
                return Found::Token { at, end, token };
            }
            from = at + 1;
        }
        Found::Nothing
    }

    /// Whether the text ends in the start of a call.
    pub(super) fn is_rudiment(&self, held: &str) -> bool {
        let begins_call = |token: &Token| matches!(token, Token::Calls(_) | Token::Header);
        let mut tokens = self.0.iter();
        held.len() >= MIN_RUDIMENT
            && tokens.any(|(own, token)| begins_call(token) && own.starts_with(held))
    }
}

fn add(own: &mut Vec<(&'static str, Token)>, words: &[&'static str], token: Token) {
    own.extend(words.iter().map(|word| (*word, token)));
}
