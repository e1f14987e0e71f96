//! One of the two texts of an answer.

use std::borrow::Cow;

/// State of the reasoning, or of the rest.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// White space and tokens whose meaning depends on the next text: at the end, they are not part of the model's
    /// text.
    held: String,
    /// Whether a text was written.
    has_text: bool,
    /// Whether there was markup here, so that white space next to it belongs to the markup.
    is_marked: bool,
    /// Whether the held text is dropped if the text ends here.
    drops: bool,
    /// Whether white space at either end belongs to tags in any case.
    is_tagged: bool,
}

impl Side {
    /// A side whose white space at either end belongs to tags.
    pub(super) fn between_tags() -> Self {
        Self {
            is_tagged: true,
            ..Self::default()
        }
    }

    /// Whether a text was written.
    pub(super) fn has_text(&self) -> bool {
        self.has_text
    }

    /// Whether something is held back.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether text that does not end with white space passes unchanged.
    pub(super) fn passes(&self) -> bool {
        self.has_text && self.held.is_empty() && !self.drops
    }

    /// Takes text and gives the part of it that can be written now, which may be empty.
    pub(super) fn write<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let (body, space) = text
            .split_at_checked(text.trim_end().len())
            .unwrap_or((text, ""));
        if body.is_empty() {
            self.held.push_str(space);
            return "".into();
        }
        let trims = !self.has_text && (self.is_marked || self.is_tagged);
        self.has_text = true;
        self.drops = false;
        let text = if self.held.is_empty() {
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
        text
    }

    /// Takes a token of the kind that ends texts.
    pub(super) fn hold_token(&mut self, token: &str) {
        self.held.push_str(token);
        self.drops = true;
    }

    /// Notes that there is markup here.
    pub(super) fn mark(&mut self) {
        self.is_marked = true;
        self.drops = true;
    }

    /// Takes the end of the text and returns what was held back.
    pub(super) fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        if self.drops || self.is_tagged {
            String::new()
        } else {
            held
        }
    }
}
