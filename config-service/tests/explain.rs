//! Explains where a request would go, without calling AWS.

use crate::apply::run;
use crate::common::{self, ARN, Reply, SECRET, SESSION_TOKEN, TestService, channel, channel_with};
use reqwest::Method;
use serde_json::{Value, json};

async fn explain(service: &TestService, question: &Value) -> Reply {
    service
        .send(Method::POST, "/api/explain", question.to_string())
        .await
}

#[tokio::test]
async fn a_model_is_followed_through_mapping_and_arn_to_the_body() {
    let service = TestService::start().await;
    let off = json!({"enabled": false});
    service.create(&channel_with("off", &off)).await;
    let listed = json!({"models": ["other"], "model_mapping": {"other": "nova-pro"}});
    service.create(&channel_with("listed", &listed)).await;
    let mapped = json!({
        "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
    });
    service.create(&channel_with("mapped", &mapped)).await;
    let question = json!({"request": {
        "model": "gpt-4o",
        "temperature": 0.5,
        "user": "somebody",
        "messages": [{"role": "user", "content": "Hi"}],
    }});
    let reply = explain(&service, &question).await;
    for secret in [SECRET, SESSION_TOKEN] {
        assert!(!reply.text.contains(secret), "{reply:?}");
    }
    let told = reply.json();
    let reasons: Vec<_> = told["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| format!("{} {} {}", own["name"], own["serves"], own["reason"]))
        .collect();
    assert_eq!(
        reasons,
        [
            r#""off" false "it is disabled""#,
            r#""listed" false "its `models` does not have the name""#,
            r#""mapped" true "it is the first that serves the model""#,
        ]
    );
    let route = &told["route"];
    assert_eq!(route["channel"], "mapped");
    assert_eq!(route["rule"], "inference_profile_arn_map");
    assert_eq!(route["model_id"], ARN);
    assert_eq!(route["family"], "anthropic");
    let upstream = &told["upstream"];
    assert_eq!(
        upstream["origin"],
        "https://bedrock-runtime.us-east-1.amazonaws.com"
    );
    let path = upstream["path"].as_str().unwrap();
    assert!(
        path.starts_with("/model/arn%3Aaws%3Abedrock") && path.ends_with("/invoke"),
        "{path}"
    );
    assert_eq!(upstream["canonical_uri"], path.replace('%', "%25"));
    assert_eq!(upstream["headers"]["authorization"], "[masked]");
    assert_eq!(upstream["headers"]["x-amz-security-token"], "[masked]");
    assert_eq!(upstream["body"]["temperature"], 0.5);
    assert_eq!(upstream["body"]["anthropic_version"], "bedrock-2023-05-31");
    let parameters = told["parameters"].as_array().unwrap();
    let treatment = |name: &str| {
        let own = parameters.iter().find(|own| own["name"] == name).unwrap();
        own["treatment"].as_str().unwrap()
    };
    assert_eq!(treatment("temperature"), "translated");
    assert_eq!(treatment("messages"), "translated");
}

#[tokio::test]
async fn unknown_parameters_are_reported() {
    let service = TestService::start().await;
    for (name, setting, expected) in [
        ("lenient", json!(null), "left_out"),
        ("strict", json!("refuse"), "refused"),
    ] {
        let fields = json!({"unknown_parameters": setting, "model_mapping": {name: "nova-pro"}});
        service.create(&channel_with(name, &fields)).await;
        let question = json!({"request": {
            "model": name,
            "min_p": 0.1,
            "logprobs": false,
            "extra_body": {"top_k": 5, "provider": {}},
            "messages": [{"role": "user", "content": "Hi"}],
        }});
        let told = explain(&service, &question).await.json();
        let parameters = told["parameters"].as_array().unwrap();
        for (name, expected) in [
            ("min_p", expected),
            ("extra_body.provider", expected),
            ("extra_body.top_k", "translated"),
            ("logprobs", "left_out"),
        ] {
            let own = parameters.iter().find(|own| own["name"] == name).unwrap();
            assert_eq!(own["treatment"], expected, "{own}");
        }
        assert_eq!(told["refused"].is_null(), setting.is_null(), "{told}");
    }
}

#[tokio::test]
async fn every_protocol_is_explained() {
    let service = TestService::start().await;
    let mapped = json!({"model_mapping": {"mine": "claude-sonnet-4-5"}});
    service.create(&channel_with("one", &mapped)).await;
    let responses = json!({
        "model": "mine", "input": "Hi", "store": true, "background": false, "min_p": 1,
        "reasoning": {"effort": "low", "mode": "x"}, "text": {"verbosity": "low"}, "truncation": "auto",
        "max_output_tokens": 50, "previous_response_id": null,
    });
    let messages = json!({
        "model": "mine", "max_tokens": 50, "top_k": 5, "messages": [{"role": "user", "content": "Hi"}],
    });
    let cases = [
        (
            "openai_responses",
            responses,
            vec![
                ("model", "translated"),
                ("input", "translated"),
                ("store", "left_out"),
                ("background", "left_out"),
                ("min_p", "left_out"),
                ("reasoning.effort", "translated"),
                ("reasoning.mode", "left_out"),
                ("text.verbosity", "left_out"),
                ("truncation", "left_out"),
                ("max_output_tokens", "translated"),
                ("previous_response_id", "left_out"),
            ],
        ),
        (
            "anthropic_messages",
            messages,
            vec![("top_k", "translated"), ("max_tokens", "translated")],
        ),
    ];
    for (protocol, request, expected) in cases {
        let question = json!({"protocol": protocol, "request": request});
        let told = explain(&service, &question).await.json();
        let said = &told["upstream"]["body"]["messages"][0]["content"];
        assert!(said.to_string().contains("Hi"), "{told}");
        let parameters = told["parameters"].as_array().unwrap();
        for (name, treatment) in expected {
            let own = parameters.iter().find(|own| own["name"] == name).unwrap();
            assert_eq!(own["treatment"], treatment, "{protocol} {own}");
        }
    }
    let stored = json!({"model": "mine", "input": "Hi", "previous_response_id": "resp_1"});
    let question = json!({"protocol": "openai_responses", "request": stored});
    let told = explain(&service, &question).await.json();
    assert_eq!(told["refused"]["error"]["param"], "previous_response_id");
    let parameters = told["parameters"].as_array().unwrap();
    let refused = json!({"name": "previous_response_id", "treatment": "refused"});
    assert!(parameters.contains(&refused), "{told}");
    let unknown = json!({"protocol": "openai", "model": "mine"});
    explain(&service, &unknown).await.problem(400);
}

#[tokio::test]
async fn a_terminal_explains_and_tests_in_every_protocol() {
    let service = TestService::start().await;
    let off = json!({"enabled": false, "model_mapping": {"mine": "claude-sonnet-4-5"}});
    service.create(&channel_with("off", &off)).await;
    for protocol in ["openai_chat", "openai_responses", "anthropic_messages"] {
        let words = [
            "explain",
            "mine",
            "--protocol",
            protocol,
            "--channel",
            "off",
        ];
        let (done, said, error) = run(&service, &words).await;
        assert!(done, "{error}");
        let told: Value = serde_saphyr::from_str(&said).unwrap();
        assert_eq!(told["route"]["channel"], "off", "{said}");
        assert_eq!(told["upstream"]["headers"]["authorization"], "[masked]");
    }
    let file = service.dir.path().join("request.json");
    let request = json!({"model": "mine", "input": "Hi", "background": true});
    std::fs::write(&file, request.to_string()).unwrap();
    let words = [
        "explain",
        "-f",
        file.to_str().unwrap(),
        "--protocol",
        "openai_responses",
    ];
    let (done, said, error) = run(&service, &words).await;
    assert!(done, "{error}");
    let told: Value = serde_saphyr::from_str(&said).unwrap();
    assert_eq!(told["refused"]["error"]["param"], "background", "{said}");
    for (words, reason) in [
        (&["explain"][..], "required"),
        (&["explain", "m", "--protocol", "openai"], "openai_chat"),
        (&["explain", "m", "--channel", "none"], "no channel `none`"),
        (&["test", "none"], "no channel `none`"),
        (&["test", "off", "--protocol", "chat"], "openai_chat"),
    ] {
        let (done, _, error) = run(&service, words).await;
        assert!(!done && error.contains(reason), "{words:?}: {error}");
    }
}

#[tokio::test]
async fn models_that_a_channel_does_not_allow_are_explained() {
    let service = TestService::start().await;
    for (name, allowed) in [("closed", "none"), ("known", "catalogue"), ("open", "any")] {
        let fields = json!({"allow_model_ids": allowed});
        service.create(&channel_with(name, &fields)).await;
    }
    let reasons = async |model: &str| {
        let told = explain(&service, &json!({"model": model})).await.json();
        let own = told["channels"].as_array().unwrap().iter();
        own.map(|own| own["reason"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let closed = "its `allow_model_ids` is `none`, and it does not map the name";
    assert_eq!(
        reasons("nova-pro").await,
        [
            closed,
            "it is the first that serves the model",
            "it also serves the model, but comes later in the order",
        ]
    );
    assert_eq!(
        reasons("anthropic.claude-next-9-9").await,
        [
            closed,
            "its `allow_model_ids` is `catalogue`, which does not have the name",
            "it is the first that serves the model",
        ]
    );
}

#[tokio::test]
async fn a_disabled_channel_can_be_asked_by_id() {
    let service = TestService::start().await;
    let off = json!({"enabled": false, "region": "eu-west-1"});
    let id = service.create(&channel_with("off", &off)).await;
    let question = json!({"model": "claude-sonnet-4-5", "channel": id});
    let told = explain(&service, &question).await.json();
    assert_eq!(
        told["route"]["model_id"],
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    );
    assert_eq!(told["route"]["rule"], "catalog");
    assert!(told["channels"][0]["serves"].as_bool().unwrap());
    let nowhere = explain(&service, &json!({"model": "claude-sonnet-4-5"}))
        .await
        .json();
    assert!(nowhere.get("route").is_none());
    assert_eq!(nowhere["refused"]["status"], 404);
}

#[tokio::test]
async fn a_refused_request_is_explained_with_the_filters_error() {
    let service = TestService::start().await;
    service.create(&common::channel("one")).await;
    let question =
        json!({"request": {"model": "claude-sonnet-4-5", "temperature": 9, "messages": []}});
    let told = explain(&service, &question).await.json();
    assert_eq!(told["refused"]["status"], 400);
    assert_eq!(told["refused"]["error"]["param"], "temperature");
    for wrong in [
        json!({}),
        json!({"model": "m", "request": {}}),
        json!({"request": []}),
        json!({"modell": "m"}),
    ] {
        explain(&service, &wrong).await.problem(400);
    }
    let question = json!({"model": "m", "channel": "none"});
    explain(&service, &question).await.problem(404);
}

/// A service with names that choose, and one channel that serves every model.
async fn choosing() -> TestService {
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let file = dir.path().join("choices.json");
    let choices = json!({
        "fast": ["nova-lite", "claude-haiku-4-5"],
        "auto": {
            "rules": [
                {"when": {"tag": "high"}, "use": "claude-sonnet-4-5"},
                {"when": {"prompt_tokens_over": 1000}, "use": "nova-pro"},
            ],
            "else": "fast",
        },
    });
    std::fs::write(&file, choices.to_string()).unwrap();
    let arguments = ["--model-choices", file.to_str().unwrap()];
    let service = TestService::start_in(dir, &arguments).await;
    service.create(&channel_with("open", &json!({}))).await;
    service
}

#[tokio::test]
async fn a_choice_is_explained_with_its_reason() {
    let service = choosing().await;
    let long = "word ".repeat(1000);
    for (name, text, model, because) in [
        ("fast", "Hi", "nova-lite", "stands for"),
        ("auto", "Hi", "nova-lite", "no rule"),
        ("auto", "[high] Hi", "claude-sonnet-4-5", "rule 1"),
        ("auto", &long, "nova-pro", "rule 2"),
    ] {
        let request = json!({"model": name, "messages": [{"role": "user", "content": text}]});
        let told = explain(&service, &json!({"request": request})).await.json();
        let choice = &told["choice"];
        assert_eq!(choice["model"], model, "{told}");
        assert!(
            choice["because"].as_str().unwrap().contains(because),
            "{choice}"
        );
        assert!(
            told["route"]["model_id"].as_str().unwrap().contains(model),
            "{told}"
        );
        assert!(
            told["upstream"]["path"].as_str().unwrap().contains(model),
            "{told}"
        );
        assert_eq!(told["channels"][0]["serves"], true, "{told}");
    }
    let request = json!({"model": "nova-lite", "messages": [{"role": "user", "content": "Hi"}]});
    let told = explain(&service, &json!({"request": request})).await.json();
    assert!(told.get("choice").is_none(), "{told}");
}

#[tokio::test]
async fn where_everybody_needs_a_key_the_service_itself_needs_none() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    crate::callers::set_mode(&service, "required").await;
    let question = json!({"model": "claude-sonnet-4-5"});
    let told = explain(&service, &question).await.json();
    assert_eq!(told["refused"], Value::Null, "{told}");
    assert!(told["upstream"].is_object(), "{told}");
}

#[tokio::test]
async fn what_a_caller_would_get_is_explained_in_every_mode() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let body = json!({"name": "team-a", "models": ["claude-*"], "service_tier": "flex"});
    let path = crate::callers::create(&service, &body).await;
    let ask = async |model: &str| {
        let question = json!({"model": model, "caller": "team-a"});
        explain(&service, &question).await.json()
    };
    for mode in ["off", "required"] {
        crate::callers::set_mode(&service, mode).await;
        let served = ask("claude-sonnet-4-5").await;
        assert_eq!(served["route"]["channel"], "one", "{mode}: {served}");
        let refused = ask("nova-lite").await;
        assert_eq!(refused["refused"]["status"], 404, "{mode}: {refused}");
        assert_eq!(refused["channels"][0]["serves"], false, "{mode}: {refused}");
    }
    let body = json!({"enabled": false}).to_string();
    service.send(Method::PATCH, &path, body).await;
    let refused = ask("claude-sonnet-4-5").await;
    assert_eq!(
        refused["refused"]["error"]["code"], "caller_disabled",
        "{refused}"
    );
    let unknown = json!({"model": "nova-lite", "caller": "nobody"});
    explain(&service, &unknown).await.problem(404);
}
