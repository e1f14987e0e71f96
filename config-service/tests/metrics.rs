//! What Prometheus gets.

use crate::common::envoy::{CDS, ECDS, Envoy};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::{Reply, SECRET, TOKEN, TestService, channel, receive};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

#[tokio::test]
async fn revisions_envoys_answers_and_requests_are_counted() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let clusters = envoy.receive(CDS).await;
    envoy.ack(&clusters).await;
    let plugin = envoy.receive(ECDS).await;
    envoy.nack(&plugin, "no, thanks").await;
    let rejected = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    service.wait_for("rejected", rejected).await;
    service.get("/api/channels/none").await.problem(404);

    let reply = service.get("/metrics").await;
    let kind = reply.header("content-type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = reply.text;
    for line in [
        "config_service_revision 2",
        "config_service_channels 1",
        r#"config_service_envoys{state="rejected"} 1"#,
        r#"config_service_envoys{state="active"} 0"#,
        r#"config_service_xds_answers_total{resource="plugin",verdict="nack"} 1"#,
        r#"config_service_http_requests_total{route="/api/channels/{id}",method="GET",status="404"} 1"#,
        "config_service_push_duration_seconds_count 1",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|own| own == line),
            "{line} is not in {text}"
        );
    }
    assert!(!text.contains(SECRET) && !text.contains(TOKEN) && !text.contains(&id));
}

/// `docs/METRICS.md` lists every metric of the service.
#[tokio::test]
async fn the_page_has_every_metric() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let _envoy = Envoy::settled(&service, "e1").await;
    // Metrics without a value are left out; requests are counted when they have been answered.
    service.get("/metrics").await;
    let text = service.get("/metrics").await.text;
    let described = text.lines().filter_map(|line| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        let total = if kind == "counter" { "_total" } else { "" };
        Some(format!("{name}{total}"))
    });
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let page = std::fs::read_to_string(root.unwrap().join("docs/METRICS.md")).unwrap();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `config_service_"));
    let documented = rows.filter_map(|row| row.split('`').next());
    let mut documented: BTreeSet<_> = documented
        .map(|name| format!("config_service_{name}"))
        .collect();
    // They take credentials from AWS, a caller with a limit or a budget, and a database for usage.
    let rare = ["_credentials_", "_rate_limit_", "_budget_", "_usage_"];
    documented.retain(|name| !rare.iter().any(|part| name.contains(part)));
    assert_eq!(documented, described.collect());
}

/// The names of the series, without their values.
async fn series(service: &TestService) -> BTreeSet<String> {
    let text = service.get("/metrics").await.text;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.rsplit_once(' '));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Sends what an attacker might make up: methods, and names in every part of a path.
async fn send_made_up(service: &TestService, seed: usize) {
    for number in seed..seed + 20 {
        let method = Method::from_bytes(format!("METHOD{number}").as_bytes()).unwrap();
        for path in [
            "/".to_owned(),
            "/healthz".to_owned(),
            "/metrics".to_owned(),
            format!("/{number}"),
            format!("/api/{number}"),
            format!("/api/{number}/{number}"),
            format!("/api/channels/{number}"),
            format!("/channels/{number}"),
            format!("/assets/{number}"),
            format!("/filter/{number}"),
        ] {
            for method in [method.clone(), Method::GET, Method::TRACE] {
                service.send(method, &path, "").await;
            }
        }
    }
}

#[tokio::test]
async fn what_clients_make_up_is_counted_without_new_series() {
    let service = TestService::start().await;
    series(&service).await;
    send_made_up(&service, 0).await;
    let before = series(&service).await;
    send_made_up(&service, 1000).await;
    assert_eq!(series(&service).await, before);
    let counted = |labels: &str| {
        let name = format!("config_service_http_requests_total{{{labels}}}");
        assert!(before.contains(&name), "{name} is not in {before:#?}");
    };
    counted(r#"route="/healthz",method="OTHER",status="405""#);
    counted(r#"route="/api/channels/{id}",method="GET",status="404""#);
    counted(r#"route="none",method="GET",status="404""#);
}

#[tokio::test]
async fn names_that_envoys_give_themselves_create_no_series() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let mut first = Envoy::settled(&service, "e1").await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let clusters = first.receive(CDS).await;
    first.nack(&clusters, "no, thanks").await;
    let refused = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    service.wait_for("rejected", refused).await;
    series(&service).await;
    let before = series(&service).await;
    let mut others = Vec::new();
    for number in 2..7 {
        others.push(Envoy::settled(&service, &format!("e{number}")).await);
    }
    let settled = |status: &serde_json::Value| {
        let envoys = status["envoys"].as_array().unwrap().iter();
        envoys.filter(|envoy| envoy["state"] == "active").count() == others.len()
    };
    service.wait_for("active", settled).await;
    assert_eq!(series(&service).await, before);
}

async fn get(url: String, token: &str) -> Reply {
    let request = reqwest::Client::new().get(url);
    receive(if token.is_empty() {
        request
    } else {
        request.bearer_auth(token)
    })
    .await
}

#[tokio::test]
async fn metrics_on_the_admin_address_need_a_token_of_any_role() {
    let service = TestService::start().await;
    for wrong in ["", "wrong"] {
        get(service.url("/metrics"), wrong).await.problem(401);
    }
    let body = json!({"name": "prometheus", "role": "viewer"}).to_string();
    let made = service.send(Method::POST, "/api/tokens", body).await.json();
    let token = made["token"].as_str().unwrap();
    let reply = get(service.url("/metrics"), token).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.text.ends_with("# EOF\n"), "{reply:?}");
}

#[tokio::test]
async fn the_separate_address_serves_metrics_without_a_token_and_nothing_else() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--metrics-listen", "127.0.0.1:0"]).await;
    let id = service.create(&channel("one")).await;
    let own = service.metrics_url();
    let reply = get(own.clone(), "").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(
        reply.text.contains("config_service_channels 1\n"),
        "{reply:?}"
    );
    assert!(!reply.text.contains(SECRET) && !reply.text.contains(&id));
    for path in ["/", "/api/channels", "/login", "/healthz", "/filter/x.wasm"] {
        let url = own.replace("/metrics", path);
        get(url, TOKEN).await.problem(404);
    }
    // The admin address still needs a token.
    get(service.url("/metrics"), "").await.problem(401);
    service.shutdown().await;
    let gone = reqwest::Client::new().get(own).send().await;
    assert!(gone.is_err(), "{gone:?}");
}
