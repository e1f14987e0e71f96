//! Credentials that AWS issues.

use serde_json::json;

use crate::story::Name;
use crate::world::{World, credentials};

/// STS fails, even when an edit needs new credentials from it, until this many requests have
/// ended.
pub async fn without_sts(world: &mut World, answers: u32) {
    world
        .sts
        .fail(Some((500, "InternalFailure", "STS is broken.")));
    world.serial += 1;
    let mut other = credentials(Name::B);
    other["session_name"] = json!(format!("session-{}", world.serial));
    let _ = world.patch(Name::B, &json!({"credentials": other})).await;
    world.story.wait_answered(answers).await;
    world.sts.fail(None);
}
