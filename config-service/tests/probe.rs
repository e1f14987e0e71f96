//! Real requests through a channel, to a simulator that checks them.

use crate::apply::run;
use crate::common::{ARN, Reply, TestService};
use std::time::{Duration, Instant};

use bedrock_simulator::{Effect, Fault, Key, Pace, Simulator};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const SECRET: &str = "secret-of-the-test";

async fn simulator() -> Simulator {
    let builder = Simulator::builder().credentials(Key::new("AKIDTEST", SECRET));
    builder.region("us-east-1").start().await.unwrap()
}

fn channel(endpoint: &str, secret: &str) -> Value {
    json!({
        "name": "one",
        "region": "us-east-1",
        "endpoint": endpoint,
        "enabled": false,
        "credentials": {"type": "static", "access_key_id": "AKIDTEST", "secret_access_key": secret},
        "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
    })
}

async fn test(service: &TestService, id: &str, plan: &Value) -> Reply {
    let path = format!("/api/channels/{id}/test");
    service.send(Method::POST, &path, plan.to_string()).await
}

/// `stage ok` of each stage of a result.
fn stages(result: &Value) -> Vec<String> {
    let stages = result["stages"].as_array().unwrap().iter();
    stages
        .map(|own| format!("{} {}", own["stage"].as_str().unwrap(), own["ok"]))
        .collect()
}

#[tokio::test]
async fn an_answer_gets_the_time_that_the_channel_allows() {
    let bedrock = simulator().await;
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--trusted-endpoints", &bedrock.url()]).await;
    let mut channel = channel(&bedrock.url(), SECRET);
    channel["request_timeout_seconds"] = json!(1);
    let id = service.create(&channel).await;
    bedrock.inject(Fault::paced(Pace {
        before_headers_ms: 600_000,
        ..Pace::default()
    }));
    let plan = json!({"models": ["gpt-4o"], "stream": false});
    let report = test(&service, &id, &plan).await.json();
    let result = &report["results"][0];
    assert_eq!(stages(result), ["prepare true", "connect false"]);
    let detail = result["stages"][1]["detail"].as_str().unwrap();
    assert!(detail.contains("no answer started within 1 s"), "{detail}");
}

#[tokio::test]
async fn every_model_is_tested_plain_and_streamed() {
    let service = TestService::start().await;
    let bedrock = simulator().await;
    let id = service.create(&channel(&bedrock.url(), SECRET)).await;
    let report = test(&service, &id, &json!({"prompt": "Say something."}))
        .await
        .json();
    assert_eq!(report["ok"], true, "{report:#}");
    let results = report["results"].as_array().unwrap();
    let asked: Vec<_> = results
        .iter()
        .map(|own| format!("{} {}", own["model"].as_str().unwrap(), own["stream"]))
        .collect();
    assert_eq!(
        asked,
        [
            "claude-sonnet-4-5 false",
            "claude-sonnet-4-5 true",
            "gpt-4o false",
            "gpt-4o true",
        ]
    );
    for result in results {
        assert_eq!(
            stages(result),
            ["prepare true", "connect true", "status true", "decode true"]
        );
        assert!(
            result["answer"]
                .as_str()
                .unwrap()
                .contains("Say something."),
            "{result}"
        );
    }
    let requests = bedrock.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(bedrock_simulator::Recorded::was_valid));
    // Headers that control Envoy must not reach Bedrock.
    let mut names = requests
        .iter()
        .flat_map(|own| &own.headers)
        .map(|own| &own.0);
    let steers = |name: &String| name.starts_with("x-envoy-") || name.starts_with("x-bedrock-");
    assert_eq!(names.find(|name| steers(name)), None);
    let one = test(
        &service,
        &id,
        &json!({"models": ["gpt-4o"], "stream": true}),
    )
    .await
    .json();
    assert_eq!(one["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_protocol_is_tested() {
    let service = TestService::start().await;
    let bedrock = simulator().await;
    let id = service.create(&channel(&bedrock.url(), SECRET)).await;
    for protocol in ["openai_chat", "openai_responses", "anthropic_messages"] {
        let plan = json!({"models": ["gpt-4o"], "protocol": protocol, "prompt": "Say something."});
        let report = test(&service, &id, &plan).await.json();
        assert_eq!(report["ok"], true, "{protocol}: {report:#}");
        let results = report["results"].as_array().unwrap();
        assert_eq!(results.len(), 2, "{protocol}");
        for result in results {
            let answer = result["answer"].as_str().unwrap();
            assert!(answer.contains("Say something."), "{protocol}: {result}");
            let usage = result["usage"].as_object().unwrap();
            let output = usage
                .iter()
                .find(|(name, _)| ["completion_tokens", "output_tokens"].contains(&name.as_str()));
            let output = output.unwrap().1.as_u64().unwrap();
            assert!(output > 0, "{protocol}: {result}");
        }
        let words = [
            "test",
            "one",
            "--models",
            "gpt-4o",
            "--stream",
            "true",
            "--protocol",
            protocol,
        ];
        let (done, said, error) = run(&service, &words).await;
        assert!(done, "{protocol}: {error}");
        let report: Value = serde_saphyr::from_str(&said).unwrap();
        assert_eq!(report["results"][0]["stream"], true, "{said}");
    }
    let (done, said, error) = run(&service, &["test", "one", "--models", "no-such-model"]).await;
    assert!(!done && error.contains("the test failed"), "{error}");
    assert!(said.contains("prepare"), "{said}");
    let plan = json!({"models": ["gpt-4o"], "protocol": "openai"});
    test(&service, &id, &plan).await.problem(400);
}

#[tokio::test]
async fn failures_are_reported_by_stage_with_a_remedy_and_without_secrets() {
    let service = TestService::start().await;
    let bedrock = simulator().await;
    let id = service
        .create(&channel(&bedrock.url(), "mistyped-secret"))
        .await;
    let plan = json!({"models": ["gpt-4o"], "stream": false, "prompt": "a private prompt"});
    let reply = test(&service, &id, &plan).await;
    assert!(!reply.text.contains("mistyped-secret") && !reply.text.contains("a private prompt"));
    let result = &reply.json()["results"][0];
    assert_eq!(
        stages(result),
        ["prepare true", "connect true", "status false"]
    );
    let remedy = result["stages"][2]["remedy"].as_str().unwrap();
    assert!(remedy.contains("secret_access_key"), "{remedy}");

    let right = json!({"credentials": channel("", SECRET)["credentials"]});
    service.patch(&id, &right).await;
    bedrock.inject(Fault::throttling());
    let result = &test(&service, &id, &plan).await.json()["results"][0];
    assert!(
        result["stages"][2]["remedy"]
            .as_str()
            .unwrap()
            .contains("quota")
    );
    bedrock.inject(Fault::new(Effect::Truncate { after_events: 2 }));
    let plan = json!({"models": ["gpt-4o"], "stream": true});
    let result = &test(&service, &id, &plan).await.json()["results"][0];
    assert_eq!(result["ok"], false, "{result:#}");

    let gone = channel("http://127.0.0.1:1", SECRET);
    service.put(&id, &gone).await;
    let result = &test(&service, &id, &plan).await.json()["results"][0];
    assert_eq!(stages(result), ["prepare true", "connect false"]);
    let plan = json!({"models": ["no-such-model"]});
    let result = &test(&service, &id, &plan).await.json()["results"][0];
    assert_eq!(stages(result), ["prepare false"]);
}

#[tokio::test]
async fn an_invalid_plan_is_refused() {
    let service = TestService::start().await;
    let mut open = channel("http://127.0.0.1:1", SECRET);
    for map in ["model_mapping", "inference_profile_arn_map"] {
        open[map] = json!({});
    }
    let id = service.create(&open).await;
    for plan in [
        json!({}),
        json!({"modles": ["m"]}),
        json!({"models": (0..21).map(|n| n.to_string()).collect::<Vec<_>>()}),
        json!({"models": ["m"], "prompt": "x".repeat(5000)}),
    ] {
        test(&service, &id, &plan).await.problem(400);
    }
    test(&service, "none", &json!({"models": ["m"]}))
        .await
        .problem(404);
}

/// A host that gives every request this answer; with `None` it never answers.
async fn host(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Some(answer) = answer {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            } else {
                open.push(stream);
            }
        }
    });
    url
}

