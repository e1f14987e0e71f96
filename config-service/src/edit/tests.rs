use super::*;
use crate::channel::fingerprint;
use bedrock_filter::catalog::{CrossRegion, ModelFamily};
use bedrock_filter::config::{
    Api, Guardrail, GuardrailTrace, ModelIds, SignedBy, UnknownParameters,
};

/// A channel in which every field differs from its default.
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
        allow_model_ids: ModelIds::None,
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
fn replacing_keeps_the_credentials_and_what_clients_may_ask_for_alone() {
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
    for field in ["name", "region", "cross_region", "allow_model_ids"] {
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
            "models":"m","cross_region":"world","allow_model_ids":"all","model_mapping":[],
            "model_families":1,
            "api":true,"model_apis":[],"guardrail":"g"}"#,
        &[
            "/name invalid_type",
            "/enabled invalid_type",
            "/region invalid_type",
            "/fips invalid_type",
            "/endpoint invalid_type",
            "/credentials invalid_type",
            "/models invalid_type",
            "/cross_region unknown_value",
            "/allow_model_ids unknown_value",
            "/model_mapping not_a_map",
            "/model_families not_a_map",
            "/api invalid_type",
            "/model_apis not_a_map",
            "/guardrail invalid_type",
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
fn credentials_are_checked_without_repeating_them() {
    let stored = full();
    for (json, expected) in [
        (
            r#"{}"#,
            vec![
                "type required",
                "access_key_id required",
                "secret_access_key required",
            ],
        ),
        (
            r#"{"type":"role","access_key_id":"A","secret_access_key":"hush"}"#,
            vec!["type unknown_value"],
        ),
        (
            r#"{"type":"static","access_key_id":1,"secret_access_key":["hush"],"session_token":5}"#,
            vec![
                "access_key_id invalid_type",
                "secret_access_key invalid_type",
                "session_token invalid_type",
            ],
        ),
        (
            r#"{"type":"static","access_key_id":"","secret_access_key":null}"#,
            vec![
                "access_key_id not_clearable",
                "secret_access_key not_clearable",
            ],
        ),
        (
            r#"{"type":"static","access_key_id":"A","secret_access_key":"hush","secret":"hush"}"#,
            vec!["secret unknown_field"],
        ),
        (
            r#"{"type":"static","access_key_id":"A","secret_access_key":"hush","secret_access_key":"b"}"#,
            vec!["secret_access_key duplicate_field"],
        ),
    ] {
        let body = format!(r#"{{"credentials":{json}}}"#);
        let mut faults = Vec::new();
        Edit::parse(body.as_bytes(), &mut faults)
            .unwrap()
            .apply(Base::Patch(&stored), &mut faults);
        let found: Vec<_> = faults
            .iter()
            .map(|fault| {
                format!(
                    "{} {}",
                    fault.pointer.trim_start_matches("/credentials/"),
                    fault.code
                )
            })
            .collect();
        assert_eq!(found, expected, "{json}");
        assert!(!format!("{faults:?}").contains("hush"), "{faults:?}");
    }
}

#[test]
fn what_a_read_adds_is_ignored_unless_it_is_of_another_type() {
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
fn an_id_must_be_that_of_the_path() {
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
fn credentials_as_a_read_shows_them_keep_the_stored_secret() {
    let stored = full();
    let shown = |id: &str, secret: &str, token: bool| {
        let fingerprint = fingerprint(&Secret::new(secret));
        format!(
            r#"{{"credentials":{{"type":"static","access_key_id":"{id}",
                "fingerprint":"{fingerprint}","has_session_token":{token}}}}}"#
        )
    };
    let same = shown("AKIDSTORED", "stored-secret", false);
    assert_eq!(apply(Base::Patch(&stored), &same).unwrap(), stored);
    for other in [
        shown("AKIDOTHER", "stored-secret", false),
        shown("AKIDSTORED", "older-secret", false),
        shown("AKIDSTORED", "stored-secret", true),
    ] {
        let fault = "/credentials/secret_access_key secret_required";
        refuses(Base::Patch(&stored), &other, &[fault]);
        refuses(
            Base::New,
            &other,
            &["/name required", "/region required", fault],
        );
    }
    let with_secret = r#"{"credentials":{"type":"static","access_key_id":"AKIDNEW",
        "secret_access_key":"new","fingerprint":"0123456789abcdef","has_session_token":false}}"#;
    let new = Credentials::Static {
        access_key_id: "AKIDNEW".to_owned(),
        secret_access_key: Secret::new("new"),
        session_token: None,
    };
    let edited = apply(Base::Patch(&stored), with_secret).unwrap();
    assert_eq!(edited.credentials, new);
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":{"type":"static","access_key_id":"A","fingerprint":1,
            "has_session_token":"no"}}"#,
        &[
            "/credentials/fingerprint invalid_type",
            "/credentials/has_session_token invalid_type",
        ],
    );
}

#[test]
fn an_api_key_is_written_and_kept_like_an_access_key() {
    let stored = Channel {
        credentials: Credentials::BedrockApiKey {
            api_key: Secret::new("bedrock-api-key-EXAMPLE"),
        },
        ..full()
    };
    let key = r#"{"credentials":{"type":"bedrock_api_key","api_key":"bedrock-api-key-EXAMPLE"}}"#;
    assert_eq!(apply(Base::Patch(&full()), key).unwrap(), stored);
    let shown = |secret: &str| {
        let fingerprint = fingerprint(&Secret::new(secret));
        format!(r#"{{"credentials":{{"type":"bedrock_api_key","fingerprint":"{fingerprint}"}}}}"#)
    };
    let same = shown("bedrock-api-key-EXAMPLE");
    assert_eq!(apply(Base::Patch(&stored), &same).unwrap(), stored);
    let fault = "/credentials/api_key secret_required";
    refuses(Base::Patch(&stored), &shown("another"), &[fault]);
    refuses(Base::Patch(&full()), &same, &[fault]);
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":{"type":"bedrock_api_key","access_key_id":"A"}}"#,
        &[
            "/credentials/access_key_id unknown_field",
            "/credentials/api_key required",
        ],
    );
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":{"type":"api_key"}}"#,
        &[
            "/credentials/type unknown_value",
            "/credentials/access_key_id required",
            "/credentials/secret_access_key required",
        ],
    );
}

#[test]
fn a_body_must_be_an_object() {
    for json in ["[]", "null", "5", r#""{}""#, "true"] {
        refuses(Base::New, json, &[" not_an_object"]);
    }
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
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
