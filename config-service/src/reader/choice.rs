//! Values that are one of a few words.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::scalar::{nullable_text, text};
use crate::fault::Fault;

/// A type whose values are all words.
pub(crate) trait Choice: Copy + Serialize + 'static {
    /// All of them, in the order in which messages list them.
    const ALL: &'static [Self];
    /// The value of `null` and `""`, if they are allowed.
    const CLEARED: Option<Self> = None;
}

/// One of the words.
pub(crate) fn choice<T: Choice>(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<T> {
    let word = match T::CLEARED {
        None => text(raw, at, faults)?,
        Some(cleared) => match nullable_text(raw, at, faults)? {
            None => return Some(cleared),
            Some(word) => word,
        },
    };
    of_word(&word, at, faults)
}

/// The value of a word.
pub(crate) fn of_word<T: Choice>(word: &str, at: &str, faults: &mut Vec<Fault>) -> Option<T> {
    let found = T::ALL.iter().find(|value| word_of(*value) == word);
    if found.is_none() {
        let message = format!("expected {}", listed::<T>());
        faults.push(Fault::new(at, "unknown_value", message));
    }
    found.copied()
}

/// The word for a value, as used in documents.
fn word_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The words for messages: `"a", "b" or "c"`.
fn listed<T: Choice>() -> String {
    let words: Vec<_> = T::ALL
        .iter()
        .map(|value| format!("{:?}", word_of(value)))
        .collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_filter::catalog::CrossRegion;
    use bedrock_filter::config::{Api, SignedBy};

    /// Reads a JSON value: the choice, or the fault's code and message.
    fn read<T: Choice>(json: &str) -> Result<T, (&'static str, String)> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let mut faults = Vec::new();
        choice(raw, "/at", &mut faults).ok_or_else(|| {
            let fault = faults.remove(0);
            (fault.code, fault.message)
        })
    }

    #[test]
    fn words_are_matched_exactly_and_a_fault_lists_them() {
        assert_eq!(read(r#""geo""#), Ok(CrossRegion::Geo));
        let unknown = |message: &str| ("unknown_value", message.to_owned());
        for json in [r#""Geo""#, r#"" geo""#, r#""world""#] {
            let expected = unknown(r#"expected "off", "geo" or "global""#);
            assert_eq!(read::<CrossRegion>(json), Err(expected));
        }
        let expected = unknown(r#"expected "filter" or "envoy""#);
        assert_eq!(read::<SignedBy>(r#""me""#), Err(expected));
    }

    #[test]
    fn clearing_gives_the_default_where_it_is_allowed() {
        for json in ["null", r#""""#] {
            assert_eq!(read(json), Ok(Api::Auto));
            let (code, _) = read::<CrossRegion>(json).unwrap_err();
            assert_eq!(code, "not_clearable");
        }
    }
}
