use super::*;

const MAP: &str =
    r#"{"claude": "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a"}"#;

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The bodies of the channels that variables describe.
#[track_caller]
fn bodies(pairs: &[(&str, &str)]) -> Vec<Value> {
    let described = describe(&variables(pairs)).map_err(|error| error.to_string());
    let bodies = described.unwrap().into_iter();
    bodies
        .map(|own| serde_json::from_slice(&own.body()).unwrap())
        .collect()
}

#[track_caller]
fn check_error(pairs: &[(&str, &str)], expected: &str) {
    let error = describe(&variables(pairs))
        .map(|own| own.len())
        .unwrap_err();
    let error = error.to_string();
    assert!(error.contains(expected), "{error}");
    for (name, value) in pairs.iter().filter(|(name, _)| name.contains("SECRET")) {
        assert!(!error.contains(value), "{name} is in {error}");
    }
}

#[test]
fn a_region_is_a_channel() {
    let chain = json!({"type": "default_chain"});
    for name in REGIONS {
        let expected = json!({"name": "bedrock", "region": "eu-west-1", "credentials": chain});
        assert_eq!(bodies(&[(name, "eu-west-1")]), [expected]);
    }
    let several = [("AWS_DEFAULT_REGION", "a"), ("AWS_REGION", "b")];
    assert_eq!(bodies(&several)[0]["region"], "b");
    let empty = [("AWS_DEFAULT_REGION", "a"), ("AWS_REGION", " ")];
    assert_eq!(bodies(&empty)[0]["region"], "a");
}

#[test]
fn without_a_region_or_our_own_variables_there_is_nothing() {
    let unrelated = [
        ("BEDROCK_LISTEN", "127.0.0.1:0"),
        ("BEDROCK_WASM_URL_BASE", "http://a"),
        ("BEDROCK_MODELS", ""),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ];
    assert_eq!(bodies(&unrelated), [json!(null); 0]);
}

#[test]
fn names_between_are_channels_of_their_own() {
    let bodies = bodies(&[
        ("AWS_REGION", "us-east-1"),
        ("AWS_BEARER_TOKEN_BEDROCK", "ABSKsecret"),
        ("BEDROCK_EU_BASE_URL", "eu-west-1"),
        ("BEDROCK_EU_MODELS", "claude-sonnet-4-5, nova-pro\nclaude"),
        ("BEDROCK_EU_INFERENCE_PROFILE_ARN_MAP", MAP),
        ("BEDROCK_MY_PROXY_BASE_URL", "https://bedrock.example/"),
    ]);
    let key = json!({"type": "bedrock_api_key", "api_key": "ABSKsecret"});
    let eu = json!({
        "name": "eu",
        "region": "eu-west-1",
        "models": ["claude-sonnet-4-5", "nova-pro", "claude"],
        "inference_profile_arn_map": MAP,
        "credentials": key,
    });
    let proxy = json!({
        "name": "my-proxy",
        "region": "us-east-1",
        "endpoint": "https://bedrock.example/",
        "credentials": key,
    });
    assert_eq!(bodies, [eu, proxy]);
}

#[test]
fn an_endpoint_of_aws_names_its_region() {
    let public = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    let [one] = bodies(&[("BEDROCK_BASE_URL", public), ("AWS_REGION", "us-east-1")])
        .try_into()
        .unwrap();
    assert_eq!(one["region"], "eu-west-1");
    assert_eq!(one.get("endpoint"), None);
    let private = "https://vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com";
    let [one] = bodies(&[("BEDROCK_BASE_URL", private)]).try_into().unwrap();
    assert_eq!(one["region"], "eu-west-1");
    assert_eq!(one["endpoint"], private);
}

#[test]
fn errors_name_the_variable() {
    check_error(
        &[("BEDROCK_MODELS", "a")],
        "set BEDROCK_BASE_URL to a region",
    );
    let proxy = [("BEDROCK_EU_BASE_URL", "http://10.1.2.3")];
    check_error(&proxy, "set BEDROCK_EU_BASE_URL to a region");
    check_error(
        &[("AWS_REGION", "\"us-east-1\"")],
        "value of AWS_REGION is in quotes",
    );
    check_error(
        &[("BEDROCK_A__B_MODELS", "a")],
        "BEDROCK_A__B_MODELS names no channel",
    );
    let region = ("AWS_REGION", "us-east-1");
    let half = "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not";
    check_error(&[region, (ACCESS_KEY_ID, "AKIDEXAMPLE")], half);
    check_error(
        &[region, (SECRET_ACCESS_KEY, "hush")],
        "AWS_ACCESS_KEY_ID is not",
    );
    let masked = [
        region,
        (ACCESS_KEY_ID, "AKIDEXAMPLE"),
        (SECRET_ACCESS_KEY, "********"),
    ];
    check_error(&masked, "AWS_SECRET_ACCESS_KEY ");
}
