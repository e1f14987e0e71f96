//! Reads `guardrail`.

use bedrock_filter::config::{Guardrail, GuardrailTrace};
use serde_json::value::RawValue;

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

impl Choice for GuardrailTrace {
    const ALL: &'static [Self] = &[Self::Enabled, Self::Disabled, Self::EnabledFull];
}
