//! What requests used, from an Envoy's report to the API, the page and the commands.

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
async fn prices_of_a_file_apply() {
    let dir = Arc::new(TempDir::new().unwrap());
    let prices = dir.path().join("prices.json");
    std::fs::write(
        &prices,
        r#"{"prices": {"amazon.nova-pro-v1:0": {"input": 1, "output": 1}}}"#,
    )
    .unwrap();
    let flag = format!("--prices={}", prices.display());
    let service = recording(&dir, &[&flag]).await;
    report(&service, &[chat(1, "ann")], 0).await.unwrap();
    let all = usage(&service, "").await;
    assert_eq!(all["lines"][0]["cost_nano_usd"], 1_500_000);
}

#[tokio::test]
async fn a_budget_is_enforced_by_the_answer_and_shown() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let set = |path: &'static str, body: Value| {
        let (service, body) = (&service, body.to_string());
        async move { service.send(Method::PUT, path, &body).await }
    };
    let spent = |ack: Ack| {
        ack.exhausted
            .into_iter()
            .map(|own| (own.caller, own.budget))
    };
    for (path, body) in [
        ("/api/budgets/ann", json!({"tokens": 3_000})),
        ("/api/budgets/*", json!({"usd": 0.006})),
    ] {
        assert_eq!(set(path, body).await.status, StatusCode::NO_CONTENT);
    }
    let ack = report(&service, &[chat(1, "ann"), chat(2, "bob")], 0)
        .await
        .unwrap();
    assert_eq!(spent(ack).count(), 0);
    let ack = report(&service, &[chat(3, "ann")], 0).await.unwrap();
    let told: Vec<_> = spent(ack).collect();
    assert_eq!(told, [(String::new(), 1), ("ann".to_owned(), 0)]);
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"][0]["caller"], "*");
    assert_eq!(list["budgets"][0]["used_nano_usd"], 7_200_000);
    assert_eq!(list["budgets"][1]["used_tokens"], 3_000);
    assert_eq!(list["budgets"][1]["used"], 1.0);
    let metrics = service.get("/metrics").await.text;
    assert!(
        metrics.contains("config_service_budget_used_ratio{caller=\"ann\"} 1.0"),
        "{metrics}"
    );
    // A restart forgets neither the budgets nor what was used.
    service.shutdown().await;
    let service = recording(&dir, &[]).await;
    let ack = report(&service, &[], 0).await.unwrap();
    assert_eq!(spent(ack).count(), 2);
    let reply = service.send(Method::DELETE, "/api/budgets/*", "").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    service
        .send(Method::DELETE, "/api/budgets/*", "")
        .await
        .problem(404);
    let told: Vec<_> = spent(report(&service, &[], 0).await.unwrap()).collect();
    assert_eq!(told, [("ann".to_owned(), 0)]);
    for body in [json!({}), json!({"usd": -1}), json!({"tokens": "many"})] {
        let reply = service
            .send(Method::PUT, "/api/budgets/ann", &body.to_string())
            .await;
        assert!(reply.status.is_client_error(), "{body}: {reply:?}");
    }
}

