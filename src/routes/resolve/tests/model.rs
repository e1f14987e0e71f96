//! Which model and family a request is written for.

use super::*;

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
    // A bare profile id, a foundation model, an alias in front, and a hint that contradicts.
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
    // An opaque one leaves it to the name, and a hint wins over that.
    let opaque = json!({"inference_profile_arn_map": {"nova-pro": ARN}});
    check_model(opaque, "nova-pro", ("amazon.nova-pro-v1:0", "nova"));
    let hinted = json!({
        "inference_profile_arn_map": {"nova-pro": ARN},
        "model_families": {"nova-pro": "anthropic"}
    });
    check_model(hinted, "nova-pro", ("", "anthropic"));
}

#[test]
fn what_is_known_of_a_name_is_not_said_of_another_model() {
    let of = |target: &str| json!({"inference_profile_arn_map": {"claude-3-haiku": target}});
    for next in [
        "anthropic.claude-next-9-9",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-next-9-9",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-next-9-9",
    ] {
        check_model(of(next), "claude-3-haiku", ("", "anthropic"));
    }
    let other = "arn:aws:bedrock:us-east-1::foundation-model/meta.llama4-next-v1:0";
    check_model(of(other), "claude-3-haiku", ("", "llama4"));
    let provisioned = ARN.replace("application-inference-profile", "provisioned-model");
    let haiku = ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic");
    check_model(of(&provisioned), "claude-3-haiku", haiku);
    let hinted = |family: &str| {
        let mut channel = of(&provisioned);
        channel["model_families"] = json!({"claude-3-haiku": family});
        channel
    };
    check_model(hinted("nova"), "claude-3-haiku", ("", "nova"));
    check_model(hinted("converse"), "claude-3-haiku", (haiku.0, "converse"));
    // A variant of the model, such as one that was fine-tuned.
    let custom = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdef123456";
    let channel = json!({"inference_profile_arn_map": {"nova-lite": custom}});
    check_model(channel, "nova-lite", ("amazon.nova-lite-v1:0", "nova"));
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
