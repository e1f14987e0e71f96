mod credentials;

use std::collections::BTreeMap;

use super::*;
use bedrock_filter::catalog::{CrossRegion, ModelFamily};
use bedrock_filter::config::{
    Api, Guardrail, GuardrailTrace, ModelIds, ModelsMode, NameMatch, SignedBy, UnknownParameters,
};

/// A channel whose fields all differ from their defaults.
fn full() -> Channel {
    Channel {
        name: "stored".to_owned(),
        enabled: false,
        region: "eu-west-1".to_owned(),
        fips: true,
        signer: SignedBy::Envoy,
        priority: 3,
        weight: 5,
        endpoint: Some("https://bedrock.corp.internal".to_owned()),
        credentials: Credentials::Static {
            access_key_id: "AKIDSTORED".to_owned(),
            secret_access_key: Secret::new("stored-secret"),
            session_token: None,
        },
        models: vec!["m".to_owned()],
        models_mode: Some(ModelsMode::Allowlist),
        discovery_hours: 24,
        allow_model_ids: ModelIds::None,
        r#match: NameMatch::Exact,
        model_mapping: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        inference_profile_arn_map: BTreeMap::from([("c".to_owned(), "d".to_owned())]),
        model_families: BTreeMap::from([("e".to_owned(), ModelFamily::Anthropic)]),
        api: Api::Converse,
        model_apis: BTreeMap::from([("f".to_owned(), Api::Invoke)]),
        guardrail: Some(Guardrail {
            identifier: "gr1".to_owned(),
            version: "DRAFT".to_owned(),
            trace: Some(GuardrailTrace::EnabledFull),
        }),
        cross_region: CrossRegion::Off,
        retry_with_inference_profile: true,
        unknown_parameters: Some(UnknownParameters::Refuse),
        first_byte_timeout_seconds: 5,
        request_timeout_seconds: 60,
    }
}

fn apply(base: Base<'_>, json: &str) -> Result<Channel, Vec<String>> {
    let mut faults = Vec::new();
    let edit = Edit::parse(json.as_bytes(), &mut faults).unwrap();
    let channel = edit.apply(base, &mut faults);
    if faults.is_empty() {
        return Ok(channel);
    }
    Err(faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect())
}

#[track_caller]
fn refuses(base: Base<'_>, json: &str, faults: &[&str]) {
    let faults: Vec<_> = faults.iter().map(|fault| (*fault).to_owned()).collect();
    assert_eq!(apply(base, json), Err(faults), "{json}");
}

#[test]
fn a_new_channel_gets_defaults() {
    let json = r#"{"name":"n","region":"us-east-1","credentials":{"type":"static",
        "access_key_id":"AKIDEXAMPLE","secret_access_key":"s","session_token":"t"}}"#;
    let channel = apply(Base::New, json).unwrap();
    assert_eq!(
        channel,
        Channel {
            name: "n".to_owned(),
            credentials: Credentials::Static {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: Secret::new("s"),
                session_token: Some(Secret::new("t")),
            },
            ..blank()
        }
    );
}

#[test]
fn required_fields_are_named() {
    let stored = full();
    refuses(
        Base::New,
        "{}",
        &[
            "/name required",
            "/region required",
            "/credentials required",
        ],
    );
    refuses(
        Base::Replace(&stored),
        "{}",
        &["/name required", "/region required"],
    );
    assert_eq!(apply(Base::Patch(&stored), "{}").unwrap(), stored);
}

#[test]
fn replacing_keeps_the_credentials_what_clients_may_ask_for_and_how_names_match() {
    let stored = full();
    let channel = apply(
        Base::Replace(&stored),
        r#"{"name":"n","region":"us-west-2"}"#,
    )
    .unwrap();
    assert_eq!(
        channel,
        Channel {
            name: "n".to_owned(),
            region: "us-west-2".to_owned(),
            credentials: stored.credentials.clone(),
            allow_model_ids: ModelIds::None,
            r#match: NameMatch::Exact,
            ..blank()
        }
    );
}

