//! Secrets and conversations must not appear in any log, answer, dump or file.

use std::collections::HashSet;

use bedrock_simulator::{Effect, Fault, Key, Simulator};
use e2e::{ADMIN_TOKEN, Builder, REGION, SEAL_KEY, Stack, eventually, run};
use reqwest::Method;
use serde_json::{Value, json};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "e2e-session-token-value";
const BEARER: &str = "ABSKQmVkcm9ja0FQSUtleS1vZi10aGUtZTJlLXRlc3Rz";
const PROMPT: &str = "a-word-of-the-prompt";
const CLIENT_KEY: &str = "sk-of-the-client";
const ARGUMENT: &str = "a-word-in-a-schema";

/// The fields of a line in Envoy's access log.
const FIELDS: [&str; 21] = [
    "attempts",
    "aws_request_id",
    "bytes_received",
    "bytes_sent",
    "caller",
    "channel",
    "cluster",
    "details",
    "duration_ms",
    "first_token_ms",
    "flags",
    "input_tokens",
    "method",
    "model",
    "output_tokens",
    "path",
    "profile",
    "protocol",
    "request_id",
    "status",
    "time",
];

/// The number of requests that [`chat_in_all_ways`] makes.
const WAYS: usize = 16;

/// Chats that succeed, and chats that fail in every way.
async fn chat_in_all_ways(stack: &Stack, bedrock: &Simulator, model: &str) {
    let body = json!({
        "model": model,
        "messages": [{"role": "user", "content": PROMPT}],
        "tools": [{"type": "function", "function": {"name": "f", "description": ARGUMENT}}],
    });
    let mut stream = body.clone();
    stream["stream"] = json!(true);
    let faults = [
        None,
        Some(Fault::throttling()),
        Some(Fault::error(400, "ValidationException", PROMPT)),
        Some(Fault::new(Effect::UnknownOperation)),
        Some(Fault::exception(3, "modelStreamErrorException", PROMPT)),
        Some(Fault::new(Effect::CorruptFrame { event: 3 })),
        Some(Fault::new(Effect::Cut { after_events: 3 })),
    ];
    for fault in faults {
        bedrock.clear();
        if let Some(fault) = fault {
            bedrock.inject(fault.times(2));
        }
        for body in [&body, &stream] {
            let request = stack.envoy.chat_request(body).bearer_auth(CLIENT_KEY);
            // A cut answer has no end; here only the logs matter.
            if let Ok(response) = request.send().await {
                let reply = e2e::Reply::read(response).await;
                check(
                    &reply.text,
                    &[SECRET, SESSION, ADMIN_TOKEN, CLIENT_KEY],
                    "an answer",
                );
            }
        }
    }
    let malformed = format!("{{\"model\": \"{model}\", \"messages\": [\"{PROMPT}\"], ");
    stack.envoy.chat_bytes(malformed).await;
    let wrong = json!({"model": model, "messages": [{"role": PROMPT}]});
    stack.envoy.chat(&wrong).await;
}

/// Edits that are refused, with the secrets in them.
async fn edit_badly(stack: &Stack, id: &str) {
    let path = format!("/api/channels/{id}");
    let credentials = json!({"type": "static", "access_key_id": "A", "secret_access_key": SECRET});
    for edit in [
        json!({"credentials": credentials, "region": "mars"}).to_string(),
        json!({"credentials": {"type": SECRET, "secret_access_key": SECRET}}).to_string(),
        json!({"credentials": {"type": "static", "secret_access_key": [SECRET]}}).to_string(),
        format!("{{\"credentials\": {{\"secret_access_key\": \"{SECRET}\""),
        json!({"secret_access_key": SECRET}).to_string(),
    ] {
        let reply = stack.config.call_text(Method::PATCH, &path, &edit).await;
        assert!([400, 422].contains(&reply.status), "{reply:?}");
        check(&reply.text, &[SECRET, SESSION, ADMIN_TOKEN], "a refusal");
    }
}

