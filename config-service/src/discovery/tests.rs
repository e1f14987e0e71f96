use super::*;
use serde_json::{Value, json};

const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

fn channel(patch: &Value) -> Channel {
    let mut channel = json!({
        "name": "a",
        "region": "us-east-1",
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret-of-the-test"},
        "allow_model_ids": "catalogue",
        "match": "model",
    });
    for (key, value) in patch.as_object().unwrap() {
        channel[key] = value.clone();
    }
    serde_json::from_value(channel).unwrap()
}

fn profile(id: &str, arn: &str, model: &str) -> Value {
    json!({"id": id, "arn": arn, "name": format!("team {id}"), "active": true, "models": [model]})
}

fn discovery(patch: &Value) -> Discovery {
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let system = format!("us.{sonnet}");
    let system_arn = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{system}");
    let model = |id: &str, on_demand: bool, text: bool| json!({"id": id, "on_demand": on_demand, "text": text});
    let mut document = json!({
        "asked_at": "2026-01-15T12:34:56Z",
        "region": "us-east-1",
        "origin": "https://bedrock.us-east-1.amazonaws.com",
        "models": {"found": [
            model(sonnet, false, true),
            model("amazon.nova-pro-v1:0", true, true),
            model("deepseek.v9-v1:0", true, true),
            model("amazon.titan-embed-text-v2:0", true, false),
        ]},
        "system_profiles": {"found": [profile(&system, &system_arn, sonnet)]},
        "application_profiles": {"found": [profile("abc123def456", ARN, sonnet)]},
    });
    for (key, value) in patch.as_object().unwrap() {
        document[key] = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

#[test]
fn the_control_plane_is_beside_the_runtime_where_aws_is() {
    for (patch, expected) in [
        (json!({}), "https://bedrock.us-east-1.amazonaws.com"),
        (
            json!({"fips": true}),
            "https://bedrock-fips.us-east-1.amazonaws.com",
        ),
        (
            json!({"region": "cn-north-1"}),
            "https://bedrock.cn-north-1.amazonaws.com.cn",
        ),
        (
            json!({"endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com"}),
            "https://bedrock.us-east-1.amazonaws.com",
        ),
        (
            json!({"endpoint": "https://vpce-0a-b.bedrock-runtime.us-east-1.vpce.amazonaws.com"}),
            "https://bedrock.us-east-1.amazonaws.com",
        ),
        (
            json!({"endpoint": "http://127.0.0.1:9000"}),
            "http://127.0.0.1:9000",
        ),
    ] {
        assert_eq!(
            origin(&channel(&patch)).as_deref(),
            Some(expected),
            "{patch}"
        );
    }
}

#[test]
fn a_channel_that_falls_back_has_the_names_of_its_account() {
    let fallback = json!({
        "models_mode": "fallback",
        "models": ["claude-opus-4-8"],
        "model_mapping": {"house": "nova-pro"},
        // The account has no profile for it.
        "cross_region": "off",
    });
    let names = |patch: &Value, found: &Discovery| effective(&channel(patch), Some(found)).models;
    let own = names(&fallback, &discovery(&json!({})));
    assert_eq!(
        own,
        [
            "amazon.nova-pro-v1:0",
            "deepseek.v9-v1:0",
            "house",
            "nova-pro",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ]
    );
    let mut geo = fallback.clone();
    geo["cross_region"] = json!("geo");
    let own = names(&geo, &discovery(&json!({})));
    assert!(own.contains(&"claude-sonnet-4-5".to_owned()), "{own:?}");
    assert!(
        !own.contains(&"nova-pro".to_owned()),
        "its profile is not there: {own:?}"
    );
    for nothing in [
        json!({"models": null}),
        json!({"system_profiles": null}),
        json!({"models": {"found": []}, "system_profiles": {"found": []}}),
        json!({"region": "eu-west-1"}),
        json!({"origin": "https://elsewhere.example"}),
    ] {
        assert_eq!(
            names(&fallback, &discovery(&nothing)),
            ["claude-opus-4-8"],
            "{nothing}"
        );
    }
    let unset = json!({"models": ["claude-opus-4-8"]});
    assert_eq!(names(&unset, &discovery(&json!({}))), ["claude-opus-4-8"]);
}

#[test]
fn an_opaque_profile_has_the_family_and_the_model_behind_it() {
    let patch = json!({"inference_profile_arn_map": {"house": ARN}});
    let own = effective(&channel(&patch), Some(&discovery(&json!({}))));
    assert_eq!(own.model_families[ARN].name(), "anthropic");
    assert_eq!(
        own.model_mapping["house"],
        "anthropic.claude-sonnet-4-5-20250929-v1:0"
    );
    assert_eq!(judged(&channel(&patch), Some(&discovery(&json!({})))), []);
    let codes = |found: Option<&Discovery>| {
        let faults = judged(&channel(&patch), found);
        faults.into_iter().map(|own| own.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(None), ["unknown_family"]);
    // What the administrator says stands.
    let patch = json!({
        "inference_profile_arn_map": {"house": ARN},
        "model_families": {"house": "nova"},
    });
    let own = effective(&channel(&patch), Some(&discovery(&json!({}))));
    assert_eq!((own.model_families.len(), own.model_mapping.len()), (1, 0));
}

#[test]
fn profiles_that_the_account_lacks_and_other_models_are_pointed_at() {
    let lost = ARN.replace("abc", "xyz");
    let patch = json!({"inference_profile_arn_map": {"nova-pro": ARN, "claude-haiku-4-5": lost}});
    let found = discovery(&json!({"missing": [lost]}));
    let seen: Vec<_> = judged(&channel(&patch), Some(&found))
        .into_iter()
        .map(|own| format!("{} {}", own.pointer, own.code))
        .collect();
    assert_eq!(
        seen,
        [
            "/inference_profile_arn_map/claude-haiku-4-5 not_in_account",
            "/inference_profile_arn_map/nova-pro other_model",
        ]
    );
}

#[test]
fn the_accounts_own_profiles_are_offered_with_free_names() {
    let second = ARN.replace("abc", "xyz");
    let found = discovery(&json!({"application_profiles": {"found": [
        profile("abc123def456", ARN, "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        profile("xyz123def456", &second, "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ]}}));
    let named = |patch: &Value| {
        let offers = offers(&channel(patch), &found);
        offers.into_iter().map(|own| own.name).collect::<Vec<_>>()
    };
    assert_eq!(
        named(&json!({})),
        ["claude-sonnet-4-5", "team-xyz123def456"]
    );
    let mapped = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    assert_eq!(named(&mapped), ["team-xyz123def456"]);
}

#[test]
fn what_is_not_told_anew_stays_with_its_date() {
    let before = discovery(&json!({"models": {"asked_at": "then", "found": []}}));
    let mut now = discovery(&json!({"models": null, "asked_at": "now"}));
    now.problems.push(crate::channel::Trouble::default());
    let merged = now.clone().or(Some(before.clone()));
    assert_eq!(merged.asked_at, "now");
    assert_eq!(merged.models.unwrap().asked_at, "then");
    now.region = "eu-west-1".to_owned();
    assert_eq!(
        now.or(Some(before)).models,
        None,
        "another region's is no use"
    );
}
