//! A value that fits a JSON schema.

use serde_json::{Map, Value, json};

use super::{field, list};

/// References may be circular; deeper values are null.
const DEPTH: usize = 12;
/// What a reference costs of it: properties multiply at every one.
const REFERENCE: usize = 4;

/// A value that fits `schema`; strings say the name of their property.
pub(crate) fn of(schema: &Value) -> Value {
    Sampler { root: schema }.sample(schema, "value", DEPTH)
}

struct Sampler<'a> {
    /// Where `$ref` points into.
    root: &'a Value,
}

impl Sampler<'_> {
    fn sample(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth == 0 {
            return Value::Null;
        }
        if let Some(fixed) = schema.get("const").or_else(|| schema.get("default")) {
            return fixed.clone();
        }
        if let Some(first) = list(schema, "enum").first() {
            return first.clone();
        }
        let referred =
            field(schema, "$ref").and_then(|path| self.root.pointer(path.trim_start_matches('#')));
        let choice = ["anyOf", "oneOf", "allOf"]
            .iter()
            .find_map(|name| list(schema, name).first());
        if let Some(other) = referred.or(choice) {
            return self.sample(other, name, depth.saturating_sub(REFERENCE));
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                json!([self.sample(items, name, depth - 1)])
            }
            "integer" => json!(1),
            "number" => json!(1.5),
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => json!(name),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let fields: Map<String, Value> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), self.sample(schema, name, depth - 1)))
            .collect();
        Value::Object(fields)
    }
}

/// The first type where several are allowed.
fn kind(schema: &Value) -> &str {
    let first = list(schema, "type").first().and_then(Value::as_str);
    let named = field(schema, "type").or(first);
    named.unwrap_or(match schema.get("properties") {
        Some(_) => "object",
        None => "string",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_schema_has_a_value() {
        for (schema, value) in [
            (
                json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}),
                json!({"city": "city", "days": 1}),
            ),
            (json!({"enum": ["C", "F"]}), json!("C")),
            (json!({"type": ["null", "string"]}), json!(null)),
            (
                json!({"anyOf": [{"type": "number"}, {"type": "null"}]}),
                json!(1.5),
            ),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"const": 3}}}}),
                json!([3]),
            ),
            (json!({}), json!("value")),
        ] {
            assert_eq!(of(&schema), value, "{schema}");
        }
        let circular = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(of(&circular)["next"]["next"].is_object());
    }
}
