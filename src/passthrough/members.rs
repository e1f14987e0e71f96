//! Objects of the model's, member by member.

use serde_json::value::RawValue;

use crate::json::{NotJson, Walker};

/// Prefix of the names that Bedrock adds.
const BEDROCKS: &str = "amazon-bedrock-";

/// Whether Bedrock added a member.
pub(super) fn is_bedrocks(name: &str) -> bool {
    name.starts_with(BEDROCKS)
}

/// Whether Bedrock may have added a member to an object, or to one inside it.
pub(super) fn may_have_bedrocks(json: &str) -> bool {
    memchr::memmem::find(json.as_bytes(), BEDROCKS.as_bytes()).is_some()
}

/// Calls `each` with every member of an object.
pub(super) fn each<'a>(
    json: &'a str,
    mut each: impl FnMut(&str, &'a RawValue) -> Result<(), NotJson>,
) -> Result<(), NotJson> {
    let mut walker = Walker::new(json);
    walker.object(|walker, name| each(&name.text, walker.raw()?))?;
    Ok(())
}

/// Rewrites an object without what Bedrock adds; `other` may write a member's value differently, and says if it did.
pub(super) fn rewrite<'a>(
    json: &'a str,
    out: &mut Vec<u8>,
    mut other: impl FnMut(&str, &'a RawValue, &mut Vec<u8>) -> Result<bool, NotJson>,
) -> Result<(), NotJson> {
    out.push(b'{');
    let mut walker = Walker::new(json);
    walker.object::<NotJson>(|walker, name| {
        let value = walker.raw()?;
        let before = out.len();
        push_name(out, name.json);
        if !other(&name.text, value, out)? {
            out.extend_from_slice(value.get().as_bytes());
        }
        if is_bedrocks(&name.text) {
            out.truncate(before);
        }
        Ok(())
    })?;
    out.push(b'}');
    if walker.is_at_end() {
        Ok(())
    } else {
        Err(NotJson)
    }
}

/// Writes the name of a member of an object that is being written: as it was, with a comma before all but the first.
pub(super) fn push_name(out: &mut Vec<u8>, name: &str) {
    if !out.ends_with(b"{") {
        out.push(b',');
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
}
