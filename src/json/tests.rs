use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::value::RawValue;

use super::*;

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Tagged<'a> {
    Text { text: &'a str },
    Number { number: f64 },
}

#[derive(Debug, Serialize)]
enum Plain {
    Unit,
    One(u8),
    Two(i64, bool),
    Fields { a: Option<char>, b: () },
}

#[derive(Debug, Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    tagged: Tagged<'a>,
    raw: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u8>,
    map: BTreeMap<String, Vec<i32>>,
    variants: Vec<Plain>,
    tuple: (u8, f32),
    verbatim: Verbatim<&'a str>,
}

fn same_as_serde_json(value: &(impl Serialize + ?Sized)) {
    let written = String::from_utf8(to_vec(value, 0).unwrap()).unwrap();
    assert_eq!(written, serde_json::to_string(value).unwrap());
}

proptest! {
    #[test]
    fn the_output_is_serde_jsons(
        text in any::<String>(),
        padding in "[ -~]{0,80}",
        number in any::<f64>(),
        map in proptest::collection::btree_map(any::<String>(), proptest::collection::vec(any::<i32>(), 0..3), 0..3),
    ) {
        let text = format!("{padding}{text}{padding}");
        let raw = serde_json::value::to_raw_value(&map).unwrap();
        for tagged in [Tagged::Text { text: &text }, Tagged::Number { number }] {
            same_as_serde_json(&Whole {
                tagged,
                raw: &raw,
                left_out: None,
                map: map.clone(),
                variants: vec![
                    Plain::Unit,
                    Plain::One(1),
                    Plain::Two(-5, true),
                    Plain::Fields { a: Some('"'), b: () },
                ],
                tuple: (0, 0.5),
                verbatim: Verbatim("AA+/=="),
            });
        }
    }
}

#[test]
fn every_character_is_escaped_like_serde_jsons_at_any_position() {
    for character in (0..=0x80_u8).map(char::from) {
        for before in [0, 1, 31, 32, 33, 63, 64, 65] {
            same_as_serde_json(&format!("{}{character}é", "x".repeat(before)));
        }
    }
}

#[test]
fn a_raw_value_is_written_unchanged() {
    let json = r#"{ "a" : [1, "\u00e9"] }"#;
    let raw: &RawValue = serde_json::from_str(json).unwrap();
    assert_eq!(to_vec(raw, 0).unwrap(), json.as_bytes());
}

#[test]
fn displayed_texts_are_escaped() {
    struct Shown;

    impl Serialize for Shown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("{}\"{}", 1, "\n"))
        }
    }

    same_as_serde_json(&Shown);
}

#[test]
fn a_value_that_cannot_be_json_is_an_error() {
    assert!(to_vec(&BTreeMap::from([((1, 2), 3)]), 0).is_err());
}