#[tokio::test]
async fn a_caller_learns_what_it_used_and_nothing_of_others() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &["--time-zone=Europe/Berlin"]).await;
    let put = |path: &'static str, body: Value| {
        let (service, body) = (&service, body.to_string());
        async move { service.send(Method::PUT, path, &body).await }
    };
    put("/api/budgets/ann", json!({"tokens": 10_000, "usd": 0.01})).await;
    put("/api/budgets/bob", json!({"usd": 1})).await;
    let other = Record {
        model: "claude".to_owned(),
        ..chat(3, "ann")
    };
    let batch = [chat(1, "ann"), chat(2, "ann"), other, chat(4, "bob")];
    report(&service, &batch, 0).await.unwrap();
    let own = figures(&service, "ann").await;
    assert_eq!(own["object"], "usage");
    assert_eq!(
        (&own["caller"], &own["time_zone"]),
        (&json!("ann"), &json!("Europe/Berlin"))
    );
    assert_eq!(
        (
            &own["requests"],
            &own["input_tokens"],
            &own["output_tokens"]
        ),
        (&json!(3), &json!(3_000), &json!(1_500))
    );
    assert_eq!(own["cost_usd"], 0.0072);
    let budget = &own["budget"];
    let tokens = json!({"limit": 10_000, "used": 4_500, "remaining": 5_500});
    assert_eq!(budget["tokens"], tokens, "{own}");
    let usd = json!({"limit": 0.01, "used": 0.0072, "remaining": 0.0028});
    assert_eq!(budget["usd"], usd, "{own}");
    // The budget begins anew when the month ends, at midnight in Berlin.
    assert_eq!(budget["resets_at"], own["to"]);
    let to = own["to"].as_str().unwrap();
    assert!(to.contains("-01T00:00:00+0"), "{to}");
    assert_eq!(own["exhausted"], false);
    let models: Vec<_> = own["by_model"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["model"])
        .collect();
    assert_eq!(models, ["nova-pro", "claude"], "the most expensive first");
    let days = own["by_day"].as_array().unwrap();
    assert_eq!(
        days.iter()
            .filter_map(|own| own["requests"].as_i64())
            .sum::<i64>(),
        3
    );
    for hidden in ["bob", "team-a", "us-east-1", "amazon.nova"] {
        assert!(!own.to_string().contains(hidden), "{hidden}: {own}");
    }
    // Whoever has used nothing, or does not exist.
    let none = figures(&service, "eve").await;
    assert_eq!(
        (&none["requests"], &none["budget"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(
        (&none["by_model"], &none["by_day"]),
        (&json!([]), &json!([]))
    );
    // The budget of everybody together is used up; how much it was is not told.
    put("/api/budgets/*", json!({"tokens": 1})).await;
    let bob = figures(&service, "bob").await;
    assert_eq!(
        (&bob["exhausted"], &bob["budget"]["tokens"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn the_budget_that_a_caller_has_as_a_field_is_enforced() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let body = json!({"name": "ann", "monthly_tokens": 2_000}).to_string();
    let created = service.send(Method::POST, "/api/callers", &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let path = format!("/api/callers/{}", created.json()["id"].as_str().unwrap());
    let batch = [chat(1, "ann"), chat(2, "ann"), chat(3, "bob")];
    report(&service, &batch, 0).await.unwrap();
    // Edits of callers take effect a moment later.
    let spent = async |expected: &[&str]| {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let ack = report(&service, &[], 0).await.unwrap();
            let told: Vec<_> = ack.exhausted.into_iter().map(|own| own.caller).collect();
            if told == expected {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{told:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    spent(&["ann"]).await;
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"][0]["tokens"], 2_000);
    let more = json!({"monthly_tokens": 4_000}).to_string();
    service.send(Method::PATCH, &path, &more).await;
    spent(&[]).await;
    // Of the two budgets of a caller the smaller one counts.
    let set = json!({"tokens": 3_000}).to_string();
    service.send(Method::PUT, "/api/budgets/ann", &set).await;
    spent(&["ann"]).await;
    service.send(Method::DELETE, "/api/budgets/ann", "").await;
    spent(&[]).await;
    let problem = service.send(Method::DELETE, "/api/budgets/ann", "").await;
    problem.problem(404);
    assert!(problem.text.contains("monthly_tokens"), "{problem:?}");
    let list = service.get("/api/budgets").await.json();
    let history: Vec<_> = list["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["tokens"])
        .collect();
    assert_eq!(history, [&Value::Null, &json!(3_000)], "{list}");
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

#[tokio::test]
async fn a_price_that_is_set_applies_from_then_on_and_is_remembered() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let path = "/api/prices/amazon.nova-pro-v1:0";
    report(&service, &[chat(1, "built-in")], 0).await.unwrap();
    let rates = json!({"input": 1, "output": 2}).to_string();
    let reply = service.send(Method::PUT, path, &rates).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
    report(&service, &[chat(2, "set")], 0).await.unwrap();
    // A region's own comes first.
    let regional = "/api/prices/us-east-1%2Famazon.nova-pro-v1:0";
    let rates = json!({"input": 10, "output": 20}).to_string();
    service.send(Method::PUT, regional, &rates).await;
    service.shutdown().await;
    let service = recording(&dir, &[]).await;
    report(&service, &[chat(3, "regional")], 0).await.unwrap();
    for path in [path, regional] {
        let reply = service.send(Method::DELETE, path, "").await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
        service.send(Method::DELETE, path, "").await.problem(404);
    }
    report(&service, &[chat(4, "again")], 0).await.unwrap();
    let all = usage(&service, "?by=caller").await;
    let lines = all["lines"].as_array().unwrap().iter();
    let costs: Vec<_> = lines
        .map(|own| {
            (
                own["caller"].as_str().unwrap(),
                own["cost_nano_usd"].as_i64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("again", 2_400_000),
        ("built-in", 2_400_000),
        ("regional", 20_000_000),
        ("set", 2_000_000),
    ];
    assert_eq!(costs, expected);
    let list = service.get("/api/prices").await.json();
    assert_eq!(list["prices"], json!([]));
    let history = list["history"].as_array().unwrap().iter();
    let history: Vec<_> = history.map(|own| own["rates"]["input"].as_f64()).collect();
    assert_eq!(history, [None, None, Some(10.0), Some(1.0)], "{list}");
    for (wrong, fault) in [
        (json!({}), " invalid_value"),
        (json!({"inputs": 1}), "/inputs invalid_value"),
        (json!({"input": -1}), "/input invalid_value"),
        (json!({"input": 1e-10}), "/input invalid_value"),
        (json!({"input": "1"}), "/input invalid_type"),
        (json!([1]), " not_an_object"),
    ] {
        let reply = service.send(Method::PUT, path, &wrong.to_string()).await;
        assert_eq!(faults(&reply), [fault], "{wrong}");
    }
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
async fn what_cannot_be_a_budget_is_refused_with_its_place() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let put = |path: &str, body: &str| {
        let (service, path, body) = (&service, path.to_owned(), body.to_owned());
        async move { service.send(Method::PUT, &path, &body).await }
    };
    for (path, body, fault) in [
        ("ann", "[1]", " not_an_object"),
        ("ann", "{}", " required"),
        ("ann", r#"{"usd": null}"#, " required"),
        ("ann", r#"{"usd": 1e-10}"#, "/usd out_of_range"),
        ("ann", r#"{"usd": -1}"#, "/usd out_of_range"),
        ("ann", r#"{"usd": 1e99}"#, "/usd out_of_range"),
        ("ann", r#"{"usd": "5"}"#, "/usd invalid_type"),
        (
            "ann",
            r#"{"tokens": 9223372036854775808}"#,
            "/tokens out_of_range",
        ),
        ("ann", r#"{"tokens": 1.5}"#, "/tokens out_of_range"),
        ("ann", r#"{"token": 1}"#, "/token unknown_field"),
        ("a%0Ab", r#"{"tokens": 1}"#, " invalid_name"),
        ("%20", r#"{"tokens": 1}"#, " invalid_name"),
        ("-a", r#"{"tokens": 1}"#, " invalid_name"),
    ] {
        let reply = put(&format!("/api/budgets/{path}"), body).await;
        assert_eq!(faults(&reply), [fault], "{path} {body}");
    }
    let long = format!("/api/budgets/{}", "a".repeat(65));
    assert_eq!(
        faults(&put(&long, r#"{"usd": 0}"#).await),
        [" invalid_name"]
    );
    put("/api/budgets/ann", "{").await.problem(400);
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"], json!([]));
    // A budget of nothing is one, and so is one for a caller that is yet to come.
    let reply = put(
        "/api/budgets/ann",
        r#"{"usd": 0, "tokens": 9223372036854775807}"#,
    )
    .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
}

#[tokio::test]
async fn a_caller_keeps_its_budget_and_what_it_used_under_another_name() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &[]).await;
    let body = json!({"name": "ann"}).to_string();
    let id = service
        .send(Method::POST, "/api/callers", &body)
        .await
        .json()["id"]
        .clone();
    let path = format!("/api/callers/{}", id.as_str().unwrap());
    let budget = json!({"tokens": 3_000, "usd": 1}).to_string();
    service.send(Method::PUT, "/api/budgets/ann", &budget).await;
    // What is there under the later name joins it; of two budgets the smaller counts.
    let budget = json!({"tokens": 9_000}).to_string();
    service.send(Method::PUT, "/api/budgets/eve", &budget).await;
    report(
        &service,
        &[chat(1, "ann"), chat(2, "eve"), chat(3, "bob")],
        0,
    )
    .await
    .unwrap();
    let renamed = service
        .send(Method::PATCH, &path, &json!({"name": "eve"}).to_string())
        .await;
    assert_eq!(renamed.status, StatusCode::OK, "{renamed:?}");
    let shown = || async {
        let list = service.get("/api/budgets").await.json();
        let all = list["budgets"].as_array().unwrap().iter();
        let shown = all.map(|own| {
            json!([
                own["caller"],
                own["tokens"],
                own["usd"],
                own["used_tokens"],
                own["used_nano_usd"]
            ])
        });
        shown.collect::<Vec<_>>()
    };
    // An edit of a budget waits for it.
    let budget = json!({"usd": 7}).to_string();
    service.send(Method::PUT, "/api/budgets/bob", &budget).await;
    let expected = [
        json!(["bob", null, 7.0, 1_500, 2_400_000]),
        json!(["eve", 3_000, 1.0, 3_000, 4_800_000]),
    ];
    assert_eq!(shown().await, expected);
    let lines = usage(&service, "?by=caller").await;
    let lines = lines["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines
        .map(|own| {
            (
                own["caller"].as_str().unwrap().to_owned(),
                own["requests"].as_i64(),
            )
        })
        .collect();
    let expected_lines = [("bob".to_owned(), Some(1)), ("eve".to_owned(), Some(2))];
    assert_eq!(lines, expected_lines);
    // What comes again is still known, and the figures go on; also after a restart.
    let ack = report(&service, &[chat(1, "ann"), chat(4, "bob")], 0)
        .await
        .unwrap();
    let exhausted: Vec<_> = ack.exhausted.iter().map(|own| &*own.caller).collect();
    assert_eq!(exhausted, ["eve"]);
    service.shutdown().await;
    let service = recording(&dir, &[]).await;
    report(&service, &[chat(5, "eve")], 0).await.unwrap();
    let list = service.get("/api/budgets").await.json();
    assert_eq!(list["budgets"][1]["used_tokens"], 4_500, "{list}");
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
