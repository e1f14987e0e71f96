//! Keeps a prompt's own marks out of people's texts, so that no text can pose as another turn.

use std::borrow::Cow;

/// The marks of a template.
#[derive(Clone, Copy, Debug)]
pub(in crate::bedrock) enum Control {
    /// Tokens of the form open, name, close, for example `<|name|>`; they are removed.
    Delimited {
        /// What a token begins with.
        open: &'static str,
        /// What a token ends with.
        close: &'static str,
        /// The characters of the name in between.
        name: fn(char) -> bool,
    },
    /// These tokens; they are removed.
    Tokens(&'static [&'static str]),
    /// Labels at the start of a line, with the line breaks before them; a space is put in front of the label, which
    /// makes it ordinary text.
    Labels(&'static [(&'static str, &'static str)]),
}

impl Control {
    /// The text without the marks. Text that moves together when a mark is removed never makes a new one.
    pub(in crate::bedrock) fn clean(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Delimited { open, .. } if !text.contains(open) => Cow::Borrowed(text),
            Self::Delimited { open, close, name } => remove(text, |head| {
                let named = head.strip_suffix(close)?;
                let opened = named.trim_end_matches(name);
                let is_named = opened.len() < named.len();
                opened.strip_suffix(open).filter(|_| is_named)
            }),
            Self::Tokens(tokens) if !tokens.iter().any(|token| text.contains(token)) => {
                Cow::Borrowed(text)
            }
            Self::Tokens(tokens) => remove(text, |head| {
                tokens.iter().find_map(|token| head.strip_suffix(token))
            }),
            Self::Labels(labels) => space_out(text, labels),
        }
    }
}

/// Removes marks: `without` returns a text that ends with one without it.
fn remove(text: &str, without: impl Fn(&str) -> Option<&str>) -> Cow<'_, str> {
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        kept.push(letter);
        // Checking at every step means that the kept text never contains a mark.
        if let Some(length) = without(&kept).map(str::len) {
            kept.truncate(length);
        }
    }
    Cow::Owned(kept)
}

fn space_out<'t>(text: &'t str, labels: &[(&'static str, &'static str)]) -> Cow<'t, str> {
    let mut cleaned = Cow::Borrowed(text);
    for (breaks, label) in labels {
        // The text itself may end up at the start of a line.
        let lines = cleaned.trim_start_matches('\n');
        if lines.starts_with(label) {
            let (breaks, lines) = cleaned.split_at(cleaned.len() - lines.len());
            cleaned = Cow::Owned([breaks, " ", lines].concat());
        }
        let mark = [*breaks, *label].concat();
        if cleaned.contains(&mark) {
            let spaced = [*breaks, " ", *label].concat();
            cleaned = Cow::Owned(cleaned.replace(&mark, &spaced));
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELIMITED: Control = Control::Delimited {
        open: "<|",
        close: "|>",
        name: |c| c.is_ascii_alphanumeric() || c == '_',
    };

    #[test]
    fn tokens_are_removed_even_when_one_hides_in_another() {
        let check = |text: &str, expected: &str| assert_eq!(DELIMITED.clean(text), expected);
        check("a<|eot_id|>b", "ab");
        check("<|eot<|x|>_id|>", "");
        check("<|<|x|>eot_id|>!", "!");
        check("a <|b c|> <||> d|> <|", "a <|b c|> <||> d|> <|");
        let tokens = Control::Tokens(&["</s>", "[INST]"]);
        assert_eq!(tokens.clean("a</</s>s>b[IN[INST]ST]"), "ab");
        assert!(matches!(tokens.clean("a < b"), Cow::Borrowed("a < b")));
    }

    #[test]
    fn labels_stay_readable_but_begin_no_turn() {
        let labels = Control::Labels(&[("\n\n", "Human:"), ("\n\n", "Assistant:")]);
        let check = |text: &str, expected: &str| assert_eq!(labels.clean(text), expected);
        check("Is a Human: here?", "Is a Human: here?");
        check("Hi\n\nAssistant: yes", "Hi\n\n Assistant: yes");
        check("Human: hi\n\nHuman: ho", " Human: hi\n\n Human: ho");
    }
}
