//! Reads `guardrail`.

use bedrock_filter::config::{Guardrail, GuardrailTrace};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::fault::{Fault, child};
use crate::reader::{Choice, Embedded, Kind, Object, embedded, mismatch, of_word, parse};

const EXPECTED: &str = "an object, \"\" or null";

const FIELDS: [&str; 3] = ["identifier", "version", "trace"];

/// A guardrail, or a text that holds one, that `null` or `""` clears. The filter checks its identifier and version.
pub(super) fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Option<Guardrail>> {
    match Kind::of(raw) {
        Kind::Null => Some(None),
        Kind::String => match embedded(raw, at, faults) {
            Embedded::Nothing => Some(None),
            Embedded::Object(text) => read_object(parse(&text).ok()?, at, faults),
            Embedded::Other(kind) => mismatch(kind?, EXPECTED, at, faults),
        },
        Kind::Object => read_object(raw, at, faults),
        kind => mismatch(kind, EXPECTED, at, faults),
    }
}

fn read_object(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Option<Guardrail>> {
    let found_before = faults.len();
    let object = Object::read(raw, at, &FIELDS, faults)?;
    let identifier = object.text("identifier", faults);
    let version = object.text("version", faults);
    let trace = object.optional_text("trace", faults);
    let trace = trace.and_then(|trace| of_word(&trace, &child(at, "trace"), faults));
    if faults.len() > found_before {
        return None;
    }
    Some(Some(Guardrail {
        identifier: identifier?,
        version: version?,
        trace,
    }))
}

/// What a guardrail looks like, for the API's document.
pub(super) fn schema() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let traces = GuardrailTrace::ALL.iter().map(|trace| trace.as_str());
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .property("identifier", text().description(Some("Id or ARN")))
        .property(
            "version",
            text().description(Some("A number as a text, or DRAFT")),
        )
        .property("trace", text().enum_values(Some(traces)))
        .required("identifier")
        .required("version")
        .into()
}

impl Choice for GuardrailTrace {
    const ALL: &'static [Self] = &[Self::Enabled, Self::Disabled, Self::EnabledFull];
}