#[track_caller]
fn check(text: &str, secrets: &[&str], place: &str) {
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{place} contains {secret}: {line:?}");
    }
}

/// The database of a running service: the file and its write-ahead log.
#[track_caller]
fn check_database(stack: &Stack) {
    let mut read = 0;
    for entry in std::fs::read_dir(stack.scratch.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("channels.db") {
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            check(&text, &[SECRET, SESSION, ADMIN_TOKEN], "the database");
            read += usize::from(text.contains("sealed:v1:e2e:"));
        }
    }
    assert!(read > 0, "no file holds the sealed credentials");
}

#[test]
fn an_envoy_without_the_key_is_never_active_and_says_what_it_lacks() {
    run(async {
        let stack = Stack::builder().envoy_seal_key("");
        let stack = stack.start_unready().await;
        let body = json!({
            "name": "sealed",
            "region": REGION,
            "credentials": {
                "type": "static",
                "access_key_id": "AKIDEXAMPLE",
                "secret_access_key": SECRET,
            },
        });
        stack.config.create(&body).await;
        let fault = "is sealed under the key `e2e`, which is not in BEDROCK_SEAL_KEY of Envoy's environment";
        eventually("Envoy says what it lacks", async || {
            stack.envoy.log().contains(fault).then_some(())
        })
        .await;
        eventually("the status says so", async || {
            let status = stack.config.status().await;
            let state = status["envoys"][0]["state"].as_str()?.to_owned();
            assert_ne!(state, "active");
            (state == "rejected").then_some(())
        })
        .await;
        check(&stack.envoy.log(), &[SECRET, "sealed:v1"], "Envoy's log");
    });
}

/// Envoy's access log has one line for each request, with what docs/METRICS.md says.
#[track_caller]
fn check_access_log(log: &str, chats: usize) {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["method"] == "POST").collect();
    assert_eq!(lines.len(), chats, "{log}");
    let mut ids = HashSet::new();
    for line in &lines {
        let mut fields: Vec<_> = line.as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, FIELDS, "{line}");
        assert!(line["status"].is_number(), "{line}");
        let path = line["path"].as_str().unwrap_or_default();
        let cluster = line["cluster"].as_str().unwrap_or_default();
        // What goes to Bedrock is logged as sent.
        let is_sent = path.starts_with("/model/") && path.contains("/invoke");
        assert!(is_sent || path == "/v1/chat/completions", "{line}");
        assert_eq!(
            is_sent,
            cluster.starts_with("bedrock|http|127_0_0_1|"),
            "{line}"
        );
        assert!(is_sent || line["status"] == 400, "{line}");
        // AWS's id is there for what went to Bedrock.
        let id = if is_sent {
            "aws_request_id"
        } else {
            "request_id"
        };
        assert!(line["status"] != 200 || line[id].is_string(), "{line}");
        assert!(
            line[id].is_null() || ids.insert(line[id].to_string()),
            "an id twice: {line}"
        );
    }
    let served = lines.iter().filter(|line| line["status"] == 200);
    assert!(served.count() >= 2, "{log}");
}

