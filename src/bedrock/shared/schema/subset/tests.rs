use super::*;

fn subset_of(schema: &str) -> Option<String> {
    let schema = RawValue::from_string(schema.to_owned()).unwrap();
    subset(&schema).map(|schema| schema.get().to_owned())
}

#[track_caller]
fn check(property: &str, expected: &str) {
    let schema = format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#);
    let expected = format!(
        r#"{{"type":"object","properties":{{"p":{expected}}},"additionalProperties":false}}"#
    );
    assert_eq!(subset_of(&schema), Some(expected), "{property}");
}

#[test]
fn what_is_in_the_subset_stays_as_it_is() {
    let schema = r##"{ "$defs": {"A": {"type": "object", "properties": {"a": {"enum": [1, null]}}, "additionalProperties": false}},
        "type": "object", "properties": {"x": {"$ref": "#/$defs/A", "description": "d"}, "y": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["x"], "additionalProperties": false }"##;
    assert_eq!(subset_of(schema).as_deref(), Some(schema));
}

#[test]
fn bounds_and_formats_move_into_descriptions() {
    check(
        r#"{"type":"integer","description":"Age.","minimum":0,"maximum":150}"#,
        r#"{"type":"integer","description":"Age. (minimum: 0, maximum: 150)"}"#,
    );
    check(
        r#"{"type":"string","format":"date-time","pattern":"^\"a"}"#,
        r#"{"type":"string","description":"format: \"date-time\", pattern: \"^\\\"a\""}"#,
    );
    check(
        r#"{"items":{"type":"string","maxLength":3},"type":"array","minItems":1}"#,
        r#"{"items":{"type":"string","description":"maxLength: 3"},"type":"array","description":"minItems: 1"}"#,
    );
}

#[test]
fn objects_are_closed_at_every_depth() {
    check(
        r#"{"type":["object","null"],"properties":{"a":{"type":"object","properties":{"b":{"type":"null"}}}},"additionalProperties":true}"#,
        r#"{"type":["object","null"],"properties":{"a":{"type":"object","properties":{"b":{"type":"null"}},"additionalProperties":false}},"additionalProperties":false}"#,
    );
}

#[test]
fn alternatives_have_one_keyword() {
    check(
        r#"{"oneOf":[{"type":"string"},{"type":"number","exclusiveMinimum":0}]}"#,
        r#"{"anyOf":[{"type":"string"},{"type":"number","description":"exclusiveMinimum: 0"}]}"#,
    );
    check(
        r#"{"description":"d","allOf":[{"type":"string","title":"T","description":"its"}]}"#,
        r#"{"description":"d","type":"string","title":"T"}"#,
    );
}

#[test]
fn what_would_mean_something_else_has_no_form() {
    for property in [
        "{}",
        "true",
        r#"{"description":"anything"}"#,
        r#"{"type":"object"}"#,
        r#"{"type":"object","additionalProperties":{"type":"integer"}}"#,
        r#"{"type":"object","properties":{},"additionalProperties":true}"#,
        r#"{"type":"array"}"#,
        r#"{"type":"array","prefixItems":[{"type":"string"}]}"#,
        r#"{"type":"string","not":{"const":"a"}}"#,
        r#"{"allOf":[{"type":"string"},{"minLength":1}]}"#,
        r##"{"$ref":"https://example.com/a"}"##,
        r##"{"$ref":"#"}"##,
    ] {
        let schema = format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#);
        assert_eq!(subset_of(&schema), None, "{property}");
    }
    let node = r##"{"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"m":{"$ref":"#/$defs/M"}}},"M":{"anyOf":[{"$ref":"#/$defs/N"},{"type":"null"}]}}}"##;
    assert_eq!(subset_of(node), None);
}

#[test]
fn any_nesting_is_survived() {
    let schema = [&r#"{"allOf":["#.repeat(3_000), "{}", &"]}".repeat(3_000)].concat();
    let deep = format!(r#"{{"type":"object","properties":{{"p":{schema}}}}}"#);
    // serde_json itself stops at a depth.
    assert_eq!(subset_of(&deep), None);
}
