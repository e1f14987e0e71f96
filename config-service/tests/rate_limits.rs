//! The rate limit service, asked as Envoy's rate limit filter and its health checks ask.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use envoy_types::pb::envoy::extensions::common::ratelimit::v3::RateLimitDescriptor;
use envoy_types::pb::envoy::extensions::common::ratelimit::v3::rate_limit_descriptor::Entry;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::Code;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::rate_limit::Unit;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_client::RateLimitServiceClient;
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use envoy_types::pb::google::protobuf::UInt64Value;
use serde_json::json;
use tempfile::TempDir;
use tonic::Code as GrpcCode;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::common::envoy::{CDS, Envoy, Service as At, channel};
use crate::common::{TOKEN, TestService};

/// A bucket that gives back so little that a test never sees it.
const SLOW: [&str; 4] = ["--rpm-burst-seconds", "60", "--tpm-burst-seconds", "60"];

async fn start(flags: &[&str]) -> (TestService, Channel) {
    let service = TestService::start_in(Arc::new(TempDir::new().unwrap()), flags).await;
    let channel = channel(&service).await;
    (service, channel)
}

fn descriptor(entries: &[(&str, &str)], hits: Option<u64>) -> RateLimitDescriptor {
    let entries = entries.iter().map(|(key, value)| Entry {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    });
    RateLimitDescriptor {
        entries: entries.collect(),
        hits_addend: hits.map(|value| UInt64Value { value }),
        ..RateLimitDescriptor::default()
    }
}

fn limit(kind: &str, per_minute: &str, hits: Option<u64>) -> RateLimitDescriptor {
    descriptor(&[(kind, per_minute), ("caller", "team-a")], hits)
}

async fn ask(
    channel: &Channel,
    descriptors: Vec<RateLimitDescriptor>,
) -> Result<RateLimitResponse, tonic::Status> {
    ask_in("bedrock", channel, descriptors).await
}

async fn ask_in(
    domain: &str,
    channel: &Channel,
    descriptors: Vec<RateLimitDescriptor>,
) -> Result<RateLimitResponse, tonic::Status> {
    let request = RateLimitRequest {
        domain: domain.to_owned(),
        descriptors,
        hits_addend: 0,
    };
    let mut client = RateLimitServiceClient::new(channel.clone());
    client
        .should_rate_limit(request)
        .await
        .map(tonic::Response::into_inner)
}

fn headers(response: &RateLimitResponse) -> BTreeMap<&str, &str> {
    let headers = response.response_headers_to_add.iter();
    headers.map(|own| (&*own.key, &*own.value)).collect()
}

