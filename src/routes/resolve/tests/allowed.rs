//! What clients may ask for, and what they are shown.

use super::*;

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
fn without_failover_only_the_list_decides_who_serves() {
    let channels = [
        json!({"priority": 9, "weight": 1, "cross_region": "off"}),
        json!({"priority": 0, "weight": 100}),
    ];
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let expected = format!("c0 Catalog {sonnet}");
    check(&channels, "claude-sonnet-4-5", &expected);
}

/// Each name, and what becomes of it with `none`, `catalogue` and `any`.
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
        let names = listed(&routes);
        assert!(names.iter().all(|name| routes.find(name).is_ok()));
        names
    };
    let mapping = json!({"gpt-4o": "nova-pro", "lost": "no-such-model"});
    let none = json!({"allow_model_ids": "none", "model_mapping": mapping});
    assert_eq!(names(none), ["gpt-4o"]);
    for allowed in ["catalogue", "any"] {
        let names = names(json!({"allow_model_ids": allowed, "model_mapping": mapping}));
        assert!(names.contains(&"claude-sonnet-4-5".to_owned()), "{names:?}");
        for id in [
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "claude-sonnet-4-5-20250929",
        ] {
            assert!(names.contains(&id.to_owned()), "{id}: {names:?}");
        }
        let elsewhere = |name: &&String| name.starts_with("eu.") || name.starts_with("us-gov.");
        assert_eq!(names.iter().find(elsewhere), None);
        assert!(names.is_sorted(), "{names:?}");
    }
}

#[test]
fn the_model_list_shows_names_and_never_an_arn() {
    let routes = routes(&[json!({
        "models": ["claude-sonnet-4-5", ARN],
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN}
    })]);
    assert_eq!(listed(&routes), ["claude-sonnet-4-5"]);
}
