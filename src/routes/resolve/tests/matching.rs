//! Entries that all names of a model share.

use super::*;

#[test]
fn names_of_one_model_share_an_entry_where_the_channel_says_so() {
    let id = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let channel = |matching: &str| {
        json!({
            "match": matching,
            "model_mapping": {"gpt-4o": "claude-sonnet-4-5-20250929"},
            "inference_profile_arn_map": {"claude-sonnet-4-5": ARN}
        })
    };
    let shared = format!("c0 InferenceProfileArnMap {ARN}");
    let (exact, by_model) = ([channel("exact")], [channel("model")]);
    for (name, alone) in [
        (id.to_owned(), format!("c0 Catalog us.{id}")),
        (
            "claude-sonnet-4-5-20250929".to_owned(),
            format!("c0 Catalog us.{id}"),
        ),
        ("gpt-4o".to_owned(), format!("c0 Catalog us.{id}")),
        (format!("us.{id}"), format!("c0 Verbatim us.{id}")),
        (format!("global.{id}"), format!("c0 Verbatim global.{id}")),
        (
            format!("us.{id}").replace(':', "%3A"),
            format!("c0 Verbatim us.{id}"),
        ),
    ] {
        check(&exact, &name, &alone);
        check(&by_model, &name, &shared);
    }
    for channels in [&exact, &by_model] {
        check(channels, "claude-sonnet-4-5", &shared);
        check(
            channels,
            "claude-sonnet-4-6",
            "c0 Catalog us.anthropic.claude-sonnet-4-6",
        );
    }
    // A document of a version without the setting.
    let earlier = [json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}})];
    check(&earlier, id, &format!("c0 Catalog us.{id}"));
}

#[test]
fn an_exact_key_comes_before_one_of_the_same_model_and_a_mapping_before_both() {
    let id = "amazon.nova-pro-v1:0";
    let (other, third) = (ARN.replace("abc", "xyz"), ARN.replace("abc", "uvw"));
    let channels = [json!({
        "match": "model",
        "model_mapping": {"us.amazon.nova-lite-v1:0": "nova-pro"},
        "inference_profile_arn_map": {"nova-pro": ARN, id: other, "nova-lite": third}
    })];
    let entry = |arn: &str| format!("c0 InferenceProfileArnMap {arn}");
    check(&channels, "nova-pro", &entry(ARN));
    check(&channels, id, &entry(&other));
    // Neither is its own: the first of the two.
    check(&channels, &format!("us.{id}"), &entry(&other));
    check(&channels, "us.amazon.nova-lite-v1:0", &entry(ARN));
    check(&channels, "amazon.nova-lite-v1:0", &entry(&third));
}

#[test]
fn families_and_apis_go_by_model_too() {
    let channel = |matching: &str| {
        json!({
            "match": matching,
            "inference_profile_arn_map": {"nova-pro": ARN},
            "model_families": {"nova-pro": "anthropic"},
            "model_apis": {"nova-pro": "converse"}
        })
    };
    let name = "us.amazon.nova-pro-v1:0";
    for (matching, family, api) in [
        ("exact", "nova", Api::Auto),
        ("model", "anthropic", Api::Converse),
    ] {
        let routes = routes(&[channel(matching)]);
        let route = routes.find(name).unwrap();
        assert_eq!((route.family.name().as_str(), route.api()), (family, api));
        let key = route.arn_key();
        assert_eq!(key, (matching == "model").then_some("nova-pro"));
    }
}

#[test]
fn matching_by_model_lets_no_more_names_in() {
    let id = "amazon.nova-pro-v1:0";
    let none = json!({"match": "model", "allow_model_ids": "none", "inference_profile_arn_map": {"nova-pro": ARN}});
    check(&[none], id, "needs catalogue");
    let listed = json!({"match": "model", "models": ["nova-pro"], "inference_profile_arn_map": {"nova-pro": ARN}});
    check(&[listed], id, "not found");
}
