use super::*;
use bedrock_filter::catalog::ModelFamily;

const AT: &str = "/inference_profile_arn_map";

/// Reads `json` as the ARN map: its entries, or its faults as `pointer code`.
fn read(json: &str) -> Result<Vec<(String, String)>, Vec<String>> {
    let raw: &RawValue = serde_json::from_str(json).unwrap();
    let mut faults = Vec::new();
    match string_map(raw, AT, &mut faults) {
        Some(map) => {
            assert!(faults.is_empty(), "{json}: {faults:?}");
            Ok(map.into_iter().collect())
        }
        None => Err(faults
            .iter()
            .map(|fault| {
                let pointer = fault.pointer.strip_prefix(AT).unwrap();
                format!("{pointer} {}", fault.code)
            })
            .collect()),
    }
}

#[track_caller]
fn accepts(json: &str, entries: &[(&str, &str)]) {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(read(json), Ok(entries), "{json}");
}

#[track_caller]
fn refuses(json: &str, faults: &[&str]) {
    let faults: Vec<_> = faults.iter().map(|fault| (*fault).to_owned()).collect();
    assert_eq!(read(json), Err(faults), "{json}");
}

#[test]
fn empty_and_null_are_an_empty_map() {
    for json in [
        "null",
        "{}",
        " { } ",
        r#""""#,
        r#""  \n""#,
        r#""{}""#,
        r#"" {} ""#,
        r#""\ufeff""#,
        r#""// nothing yet""#,
    ] {
        accepts(json, &[]);
    }
}