#[test]
fn null_and_the_empty_string_clear_what_can_be_empty() {
    let stored = full();
    for cleared in ["null", r#""""#] {
        let fields = [
            "endpoint",
            "models",
            "model_mapping",
            "inference_profile_arn_map",
            "model_families",
            "api",
            "model_apis",
            "guardrail",
        ];
        for field in fields {
            let json = format!(r#"{{"{field}":{cleared}}}"#);
            let mut expected = stored.clone();
            match field {
                "endpoint" => expected.endpoint = None,
                "models" => expected.models.clear(),
                "model_mapping" => expected.model_mapping.clear(),
                "inference_profile_arn_map" => expected.inference_profile_arn_map.clear(),
                "model_families" => expected.model_families.clear(),
                "api" => expected.api = Api::Auto,
                "model_apis" => expected.model_apis.clear(),
                _ => expected.guardrail = None,
            }
            assert_eq!(
                apply(Base::Patch(&stored), &json).unwrap(),
                expected,
                "{json}"
            );
        }
    }
}

#[test]
fn what_cannot_be_empty_is_not_cleared() {
    let stored = full();
    for field in ["name", "region", "cross_region", "allow_model_ids", "match"] {
        for cleared in ["null", r#""""#] {
            let json = format!(r#"{{"{field}":{cleared}}}"#);
            let fault = format!("/{field} not_clearable");
            refuses(Base::Patch(&stored), &json, &[&fault]);
        }
    }
    for field in [
        "enabled",
        "fips",
        "priority",
        "weight",
        "discovery_hours",
        "retry_with_inference_profile",
        "first_byte_timeout_seconds",
        "request_timeout_seconds",
    ] {
        let json = format!(r#"{{"{field}":null}}"#);
        let fault = format!("/{field} not_clearable");
        refuses(Base::Patch(&stored), &json, &[&fault]);
    }
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":null}"#,
        &["/credentials invalid_type"],
    );
}

#[test]
fn wrong_types_are_named_all_at_once() {
    let stored = full();
    refuses(
        Base::Patch(&stored),
        r#"{"name":1,"enabled":"yes","region":[],"fips":0,"endpoint":{},"credentials":"x",
            "models":"m","cross_region":"world","allow_model_ids":"all","match":"Model","model_mapping":[],
            "model_families":1,
            "api":true,"model_apis":[],"guardrail":"g"}"#,
        &[
            "/name invalid_type",
            "/enabled invalid_type",
            "/region invalid_type",
            "/fips invalid_type",
            "/endpoint invalid_type",
            "/credentials invalid_json",
            "/models invalid_type",
            "/cross_region unknown_value",
            "/allow_model_ids unknown_value",
            "/match unknown_value",
            "/model_mapping not_a_map",
            "/model_families not_a_map",
            "/api invalid_type",
            "/model_apis not_a_map",
            "/guardrail invalid_json",
        ],
    );
    refuses(
        Base::Patch(&stored),
        r#"{"models":["a",1,""," b",null]}"#,
        &[
            "/models/1 not_a_string",
            "/models/2 empty_value",
            "/models/3 surrounding_whitespace",
            "/models/4 not_a_string",
        ],
    );
}

#[test]
fn apis_and_guardrails_are_checked_with_every_fault() {
    let stored = full();
    refuses(
        Base::Patch(&stored),
        r#"{"api":"grpc","model_apis":{"a":"invoke","b":"rest","c":1,"":"auto"},
            "guardrail":{"identifier":"","trace":"all","verison":"1"}}"#,
        &[
            "/api unknown_value",
            "/model_apis/b unknown_api",
            "/model_apis/c not_a_string",
            "/model_apis/ empty_key",
            "/guardrail/verison unknown_field",
            "/guardrail/identifier not_clearable",
            "/guardrail/version required",
            "/guardrail/trace unknown_value",
        ],
    );
    refuses(
        Base::Patch(&stored),
        r#"{"guardrail":{"identifier":"a","identifier":"b","version":1,"trace":{}}}"#,
        &[
            "/guardrail/identifier duplicate_field",
            "/guardrail/version invalid_type",
            "/guardrail/trace invalid_type",
        ],
    );
    for trace in [r#""""#, "null"] {
        let json = format!(r#"{{"guardrail":{{"identifier":"a","version":"1","trace":{trace}}}}}"#);
        let guardrail = apply(Base::Patch(&stored), &json).unwrap().guardrail;
        assert_eq!(guardrail.unwrap().trace, None);
    }
}

#[test]
fn unknown_and_repeated_fields_are_refused_by_name() {
    let stored = full();
    refuses(
        Base::Patch(&stored),
        r#"{"regoin":"x","name":"a","name":"b","a/b":1}"#,
        &[
            "/regoin unknown_field",
            "/name duplicate_field",
            "/a~1b unknown_field",
        ],
    );
    let mut faults = Vec::new();
    Edit::parse(br#"{"inference_profile_arns_map":{}}"#, &mut faults).unwrap();
    let hint = "did you mean `inference_profile_arn_map`?";
    assert!(faults[0].message.contains(hint), "{faults:?}");
    Edit::parse(br#"{"quota":{}}"#, &mut faults).unwrap();
    assert!(
        faults[1].message.contains("expected one of name,"),
        "{faults:?}"
    );
}

#[test]
fn read_only_fields_are_ignored_unless_their_type_is_wrong() {
    let stored = full();
    let added = r#"{"revision":7,"created_at":"2026-01-01T00:00:00.000Z","updated_at":"x",
        "warnings":[{"pointer":"/fips","code":"ignored","message":"m"}]}"#;
    assert_eq!(apply(Base::Patch(&stored), added).unwrap(), stored);
    refuses(
        Base::Patch(&stored),
        r#"{"revision":"7","created_at":1,"updated_at":null,"warnings":{},"id":5}"#,
        &[
            "/revision read_only_field",
            "/created_at read_only_field",
            "/updated_at read_only_field",
            "/warnings read_only_field",
            "/id invalid_type",
        ],
    );
}

#[test]
fn an_id_must_match_the_path() {
    let check = |json: &str, id: Option<&str>| {
        let mut faults = Vec::new();
        let edit = Edit::parse(json.as_bytes(), &mut faults).unwrap();
        edit.check_id(id, &mut faults);
        let codes = faults
            .iter()
            .map(|it| format!("{} {}", it.pointer, it.code));
        codes.collect::<Vec<_>>()
    };
    assert_eq!(check("{}", Some("a")), [""; 0]);
    assert_eq!(check("{}", None), [""; 0]);
    assert_eq!(check(r#"{"id":"a"}"#, Some("a")), [""; 0]);
    assert_eq!(check(r#"{"id":"b"}"#, Some("a")), ["/id id_mismatch"]);
    assert_eq!(check(r#"{"id":"b"}"#, None), ["/id id_mismatch"]);
}

#[test]
fn a_body_must_be_an_object() {
    for json in ["[]", "null", "5", r#""{}""#, "true"] {
        refuses(Base::New, json, &[" not_an_object"]);
    }
}

#[test]
fn malformed_json_is_refused_with_line_and_column() {
    for (body, line, column) in [
        (&b""[..], 1, 0),
        (b"{", 1, 1),
        (b"{\"name\":}", 1, 9),
        (b"{\n  \"name\": \"a\",\n}", 3, 1),
        (b"{} x", 1, 4),
        (b"{\n\"name\": \"\xff\"}", 2, 10),
    ] {
        let mut faults = Vec::new();
        let error = Edit::parse(body, &mut faults).unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(faults.is_empty());
    }
}
