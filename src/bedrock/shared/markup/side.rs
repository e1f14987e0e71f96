//! One of the two texts that an answer consists of.

use std::borrow::Cow;

/// State of the reasoning, or of what is no reasoning.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// White space and tokens whose meaning the next text decides: at the end they are not the model's.
    held: String,
    /// Whether something was said.
    said: bool,
    /// Whether markup stood here, so that white space beside it is the markup's.
    is_marked: bool,
    /// Whether what is held goes if the text ends here.
    drops: bool,
    /// Whether white space at its ends is the tags' in any case.
    is_tagged: bool,
}

impl Side {
    /// A side whose white space at the ends belongs to tags.
    pub(super) fn between_tags() -> Self {
        Self {
            is_tagged: true,
            ..Self::default()
        }
    }

    /// Whether something was said.
    pub(super) fn has_said(&self) -> bool {
        self.said
    }

    /// Whether something is held back.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether text that does not end with white space passes as it is.
    pub(super) fn passes(&self) -> bool {
        self.said && self.held.is_empty() && !self.drops
    }

    /// Takes text and gives what of it can be said, which may be nothing.
    pub(super) fn say<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let (body, space) = text
            .split_at_checked(text.trim_end().len())
            .unwrap_or((text, ""));
        if body.is_empty() {
            self.held.push_str(space);
            return "".into();
        }
        let trims = !self.said && (self.is_marked || self.is_tagged);
        self.said = true;
        self.drops = false;
        let said = if self.held.is_empty() {
            Cow::Borrowed(if trims { body.trim_start() } else { body })
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.push_str(body);
            Cow::Owned(if trims {
                held.trim_start().to_owned()
            } else {
                held
            })
        };
        self.held.push_str(space);
        said
    }

    /// Takes a token that stands at the end of texts.
    pub(super) fn hold_token(&mut self, token: &str) {
        self.held.push_str(token);
        self.drops = true;
    }

    /// Notes that markup stands here.
    pub(super) fn mark(&mut self) {
        self.is_marked = true;
        self.drops = true;
    }

    /// Takes the end of the text and gives what was held back.
    pub(super) fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        if self.drops || self.is_tagged {
            String::new()
        } else {
            held
        }
    }
}