#[tokio::test]
async fn a_test_does_not_reveal_what_listens_where() {
    let service = TestService::start().await;
    let json = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 27\r\n\r\n\
                {\"message\":\"of the inside\"}";
    let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n";
    let origins = [
        "http://127.0.0.1:1".to_owned(),
        "https://no-such-host.invalid".to_owned(),
        host(None).await,
        host(Some("SSH-2.0-OpenSSH_9.9\r\n")).await,
        host(Some("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")).await,
        host(Some(json)).await,
        host(Some(redirect)).await,
    ];
    let tests = origins.iter().enumerate().map(|(number, origin)| {
        let service = &service;
        async move {
            let mut channel = channel(origin, SECRET);
            channel["name"] = json!(format!("c{number}"));
            let id = service.create(&channel).await;
            let start = Instant::now();
            let mut report = test(service, &id, &json!({})).await.json();
            assert!(start.elapsed() >= Duration::from_secs(10), "{report}");
            let stages = &mut report["results"][0]["stages"];
            assert_eq!(stages[1]["stage"], "connect");
            for stage in stages.as_array_mut().unwrap() {
                let elapsed = stage["elapsed_ms"].take().as_u64().unwrap();
                assert!(stage["ok"] == true || elapsed >= 10_000, "{stage}");
            }
            report["results"][0]["elapsed_ms"].take();
            report.to_string().replace(origin, "ORIGIN")
        }
    });
    let told = futures::future::join_all(tests).await;
    for one in &told {
        assert_eq!(one, &told[0]);
        assert!(one.contains("ORIGIN did not answer like Bedrock"), "{one}");
    }
}

#[tokio::test]
async fn a_trusted_hosts_answer_is_shown_in_full() {
    let inside = host(Some(
        "HTTP/1.1 418 I'm a teapot\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let gone = "http://127.0.0.1:1";
    let trusted = format!("{inside},{gone}");
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--trusted-endpoints", &trusted]).await;
    for (name, origin, told) in [("a", inside.as_str(), "HTTP 418"), ("b", gone, "refused")] {
        let mut channel = channel(origin, SECRET);
        channel["name"] = json!(name);
        let id = service.create(&channel).await;
        let reply = test(&service, &id, &json!({"models": ["gpt-4o"]})).await;
        assert!(reply.text.contains(told), "{reply:?}");
    }
}

#[tokio::test]
async fn a_channel_is_tested_although_every_client_needs_a_key() {
    let bedrock = simulator().await;
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--trusted-endpoints", &bedrock.url()]).await;
    let id = service.create(&channel(&bedrock.url(), SECRET)).await;
    crate::callers::set_mode(&service, "required").await;
    let report = test(&service, &id, &json!({"models": ["gpt-4o"]}))
        .await
        .json();
    assert_eq!(report["ok"], true, "{report:#}");
}
