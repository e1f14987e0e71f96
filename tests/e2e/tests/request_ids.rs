//! One id for each request: on every answer, in errors and in the log.

use bedrock_simulator::{Effect, Fault, Simulator};
use e2e::{Reply, Stack, run, simulator};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::failover;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// A request, the fault that it meets, and whether Bedrock answers it.
struct Case {
    request: RequestBuilder,
    fault: Option<Fault>,
    reaches_bedrock: bool,
}

/// Requests that end in every way.
fn cases(stack: &Stack, model: &str) -> Vec<Case> {
    let ask = |path: &str, body: Value| {
        let request = stack.envoy.request(Method::POST, path);
        request.json(&body)
    };
    let chat =
        json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let mut stream = chat.clone();
    stream["stream"] = json!(true);
    let calls = [
        (CHAT, &chat),
        (CHAT, &stream),
        (MESSAGES, &chat),
        (MESSAGES, &stream),
    ];
    let faults = [
        None,
        Some(Fault::error(400, "ValidationException", "No.")),
        Some(Fault::throttling().times(3)),
        Some(Fault::new(Effect::UnknownOperation).times(3)),
    ];
    let mut all: Vec<_> = faults
        .iter()
        .flat_map(|fault| calls.map(|(path, body)| (path, body, fault)))
        .map(|(path, body, fault)| Case {
            request: ask(path, body.clone()),
            fault: fault.clone(),
            reaches_bedrock: true,
        })
        .collect();
    let unknown = json!({"model": "unheard-of", "messages": [{"role": "user", "content": "Hi"}]});
    let alone = [
        ask(CHAT, json!({})),
        ask(CHAT, unknown.clone()),
        ask(MESSAGES, unknown),
        stack.envoy.request(Method::GET, CHAT),
        stack.envoy.request(Method::GET, "/v1/models"),
        stack.envoy.request(Method::GET, "/health"),
        stack.envoy.request(Method::GET, "/nothing"),
        stack.envoy.request(Method::GET, "/v1/nothing"),
    ];
    all.extend(alone.map(|request| Case {
        request,
        fault: None,
        reaches_bedrock: false,
    }));
    all
}

/// Sends them all, each with an id or without; returns the ids with those of AWS.
async fn check_all(stack: &Stack, bedrock: &Simulator, model: &str) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    for start in [Some("of-the-client/"), None, Some("of a client/")] {
        for (number, case) in cases(stack, model).into_iter().enumerate() {
            bedrock.clear();
            if let Some(fault) = case.fault {
                bedrock.inject(fault);
            }
            let own = start.map(|start| format!("{start}{number}"));
            let request = match &own {
                Some(own) => case.request.header("x-request-id", own),
                None => case.request,
            };
            let reply = stack.envoy.send(request).await;
            let id = reply.header("x-request-id").to_owned();
            match own {
                Some(own) => assert_eq!(id, own.replace(' ', "_"), "{reply:?}"),
                None => assert_eq!(id.len(), 36, "{id}: {reply:?}"),
            }
            let of_aws = reply.header("x-amzn-requestid").to_owned();
            assert_eq!(case.reaches_bedrock, !of_aws.is_empty(), "{reply:?}");
            check_messages(&reply, &id);
            seen.push((id, of_aws));
        }
    }
    seen
}

/// Anthropic's clients look for the id elsewhere too.
fn check_messages(reply: &Reply, id: &str) {
    let expected = format!("req_{id}");
    let own = reply.header("request-id");
    assert!(own.is_empty() || own == expected, "{reply:?}");
    let body: Value = serde_json::from_str(&reply.text).unwrap_or_default();
    if body["type"] == "error" {
        assert_eq!(body["request_id"], expected, "{reply:?}");
    }
}

/// The lines of Envoy's access log.
fn lines(log: &str) -> Vec<Value> {
    let lines = log.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["request_id"].is_string())
        .collect()
}

#[test]
fn every_answer_has_the_id_that_the_log_has() {
    run(async {
        let mut stack = Stack::builder()
            .argument("--anthropic-messages")
            .start()
            .await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        let seen = check_all(&stack, &bedrock, &channel.model).await;
        stack.envoy.stop();
        let log = lines(&stack.envoy.log());
        for (id, of_aws) in seen {
            let of_aws = if of_aws.is_empty() {
                Value::Null
            } else {
                json!(of_aws)
            };
            let is_it =
                |line: &&Value| line["request_id"] == *id && line["aws_request_id"] == of_aws;
            assert!(
                log.iter().any(|line| is_it(&line)),
                "{id} {of_aws}: {log:#?}"
            );
        }
    });
}

#[test]
fn so_it_is_when_requests_are_tried_several_times() {
    run(async {
        let stack = Stack::builder()
            .failover(2)
            .argument("--anthropic-messages");
        let stack = stack.start().await;
        let a = failover::region("a").await;
        failover::create(&stack, &[failover::channel("a", 0, &a)]).await;
        check_all(&stack, &a, "claude-sonnet-4-5").await;
    });
}
