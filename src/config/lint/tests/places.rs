//! Accounts, regions and hosts that do not go together.

use super::*;

#[test]
fn arns_of_several_accounts_are_pointed_at() {
    let foreign = ARN.replace("123456789012", "210987654321");
    check(
        &json!({
            "inference_profile_arn_map":
                {"nova-pro": ARN, "nova-lite": foreign, "nova-micro": ARN, "nova-premier": ARN},
            "guardrail": {"identifier": "arn:aws:bedrock:us-east-1:210987654321:guardrail/gr1abc", "version": "1"}
        }),
        &[
            "/inference_profile_arn_map/nova-lite other_account",
            "/guardrail/identifier other_account",
        ],
    );
    let own = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0";
    check(
        &json!({"inference_profile_arn_map": {"nova-pro": ARN, "nova-lite": own}}),
        &[],
    );
}

#[test]
fn profiles_of_another_geography_are_pointed_at() {
    let of = |region: &str, prefix: &str| {
        let id = format!("{prefix}.anthropic.claude-sonnet-4-5-20250929-v1:0");
        json!({"region": region, "inference_profile_arn_map": {"claude-sonnet-4-5":
            format!("arn:aws:bedrock:{region}:123456789012:inference-profile/{id}")}})
    };
    let fault = format!("{PATH} other_geography");
    check(&of("eu-west-1", "us"), &[&fault]);
    check(&of("us-east-1", "eu"), &[&fault]);
    check(&of("ap-northeast-1", "au"), &[&fault]);
    check(&of("eu-west-1", "eu"), &[]);
    check(&of("eu-west-1", "global"), &[]);
    check(&of("ca-central-1", "us"), &[]);
    check(
        &map("eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        &[&format!("{PATH} not_an_arn"), &fault],
    );
}

#[test]
fn hosts_and_guardrails_that_do_not_fit_are_pointed_at() {
    check(
        &json!({"endpoint": "https://bedrock.us-east-1.amazonaws.com"}),
        &["/endpoint other_service"],
    );
    check(
        &json!({"endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com"}),
        &[],
    );
    let guardrail = |partition: &str, region: &str| {
        let identifier = format!("arn:{partition}:bedrock:{region}:123456789012:guardrail/gr1abc");
        json!({"guardrail": {"identifier": identifier, "version": "1"}})
    };
    check(&guardrail("aws", "us-east-1"), &[]);
    check(
        &guardrail("aws", "eu-west-1"),
        &["/guardrail/identifier other_region"],
    );
    check(
        &guardrail("aws-cn", "cn-north-1"),
        &["/guardrail/identifier other_partition"],
    );
    check(
        &json!({"guardrail": {"identifier": "gr1abc", "version": "1"}}),
        &[],
    );
}
