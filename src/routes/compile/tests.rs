use super::*;

/// The faults, as `path code`, of a valid channel after `patch` has replaced some fields.
#[track_caller]
fn check(patch: &serde_json::Value, expected: &[&str]) {
    let mut channel = serde_json::json!({
        "name": "a",
        "region": "us-east-1",
        "credentials": {
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        }
    });
    for (key, value) in patch.as_object().unwrap() {
        channel[key] = value.clone();
    }
    let config = serde_json::json!({ "channels": [channel] }).to_string();
    let faults = Routes::compile(PluginConfig::from_json(config.as_bytes()).unwrap())
        .err()
        .unwrap_or_default();
    let seen: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn every_fault_is_found_at_once() {
    check(
        &serde_json::json!({
            "name": "two words",
            "region": "moon",
            "endpoint": "ftp://x",
            "models": ["ok", ""],
            "model_mapping": {"a": " b"},
            "inference_profile_arn_map": {"": "arn", "m": ""},
            "model_families": {"\t": "anthropic"},
            "credentials": {"type": "static", "access_key_id": "", "secret_access_key": "a b"}
        }),
        &[
            "/channels/0/name invalid_name",
            "/channels/0/region invalid_region",
            "/channels/0/endpoint invalid_endpoint",
            "/channels/0/credentials/access_key_id invalid_access_key_id",
            "/channels/0/credentials/secret_access_key invalid_secret",
            "/channels/0/models/1 invalid_model_name",
            "/channels/0/model_mapping/a invalid_value",
            "/channels/0/inference_profile_arn_map/ invalid_key",
            "/channels/0/inference_profile_arn_map/m invalid_value",
            "/channels/0/model_families/\t invalid_model_name",
        ],
    );
}

#[test]
fn the_endpoint_must_be_in_the_region_that_is_signed_for() {
    let host = |region: &str| serde_json::json!({"endpoint": format!("https://bedrock-runtime-fips.{region}.amazonaws.com")});
    check(&host("us-east-1"), &[]);
    check(
        &host("us-west-2"),
        &["/channels/0/endpoint region_mismatch"],
    );
    check(
        &serde_json::json!({"endpoint": "https://bedrock.corp.internal"}),
        &[],
    );
    check(
        &serde_json::json!({"endpoint": "bedrock.corp.internal"}),
        &["/channels/0/endpoint invalid_endpoint"],
    );
}

#[test]
fn a_secret_that_is_still_sealed_is_refused() {
    let credentials =
        |key: &str| serde_json::json!({"credentials": {"type": "bedrock_api_key", "api_key": key}});
    check(&credentials("ABSKexample"), &[]);
    let fault = ["/channels/0/credentials/api_key invalid_secret"];
    check(&credentials("sealed:v1:k:AAAA"), &fault);
}

#[test]
fn timeouts_are_a_second_to_an_hour() {
    check(
        &serde_json::json!({"first_byte_timeout_seconds": 3600, "request_timeout_seconds": 1}),
        &[],
    );
    check(
        &serde_json::json!({"first_byte_timeout_seconds": 0, "request_timeout_seconds": 3601}),
        &[
            "/channels/0/first_byte_timeout_seconds out_of_range",
            "/channels/0/request_timeout_seconds out_of_range",
        ],
    );
}

#[test]
fn an_allow_list_has_names() {
    check(
        &serde_json::json!({"models_mode": "allowlist", "models": ["nova-pro"]}),
        &[],
    );
    check(
        &serde_json::json!({"models_mode": "allowlist", "discovery_hours": 721}),
        &[
            "/channels/0/discovery_hours out_of_range",
            "/channels/0/models models_required",
        ],
    );
    check(
        &serde_json::json!({"models_mode": "fallback", "discovery_hours": 24}),
        &[],
    );
}

#[test]
fn envoy_signs_only_with_an_access_key() {
    check(&serde_json::json!({"signer": "envoy"}), &[]);
    let key = serde_json::json!({"type": "bedrock_api_key", "api_key": "k"});
    check(
        &serde_json::json!({"signer": "envoy", "credentials": key}),
        &["/channels/0/signer nothing_to_sign"],
    );
}

#[test]
fn names_are_unique_and_the_schema_is_known() {
    let config = r#"{"schema":2,"limits":{"max_request_bytes":0}}"#;
    let faults = Routes::compile(PluginConfig::from_json(config.as_bytes()).unwrap());
    let faults = faults.unwrap_err();
    assert_eq!(faults[0].pointer, "/schema");
    assert_eq!(faults[1].pointer, "/limits/max_request_bytes");
}
