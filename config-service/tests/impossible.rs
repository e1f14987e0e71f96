//! Values that cannot work: what is refused, what is warned of, and what is taken as somebody pasted it.

use crate::apply::run;
use crate::common::envoy::{ECDS, Envoy, plugin_json};
use crate::common::{ARN, SECRET, TestService, channel, channel_with};
use crate::web::{log_in, post};
use reqwest::StatusCode;
use serde_json::{Value, json};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";

/// `pointer code` of each warning.
fn warnings(view: &Value) -> Vec<String> {
    let all = view["warnings"].as_array().unwrap().iter();
    all.map(|own| {
        let of = |name: &str| own[name].as_str().unwrap().to_owned();
        format!("{} {}", of("pointer"), of("code"))
    })
    .collect()
}

fn key(id: &str, secret: &str) -> Value {
    json!({"type": "static", "access_key_id": id, "secret_access_key": secret})
}

#[tokio::test]
async fn keys_that_cannot_be_are_refused_and_never_shown() {
    let service = TestService::start().await;
    let quoted = format!("\"{SECRET}\"");
    let named = format!("AWS_SECRET_ACCESS_KEY={SECRET}");
    let api_key = |key: &str| json!({"type": "bedrock_api_key", "api_key": key});
    let source = |key: Value| json!({"type": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/r", "source": key});
    for (credentials, secret, faults) in [
        (
            key(ID, "****"),
            "****",
            &["/credentials/secret_access_key masked_key"][..],
        ),
        (
            key(ID, &quoted),
            SECRET,
            &["/credentials/secret_access_key pasted_key"],
        ),
        (
            key(ID, &named),
            SECRET,
            &["/credentials/secret_access_key pasted_key"],
        ),
        (
            key(SECRET, ID),
            SECRET,
            &[
                "/credentials/access_key_id swapped_keys",
                "/credentials/secret_access_key swapped_keys",
            ],
        ),
        (
            api_key("ABSKabcdef|us-east-1"),
            "ABSKabcdef",
            &["/credentials/api_key pasted_key"],
        ),
        (
            api_key("\"ABSKabcdef\""),
            "ABSKabcdef",
            &["/credentials/api_key pasted_key"],
        ),
        (api_key(ID), ID, &["/credentials/api_key wrong_kind_of_key"]),
        (
            api_key("ABSK\u{200b}abcdef"),
            "abcdef",
            &["/credentials/api_key invisible_character"],
        ),
        (
            source(key(ID, "****")),
            "****",
            &["/credentials/source/secret_access_key masked_key"],
        ),
    ] {
        let reply = service
            .post(&channel_with("one", &json!({"credentials": credentials})))
            .await;
        assert_eq!(reply.problem(422), faults, "{credentials}");
        assert!(!reply.text.contains(secret), "{reply:?}");
    }
}

#[tokio::test]
async fn keys_that_hardly_work_are_stored_with_a_warning() {
    let service = TestService::start().await;
    let api_key = json!({"type": "bedrock_api_key", "api_key": "sk-proj-abcdefghijklmnop"});
    for (index, (credentials, secret, expected)) in [
        (
            key("ASIAIOSFODNN7EXAMPLE", SECRET),
            SECRET,
            "/credentials/session_token missing_session_token",
        ),
        (
            key("AIDAIOSFODNN7EXAMPLE", SECRET),
            SECRET,
            "/credentials/access_key_id unusual_key",
        ),
        (
            key(ID, "x"),
            "\"x\"",
            "/credentials/secret_access_key unusual_key",
        ),
        (api_key, "sk-proj", "/credentials/api_key unusual_key"),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = json!({"credentials": credentials});
        let reply = service
            .post(&channel_with(&format!("c{index}"), &fields))
            .await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        assert_eq!(warnings(&reply.json()), [expected]);
        assert!(!reply.text.contains(secret), "{reply:?}");
    }
}

#[tokio::test]
async fn what_nobody_sees_is_refused_wherever_it_is() {
    let service = TestService::start().await;
    for (field, value, pointer) in [
        ("name", json!("one\u{200b}"), "/name"),
        ("region", json!("us-east-1\u{feff}"), "/region"),
        (
            "endpoint",
            json!("https://bedrock.corp\u{ad}.internal"),
            "/endpoint",
        ),
        ("models", json!(["nova-pro\u{200b}"]), "/models/0"),
        (
            "model_mapping",
            json!({"gpt\u{a0}4o": "nova-pro"}),
            "/model_mapping/gpt\u{a0}4o",
        ),
        (
            "model_mapping",
            json!({"m": "nova\u{2060}-pro"}),
            "/model_mapping/m",
        ),
        (
            "inference_profile_arn_map",
            json!({"nova-pro": format!("{ARN}\u{200b}")}),
            "/inference_profile_arn_map/nova-pro",
        ),
        (
            "model_families",
            json!({"m\u{202e}": "nova"}),
            "/model_families/m\u{202e}",
        ),
        (
            "guardrail",
            json!({"identifier": "gr1abc\u{200b}", "version": "1"}),
            "/guardrail/identifier",
        ),
        (
            "credentials",
            json!({"type": "default_chain", "profile": "p\u{200b}"}),
            "/credentials/profile",
        ),
        ("api", json!("auto\u{200b}"), "/api"),
    ] {
        let reply = service
            .post(&channel_with("one", &json!({ field: value })))
            .await;
        assert_eq!(
            reply.problem(422),
            [format!("{pointer} invisible_character")]
        );
        let message = reply.json()["errors"][0]["message"].to_string();
        assert!(message.contains("U+"), "{message}");
    }
}

#[tokio::test]
async fn maps_are_taken_as_they_were_pasted() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let expected = json!({"claude-sonnet-4-5": ARN});
    for text in [
        format!("{{\"claude-sonnet-4-5\": \"{ARN}\",}}"),
        format!("\u{feff}{{\u{a0}\"claude-sonnet-4-5\": \"{ARN}\" // team a\n}}"),
        format!("```json\n{{\n  /* team a */\n  \"claude-sonnet-4-5\": \"{ARN}\",\n}}\n```\n"),
    ] {
        let reply = service
            .patch(&id, &json!({"inference_profile_arn_map": text}))
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.json()["inference_profile_arn_map"], expected);
        let blank = json!({"inference_profile_arn_map": " \n"});
        let reply = service.patch(&id, &blank).await;
        assert_eq!(reply.json()["inference_profile_arn_map"], json!({}));
    }
    for (text, message) in [
        ("{“m”: “a”}", "line 1 column 2: curly quote “; use \""),
        ("{\n  'm': 'a'}", "line 2 column 3: single quote '; use \""),
        (
            "{m: \"a\"}",
            "line 1 column 2: a key without quotes; put it in \"",
        ),
        ("{\"m\": \"a\"", "line 1 column 9: the text ends too early"),
    ] {
        let reply = service
            .patch(&id, &json!({"inference_profile_arn_map": text}))
            .await;
        let fault = ["/inference_profile_arn_map invalid_json"];
        assert_eq!(reply.problem(422), fault);
        assert_eq!(reply.json()["errors"][0]["message"], message);
    }
    // Objects in other fields likewise.
    let guardrail = "{\"identifier\": \"gr1abc\", \"version\": \"1\",} // ours";
    let reply = service.patch(&id, &json!({"guardrail": guardrail})).await;
    assert_eq!(reply.json()["guardrail"]["identifier"], "gr1abc");
    let reply = service.patch(&id, &json!({"guardrail": " "})).await;
    assert_eq!(reply.json()["guardrail"], Value::Null);
    let credentials = format!("{{“type”: “static”, “secret_access_key”: “{SECRET}”}}");
    let reply = service
        .patch(&id, &json!({"credentials": credentials}))
        .await;
    assert_eq!(reply.problem(422), ["/credentials invalid_json"]);
    assert!(!reply.text.contains(SECRET), "{reply:?}");
}

