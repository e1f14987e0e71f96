//! What of credentials that somebody entered may be sent back to the browser.

use serde_json::{Map, Value};

/// Members that are no secrets. Anything else goes: a mistyped `secret_access_key` is a secret too.
const HARMLESS: [&str; 9] = [
    "type",
    "access_key_id",
    "profile",
    "role_arn",
    "external_id",
    "session_name",
    "session_tags",
    "duration_seconds",
    "token_file",
];

/// The text without its secrets; empty where it is no JSON object, because nobody can tell then which
/// part of it is a secret.
pub(super) fn credentials(text: &str) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
        return String::new();
    };
    keep_harmless(&mut members);
    serde_json::to_string_pretty(&members).unwrap_or_default()
}

fn keep_harmless(members: &mut Map<String, Value>) {
    members.retain(|name, value| match value {
        // Credentials within credentials.
        Value::Object(inner) if name == "source" => {
            keep_harmless(inner);
            true
        }
        _ => HARMLESS.contains(&name.as_str()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_go_at_every_depth_and_the_rest_stays() {
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
        let harmless = json!({
            "type": "assume_role",
            "role_arn": "arn:aws:iam::123456789012:role/bedrock",
            "source": {"type": "static", "access_key_id": "AKID"},
        });
        assert_eq!(kept, harmless);
    }

    #[test]
    fn nothing_stays_of_what_cannot_be_read() {
        for text in ["{\"secret_access_key\": \"s", "\"s\"", "[\"s\"]", "s", ""] {
            assert_eq!(credentials(text), "", "{text}");
        }
        assert_eq!(credentials("{\"source\": \"s\"}"), "{}");
    }
}