#[test]
fn an_object_and_a_string_that_contains_one_are_the_same() {
    accepts(r#"{"b":"2","a":"1"}"#, &[("a", "1"), ("b", "2")]);
    accepts(r#""{\"b\":\"2\",\"a\":\"1\"}""#, &[("a", "1"), ("b", "2")]);
    accepts(r#""\n{\"a\" : \"1\"}\n""#, &[("a", "1")]);
}

#[test]
fn a_string_may_hold_what_somebody_pasted() {
    for text in [
        "{\"m\":\"a\",}",
        "{\"m\":\"a\"} // comment",
        "\u{feff}```json\n{\u{a0}\"m\": /* b */ \"a\"}\n```",
    ] {
        accepts(&serde_json::to_string(text).unwrap(), &[("m", "a")]);
    }
    let raw: &RawValue = serde_json::from_str(r#""{“m”: 1}""#).unwrap();
    let mut faults = Vec::new();
    assert!(string_map(raw, AT, &mut faults).is_none());
    assert_eq!(faults[0].message, "line 1 column 2: curly quote “; use \"");
}

#[test]
fn what_nobody_sees_is_refused() {
    refuses(r#"{"m\u200b":"a"}"#, &["/m\u{200b} invisible_character"]);
    refuses(r#"{"m":"\ufeffa"}"#, &["/m invisible_character"]);
    refuses(r#"{"m":"a\u00a0b"}"#, &["/m invisible_character"]);
}

#[test]
fn values_need_not_be_arns() {
    accepts(r#"{"m":"x"}"#, &[("m", "x")]);
    accepts(r#"{"m":"a b"}"#, &[("m", "a b")]);
    accepts(r#"{"größe":"ü"}"#, &[("größe", "ü")]);
}

#[test]
fn keys_that_differ_in_case_are_two_keys() {
    accepts(r#"{"M":"a","m":"b"}"#, &[("M", "a"), ("m", "b")]);
}

#[test]
fn anything_but_an_object_is_refused() {
    for json in ["[]", r#"[{"m":"a"}]"#, "5", "-1.5e3", "true", "false"] {
        refuses(json, &[" not_a_map"]);
    }
}

#[test]
fn a_string_must_contain_an_object() {
    for json in [
        r#""null""#,
        r#""[]""#,
        r#""5""#,
        r#""true""#,
        r#""\"\"""#,
        r#""\"{}\"""#,
    ] {
        refuses(json, &[" not_a_map"]);
    }
    for json in [
        r#""x""#,
        r#""{""#,
        r#""{} {}""#,
        r#""{'m':'a'}""#,
        r#""{m:\"a\"}""#,
        r#""{“m”:\"a\"}""#,
        r#""{\"m\":\"a\"} /* comment""#,
    ] {
        refuses(json, &[" invalid_json"]);
    }
}

#[test]
fn values_must_be_strings() {
    for value in [
        "null",
        "5",
        "true",
        "[]",
        r#"["a"]"#,
        "{}",
        r#"{"arn":"a"}"#,
    ] {
        refuses(&format!(r#"{{"m":{value}}}"#), &["/m not_a_string"]);
    }
}

#[test]
fn keys_and_values_must_not_be_blank() {
    refuses(r#"{"":"a"}"#, &["/ empty_key"]);
    refuses(r#"{" ":"a"}"#, &["/  empty_key"]);
    refuses(r#"{"\t":"a"}"#, &["/\t empty_key"]);
    refuses(r#"{"m":""}"#, &["/m empty_value"]);
    refuses(r#"{"m":"  "}"#, &["/m empty_value"]);
    refuses(r#"{"m":"\n"}"#, &["/m empty_value"]);
    refuses(r#"{"":""}"#, &["/ empty_key", "/ empty_value"]);
}

#[test]
fn whitespace_around_keys_and_values_is_refused() {
    for json in [r#"{"m":" a"}"#, r#"{"m":"a "}"#, r#"{"m":"a\u00a0"}"#] {
        refuses(json, &["/m surrounding_whitespace"]);
    }
    refuses(r#"{" m":"a"}"#, &["/ m surrounding_whitespace"]);
    refuses(r#"{"m\u2003":"a"}"#, &["/m\u{2003} surrounding_whitespace"]);
}

#[test]
fn control_characters_are_refused() {
    refuses(r#"{"m":"a\u0000b"}"#, &["/m control_character"]);
    refuses(r#"{"m":"a\nb"}"#, &["/m control_character"]);
    refuses(r#"{"a\u007fb":"a"}"#, &["/a\u{7f}b control_character"]);
    refuses(
        r#"{"m":"a\n"}"#,
        &["/m surrounding_whitespace", "/m control_character"],
    );
}

#[test]
fn a_repeated_key_is_refused() {
    refuses(r#"{"m":"a","m":"b"}"#, &["/m duplicate_key"]);
    refuses(r#"{"m":"a","m":"a"}"#, &["/m duplicate_key"]);
    refuses(
        r#"{"m":"a","n":"b","m":"c","m":"d"}"#,
        &["/m duplicate_key"],
    );
    refuses(r#"{"m":"a","\u006d":"b"}"#, &["/m duplicate_key"]);
    refuses(r#""{\"m\":\"a\",\"m\":\"b\"}""#, &["/m duplicate_key"]);
}

#[test]
fn every_fault_is_found_in_one_pass() {
    refuses(
        r#"{"":"a","b":"","c":5,"d":"x","d":" y","e":"ok","f/g~h":null}"#,
        &[
            "/ empty_key",
            "/b empty_value",
            "/c not_a_string",
            "/d duplicate_key",
            "/d surrounding_whitespace",
            "/f~1g~0h not_a_string",
        ],
    );
}

#[test]
fn broken_escapes_are_refused() {
    refuses(r#"{"m":"\ud800"}"#, &["/m invalid_json"]);
    refuses(r#"{"\ud800":"a"}"#, &[" invalid_json"]);
    refuses(r#""\ud800""#, &[" invalid_json"]);
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    let deep = format!(r#"{{"m":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    refuses(&deep, &["/m not_a_string"]);
}

#[test]
fn families_must_be_known() {
    let families = |json: &str| {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let mut faults = Vec::new();
        let map = enum_map(raw, "/model_families", "unknown_family", &mut faults);
        map.ok_or_else(|| {
            faults
                .iter()
                .map(|f| (f.pointer.clone(), f.code))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        families(r#"{"a":"anthropic"}"#).unwrap(),
        BTreeMap::from([("a".to_owned(), ModelFamily::Anthropic)])
    );
    assert_eq!(families(r#""""#).unwrap(), BTreeMap::new());
    assert_eq!(
        families(r#"{"a":"claude","b":null,"":"anthropic"}"#).unwrap_err(),
        [
            ("/model_families/a".to_owned(), "unknown_family"),
            ("/model_families/b".to_owned(), "not_a_string"),
            ("/model_families/".to_owned(), "empty_key"),
        ]
    );
    for family in ModelFamily::ALL {
        let name = serde_json::to_value(family).unwrap();
        let json = format!(r#"{{"a":{name}}}"#);
        assert_eq!(families(&json).unwrap()["a"], *family);
        let raw: &RawValue = serde_json::from_str(r#"{"a":"nobody"}"#).unwrap();
        let mut faults = Vec::new();
        enum_map::<ModelFamily>(raw, "", "unknown_family", &mut faults);
        assert!(
            faults[0].message.contains(name.as_str().unwrap()),
            "{faults:?}"
        );
    }
}
