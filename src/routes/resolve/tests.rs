use super::*;
use crate::routes::testing;
use serde_json::{Value, json};

fn routes(channels: &[Value]) -> Routes {
    testing::routes(channels, None)
}

/// Resolves `name` and compares `channel rule model_id`.
#[track_caller]
fn check(channels: &[Value], name: &str, expected: &str) {
    let routes = routes(channels);
    let seen = match routes.resolve(name) {
        Ok(route) => format!(
            "{} {:?} {}",
            route.channel.channel.name, route.rule, route.model_id
        ),
        Err(ResolveError::NotFound(_)) => "not found".to_owned(),
        Err(ResolveError::UnknownFamily(_)) => "unknown family".to_owned(),
    };
    assert_eq!(seen, expected);
}

const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

#[test]
fn an_arn_of_the_map_wins_over_catalogue_and_cross_region() {
    let channel = json!({
        "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
        "cross_region": "global"
    });
    let expected = format!("c0 InferenceProfileArnMap {ARN}");
    let channels = [channel];
    check(&channels, "claude-sonnet-4-5", &expected);
    check(&channels, "gpt-4o", &expected);
}

#[test]
fn the_mapped_name_is_looked_up_before_the_requested_one() {
    let other = ARN.replace("abc", "xyz");
    let channel = json!({
        "model_mapping": {"a": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"a": other, "claude-sonnet-4-5": ARN}
    });
    check(&[channel], "a", &format!("c0 InferenceProfileArnMap {ARN}"));
    let channel = json!({
        "model_mapping": {"a": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"a": other}
    });
    check(
        &[channel],
        "a",
        &format!("c0 InferenceProfileArnMap {other}"),
    );
}

#[test]
fn keys_are_exact_and_case_sensitive() {
    let channel = json!({"inference_profile_arn_map": {"Claude-Sonnet-4-5": ARN}});
    check(
        &[channel],
        "claude-sonnet-4-5",
        "c0 Catalog us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    );
}

#[test]
fn the_catalogue_and_the_policy_choose_the_profile() {
    let base = "anthropic.claude-haiku-4-5-20251001-v1:0";
    for (policy, prefix) in [("off", ""), ("geo", "us."), ("global", "global.")] {
        let channel = json!({"cross_region": policy});
        let expected = format!("c0 Catalog {prefix}{base}");
        let channels = [channel];
        check(&channels, "claude-haiku-4-5", &expected);
        check(&channels, base, &expected);
    }
}

#[test]
fn ids_profiles_and_arns_are_taken_verbatim_and_encoded_ones_decoded_once() {
    let channels = [json!({})];
    for name in [
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-next-9-9",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
    ] {
        check(&channels, name, &format!("c0 Verbatim {name}"));
    }
    check(
        &channels,
        "eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0",
        "c0 Verbatim eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    );
    let channel = json!({
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN.replace(':', "%3A").replace('/', "%2F")}
    });
    check(
        &[channel],
        "claude-sonnet-4-5",
        &format!("c0 InferenceProfileArnMap {ARN}"),
    );
}

#[test]
fn an_opaque_arn_needs_a_name_or_a_hint_that_says_its_family() {
    check(&[json!({})], ARN, "unknown family");
    let channel = json!({"inference_profile_arn_map": {"assistant": ARN}});
    check(&[channel], "assistant", "unknown family");
    for key in ["assistant", ARN] {
        let channel = json!({
            "inference_profile_arn_map": {"assistant": ARN},
            "model_families": {key: "anthropic"}
        });
        let expected = format!("c0 InferenceProfileArnMap {ARN}");
        check(&[channel], "assistant", &expected);
    }
}

#[test]
fn channels_serve_their_list_in_order_and_disabled_ones_nothing() {
    let channels = [
        json!({"enabled": false}),
        json!({"models": ["other"]}),
        json!({"models": ["claude-sonnet-4-5"], "cross_region": "off"}),
        json!({}),
    ];
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    check(
        &channels,
        "claude-sonnet-4-5",
        &format!("c2 Catalog {sonnet}"),
    );
    check(
        &channels,
        "claude-3-haiku",
        "c3 Catalog us.anthropic.claude-3-haiku-20240307-v1:0",
    );
    check(&channels, "other", "not found");
    check(&[], "claude-3-haiku", "not found");
}

#[test]
fn the_model_list_shows_names_and_never_an_arn() {
    let routes = routes(&[json!({
        "models": ["claude-sonnet-4-5", ARN],
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN}
    })]);
    let names: Vec<_> = routes.model_names().into_iter().collect();
    assert_eq!(names, ["claude-sonnet-4-5"]);
}

#[test]
fn endpoints_are_distinct() {
    let routes = routes(&[
        json!({}),
        json!({}),
        json!({"region": "eu-west-1"}),
        json!({"enabled": false, "region": "ap-south-1"}),
    ]);
    let regions: Vec<_> = routes
        .clusters()
        .map(|own| own.channel.region.as_str())
        .collect();
    assert_eq!(regions, ["us-east-1", "eu-west-1"]);
}