#[tokio::test]
async fn the_page_takes_what_was_pasted_and_sends_no_swapped_secret_back() {
    let service = TestService::start().await;
    let (cookie, csrf) = log_in(&service, crate::common::TOKEN).await;
    let map = format!("```json\n{{“nova-pro”: \"{ARN}\"}}\n```");
    // Without characters that a form escapes, so that it would be recognised.
    let secret = "wJalrXUtnFEMIaK7MDENGabPxRfiCYEXAMPLEKEY";
    let form = [
        ("csrf", csrf.as_str()),
        ("name", " one "),
        ("region", "us-east-1 "),
        ("credential_kind", "static"),
        ("access_key_id", secret),
        ("secret_access_key", ID),
        ("inference_profile_arn_map", &map),
    ];
    let reply = post(&service, "/channels/new", &cookie, &form).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{reply:?}");
    assert!(!reply.text.contains(secret), "the secret came back");
    assert!(
        reply.text.contains("id and secret seem to be swapped"),
        "{reply:?}"
    );
    assert!(
        reply.text.contains("line 2 column 2: curly quote “"),
        "{reply:?}"
    );
    let map = map.replace(['“', '”'], "\"");
    let good = [
        ("secret_access_key", SECRET),
        ("access_key_id", ID),
        ("inference_profile_arn_map", &map),
    ];
    let form = [&form[..], &good].concat();
    let reply = post(&service, "/channels/new", &cookie, &form).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    let list = service.get("/api/channels").await.json();
    assert_eq!(list["channels"][0]["name"], "one");
    assert_eq!(
        list["channels"][0]["inference_profile_arn_map"]["nova-pro"],
        ARN
    );
}

