use super::*;
use crate::routes::testing;
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

/// The model and the family that requests for `name` are written for.
#[track_caller]
fn check_model(channel: Value, name: &str, expected: (&str, &str)) {
    let routes = routes(&[channel]);
    let route = routes.resolve(name, at(0)).unwrap();
    let model = route.model.map_or("", |model| model.id);
    let family = route.family.name();
    assert_eq!((model, family.as_str()), expected, "{name}");
}

#[test]
fn an_id_that_says_its_model_decides_whatever_the_name_is() {
    let profile =
        |id: &str| format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{id}");
    let haiku = "anthropic.claude-3-haiku-20240307-v1:0";
    let expected = (haiku, "anthropic");
    for name in ["nova-pro", "claude-opus-4-7", "ours"] {
        let channel = json!({"inference_profile_arn_map": {name: profile(haiku)}});
        check_model(channel, name, expected);
    }
    // A bare profile id, a foundation model, an alias in front, and a hint against it.
    for target in [
        format!("us.{haiku}"),
        format!("arn:aws:bedrock:us-east-1::foundation-model/{haiku}"),
    ] {
        let channel = json!({
            "model_mapping": {"nova-lite": "nova-pro"},
            "inference_profile_arn_map": {"nova-pro": target},
            "model_families": {"nova-pro": "nova"}
        });
        check_model(channel, "nova-lite", expected);
    }
    // An opaque one leaves it to the name, and a hint comes before that.
    let opaque = json!({"inference_profile_arn_map": {"nova-pro": ARN}});
    check_model(opaque, "nova-pro", ("amazon.nova-pro-v1:0", "nova"));
    let hinted = json!({
        "inference_profile_arn_map": {"nova-pro": ARN},
        "model_families": {"nova-pro": "anthropic"}
    });
    check_model(hinted, "nova-pro", ("amazon.nova-pro-v1:0", "anthropic"));
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
fn without_failover_the_list_alone_says_who_serves() {
    let channels = [
        json!({"priority": 9, "weight": 1, "cross_region": "off"}),
        json!({"priority": 0, "weight": 100}),
    ];
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let expected = format!("c0 Catalog {sonnet}");
    check(&channels, "claude-sonnet-4-5", &expected);
}

/// Each name, and what becomes of it with `none`, with `catalogue` and with `any`.
#[test]
fn clients_may_ask_for_mapped_names_and_for_what_the_channel_allows() {
    let profile = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let new = "anthropic.claude-next-9-9";
    let arn = format!("arn:aws:bedrock:us-east-1::foundation-model/{new}");
    let mapped = format!("c0 InferenceProfileArnMap {ARN}");
    let profiled = format!("c0 Catalog {profile}");
    let named = format!("c0 Verbatim {profile}");
    let (raw, by_arn) = (format!("c0 Verbatim {new}"), format!("c0 Verbatim {arn}"));
    for (name, expected) in [
        ("house", [mapped.as_str(); 3]),
        ("gpt-4o", [&mapped; 3]),
        ("raw", [&raw; 3]),
        (
            "claude-sonnet-4-5",
            ["needs catalogue", &profiled, &profiled],
        ),
        (profile, ["needs catalogue", &named, &named]),
        (
            &profile.replace(':', "%3A"),
            ["needs catalogue", &named, &named],
        ),
        (new, ["needs any", "needs any", &raw]),
        (&arn, ["needs any", "needs any", &by_arn]),
        (ARN, ["needs any", "needs any", "unknown family"]),
        ("no-such-model", ["not found"; 3]),
    ] {
        for (allowed, expected) in ["none", "catalogue", "any"].iter().zip(expected) {
            let channel = json!({
                "allow_model_ids": allowed,
                "model_mapping": {"gpt-4o": "house", "raw": new},
                "inference_profile_arn_map": {"house": ARN},
                "model_families": {"house": "anthropic"},
            });
            check(&[channel], name, expected);
        }
    }
}

#[test]
fn a_list_of_names_says_all_that_clients_may_ask_for() {
    for allowed in ["none", "catalogue", "any"] {
        let channel = json!({"allow_model_ids": allowed, "models": ["nova-pro", ARN],
            "model_families": {ARN: "anthropic"}});
        let channels = [channel];
        check(&channels, "nova-pro", "c0 Catalog us.amazon.nova-pro-v1:0");
        check(&channels, ARN, &format!("c0 Verbatim {ARN}"));
        check(&channels, "nova-lite", "not found");
    }
}

/// A configuration of a version that had no `allow_model_ids`.
#[test]
fn a_channel_that_does_not_say_allows_everything_and_others_take_over_for_those_that_do_not() {
    let raw = "anthropic.claude-next-9-9";
    check(&[json!({})], raw, &format!("c0 Verbatim {raw}"));
    let channels = [
        json!({"allow_model_ids": "none"}),
        json!({"allow_model_ids": "catalogue"}),
        json!({}),
    ];
    check(&channels, raw, &format!("c2 Verbatim {raw}"));
    check(&channels, "nova-pro", "c1 Catalog us.amazon.nova-pro-v1:0");
}

#[test]
fn the_model_list_is_what_a_client_may_ask_for() {
    let names = |channel: Value| {
        let routes = routes(&[channel]);
        let names = routes.model_names();
        assert!(names.iter().all(|name| routes.find(name).is_ok()));
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mapping = json!({"gpt-4o": "nova-pro", "lost": "no-such-model"});
    let none = json!({"allow_model_ids": "none", "model_mapping": mapping});
    assert_eq!(names(none), ["gpt-4o"]);
    for allowed in ["catalogue", "any"] {
        let names = names(json!({"allow_model_ids": allowed, "model_mapping": mapping}));
        assert!(names.contains(&"claude-sonnet-4-5".to_owned()), "{names:?}");
        assert!(names.len() > 50, "{names:?}");
    }
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
    // The model is there all the same.
    let alone = routes(&channels[..1]);
    assert!(alone.model_names().contains("nova-pro"));
    assert!(alone.find("nova-pro").is_ok());
}

#[test]
fn a_name_that_nobody_serves_brings_the_nearest_to_mind() {
    let channel = json!({"model_mapping": {"house-model": "claude-sonnet-4-5"}});
    let routes = routes(&[channel]);
    for (name, says) in [
        ("hous-model", "Did you mean `house-model`?"),
        (
            "anthropic/claude-sonnet-4.5",
            "Did you mean `claude-sonnet-4-5`",
        ),
        ("no-such-thing", "GET /v1/models lists the names"),
    ] {
        let error = routes.find(name).unwrap_err().error();
        assert!(error.message.contains(says), "{error}");
    }
}
