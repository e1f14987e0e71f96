//! Schemas without references, for models that do not follow them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{DEFINITIONS, Definitions, MAX_DEPTH, Members, owned, push_name};
use crate::chat::Error;
use crate::json::Text;

/// Length, in bytes, beyond which references are no longer followed: a few that refer to each other can describe more
/// than fits into memory.
const MAX_LEN: usize = 256 * 1024;

/// Takes the place of a schema that is not followed.
const ANY_OBJECT: &str = r#"{"type":"object"}"#;

/// The schema with its references to `$defs` and `definitions` replaced by their targets. Where a schema contains
/// itself, it becomes "any object".
///
/// # Errors
///
/// Never for a schema that is JSON.
pub(in crate::bedrock) fn inline<'a>(schema: &'a RawValue) -> Result<Cow<'a, RawValue>, Error> {
    if !schema.get().contains("\"$ref\"") {
        return Ok(Cow::Borrowed(schema));
    }
    let root = Members::of(schema);
    let mut writer = Writer {
        definitions: Definitions::of(&root),
        open: Vec::new(),
        out: String::new(),
    };
    let kept = root.0.iter().filter(|(name, _)| !is_definitions(name));
    writer.object(kept, 0);
    owned(writer.out)
}

fn is_definitions(name: &str) -> bool {
    DEFINITIONS.contains(&name)
}

/// Writes a schema without references.
struct Writer<'a> {
    definitions: Definitions<'a>,
    /// The definitions that are being written, outermost first.
    open: Vec<&'a str>,
    out: String,
}

impl<'a> Writer<'a> {
    fn value(&mut self, value: &'a RawValue, depth: usize) {
        let text = value.get();
        if depth >= MAX_DEPTH || !text.contains("\"$ref\"") {
            self.out.push_str(text);
        } else if text.starts_with('{') {
            self.schema(&Members::of(value), depth);
        } else if text.starts_with('[') {
            self.array(value, depth);
        } else {
            self.out.push_str(text);
        }
    }

    fn array(&mut self, value: &'a RawValue, depth: usize) {
        let items: Vec<&'a RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(item, depth + 1);
        }
        self.out.push(']');
    }

    /// An object; members next to a reference win over those of its target.
    fn schema(&mut self, members: &Members<'a>, depth: usize) {
        let Some((name, target)) = self.definitions.target(members) else {
            self.object(members.0.iter(), depth);
            return;
        };
        if self.open.contains(&name) || self.out.len() > MAX_LEN || depth >= MAX_DEPTH {
            self.out.push_str(ANY_OBJECT);
            return;
        }
        self.open.push(name);
        let target = Members::of(target);
        let beside = members.0.iter().filter(|(name, _)| &**name != "$ref");
        let inherited = target.0.iter();
        let inherited = inherited.filter(|(name, _)| members.get(name).is_none());
        // A definition that only refers to another one continues with that one.
        if target.get("$ref").is_some() {
            self.schema(&target, depth + 1);
        } else {
            self.object(beside.chain(inherited), depth);
        }
        self.open.pop();
    }

    fn object<'m>(
        &mut self,
        members: impl Iterator<Item = &'m (Text<'a>, &'a RawValue)>,
        depth: usize,
    ) where
        'a: 'm,
    {
        self.out.push('{');
        for (name, value) in members {
            push_name(&mut self.out, name);
            self.value(value, depth + 1);
        }
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inlined(schema: &str) -> String {
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        inline(&schema).unwrap().get().to_owned()
    }

    #[track_caller]
    fn check(schema: &str, expected: &str) {
        assert_eq!(inlined(schema), expected);
    }

    #[test]
    fn references_are_replaced_by_what_they_refer_to() {
        check(r#"{"type": "object"}"#, r#"{"type": "object"}"#);
        check(
            r##"{"type":"object","properties":{"b":{"$ref":"#/$defs/B"},"a":{"items":{"$ref":"#/definitions/A"}}},"$defs":{"B":{"type":"integer"}},"definitions":{"A":{"type":"string"}}}"##,
            r#"{"type":"object","properties":{"b":{"type":"integer"},"a":{"items":{"type":"string"}}}}"#,
        );
    }

    #[test]
    fn members_next_to_a_reference_win() {
        check(
            r##"{"properties":{"b":{"$ref":"#/$defs/B","description":"own"}},"$defs":{"B":{"type":"integer","description":"its"}}}"##,
            r#"{"properties":{"b":{"description":"own","type":"integer"}}}"#,
        );
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        check(
            r##"{"properties":{"n":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}}"##,
            r#"{"properties":{"n":{"type":"object","properties":{"next":{"type":"object"}}}}}"#,
        );
    }

    #[test]
    fn references_elsewhere_stay() {
        let schema =
            r##"{"properties":{"n":{"$ref":"https://example.com/n"},"m":{"$ref":"#/$defs/M"}}}"##;
        check(schema, schema);
    }

    #[test]
    fn schemas_that_describe_too_much_are_cut_short() {
        let level = |level: usize| {
            let next = format!(r##"{{"$ref":"#/$defs/D{}"}}"##, level + 1);
            format!(r#""D{level}":{{"properties":{{"a":{next},"b":{next}}}}}"#)
        };
        let levels: Vec<_> = (0..30).map(level).collect();
        let schema = format!(
            r##"{{"properties":{{"r":{{"$ref":"#/$defs/D0"}}}},"$defs":{{{},"D30":{{}}}}}}"##,
            levels.join(",")
        );
        assert!(inlined(&schema).len() < 8 * MAX_LEN);
    }

    proptest! {
        #[test]
        fn any_nesting_is_survived(depth in 1usize..5_000) {
            let schema = format!(
                r##"{{"a":{}{{"$ref":"#/$defs/A"}}{},"$defs":{{"A":{{}}}}}}"##,
                "[".repeat(depth),
                "]".repeat(depth)
            );
            let inlined = inlined(&schema);
            prop_assert!(inlined.len() < schema.len());
        }
    }
}