#[test]
fn nothing_shows_a_secret_or_a_prompt() {
    run(async {
        let stack = Stack::builder().config_log("debug").envoy_log("info");
        let mut stack = stack.start().await;
        let key = Key::new("ASIAEXAMPLE", SECRET).with_session_token(SESSION);
        let bedrock = Simulator::builder().credentials(key).region(REGION);
        let bedrock = bedrock.start().await.unwrap();
        let mut fields = json!({"credentials": {
            "type": "static",
            "access_key_id": "ASIAEXAMPLE",
            "secret_access_key": SECRET,
            "session_token": SESSION,
        }});
        let channel = stack.channel_with(&bedrock, &fields).await;
        chat_in_all_ways(&stack, &bedrock, &channel.model).await;
        // The secret also goes to Envoy in a cluster.
        fields["signer"] = json!("envoy");
        let signed_by_envoy = stack.channel_with(&bedrock, &fields).await;
        chat_in_all_ways(&stack, &bedrock, &signed_by_envoy.model).await;
        edit_badly(&stack, &channel.id).await;
        let unauthorized = reqwest::Client::new().get(stack.config.url("/api/channels"));
        let answer = unauthorized.bearer_auth(CLIENT_KEY).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        for path in ["/api/channels", "/api/status"] {
            let reply = stack.config.call(Method::GET, path, &Value::Null).await;
            check(&reply.text, &[SECRET, SESSION, ADMIN_TOKEN], path);
        }
        let dump = stack.envoy.admin_page("/config_dump?include_eds").await;
        // The channel is in the dump, sealed.
        assert!(dump.contains(&channel.model), "{dump}");
        assert!(dump.contains("sealed:v1:e2e:"), "{dump}");
        let key = SEAL_KEY.split_once(':').unwrap().1;
        check(&dump, &[SECRET, SESSION, ADMIN_TOKEN, key], "/config_dump");
        check_database(&stack);
        let status = stack.config.status().await;
        stack.envoy.stop();
        let hidden = [
            key,
            SECRET,
            SESSION,
            ADMIN_TOKEN,
            CLIENT_KEY,
            PROMPT,
            ARGUMENT,
            "AWS4-HMAC",
        ];
        let log = stack.envoy.log();
        check_access_log(&log, 2 * WAYS);
        let revision = status["revision"].as_u64().unwrap();
        for revision in 0..=revision {
            let active = format!("plugin configuration of revision {revision} is active");
            assert!(log.contains(&active), "{active}: {log}");
        }
        check(&log, &hidden, "Envoy's log");
        let log = stack.config.log();
        assert!(log.contains("channel edited"), "{log}");
        check(&log, &hidden, "the config-service's log");
    });
}

/// Chats through a channel whose credentials are sent as they are, while Envoy logs at debug level, and
/// returns the log.
async fn logged_at_debug(builder: Builder, credentials: &Value) -> String {
    let mut stack = builder.start().await;
    let key = Key::new("ASIAEXAMPLE", SECRET).with_session_token(SESSION);
    let bedrock = Simulator::builder().credentials(key).bearer_key(BEARER);
    let bedrock = bedrock.region(REGION).start().await.unwrap();
    let channel = stack
        .channel_with(&bedrock, &json!({"credentials": credentials}))
        .await;
    stack.envoy.set_log_level("debug").await;
    for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    stack.envoy.stop();
    let log = stack.envoy.log();
    assert!(log.contains("request headers complete"), "nothing of debug");
    log
}

/// Credentials that are themselves sent as secrets.
fn sent_secrets() -> [Value; 2] {
    [
        json!({"type": "bedrock_api_key", "api_key": BEARER}),
        json!({
            "type": "static",
            "access_key_id": "ASIAEXAMPLE",
            "secret_access_key": SECRET,
            "session_token": SESSION,
        }),
    ]
}

#[test]
fn with_failover_envoys_debug_logs_show_no_credentials() {
    run(async {
        for credentials in sent_secrets() {
            let log = logged_at_debug(Stack::builder().failover(2), &credentials).await;
            check(&log, &[SECRET, SESSION, BEARER], "Envoy's debug log");
        }
    });
}

/// This cannot be prevented: the router prints the headers that it sends. docs/OPERATIONS.md says so; if it is
/// no longer true, that is good news.
#[test]
fn without_failover_envoys_debug_logs_show_credentials_as_documented() {
    run(async {
        for (credentials, shown) in sent_secrets().iter().zip([BEARER, SESSION]) {
            let log = logged_at_debug(Stack::builder(), credentials).await;
            assert!(
                log.contains(shown),
                "the warning in docs/OPERATIONS.md is no longer needed"
            );
            check(&log, &[SECRET], "Envoy's debug log");
        }
    });
}
