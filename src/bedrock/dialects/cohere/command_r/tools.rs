//! Tools in Cohere's format: a flat list of parameters with names of Python types.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::body::{Parameter, Parameters, Tool};
use super::rounds::Step;
use crate::bedrock::ToolNames;
use crate::bedrock::shared::schema::{Members, compact, inline};
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::chat::Error;

/// Members of a parameter's schema that its definition already expresses.
const TOLD: [&str; 3] = ["type", "description", "title"];

/// How deeply alternatives are searched for a type.
const MAX_DEPTH: usize = 4;

/// Names of types in JSON Schema and in Python.
const TYPES: [(&str, &str); 6] = [
    ("string", "str"),
    ("integer", "int"),
    ("number", "float"),
    ("boolean", "bool"),
    ("array", "list"),
    ("object", "dict"),
];

/// Gives tools names that Command R takes, before anything in the request repeats them.
pub(super) fn rename(tools: &mut Tools<'_>, names: &mut ToolNames) {
    let chosen = match &mut tools.choice {
        Choice::Tool(name) => Some(name),
        _ => None,
    };
    let offered = tools.list.iter_mut().map(|tool| &mut tool.name);
    for name in offered.chain(chosen) {
        *name = Cow::Owned(names.send_plain(name).into_owned());
    }
}

/// The client's tools.
///
/// # Errors
///
/// Never for schemas that [`Tools::of`] read.
pub(super) fn definitions<'a>(tools: Tools<'a>, names: &ToolNames) -> Result<Vec<Tool<'a>>, Error> {
    let definitions = tools.list.into_iter().map(|tool| {
        let schema = inline(&tool.schema)?;
        let parameter_definitions = parameters(&schema);
        // A description is required.
        let own = || names.restore(&tool.name).to_owned().into();
        Ok(Tool {
            description: tool.description.unwrap_or_else(own),
            name: tool.name.clone(),
            parameter_definitions,
        })
    });
    definitions.collect()
}

/// Tools for the calls of a round: results are refused without tools.
pub(super) fn called<'a>(steps: &[Step<'a>], names: &mut ToolNames) -> Vec<Tool<'a>> {
    let mut tools: Vec<Tool<'a>> = Vec::new();
    for step in steps {
        if let Step::Call(call, _) = step {
            let name = names.send_plain(call.name);
            if tools.iter().all(|tool| tool.name != name) {
                tools.push(Tool {
                    description: call.name.into(),
                    name,
                    parameter_definitions: Parameters(Vec::new()),
                });
            }
        }
    }
    tools
}

fn parameters(schema: &RawValue) -> Parameters {
    let schema = Members::of(schema);
    let required = schema.get("required");
    let required: Vec<String> = required
        .and_then(|required| serde_json::from_str(required.get()).ok())
        .unwrap_or_default();
    let properties = schema.get("properties").map(Members::of);
    let parameters = properties.unwrap_or_default().0.into_iter();
    let parameters = parameters.map(|(name, schema)| {
        let parameter = Parameter {
            description: description(schema),
            kind: kind(schema, 0),
            required: required.iter().any(|required| **required == *name),
        };
        (name.to_string(), parameter)
    });
    Parameters(parameters.collect())
}

/// The parameter's description, with its schema as JSON if the type alone would say less.
fn description(schema: &RawValue) -> String {
    let members = Members::of(schema);
    let own = members.text("description");
    let own = own.as_deref().unwrap_or_default().trim();
    if members.0.iter().all(|(name, _)| TOLD.contains(&&**name)) {
        return own.to_owned();
    }
    let rest = members.0.iter();
    let rest = rest.filter(|(name, _)| !matches!(&**name, "description" | "title"));
    // A string always serialises.
    let rest: Vec<_> = rest
        .map(|(name, value)| {
            let name = serde_json::to_string(&**name).unwrap_or_default();
            format!("{name}:{}", compact(value))
        })
        .collect();
    let separator = if own.is_empty() { "" } else { " " };
    format!("{own}{separator}JSON schema: {{{}}}", rest.join(","))
}

/// The Python type; of several alternatives, that of the first one that is not null.
fn kind(schema: &RawValue, depth: usize) -> &'static str {
    let members = Members::of(schema);
    if let Some(kind) = members.get("type") {
        let one = members.text("type").map(|kind| kind.to_string());
        let many = || serde_json::from_str::<Vec<String>>(kind.get()).unwrap_or_default();
        return one
            .map_or_else(many, |one| vec![one])
            .iter()
            .find_map(|kind| python(kind))
            .unwrap_or("str");
    }
    let alternatives = ["anyOf", "oneOf", "allOf"]
        .iter()
        .find_map(|keyword| members.get(keyword));
    let alternatives: Vec<&RawValue> = alternatives
        .and_then(|list| serde_json::from_str(list.get()).ok())
        .unwrap_or_default();
    let is_null = |schema: &RawValue| Members::of(schema).text("type").as_deref() == Some("null");
    let first = alternatives.into_iter().find(|schema| !is_null(schema));
    match first {
        Some(schema) if depth < MAX_DEPTH => kind(schema, depth + 1),
        _ => "str",
    }
}

fn python(kind: &str) -> Option<&'static str> {
    let found = TYPES.iter().find(|(json, _)| *json == kind);
    found.map(|(_, python)| *python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(property: &str, kind: &str, description: &str) {
        let schema = format!(r#"{{"properties":{{"p":{property}}},"required":["q"]}}"#);
        let schema = RawValue::from_string(schema).unwrap();
        let parameters = parameters(&schema);
        let (name, parameter) = &parameters.0[0];
        assert_eq!(
            (
                name.as_str(),
                parameter.kind,
                parameter.description.as_str()
            ),
            ("p", kind, description),
            "{property}"
        );
        assert!(!parameter.required);
    }

    #[test]
    fn simple_types_get_pythons_names() {
        for (json, python) in TYPES {
            check(&format!(r#"{{"type":"{json}"}}"#), python, "");
        }
        check(
            r#"{"type":"string","description":" A city. ","title":"City"}"#,
            "str",
            "A city.",
        );
    }

    #[test]
    fn what_a_type_does_not_express_is_in_the_description() {
        check(
            r#"{"type": "array", "description": "Tags.", "items": {"type": "string"}}"#,
            "list",
            r#"Tags. JSON schema: {"type":"array","items":{"type":"string"}}"#,
        );
        check(
            r#"{"enum":["a","b"]}"#,
            "str",
            r#"JSON schema: {"enum":["a","b"]}"#,
        );
    }

    #[test]
    fn alternatives_have_the_type_of_the_first_that_is_not_null() {
        let json = r#"{"type":["null","integer"]}"#;
        check(json, "int", "");
        let json = r#"{"anyOf":[{"type":"null"},{"type":"number"}]}"#;
        check(json, "float", &format!("JSON schema: {json}"));
        check("true", "str", "");
    }
}
