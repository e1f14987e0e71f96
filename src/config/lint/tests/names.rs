//! How names and ARNs are written.

use super::*;

#[test]
fn signs_at_the_end_of_an_arn_are_pointed_at() {
    for end in [".", ",", ";", ")", ".\"", ":"] {
        check(
            &map(&format!("{ARN}{end}")),
            &[&format!("{PATH} trailing_sign")],
        );
    }
    check(
        &json!({"models": ["nova-pro."], "model_mapping": {"nova-pro.": "nova-lite."}}),
        &[
            "/models/0 trailing_sign",
            "/model_mapping/nova-pro. trailing_sign",
            "/model_mapping/nova-pro. trailing_sign",
        ],
    );
}

#[test]
fn an_inverted_map_is_recognised() {
    let inverted = |value: &str| json!({"inference_profile_arn_map": {ARN: value}});
    let path = format!("/inference_profile_arn_map/{} swapped", escape_pointer(ARN));
    for value in [
        "claude-sonnet-4-5",
        "house",
        "us.anthropic.claude-sonnet-4-6",
    ] {
        check(&inverted(value), &[&path]);
    }
    // A client may send an ARN that is replaced by another.
    let other = ARN.replace("abc", "xyz");
    let hinted =
        json!({"inference_profile_arn_map": {ARN: other}, "model_families": {ARN: "nova"}});
    check(&hinted, &[]);
}

#[test]
fn names_joined_or_listed_twice_are_pointed_at() {
    check(
        &json!({"models": ["claude-sonnet-4-5,nova-pro", "a;b", "nova-lite", "nova-lite", "nova-lite"]}),
        &[
            "/models/0 several_names",
            "/models/1 several_names",
            "/models/3 listed_twice",
            "/models/4 listed_twice",
        ],
    );
    check(
        &json!({
            "model_mapping": {"gpt-4o, gpt-4o-mini": "nova-pro"},
            "model_apis": {"nova-pro,nova-lite": "converse"},
            "inference_profile_arn_map": {"nova-pro,nova-lite": "amazon.nova-pro-v1:0"}
        }),
        &[
            "/inference_profile_arn_map/nova-pro,nova-lite not_an_arn",
            "/model_mapping/gpt-4o, gpt-4o-mini several_names",
            "/inference_profile_arn_map/nova-pro,nova-lite several_names",
            "/model_apis/nova-pro,nova-lite several_names",
        ],
    );
}

#[test]
fn what_nobody_sees_is_pointed_at() {
    check(
        &json!({
            "models": ["nova\u{200b}-pro"],
            "model_mapping": {"nova\u{200b}-pro": "nova\u{a0}lite"},
        }),
        &[
            "/models/0 invisible_character",
            "/model_mapping/nova\u{200b}-pro invisible_character",
            "/model_mapping/nova\u{200b}-pro invisible_character",
        ],
    );
    check(
        &map(&format!("{ARN}\u{feff}")),
        &[
            &format!("{PATH} not_an_arn"),
            &format!("{PATH} invisible_character"),
        ],
    );
}
