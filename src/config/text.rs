//! Texts that are matched, or sent, exactly as they are.

use std::fmt;

/// What can be wrong with such a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// It is empty, or only white space.
    Blank,
    /// It starts or ends with white space.
    Padded,
    /// It contains a control character, such as a line break.
    Control,
}

impl TextFault {
    /// Everything that is wrong with a text; for a blank one, only that.
    #[must_use]
    pub fn all(text: &str) -> Vec<Self> {
        if text.trim().is_empty() {
            return vec![Self::Blank];
        }
        let padded = (text.trim() != text).then_some(Self::Padded);
        let control = text.chars().any(char::is_control).then_some(Self::Control);
        padded.into_iter().chain(control).collect()
    }
}

/// A character that nobody sees, or that looks like a plain space; `Display` gives its number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invisible(char);

/// Names of those that are pasted most often: from web pages, chats and word processors.
///
/// <https://www.unicode.org/Public/UCD/latest/ucd/NamesList.txt>
const NAMES: &[(char, &str)] = &[
    ('\t', "tab"),
    ('\n', "line break"),
    ('\r', "carriage return"),
    (' ', "space"),
    ('\u{a0}', "no-break space"),
    ('\u{ad}', "soft hyphen"),
    ('\u{200b}', "zero width space"),
    ('\u{200c}', "zero width non-joiner"),
    ('\u{200d}', "zero width joiner"),
    ('\u{200e}', "left-to-right mark"),
    ('\u{200f}', "right-to-left mark"),
    ('\u{2028}', "line separator"),
    ('\u{202f}', "narrow no-break space"),
    ('\u{2060}', "word joiner"),
    ('\u{3000}', "ideographic space"),
    ('\u{feff}', "byte order mark"),
];

impl Invisible {
    /// The first one within a text, apart from white space around it.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut before = ' ';
        for c in text.chars() {
            if is_invisible(c) && !(is_joiner(c) && is_joinable(before)) {
                return Some(Self(c));
            }
            before = c;
        }
        None
    }

    /// The first one anywhere in a text: white space around it and control characters count as well.
    #[must_use]
    pub fn find_anywhere(text: &str) -> Option<Self> {
        let control = || text.chars().find(|c| c.is_control());
        let ends = || [text.chars().next(), text.chars().next_back()];
        let around = || ends().into_iter().flatten().find(|c| c.is_whitespace());
        let inside = Self::find(text).or_else(|| control().map(Self));
        inside.or_else(|| around().map(Self))
    }
}

impl fmt::Display for Invisible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))?;
        match NAMES.iter().find(|(own, _)| *own == self.0) {
            Some((_, name)) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// A text with what nobody sees in it as `<U+200B>`, for messages that quote it.
#[must_use]
pub fn visible(text: &str) -> String {
    if Invisible::find_anywhere(text).is_none() {
        return text.to_owned();
    }
    let is_hidden = |c: char| is_invisible(c) || c.is_control();
    let inner = text.trim();
    let start = text.len() - text.trim_start().len();
    let shown = text.char_indices().map(|(at, c)| {
        let is_around = at < start || at >= start + inner.len();
        if is_around || is_hidden(c) {
            format!("<U+{:04X}>", u32::from(c))
        } else {
            c.to_string()
        }
    });
    shown.collect()
}

/// White space but the plain space, and what has no width: the default-ignorable code points, and those that direct
/// the writing.
///
/// <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>
fn is_invisible(c: char) -> bool {
    let is_wide = c.is_whitespace() && c != ' ' && !c.is_control();
    is_wide
        || is_joiner(c)
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// What joins, parts or varies the letters and pictures around it, and belongs there.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

fn is_joinable(c: char) -> bool {
    !c.is_ascii() && (is_joiner(c) || !is_invisible(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_found() {
        for (text, expected) in [
            ("a b", vec![]),
            ("", vec![TextFault::Blank]),
            (" \n", vec![TextFault::Blank]),
            ("a\u{a0}", vec![TextFault::Padded]),
            ("a\0b", vec![TextFault::Control]),
            ("a\n", vec![TextFault::Padded, TextFault::Control]),
        ] {
            assert_eq!(TextFault::all(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_found_and_named() {
        for (text, named) in [
            ("a b", None),
            ("größe", None),
            (" a", None),
            ("a\u{200b}", Some("U+200B (zero width space)")),
            ("\u{feff}a", Some("U+FEFF (byte order mark)")),
            ("a\u{a0}b", Some("U+00A0 (no-break space)")),
            ("us\u{ad}-east-1", Some("U+00AD (soft hyphen)")),
            ("a\u{202e}b", Some("U+202E")),
            ("a\u{e0041}", Some("U+E0041")),
            ("a\u{200d}b", Some("U+200D (zero width joiner)")),
            ("a\u{fe0f}", Some("U+FE0F")),
            // Parts of a picture and of a Persian word.
            ("👩\u{200d}💻", None),
            ("⚡\u{fe0f}", None),
            ("می\u{200c}خواهم", None),
        ] {
            let found = Invisible::find(text).map(|own| own.to_string());
            assert_eq!(found.as_deref(), named, "{text:?}");
        }
    }

    #[test]
    fn white_space_around_a_name_is_named_too() {
        for (text, named, shown) in [
            ("a", None, "a"),
            ("a b", None, "a b"),
            ("a ", Some("U+0020 (space)"), "a<U+0020>"),
            ("a\n", Some("U+000A (line break)"), "a<U+000A>"),
            ("\ta b", Some("U+0009 (tab)"), "<U+0009>a b"),
            (
                "a\u{200b}b",
                Some("U+200B (zero width space)"),
                "a<U+200B>b",
            ),
            ("a\u{a0}", Some("U+00A0 (no-break space)"), "a<U+00A0>"),
        ] {
            let found = Invisible::find_anywhere(text).map(|own| own.to_string());
            assert_eq!(found.as_deref(), named, "{text:?}");
            assert_eq!(visible(text), shown);
        }
    }
}
