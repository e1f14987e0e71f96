//! Single values, read as leniently as OpenAI reads them.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use crate::json::{Text, reason};

/// Reads one of a few words. A derived enum would take any other value for broken JSON.
pub(in crate::protocol) fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Word(PhantomData))
}

/// The same, or nothing.
pub(in crate::protocol) fn optional_word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct OptionalWord<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OptionalWord<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<Self::Value, D::Error> {
            word(some).map(Some)
        }
    }

    deserializer.deserialize_option(OptionalWord(PhantomData))
}

struct Word<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        T::deserialize(BorrowedStrDeserializer::new(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(StrDeserializer::new(text))
    }
}

/// A kind of whole number.
pub(in crate::protocol) trait Whole: TryFrom<i64> {
    /// Which of them there are.
    const RANGE: &'static str;
}

impl Whole for u32 {
    const RANGE: &'static str = "a whole number from 0 to 4294967295";
}

impl Whole for i64 {
    const RANGE: &'static str = "a whole number";
}

/// Reads a whole number. Some languages write `300.0` for one.
pub(in crate::protocol) fn whole<'de, D: Deserializer<'de>, T: Whole>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct WholeVisitor<T>(PhantomData<T>);

    impl<T: Whole> Visitor<'_> for WholeVisitor<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::RANGE)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            let whole = T::try_from(number).map(Some);
            whole.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            match i64::try_from(number) {
                Ok(number) => self.visit_i64(number),
                Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
            }
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            // Beyond this not every whole number is a float.
            const MAX: f64 = 9_007_199_254_740_992.0;
            if number.fract() != 0.0 || number.abs() > MAX {
                return Err(E::invalid_value(Unexpected::Float(number), &self));
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is whole, and not too large"
            )]
            self.visit_i64(number as i64)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(WholeVisitor(PhantomData))
}

/// Reads `top_k`, in which 0 and -1 mean all tokens, as in vLLM.
pub(in crate::protocol) fn top_k<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let number = whole::<D, i64>(deserializer)?;
    let Some(number) = number.filter(|number| !matches!(number, -1 | 0)) else {
        return Ok(None);
    };
    let top_k = u32::try_from(number).map(Some);
    top_k.map_err(|_| {
        D::Error::invalid_value(
            Unexpected::Signed(number),
            &"a whole number from -1 to 4294967295",
        )
    })
}

/// A label, if it has a value.
pub(in crate::protocol) fn label<'a>(
    (name, Label(value)): (String, Label<'a>),
) -> Option<(Text<'a>, Text<'a>)> {
    value.map(|value| (name.into(), value))
}

/// The value of a label: a text, or a number or a boolean as one; nothing for null.
#[derive(Clone, Debug)]
pub struct Label<'a>(pub Option<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Label<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "a string, a number or a boolean";

        // Not as a string, because one with half of a surrogate pair would be refused.
        let json = <&RawValue>::deserialize(deserializer)?;
        let text = match json.get().as_bytes().first() {
            Some(b'"') => {
                Text::from_json(json).map_err(|fault| D::Error::custom(reason(&fault)))?
            }
            Some(b'n') => return Ok(Label(None)),
            Some(b'[') => return Err(D::Error::invalid_type(Unexpected::Seq, &WANTED)),
            Some(b'{') => return Err(D::Error::invalid_type(Unexpected::Map, &WANTED)),
            _ => json.get().into(),
        };
        Ok(Label(Some(text)))
    }
}

/// `stop` is a string, a list of strings or null.
pub(in crate::protocol) fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Text<'de>>>, D::Error> {
    struct OneOrMany;

    impl<'de> serde::de::Visitor<'de> for OneOrMany {
        type Value = Option<Vec<Text<'de>>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string or an array of strings")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Some(vec![text.into()]))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some(vec![text.to_owned().into()]))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = seq.next_element()? {
                texts.push(text);
            }
            Ok(Some(texts))
        }
    }

    deserializer.deserialize_any(OneOrMany)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct All {
        #[serde(default, deserialize_with = "whole")]
        count: Option<u32>,
        #[serde(default, deserialize_with = "top_k")]
        top_k: Option<u32>,
    }

    fn read(json: &str) -> Result<All, String> {
        serde_json::from_str(json).map_err(|fault| fault.to_string())
    }

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        for (json, count) in [
            (r#"{"count":300}"#, Some(300)),
            (r#"{"count":300.0}"#, Some(300)),
            (r#"{"count":3e2}"#, Some(300)),
            (r#"{"count":null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(read(json).unwrap().count, count, "{json}");
        }
        for json in [
            r#"{"count":300.5}"#,
            r#"{"count":-1}"#,
            r#"{"count":4294967296}"#,
            r#"{"count":1e300}"#,
            r#"{"count":18446744073709551615}"#,
            r#"{"count":"300"}"#,
        ] {
            let fault = read(json).unwrap_err();
            assert!(fault.contains("expected a whole number from 0"), "{fault}");
        }
    }

    #[test]
    fn no_top_k_may_be_written_as_a_number() {
        for (json, top_k) in [
            (r#"{"top_k":-1}"#, None),
            (r#"{"top_k":0}"#, None),
            (r#"{"top_k":40.0}"#, Some(40)),
        ] {
            assert_eq!(read(json).unwrap().top_k, top_k, "{json}");
        }
        assert!(read(r#"{"top_k":-2}"#).is_err());
    }

    #[test]
    fn labels_are_texts_numbers_or_flags() {
        for (json, text) in [
            (r#""v""#, Some("v")),
            (r#""v\ud83d""#, Some("v\u{fffd}")),
            ("1.5", Some("1.5")),
            ("true", Some("true")),
            ("null", None),
        ] {
            let Label(label) = serde_json::from_str(json).unwrap();
            assert_eq!(label.as_deref(), text, "{json}");
        }
        for json in ["[]", "{}"] {
            assert!(serde_json::from_str::<Label<'_>>(json).is_err(), "{json}");
        }
    }
}
