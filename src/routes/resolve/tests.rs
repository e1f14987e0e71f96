mod allowed;
mod matching;
mod model;
mod spelling;

use super::*;
use crate::routes::testing;
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

fn routes(channels: &[Value]) -> Routes {
    testing::routes(channels, None)
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Resolves `name` and compares `channel rule model_id`.
#[track_caller]
fn check(channels: &[Value], name: &str, expected: &str) {
    let routes = routes(channels);
    let seen = match routes.resolve(name, at(0)) {
        Ok(route) => format!(
            "{} {:?} {}",
            route.channel.channel.name, route.rule, route.model_id
        ),
        Err(ResolveError::NotFound { .. }) => "not found".to_owned(),
        Err(ResolveError::NotPermitted(_) | ResolveError::Withheld(_)) => {
            "not permitted".to_owned()
        }
        Err(ResolveError::NoneChosen(_)) => "none chosen".to_owned(),
        Err(ResolveError::NoCredentials(_)) => "no credentials".to_owned(),
        Err(ResolveError::UnknownFamily(_)) => "unknown family".to_owned(),
        Err(ResolveError::NotAllowed { allowed_by, .. }) => format!("needs {allowed_by}"),
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

fn listed(routes: &Routes) -> Vec<String> {
    routes.listed().iter().map(|own| own.name.clone()).collect()
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

#[test]
fn channels_without_valid_credentials_are_passed_over() {
    let none = json!({"credentials": {"type": "unavailable"}});
    let expiring = json!({"credentials":
        {"type": "bedrock_api_key", "api_key": "k", "expires_at": 100}});
    let nova = "Catalog us.amazon.nova-pro-v1:0";
    let channels = [none.clone(), expiring.clone(), json!({})];
    check(&channels, "nova-pro", &format!("c1 {nova}"));
    check(&channels[..1], "nova-pro", "no credentials");
    check(&channels[..1], "no-such-model", "not found");
    let both = routes(&channels);
    let serving = |now: u64| {
        both.resolve("nova-pro", at(now))
            .unwrap()
            .channel
            .channel
            .name
            .clone()
    };
    assert_eq!((serving(99).as_str(), serving(100).as_str()), ("c1", "c2"));
    let expired = routes(&channels[..2]);
    let refusal = expired.resolve("nova-pro", at(100)).unwrap_err().error();
    assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refusal.code, Some("credentials_unavailable"));
    assert_eq!(refusal.retry_after, Some(10));
    // The model is there nevertheless.
    let alone = routes(&channels[..1]);
    assert!(listed(&alone).contains(&"nova-pro".to_owned()));
    assert!(alone.find("nova-pro").is_ok());
}
