//! Removes secrets from entered credentials before they are sent back to the browser.

use bedrock_filter::config::looks_like_secret;
use serde_json::{Map, Value};

use crate::edit::plain_json;

/// Members that are not secrets. Everything else is removed, because a mistyped `secret_access_key`
/// is a secret too.
const NOT_SECRET: [&str; 13] = [
    "type",
    "access_key_id",
    "profile",
    "role_arn",
    "external_id",
    "session_name",
    "session_tags",
    "duration_seconds",
    "token_file",
    "name",
    "path",
    "id",
    "region",
];

/// The text without its secrets; empty if it is not a JSON object, because then it is impossible to
/// tell which part is a secret.
pub(super) fn credentials(text: &str) -> String {
    let plain = plain_json(text).unwrap_or_default();
    let Ok(Value::Object(mut members)) = serde_json::from_str(&plain) else {
        return String::new();
    };
    drop_secrets(&mut members);
    serde_json::to_string_pretty(&members).unwrap_or_default()
}

fn drop_secrets(members: &mut Map<String, Value>) {
    members.retain(|name, value| match value {
        // Nested credentials.
        Value::Object(inner) if name == "source" => {
            drop_secrets(inner);
            true
        }
        // Whoever swaps the two enters the secret as the id.
        Value::String(id) if name == "access_key_id" => !looks_like_secret(id),
        _ => NOT_SECRET.contains(&name.as_str()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_removed_at_every_depth_and_the_rest_stays() {
        let own = json!({
            "type": "assume_role",
            "role_arn": "arn:aws:iam::123456789012:role/bedrock",
            "source": {
                "type": "static",
                "access_key_id": "AKID",
                "secret_access_key": "s1",
                "secret_acess_key": "s2",
                "session_token": "s3",
            },
            "api_key": "s4",
        });
        let kept: Value = serde_json::from_str(&credentials(&own.to_string())).unwrap();
        let expected = json!({
            "type": "assume_role",
            "role_arn": "arn:aws:iam::123456789012:role/bedrock",
            "source": {"type": "static", "access_key_id": "AKID"},
        });
        assert_eq!(kept, expected);
    }

    #[test]
    fn unreadable_text_is_removed_completely() {
        for text in ["{\"secret_access_key\": \"s", "\"s\"", "[\"s\"]", "s", ""] {
            assert_eq!(credentials(text), "", "{text}");
        }
        assert_eq!(credentials("{\"source\": \"s\"}"), "{}");
    }
}
