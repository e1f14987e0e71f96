//! Reads `guardrail`.

use bedrock_filter::config::{Guardrail, GuardrailTrace};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::fault::{Fault, child};
use crate::reader::{Choice, Kind, Object, mismatch, of_word};

const FIELDS: [&str; 3] = ["identifier", "version", "trace"];

/// A guardrail that `null` or `""` clears. What its identifier and version may be is for the
/// filter to judge.
pub(super) fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Option<Guardrail>> {
    match Kind::of(raw) {
        Kind::Null => return Some(None),
        Kind::String if raw.get() == "\"\"" => return Some(None),
        Kind::Object => {}
        kind => return mismatch(kind, "an object, \"\" or null", at, faults),
    }
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
