//! Exports for Envoys that are not connected: sealed, complete, and refused if a copy would not work.

use std::sync::Arc;

use crate::common::{SECRET, SESSION_TOKEN, TestService, channel};
use bedrock_filter::config::PluginConfig;
use bedrock_filter::routes::Routes;
use bedrock_filter::seal::SealKeys;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

const KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

async fn sealed(flags: &[&str]) -> TestService {
    let dir = Arc::new(TempDir::new().unwrap());
    let flags: Vec<_> = ["--seal-key", KEY].iter().chain(flags).copied().collect();
    TestService::start_in(dir, &flags).await
}

fn with(name: &str, change: &Value) -> Value {
    let mut channel = channel(name);
    let changes = change.as_object().unwrap().clone();
    channel.as_object_mut().unwrap().extend(changes);
    channel
}

async fn manifest(service: &TestService, query: &str) -> Value {
    let reply = service.get(&format!("/api/export/istio{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/yaml");
    for secret in [SECRET, SESSION_TOKEN] {
        assert!(!reply.text.contains(secret), "{}", reply.text);
    }
    serde_saphyr::from_str(&reply.text).unwrap()
}

/// The values of all patches of a kind.
fn values<'m>(manifest: &'m Value, kind: &str) -> Vec<&'m Value> {
    let patches = manifest["spec"]["configPatches"].as_array().unwrap().iter();
    let own = patches.filter(|patch| patch["applyTo"] == kind);
    own.map(|patch| &patch["patch"]["value"]).collect()
}

fn without_secrets(mut config: Value) -> Value {
    for channel in config["channels"].as_array_mut().unwrap() {
        let credentials = channel["credentials"].as_object_mut().unwrap();
        credentials.retain(|name, _| !["secret_access_key", "session_token"].contains(&&**name));
    }
    config
}

#[tokio::test]
async fn the_plugin_configuration_is_sealed_and_the_filter_accepts_it() {
    let service = sealed(&["--failover"]).await;
    service
        .create(&with("one", &json!({"signer": "envoy"})))
        .await;
    service
        .create(&with("two", &json!({"enabled": false})))
        .await;
    let reply = service.get("/api/export/plugin-config").await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert!(!reply.text.contains(SECRET), "{}", reply.text);
    let config = PluginConfig::from_json(reply.text.as_bytes()).unwrap();
    let config = config.open(&KEY.parse::<SealKeys>().unwrap()).unwrap();
    assert_eq!(config.failover, None);
    let routes = Routes::compile(config).unwrap();
    let names: Vec<_> = routes.clusters().map(|own| &own.channel.name).collect();
    assert_eq!(names, ["one"]);
    let written = &reply.json()["channels"][0];
    assert_ne!(
        written["signer"], "envoy",
        "its credentials would be in clear text"
    );
}

#[tokio::test]
async fn a_manifest_has_the_channels_their_clusters_and_the_target() {
    let service = sealed(&["--upstream-ca-file", "/ca.pem"]).await;
    let mapping = json!({"model_mapping": {"a  name: with 'spaces' #1": "claude-sonnet-4-5"}});
    service.create(&with("one", &mapping)).await;
    service
        .create(&with("two", &json!({"endpoint": "http://127.0.0.1:9000"})))
        .await;
    let document = manifest(
        &service,
        "?namespace=edge&selector=app%3Dllm,tier%3Dedge&name=llm&module=oci://registry/filter:1",
    )
    .await;
    assert_eq!(document["kind"], "EnvoyFilter");
    assert_eq!(
        document["metadata"],
        json!({"name": "llm", "namespace": "edge"})
    );
    assert_eq!(
        document["spec"]["workloadSelector"]["labels"],
        json!({"app": "llm", "tier": "edge"})
    );
    let plugin = &values(&document, "EXTENSION_CONFIG")[0]["typed_config"]["config"];
    assert_eq!(plugin["allow_on_headers_stop_iteration"], true);
    let remote = &plugin["vm_config"]["code"]["remote"];
    assert_eq!(remote["http_uri"]["uri"], "oci://registry/filter:1");
    let exported = service.get("/api/export/plugin-config").await.json();
    let written: Value =
        serde_json::from_str(plugin["configuration"]["value"].as_str().unwrap()).unwrap();
    // Each export is sealed separately.
    let [exported, written] = [exported, written].map(without_secrets);
    assert_eq!(written, exported);
    let clusters = values(&document, "CLUSTER");
    let names: Vec<_> = clusters
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    let aws = "bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443";
    assert_eq!(names, [aws, "bedrock|http|127.0.0.1|9000"]);
    let statistics = [
        "bedrock|https|bedrock-runtime_us-east-1_amazonaws_com|443",
        "bedrock|http|127_0_0_1|9000",
    ];
    for (cluster, name) in clusters.iter().zip(statistics) {
        assert_eq!(cluster["alt_stat_name"], name);
    }
    assert_eq!(clusters[1].get("transport_socket"), None);
    let context = &clusters[0]["transport_socket"]["typed_config"]["common_tls_context"];
    assert_eq!(
        context["validation_context"]["trusted_ca"]["filename"],
        "/ca.pem"
    );
}

