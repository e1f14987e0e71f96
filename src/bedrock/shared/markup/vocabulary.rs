//! The tokens that count in a text, and the search for them.

use memchr::memchr2;

use super::calls::Form;
use super::forms::channels::{CHANNEL, ENDS, MESSAGE, START};
use super::table::Markup;

/// Fewest bytes that are taken for the start of a tool call where the text ends and the call came elsewhere.
const MIN_RUDIMENT: usize = 3;

/// Tokens that templates put at the end of a turn, and texts too, behind their other half.
const PAIRS: [(&str, &str); 2] = [("<s>", "</s>"), ("[INST]", "[/INST]")];

/// What counts in the present place.
#[derive(Debug, Default)]
pub(super) struct Vocabulary(Vec<(&'static str, Token)>);

/// Where a text goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Answer,
    /// In reasoning of which nothing was said yet.
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
    /// Stands before such a token where both are the answer's own, as in HTML.
    Pair(&'static str),
    /// Begins a header.
    Header,
    /// Ends a header.
    Message,
    /// Ends a message.
    MessageEnd,
}

/// What a search has found.
pub(super) enum Found {
    Nothing,
    /// What may be the start of a token, up to the end of the text.
    Start(usize),
    Token {
        at: usize,
        end: usize,
        token: Token,
    },
}

impl Vocabulary {
    /// Learns what counts in a place; `offers` is whether there are tools that the model may call, `tags` whether
    /// the text may be reasoning and answer.
    pub(super) fn learn(
        &mut self,
        markup: &'static Markup,
        place: Place,
        offers: bool,
        tags: bool,
    ) {
        let own = &mut self.0;
        own.clear();
        match place {
            Place::Header => return own.push((MESSAGE, Token::Message)),
            Place::Calls(form) => return add(own, form.closes, Token::CallsEnd),
            Place::CallsInThought(form) => {
                add(own, form.closes, Token::CallsEnd);
                // Each piece of the reasoning may have tags of its own.
                if tags {
                    add(own, markup.opens, Token::Open);
                    add(own, markup.closes, Token::Close);
                }
                return;
            }
            Place::Answer | Place::ThoughtBegins | Place::Thought => {}
        }
        if tags {
            match place {
                Place::Answer => add(own, markup.opens, Token::Open),
                Place::ThoughtBegins => {
                    add(own, markup.opens, Token::Open);
                    add(own, markup.closes, Token::Close);
                }
                _ => add(own, markup.closes, Token::Close),
            }
            if markup.channels {
                add(own, &[START, CHANNEL], Token::Header);
                add(own, ENDS, Token::MessageEnd);
            }
        }
        if offers {
            for form in markup.calls {
                own.push((form.open, Token::Calls(form)));
                // What ends a call ends nothing where none began.
                add(own, form.closes, Token::End);
            }
        }
        add(own, markup.ends, Token::End);
        let pairs = PAIRS.iter().filter(|(_, end)| markup.ends.contains(end));
        own.extend(pairs.map(|(begin, end)| (*begin, Token::Pair(end))));
    }

    /// Looks for the first token; at the end of a text what may be the start of one is none.
    pub(super) fn find(&self, text: &str, is_end: bool) -> Found {
        let mut from = 0;
        while let Some(next) = text
            .as_bytes()
            .get(from..)
            .and_then(|b| memchr2(b'<', b'[', b))
        {
            let at = from + next;
            let rest = text.get(at..).unwrap_or_default();
            let whole = self.0.iter().filter(|(own, _)| rest.starts_with(own));
            let whole = whole.max_by_key(|(own, _)| own.len());
            let is_start = |own: &str| own.len() > rest.len() && own.starts_with(rest);
            if !is_end && self.0.iter().any(|(own, _)| is_start(own)) {
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
