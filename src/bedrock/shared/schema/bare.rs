//! Schemas with next to nothing at the top level, for models that refuse anything else there.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Members, inline, owned};
use crate::chat::Error;

/// Members that Nova takes at the top level of a tool's schema.
///
/// <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html>
const TOP_LEVEL: [&str; 3] = ["type", "properties", "required"];

/// The schema without what some models refuse at the top level: references are replaced by their definitions; titles
/// and the like are left out.
///
/// # Errors
///
/// Never for a schema that is JSON.
pub(in crate::bedrock) fn bare(schema: Cow<'_, RawValue>) -> Result<Cow<'_, RawValue>, Error> {
    let members = Members::of(&schema);
    let kept = |name: &str| TOP_LEVEL.contains(&name);
    if members.0.iter().all(|(name, _)| kept(name)) && members.get("properties").is_some() {
        return Ok(schema);
    }
    let inlined = inline(&schema)?;
    let members = Members::of(&inlined);
    let properties = members.get("properties").map_or("{}", RawValue::get);
    let required = members.get("required").map(RawValue::get);
    let required =
        required.map_or_else(String::new, |required| format!(r#","required":{required}"#));
    owned(format!(
        r#"{{"type":"object","properties":{properties}{required}}}"#
    ))
}
