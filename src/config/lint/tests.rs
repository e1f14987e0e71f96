mod names;
mod places;

use super::*;
use serde_json::{Value, json};

#[track_caller]
fn check(patch: &Value, expected: &[&str]) {
    let mut channel = json!({
        "name": "a",
        "region": "us-east-1",
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"},
        "allow_model_ids": "catalogue",
        "match": "model"
    });
    for (key, value) in patch.as_object().unwrap() {
        channel[key] = value.clone();
    }
    let channel: Channel = serde_json::from_value(channel).unwrap();
    let seen: Vec<_> = warnings(&channel)
        .into_iter()
        .map(|warning| format!("{} {}", warning.pointer, warning.code))
        .collect();
    assert_eq!(seen, expected);
}

const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

#[test]
fn a_sound_channel_has_no_warnings() {
    check(&json!({}), &[]);
    check(
        &json!({
            "models": ["claude-sonnet-4-5", "assistant"],
            "model_mapping": {"assistant": "team-assistant"},
            "inference_profile_arn_map": {"claude-sonnet-4-5": ARN, "team-assistant": ARN},
            "model_families": {"team-assistant": "anthropic"}
        }),
        &[],
    );
}

#[test]
fn targets_that_bedrock_would_refuse_are_pointed_at() {
    let map = |value: &str| json!({"inference_profile_arn_map": {"claude-sonnet-4-5": value}});
    let path = "/inference_profile_arn_map/claude-sonnet-4-5";
    check(&map("hello"), &[&format!("{path} not_an_arn")]);
    check(
        &map("us.anthropic.claude-sonnet-4-6"),
        &[
            &format!("{path} not_an_arn"),
            &format!("{path} other_model"),
        ],
    );
    check(
        &map(&ARN.replace("us-east-1", "eu-west-1")),
        &[&format!("{path} other_region")],
    );
    check(
        &map(&ARN.replace("arn:aws:", "arn:aws-cn:")),
        &[&format!("{path} other_partition")],
    );
}

#[test]
fn a_key_that_names_another_model_than_its_arn_is_pointed_at() {
    let profile =
        |id: &str| format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{id}");
    let sonnet = profile("anthropic.claude-sonnet-4-5-20250929-v1:0");
    let foundation =
        "arn:aws:bedrock:us-east-1::foundation-model/meta.llama4-scout-17b-instruct-v1:0";
    for (name, target) in [
        ("nova-pro", sonnet.as_str()),
        ("claude-opus-4-7", &sonnet),
        ("llama3-1-8b-instruct", foundation),
    ] {
        check(
            &json!({"inference_profile_arn_map": {name: target}}),
            &[&format!("/inference_profile_arn_map/{name} other_model")],
        );
    }
    // Through an alias.
    check(
        &json!({
            "models": ["nova-pro"],
            "model_mapping": {"nova-pro": "ours"},
            "inference_profile_arn_map": {"ours": sonnet}
        }),
        &["/inference_profile_arn_map/ours other_model"],
    );
    check(
        &json!({"inference_profile_arn_map": {"claude-sonnet-4-5": sonnet, "ours": sonnet}}),
        &[],
    );
}

#[test]
fn a_family_that_contradicts_the_model_is_pointed_at() {
    let sonnet = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let path = "/model_families/ours other_family";
    check(
        &json!({"inference_profile_arn_map": {"ours": sonnet}, "model_families": {"ours": "nova"}}),
        &[path],
    );
    check(
        &json!({"inference_profile_arn_map": {"ours": sonnet}, "model_families": {"ours": "anthropic"}}),
        &[],
    );
    check(
        &json!({"inference_profile_arn_map": {"nova-pro": ARN}, "model_families": {"nova-pro": "anthropic"}}),
        &["/model_families/nova-pro other_family"],
    );
}

#[test]
fn keys_that_no_request_reaches_are_pointed_at() {
    check(
        &json!({
            "models": ["claude-sonnet-4-5"],
            "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
            "inference_profile_arn_map": {"claude-3-haiku": ARN}
        }),
        &[
            "/inference_profile_arn_map/claude-3-haiku unreachable_key",
            "/model_mapping/gpt-4o unreachable_key",
        ],
    );
}

#[test]
fn a_first_byte_that_may_come_later_than_the_whole_is_pointed_at() {
    check(
        &json!({"first_byte_timeout_seconds": 31, "request_timeout_seconds": 30}),
        &["/first_byte_timeout_seconds ignored"],
    );
    check(&json!({"request_timeout_seconds": 20}), &[]);
}

