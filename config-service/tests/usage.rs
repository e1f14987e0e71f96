//! What requests used, from an Envoy's report to the API, the page and the commands.

mod budgets;
mod prices;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bedrock_filter::usage::{Record, RecordId, Tokens};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::common::{DEADLINE, Reply, TOKEN, TestService};

/// A report as it travels; the records are the filter's own bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Report {
    #[prost(bytes = "vec", repeated, tag = "1")]
    records: Vec<Vec<u8>>,
    #[prost(uint64, tag = "2")]
    dropped: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Ack {
    #[prost(message, repeated, tag = "1")]
    exhausted: Vec<Exhausted>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Exhausted {
    #[prost(string, tag = "1")]
    caller: String,
    #[prost(uint64, tag = "2")]
    resets_at: u64,
    #[prost(uint32, tag = "3")]
    budget: u32,
}

/// A service that records usage.
pub async fn recording(dir: &Arc<TempDir>, extra: &[&str]) -> TestService {
    let database = dir.path().join("usage.db");
    let flag = format!("--usage-database={}", database.display());
    let arguments: Vec<_> = [flag.as_str()].iter().chain(extra).copied().collect();
    TestService::start_in(Arc::clone(dir), &arguments).await
}

#[derive(Clone, PartialEq, prost::Message)]
struct Asked {
    #[prost(string, tag = "1")]
    caller: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Figures {
    #[prost(bytes = "vec", tag = "1")]
    json: Vec<u8>,
}

/// Calls a method of the usage service, as an Envoy does.
async fn call<Q, A>(service: &TestService, method: &'static str, question: Q) -> Result<A, Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let endpoint = Endpoint::from_shared(format!("http://{}", service.xds_addr())).unwrap();
    let mut client = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    let codec: ProstCodec<Q, A> = ProstCodec::default();
    let path = PathAndQuery::from_static(method);
    let answer = client.unary(Request::new(question), path, codec).await?;
    Ok(answer.into_inner())
}

pub async fn report(
    service: &TestService,
    records: &[Record],
    dropped: u64,
) -> Result<Ack, Status> {
    let report = Report {
        records: records.iter().map(Record::encode).collect(),
        dropped,
    };
    call(service, "/bedrock.usage.v1.Usage/Report", report).await
}

/// What a caller is told of its own usage.
async fn figures(service: &TestService, caller: &str) -> Value {
    let asked = Asked {
        caller: caller.to_owned(),
    };
    let figures = call(service, "/bedrock.usage.v1.Usage/Figures", asked).await;
    let Figures { json } = figures.unwrap();
    serde_json::from_slice(&json).unwrap()
}

pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// A chat that cost 0.0024 dollars.
pub fn chat(number: u8, caller: &str) -> Record {
    Record {
        id: RecordId([number; 16]),
        at_ms: now_ms(),
        caller: caller.to_owned(),
        channel: "team-a".to_owned(),
        region: "us-east-1".to_owned(),
        model: "nova-pro".to_owned(),
        model_id: "amazon.nova-pro-v1:0".to_owned(),
        base_model: "amazon.nova-pro-v1:0".to_owned(),
        endpoint: "openai_chat",
        outcome: "answered",
        tokens: Tokens {
            input: 1_000,
            output: 500,
            ..Tokens::default()
        },
        attempts: 1,
        duration_ms: 900,
        first_token_ms: Some(100),
        ..Record::default()
    }
}

async fn usage(service: &TestService, query: &str) -> Value {
    let reply = service.get(&format!("/api/usage{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

#[tokio::test]
async fn what_is_reported_is_summed_up_once() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let batch = [chat(1, "ann"), chat(2, "bob"), chat(3, "bob")];
    report(&service, &batch, 0).await.unwrap();
    // The first answer was lost.
    report(&service, &batch, 4).await.unwrap();
    let all = usage(&service, "?by=caller&order=cost").await;
    let lines = all["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2, "{all}");
    assert_eq!(lines[0]["caller"], "bob");
    assert_eq!(
        (&lines[0]["requests"], &lines[0]["cost_nano_usd"]),
        (&2.into(), &4_800_000.into())
    );
    assert_eq!(lines[0]["input_tokens"], 2_000);
    assert_eq!(all["dropped"], 4);
    assert_eq!(all["duration_ms"]["p50"], 1_024.0);
    assert_eq!(all["first_token_ms"]["p99"], 128.0);
    let one = usage(&service, "?by=model&caller=ann").await;
    assert_eq!(one["lines"][0]["model"], "nova-pro");
    assert_eq!(one["lines"][0]["requests"], 1);
    service.shutdown().await;
    // What is stored survives.
    let service = recording(&dir, &[]).await;
    report(&service, &[chat(1, "ann")], 0).await.unwrap();
    assert_eq!(usage(&service, "").await["lines"][0]["requests"], 3);
}

#[tokio::test]
async fn lines_come_in_pages_and_as_text() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let batch: Vec<_> = (1..=5)
        .map(|number| chat(number, &format!("c{number}")))
        .collect();
    report(&service, &batch, 0).await.unwrap();
    let first = usage(&service, "?by=caller&limit=2").await;
    assert_eq!(first["next_page_token"], "2");
    let last = usage(&service, "?by=caller&limit=2&page_token=4").await;
    assert_eq!(last["lines"][0]["caller"], "c5");
    assert!(last.get("next_page_token").is_none(), "{last}");
    let csv = service.get("/api/usage?by=caller&format=csv&limit=3").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("x-next-page-token"), "3");
    assert_eq!(csv.text.lines().count(), 4, "{}", csv.text);
    let lines = service.get("/api/usage?by=caller&format=jsonl").await;
    assert_eq!(lines.text.lines().count(), 5, "{}", lines.text);
}

#[tokio::test]
async fn names_that_nothing_serves_are_listed() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let lost = |number| Record {
        model: "gpt-4o".to_owned(),
        model_id: String::new(),
        base_model: String::new(),
        channel: String::new(),
        outcome: "refused",
        code: "model_not_found",
        tokens: Tokens::default(),
        ..chat(number, "ann")
    };
    report(&service, &[lost(1), lost(2), chat(3, "ann")], 0)
        .await
        .unwrap();
    let reply = service.get("/api/usage/unserved").await.json();
    assert_eq!(reply["models"][0]["model"], "gpt-4o");
    assert_eq!(reply["models"][0]["requests"], 2);
    let maps = service.get("/api/usage/maps").await.json();
    assert_eq!(maps["unused"], json!([]));
    let models = usage(&service, "?by=model").await;
    assert_eq!(models["lines"].as_array().unwrap().len(), 2, "{models}");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    for query in [
        "?by=colour",
        "?from=yesterday",
        "?limit=0",
        "?format=xml",
        "?what=1",
    ] {
        service
            .get(&format!("/api/usage{query}"))
            .await
            .problem(400);
    }
    service.get("/api/usage/maps?days=0").await.problem(400);
}

#[tokio::test]
async fn without_the_flag_nothing_is_recorded_and_filters_are_not_told() {
    let service = TestService::start().await;
    service.get("/api/usage").await.problem(404);
    let refused = report(&service, &[chat(1, "ann")], 0).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    let config = service.get("/api/export/plugin-config").await.json();
    assert!(config.get("usage").is_none(), "{config}");
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &["--usage-cluster=mesh-xds"]).await;
    let config = service.get("/api/export/plugin-config").await.json();
    assert_eq!(config["usage"]["cluster"], "mesh-xds");
}

#[tokio::test]
async fn a_database_that_takes_nothing_makes_envoys_keep_their_records() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    report(&service, &[chat(1, "ann")], 0).await.unwrap();
    // Another process has it for longer than the service waits.
    let url = format!("sqlite://{}", dir.path().join("usage.db").display());
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let refused = report(&service, &[chat(2, "ann")], 0).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(!refused.message().contains("usage.db"), "{refused}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    report(&service, &[chat(2, "ann")], 0).await.unwrap();
    assert_eq!(usage(&service, "").await["lines"][0]["requests"], 2);
}

#[tokio::test]
async fn keys_are_told_apart() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let with_key = |number, key: &str| Record {
        key: key.to_owned(),
        ..chat(number, "ann")
    };
    let batch = [
        with_key(1, "laptop"),
        with_key(2, "ci"),
        with_key(3, "ci"),
        chat(4, "ann"),
    ];
    report(&service, &batch, 0).await.unwrap();
    let all = usage(&service, "?by=key").await;
    let lines = all["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines
        .map(|own| {
            (
                own["key"].as_str().unwrap(),
                own["requests"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(lines, [("", 1), ("ci", 2), ("laptop", 1)]);
    let one = usage(&service, "?by=caller&key=ci").await;
    assert_eq!(one["lines"][0]["requests"], 2);
    // As a file, by the command.
    let admin = service.url("");
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_config-service"))
        .args([
            "usage",
            "export",
            "--from=2020-01-01",
            "--by=caller,key",
            "--key=ci",
        ])
        .args(["--server", &admin])
        .env("BEDROCK_ADMIN_TOKEN", TOKEN)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = text.lines().collect();
    assert!(rows[0].starts_with("caller,key,requests,"), "{text}");
    assert!(
        rows.len() == 2 && rows[1].starts_with("ann,ci,2,"),
        "{text}"
    );
}

/// The place and code of every fault of a refused edit.
#[track_caller]
fn faults(reply: &Reply) -> Vec<String> {
    reply.problem(422);
    let problem = reply.json();
    let errors = problem["errors"].as_array().unwrap().iter();
    let text = |own: &Value| own.as_str().unwrap().to_owned();
    errors
        .map(|own| format!("{} {}", text(&own["pointer"]), text(&own["code"])))
        .collect()
}

#[tokio::test]
async fn an_absurd_record_neither_stops_others_nor_the_pages() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let absurd = |number| Record {
        tokens: Tokens {
            input: u64::MAX,
            output: u64::MAX,
            ..Tokens::default()
        },
        ..chat(number, "ann")
    };
    report(&service, &[absurd(1), absurd(2)], u64::MAX)
        .await
        .unwrap();
    report(&service, &[absurd(3), chat(4, "bob")], u64::MAX)
        .await
        .unwrap();
    let lines = usage(&service, "?by=caller").await;
    assert_eq!(lines["lines"][0]["input_tokens"], 3_000_000_000_u64);
    assert_eq!(lines["lines"][1]["requests"], 1);
    let metrics = service.get("/metrics").await.text;
    for line in [
        r#"config_service_usage_reports_total{verdict="stored"} 2"#,
        r#"config_service_usage_reports_total{verdict="failed"} 0"#,
        r#"config_service_usage_records_total{verdict="stored"} 4"#,
        r#"config_service_usage_records_total{verdict="implausible"} 3"#,
        r#"config_service_usage_records_total{verdict="dropped"} 2000000000"#,
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn days_and_months_are_those_of_the_time_zone() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &["--time-zone=Asia/Kolkata"]).await;
    let body = json!({"tokens": 10}).to_string();
    service.send(Method::PUT, "/api/budgets/*", &body).await;
    report(&service, &[chat(1, "ann")], 0).await.unwrap();
    let day = usage(&service, "?by=period").await["lines"][0]["period"]
        .as_i64()
        .unwrap();
    let resets_at = service.get("/api/budgets").await.json()["budgets"][0]["resets_at"].as_i64();
    // Midnight in India is half past six in the evening in UTC.
    for midnight in [day, resets_at.unwrap()] {
        assert_eq!(midnight.rem_euclid(86_400), 66_600);
    }
    let hour = usage(&service, "?by=period&resolution=hour").await;
    let hour = hour["lines"][0]["period"].as_i64().unwrap();
    assert_eq!(hour.rem_euclid(3_600), 1_800);
}