#[tokio::test]
async fn a_caller_is_denied_what_exceeds_either_limit() {
    let (_service, channel) = start(&SLOW).await;
    let both = |tokens| vec![limit("rpm", "3", None), limit("tpm", "100", Some(tokens))];
    let first = ask(&channel, both(30)).await.unwrap();
    assert_eq!(first.overall_code, i32::from(Code::Ok));
    let [requests, tokens] = first.statuses.as_slice() else {
        panic!("{first:?}");
    };
    let current = requests.current_limit.as_ref().unwrap();
    assert_eq!(current.name, "rpm");
    assert_eq!(current.requests_per_unit, 3);
    assert_eq!(current.unit, i32::from(Unit::Minute));
    assert_eq!(requests.limit_remaining, 2);
    assert_eq!(tokens.current_limit.as_ref().unwrap().name, "tpm");
    assert_eq!(tokens.limit_remaining, 70);
    assert!(tokens.duration_until_reset.is_some());
    let told = headers(&first);
    assert_eq!(told["x-ratelimit-limit-requests"], "3");
    assert_eq!(told["x-ratelimit-remaining-requests"], "2");
    assert_eq!(told["x-ratelimit-limit-tokens"], "100");
    assert_eq!(told["x-ratelimit-remaining-tokens"], "70");
    assert!(!told.contains_key("retry-after"));

    let denied = ask(&channel, both(71)).await.unwrap();
    assert_eq!(denied.overall_code, i32::from(Code::OverLimit));
    let codes: Vec<_> = denied.statuses.iter().map(|own| own.code).collect();
    assert_eq!(codes, [i32::from(Code::Ok), i32::from(Code::OverLimit)]);
    assert!(headers(&denied)["retry-after"].parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn what_an_answer_used_counts_although_it_exceeds_the_limit() {
    let (_service, channel) = start(&SLOW).await;
    let tokens = |hits| vec![limit("tpm", "100", Some(hits))];
    assert_eq!(
        ask(&channel, tokens(30)).await.unwrap().overall_code,
        i32::from(Code::Ok)
    );
    ask(&channel, tokens(150)).await.unwrap();
    let denied = ask(&channel, tokens(0)).await.unwrap();
    assert_eq!(denied.overall_code, i32::from(Code::OverLimit));
    assert_eq!(headers(&denied)["x-ratelimit-remaining-tokens"], "0");
}

#[tokio::test]
async fn asking_for_nothing_takes_nothing() {
    let (_service, channel) = start(&SLOW).await;
    let asked = |hits| vec![limit("rpm", "1", hits)];
    for _ in 0..3 {
        let response = ask(&channel, asked(Some(0))).await.unwrap();
        assert_eq!(response.statuses[0].limit_remaining, 1);
    }
    // Not said is one.
    let response = ask(&channel, asked(None)).await.unwrap();
    assert_eq!(response.statuses[0].limit_remaining, 0);
    assert_eq!(response.overall_code, i32::from(Code::Ok));
}

#[tokio::test]
async fn what_is_no_limit_of_ours_passes_without_one() {
    let (_service, channel) = start(&SLOW).await;
    let other = descriptor(&[("generic_key", "x")], None);
    let mixed = vec![other, limit("rpm", "0", None)];
    let response = ask(&channel, mixed.clone()).await.unwrap();
    assert_eq!(response.overall_code, i32::from(Code::OverLimit));
    let [other, requests] = response.statuses.as_slice() else {
        panic!("{response:?}");
    };
    assert_eq!(other.code, i32::from(Code::Ok));
    assert!(other.current_limit.is_none());
    assert_eq!(requests.code, i32::from(Code::OverLimit));
    let response = ask_in("another", &channel, mixed).await.unwrap();
    assert_eq!(response.overall_code, i32::from(Code::Ok));
    assert_eq!(response.statuses.len(), 2);
    assert!(response.response_headers_to_add.is_empty());
}

#[tokio::test]
async fn a_limit_that_cannot_be_read_is_a_small_one() {
    let (_service, channel) = start(&SLOW).await;
    let response = ask(&channel, vec![limit("rpm", "many", None)])
        .await
        .unwrap();
    let current = response.statuses[0].current_limit.as_ref().unwrap();
    assert_eq!(current.requests_per_unit, 60);
}

#[tokio::test]
async fn an_endless_name_is_refused() {
    let (_service, channel) = start(&[]).await;
    let name = "a".repeat(257);
    let asked = vec![descriptor(&[("rpm", "1"), ("caller", &name)], None)];
    let status = ask(&channel, asked).await.unwrap_err();
    assert_eq!(status.code(), GrpcCode::InvalidArgument);
    let name = "a".repeat(70_000);
    let asked = vec![descriptor(&[("rpm", "1"), ("caller", &name)], None)];
    assert_eq!(
        ask(&channel, asked).await.unwrap_err().code(),
        GrpcCode::OutOfRange
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_get_exactly_what_is_allowed() {
    let (_service, channel) = start(&[]).await;
    for round in 0.. {
        let minute = minute();
        let passed = ask_at_once(&channel, &format!("caller-{round}")).await;
        // Another minute allows as much again.
        if minute == self::minute() {
            assert_eq!(passed, 100);
            break;
        }
    }
}

/// Sends 400 questions, 20 at once, about a limit of 100; returns how many pass.
async fn ask_at_once(channel: &Channel, caller: &str) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let channel = channel.clone();
        let asked = descriptor(&[("rpm", "100"), ("caller", caller)], None);
        tasks.spawn(async move {
            let mut passed = 0;
            for _ in 0..20 {
                let response = ask(&channel, vec![asked.clone()]).await.unwrap();
                passed += usize::from(response.overall_code == i32::from(Code::Ok));
            }
            passed
        });
    }
    tasks.join_all().await.into_iter().sum()
}

fn minute() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs() / 60
}

#[tokio::test]
async fn health_checks_learn_that_limits_are_served() {
    let (_service, channel) = start(&[]).await;
    let mut client = HealthClient::new(channel);
    let request = HealthCheckRequest {
        service: "ratelimit".to_owned(),
    };
    let response = client.check(request).await.unwrap().into_inner();
    assert_eq!(response.status, i32::from(ServingStatus::Serving));
}

#[tokio::test]
async fn checks_are_counted_in_metrics() {
    let (service, channel) = start(&SLOW).await;
    ask(&channel, vec![limit("rpm", "1", None)]).await.unwrap();
    for _ in 0..2 {
        ask(&channel, vec![limit("rpm", "1", None)]).await.unwrap();
    }
    let metrics = service.get("/metrics").await.text;
    for line in [
        "config_service_rate_limit_checks_total{limit=\"requests\",verdict=\"ok\"} 1",
        "config_service_rate_limit_checks_total{limit=\"requests\",verdict=\"over\"} 2",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn an_envoy_that_asks_nobody_about_limits_is_pointed_out() {
    let (service, channel) = start(&[]).await;
    let caller = json!({"name": "team-a", "rpm": 1});
    crate::callers::create(&service, &caller).await;
    crate::callers::set_mode(&service, "required").await;
    let mut envoy = Envoy::connect(&service, "edge", At::Aggregated).await;
    envoy.subscribe(CDS, "").await;
    envoy.receive(CDS).await;
    let (cookie, _) = crate::web::log_in(&service, TOKEN).await;
    let told = async || {
        let page = crate::web::get(&service, "/callers", &cookie).await;
        let asks = service.status().await["envoys"][0]["asks_about_limits"].clone();
        (page.text.contains("unasked-limits"), asks)
    };
    assert_eq!(told().await, (true, json!(false)));
    ask(&channel, vec![limit("rpm", "1", Some(1))])
        .await
        .unwrap();
    assert_eq!(told().await, (false, json!(true)));
}