#[test]
fn a_channel_that_is_open_to_every_model_is_pointed_at() {
    let open = json!({"allow_model_ids": "any"});
    check(&open, &["/allow_model_ids any_model"]);
    check(
        &json!({"allow_model_ids": "any", "models": ["nova-pro"]}),
        &[],
    );
    check(&json!({"allow_model_ids": "none"}), &[]);
}

#[test]
fn an_opaque_arn_under_an_unknown_name_needs_a_family() {
    check(
        &json!({"inference_profile_arn_map": {"a/b": ARN}}),
        &["/inference_profile_arn_map/a~1b unknown_family"],
    );
}

const PATH: &str = "/inference_profile_arn_map/claude-sonnet-4-5";

fn map(value: &str) -> Value {
    json!({"inference_profile_arn_map": {"claude-sonnet-4-5": value}})
}

#[test]
fn names_that_pass_an_entry_by_are_pointed_at_once() {
    let exact = |patch: Value| {
        let mut patch = patch;
        patch["match"] = json!("exact");
        patch
    };
    check(&exact(map(ARN)), &["/match passed_by"]);
    check(&map(ARN), &[]);
    let two = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN, "nova-pro": ARN}});
    check(&exact(two), &["/match passed_by"]);
    let house =
        json!({"inference_profile_arn_map": {"house": ARN}, "model_families": {"house": "nova"}});
    check(&exact(house), &[]);
    let none = json!({"allow_model_ids": "none", "inference_profile_arn_map": {"nova-pro": ARN}});
    check(&exact(none), &[]);
    let channel = serde_json::from_value::<Channel>(json!({
        "name": "a", "region": "us-east-1", "credentials": {"type": "unavailable"}, "allow_model_ids": "catalogue",
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN}
    }));
    let message = &warnings(&channel.unwrap())[0].message;
    for name in [
        "`claude-sonnet-4-5-20250929`",
        "`anthropic.claude-sonnet-4-5-20250929-v1:0`",
        "`us.anthropic",
        "`global.",
    ] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn two_entries_of_one_model_are_pointed_at_where_they_differ() {
    let other = ARN.replace("abc", "xyz");
    let two = |second: &str| json!({"inference_profile_arn_map": {"nova-pro": ARN, "us.amazon.nova-pro-v1:0": second}});
    let path = "/inference_profile_arn_map/us.amazon.nova-pro-v1:0 same_model";
    check(&two(&other), &[path]);
    check(&two(ARN), &[]);
}

#[test]
fn an_api_that_does_not_serve_the_model_is_pointed_at() {
    let imported = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc123def456";
    let hinted = |patch: Value| {
        let mut channel = json!({
            "inference_profile_arn_map": {"house": imported},
            "model_families": {"house": "openai_chat"}
        });
        for (key, value) in patch.as_object().unwrap() {
            channel[key] = value.clone();
        }
        channel
    };
    check(
        &hinted(json!({"model_apis": {"house": "converse"}})),
        &["/model_apis/house unserved_api"],
    );
    check(&hinted(json!({"api": "converse"})), &["/api unserved_api"]);
    check(
        &hinted(json!({"api": "converse", "model_apis": {"house": "invoke"}})),
        &[],
    );
    check(&hinted(json!({"api": "invoke"})), &[]);
    check(
        &json!({"model_apis": {"titan-text-express": "converse"}}),
        &["/model_apis/titan-text-express unserved_api"],
    );
    check(
        &json!({"model_apis": {"nova-2-pro-preview": "invoke"}}),
        &["/model_apis/nova-2-pro-preview unserved_api"],
    );
    check(
        &json!({"models": ["nova-2-pro-preview"], "api": "invoke"}),
        &["/api unserved_api"],
    );
}

#[test]
fn keys_are_judged_with_the_region() {
    let told = |credentials: Value| {
        let credentials: Credentials = serde_json::from_value(credentials).unwrap();
        let notes = key_warnings(&credentials, "us-east-1").into_iter();
        notes
            .map(|own| format!("{} {}", own.pointer, own.code))
            .collect::<Vec<_>>()
    };
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let key = |id: &str, secret: &str| json!({"type": "static", "access_key_id": id, "secret_access_key": secret});
    assert_eq!(told(key("AKIAIOSFODNN7EXAMPLE", secret)), [""; 0]);
    assert_eq!(
        told(key("ASIAIOSFODNN7EXAMPLE", "****")),
        [
            "/credentials/secret_access_key masked_key",
            "/credentials/session_token missing_session_token"
        ]
    );
    assert_eq!(told(json!({"type": "unavailable"})), [""; 0]);
}