#[tokio::test]
async fn new_channels_match_by_model_and_others_are_warned() {
    let service = TestService::start().await;
    let map = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    let id = service.create(&channel_with("one", &map)).await;
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(view["match"], "model");
    assert_eq!(warnings(&view), [""; 0]);
    let name = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let explain = async || {
        let question = json!({"model": name}).to_string();
        let reply = service.send(reqwest::Method::POST, "/api/explain", question);
        reply.await.json()["route"].clone()
    };
    let route = explain().await;
    assert_eq!(route["model_id"], ARN);
    let because = route["because"].as_str().unwrap();
    assert!(
        because.contains("`claude-sonnet-4-5`") && because.contains("`match` is `model`"),
        "{because}"
    );
    let exact = service.patch(&id, &json!({"match": "exact"})).await.json();
    assert_eq!(warnings(&exact), ["/match passed_by"]);
    assert_eq!(explain().await["model_id"], name);
    // A body that was written without the field does not change it.
    let reply = service.put(&id, &channel_with("one", &map)).await;
    assert_eq!(reply.json()["match"], "exact");
}

#[tokio::test]
async fn an_older_filter_gets_the_field_only_where_it_matters() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    for (edit, sent) in [
        (json!({"priority": 1}), Value::Null),
        (
            json!({"inference_profile_arn_map": {"house": ARN}, "model_families": {"house": "nova"}}),
            Value::Null,
        ),
        (
            json!({"inference_profile_arn_map": {"nova-pro": ARN}}),
            json!("model"),
        ),
        (json!({"allow_model_ids": "none"}), Value::Null),
        (
            json!({"allow_model_ids": "catalogue", "match": "exact"}),
            Value::Null,
        ),
    ] {
        let reply = service.patch(&id, &edit).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let plugin = envoy.receive(ECDS).await;
        assert_eq!(plugin_json(&plugin)["channels"][0]["match"], sent, "{edit}");
        envoy.ack(&plugin).await;
    }
}

#[tokio::test]
async fn values_that_do_not_go_together_are_warned_of() {
    let service = TestService::start().await;
    let foreign = ARN.replace("123456789012", "210987654321");
    let fields = json!({
        "endpoint": "HTTPS://bedrock.us-east-1.amazonaws.com",
        "models": ["nova-pro,nova-lite", "nova-pro", "nova-pro", "nova-lite", "nova-micro"],
        "inference_profile_arn_map": {
            "nova-lite": format!("{ARN}."),
            "nova-micro": foreign,
            "nova-pro": ARN,
            "arn:aws:x": "nova-pro",
        },
    });
    let reply = service.post(&channel_with("one", &fields)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    assert_eq!(
        warnings(&reply.json()),
        [
            "/inference_profile_arn_map/arn:aws:x swapped",
            "/inference_profile_arn_map/nova-lite trailing_sign",
            "/inference_profile_arn_map/nova-micro other_account",
            "/models/0 several_names",
            "/models/2 listed_twice",
            "/endpoint other_service",
        ]
    );
}

#[tokio::test]
async fn files_are_applied_as_windows_writes_them() {
    let service = TestService::start().await;
    let file = service.dir.path().join("channels.yaml");
    let path = file.to_str().unwrap();
    let document = json!({"channels": [channel_with("one", &json!({
        "inference_profile_arn_map": format!("{{\"nova-pro\": \"{ARN}.\", // ours\n}}"),
    }))]});
    std::fs::write(&file, format!("\u{feff}{document}")).unwrap();
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(done, "{said} {error}");
    assert!(
        said.starts_with(
            "one: created by revision 1\n  warning: /inference_profile_arn_map/nova-pro: "
        ),
        "{said}"
    );
    let wide: Vec<u8> = document
        .to_string()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(&file, [b"\xff\xfe", &wide[..]].concat()).unwrap();
    let (done, _, error) = run(&service, &["apply", "-f", path]).await;
    assert!(!done && error.contains("UTF-16"), "{error}");
    std::fs::write(
        &file,
        format!("channels:\n  - name: one\n   secret: [{SECRET}"),
    )
    .unwrap();
    let (done, _, error) = run(&service, &["apply", "-f", path]).await;
    assert!(!done && error.contains("see line "), "{error}");
    assert!(!error.contains(SECRET), "{error}");
}
