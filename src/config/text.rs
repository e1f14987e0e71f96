//! Texts that are matched, or sent, exactly as they stand.

/// What can be wrong with such a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// There is nothing in it but white space, if anything.
    Blank,
    /// It starts or ends with white space.
    Padded,
    /// A control character is in it, such as a line break.
    Control,
}

impl TextFault {
    /// Everything that is wrong with a text; a blank one is just that.
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
}
