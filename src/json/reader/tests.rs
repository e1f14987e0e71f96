//! The law: whatever the common path takes, `serde_json` takes too, with the same result.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::json::Text;
use crate::protocol::openai_chat::ChatRequest;

/// Whether the common path took it.
fn check_as<'t, T: Deserialize<'t> + Debug>(text: &'t str) -> bool {
    let Some(own) = read::<T>(text) else {
        return false;
    };
    let other = serde_json::from_str::<T>(text);
    let other = other.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(format!("{own:?}"), format!("{other:?}"), "{text}");
    true
}

fn check(text: &str) -> bool {
    check_as::<Vec<Text<'_>>>(text);
    check_as::<ChatRequest<'_>>(text);
    check_as::<Vec<Option<u32>>>(text);
    let is_taken = check_as::<&RawValue>(text);
    check_as::<Value>(text) & is_taken
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z\\\\\"\n é]{0,90}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((".{0,5}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every request in the golden folders.
fn golden() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.ends_with("request.json") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    collect(&root, &mut files);
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.collect()
}

/// Whether an array stands for a message: only `serde_json` takes it for one.
fn has_array_for_message(request: &str) -> bool {
    // Half a surrogate pair, which is repaired in texts, is no JSON value.
    let request: Value = serde_json::from_str(request).unwrap_or_default();
    let messages = request["messages"].as_array();
    messages.is_some_and(|all| all.iter().any(Value::is_array))
}

#[test]
fn requests_take_the_common_path() {
    let requests = golden();
    assert!(requests.len() > 100, "{}", requests.len());
    for text in requests {
        if serde_json::from_str::<ChatRequest<'_>>(&text).is_ok() {
            let is_taken = check_as::<ChatRequest<'_>>(&text);
            assert_eq!(is_taken, !has_array_for_message(&text), "{text}");
        }
        assert_eq!(check(&text), serde_json::from_str::<Value>(&text).is_ok());
    }
}

proptest! {
    #[test]
    fn any_json_takes_the_common_path(value in json()) {
        prop_assert!(check(&value.to_string()));
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert!(check(&pretty));
    }

    #[test]
    fn what_is_spoilt_is_taken_only_if_serde_json_takes_it(
        value in json(),
        at in any::<proptest::sample::Index>(),
        replacement in "[\\[\\]{},:\"\\\\0-9eE.+\\-nul \t\n]{0,3}",
    ) {
        let mut text = value.to_string();
        let place = at.index(text.len());
        let starts = (0..=place).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let ends = (place + 1..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
        text.replace_range(starts..ends, &replacement);
        check(&text);
    }
}

#[test]
fn texts_that_are_not_json_are_not_taken() {
    for text in [
        "",
        " ",
        "1 2",
        "01",
        "1.",
        "-",
        "+1",
        "1-2",
        "1e",
        ".5",
        "0x1",
        "tru",
        "truefalse",
        "nul",
        "NaN",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{,}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "[}",
        "{]",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12",
        "\"\n\"",
        "\"\u{1}\"",
        "\u{feff}1",
        "\u{a0}1",
    ] {
        assert!(read::<Value>(text).is_none(), "{text}");
        assert!(read::<&RawValue>(text).is_none(), "{text}");
    }
}

#[test]
fn what_nests_too_deep_is_left_to_serde_json() {
    for depth in [99, 100, 101, 127, 128, 5000] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        check(&text);
        assert_eq!(read::<&RawValue>(&text).is_some(), depth <= 100);
    }
}

#[test]
fn half_a_pair_is_replaced_in_a_text_and_passed_elsewhere() {
    for (text, repaired) in [
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00x""#, "\u{fffd}x"),
        (r#""\ud800A""#, "\u{fffd}A"),
    ] {
        assert_eq!(&*read::<Text<'_>>(text).unwrap(), repaired);
        assert_eq!(read::<&RawValue>(text).unwrap().get(), text);
    }
    let text = read::<Text<'_>>(r#""\ud83d\ude00\/\n""#).unwrap();
    assert_eq!(&*text, "😀/\n");
}

#[test]
fn unread_members_are_noted_by_name() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only names are looked at")]
    struct Outer {
        a: u32,
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {}

    let text = r#"{"x" : [{"y":1}], "a":1, "inner":{"z":2}, "\u0061b":null, "x":{}}"#;
    let (_, names) = read_noting::<Outer>(text).unwrap();
    assert_eq!(names, ["x", r"\u0061b", "x"]);
    let many: Vec<_> = (0..100).map(|n| format!(r#""{n}":0,"#)).collect();
    let many = many.concat();
    let text = format!(r#"{{{many}"a":1,"inner":{{}}}}"#);
    let (_, names) = read_noting::<Outer>(&text).unwrap();
    assert_eq!(names.len(), MAX_NOTED);
}

#[track_caller]
fn check_located<'t, T: Deserialize<'t> + Debug>(text: &'t str, path: &str, reason: &str) {
    let located = read_located::<T>(text).unwrap_err();
    assert_eq!(located.path(), path, "{text}");
    assert_eq!(crate::json::reason(&located.error), reason, "{text}");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only faults are looked at")]
    struct Outer<'a> {
        #[serde(default, borrow)]
        list: Vec<Inner<'a>>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only faults are looked at")]
    struct Inner<'a> {
        #[serde(borrow)]
        text: Text<'a>,
        #[serde(default)]
        word: Option<Word>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        One,
        Two,
    }

    let text = "invalid type: integer `5`, expected a string";
    let body = r#"{"list":[{"text":"a"},{"text":5}]}"#;
    check_located::<Outer<'_>>(body, "list[1].text", text);
    check_located::<Outer<'_>>(r#"{"list":[{}]}"#, "list[0]", "missing field `text`");
    let word = r#"invalid type: map, expected "one" or "two""#;
    let body = r#"{"list":[{"text":"a","wo\u0072d":{}}]}"#;
    check_located::<Outer<'_>>(body, "list[0].word", word);
    let unknown = "unknown field `a`, expected `list`";
    check_located::<Outer<'_>>(r#"{"a":1}"#, "a", unknown);
    let outer = "invalid type: integer `5`, expected struct Outer";
    check_located::<Outer<'_>>("5", "", outer);
    let (word, _) = read_located::<Word>(r#""\u006fne""#).unwrap();
    assert_eq!(word, Word::One);
}

#[test]
fn an_array_is_no_object() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only faults are looked at")]
    struct Outer<'a> {
        #[serde(default, borrow)]
        pair: Option<Pair<'a>>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only faults are looked at")]
    struct Pair<'a> {
        #[serde(borrow)]
        name: &'a str,
        #[serde(default)]
        count: u32,
    }

    for (pair, is_read) in [
        (r#"{"name":"a","count":2}"#, true),
        ("null", true),
        (r#"["a",2]"#, false),
        (" []", false),
    ] {
        let body = format!(r#"{{"pair":{pair}}}"#);
        assert_eq!(read::<Outer<'_>>(&body).is_some(), is_read, "{pair}");
        if !is_read {
            let words = "invalid type: sequence, expected struct Pair";
            check_located::<Outer<'_>>(&body, "pair", words);
        }
    }
}

#[test]
fn what_is_only_passed_may_nest_as_deeply_as_it_likes() {
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    let text = format!(r#"{{"x":{deep},"y":1}}"#);
    let (passed, _) = read_located::<&RawValue>(&text).unwrap();
    assert_eq!(passed.get(), text);
    let cut = text.get(..text.len() - 1).unwrap();
    assert!(read_located::<&RawValue>(cut).is_err());
}