#[tokio::test]
async fn paths_below_other_prefixes_are_denied_too_without_the_filter() {
    let matches = async |service: &TestService| {
        let document = manifest(service, "").await;
        let routes = values(&document, "HTTP_ROUTE").into_iter();
        let denied = routes.filter(|own| own.get("direct_response").is_some());
        let denied = denied.map(|own| (own["name"].to_string(), own["match"].clone()));
        let (names, matches): (Vec<_>, Vec<_>) = denied.unzip();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        matches
    };
    let plain = matches(&sealed(&[]).await).await;
    let prefixes = "/,/openai/v1.0,/openai/deployments/{model}";
    let service = sealed(&["--path-prefixes", prefixes]).await;
    let all = matches(&service).await;
    for own in &plain {
        assert!(all.contains(own), "{own}");
    }
    let paths = "/health(/liveliness|/liveness|/readiness)?/?";
    let health = json!({"safe_regex": {"regex": paths}});
    assert!(plain.contains(&health) && all.contains(&health));
    let without = matches(&sealed(&["--no-health-endpoints"]).await).await;
    assert_eq!(without.len(), plain.len() - 1);
    assert!(!without.contains(&health));
    for endpoint in ["/chat/completions", "/responses", "/messages", "/models"] {
        for prefix in ["/v1", "", "/openai/v1.0"] {
            let own = json!({"path_separated_prefix": format!("{prefix}{endpoint}")});
            assert!(all.contains(&own), "{own}");
        }
        let regex = format!("/openai/deployments/[^/]+{endpoint}(/.*)?");
        let own = json!({"safe_regex": {"regex": regex}});
        assert_eq!(all.contains(&own), endpoint != "/models", "{own}");
    }
    let exported = service.get("/api/export/plugin-config").await.json();
    let prefixes: Vec<_> = prefixes.split(',').collect();
    assert_eq!(exported["path_prefixes"], json!(prefixes));
}

#[tokio::test]
async fn an_ip_address_is_verified_as_one_and_never_sent_as_a_name() {
    let service = sealed(&[]).await;
    service
        .create(&with("one", &json!({"endpoint": "https://10.0.0.7:8443"})))
        .await;
    let document = manifest(&service, "").await;
    let cluster = values(&document, "CLUSTER")[0];
    let context = &cluster["transport_socket"]["typed_config"];
    assert_eq!(context.get("auto_host_sni"), None);
    assert_eq!(context.get("auto_sni_san_validation"), None);
    let names =
        &context["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"];
    assert_eq!(
        names[0],
        json!({"san_type": "IP_ADDRESS", "matcher": {"exact": "10.0.0.7"}})
    );
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused_with_the_reason() {
    for path in ["/api/export/plugin-config", "/api/export/istio"] {
        let service = TestService::start().await;
        service.create(&channel("one")).await;
        let reply = service.get(path).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{reply:?}");
        assert!(reply.text.contains("BEDROCK_SEAL_KEY"), "{reply:?}");

        let service = sealed(&[]).await;
        let chain = &json!({"credentials": {"type": "default_chain"}});
        service.create(&with("borrowed", chain)).await;
        let reply = service.get(path).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{reply:?}");
        assert_eq!(
            reply.json()["type"],
            "urn:bedrock-filter:problem:not-exportable"
        );
        assert!(reply.text.contains("`borrowed`"), "{reply:?}");
    }
    let service = sealed(&[]).await;
    for query in ["?selector=istio", "?namespace=Istio_System", "?unknown=1"] {
        let reply = service.get(&format!("/api/export/istio{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        let parameter = query.trim_start_matches('?').split('=').next().unwrap();
        assert!(reply.text.contains(parameter), "{reply:?}");
    }
}

#[tokio::test]
async fn the_hashes_of_keys_are_not_for_viewers() {
    let service = sealed(&[]).await;
    let body = json!({"name": "dashboard", "role": "viewer"}).to_string();
    let token = service.send(Method::POST, "/api/tokens", body).await.json();
    let token = token["token"].as_str().unwrap();
    let get = async |path: &str| {
        let request = reqwest::Client::new().get(service.url(path));
        crate::common::receive(request.bearer_auth(token)).await
    };
    get("/api/export/plugin-config").await.problem(403);
    get("/api/export/istio").await.problem(403);
    // It has neither keys nor credentials.
    let live = get("/api/export/istio?mode=live&xds=config-service:18000").await;
    assert_eq!(live.status, 200, "{live:?}");
}
