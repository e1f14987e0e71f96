//! Edits of channels whose clusters a live gateway does not have.

use crate::common::envoy::{ECDS, Envoy, plugin_json};
use crate::common::{TestService, channel, channel_with};
use reqwest::Method;
use serde_json::{Value, json};

use super::live::{LIVE, gateway_with_pools};
use super::{check_refused, filter, sealed};

/// A live gateway with failover, and the ids of its channels `one` and `two`.
struct Live {
    service: TestService,
    ids: [String; 2],
    listener: Envoy,
    _pools: Envoy,
}

impl Live {
    async fn start(more: &str) -> Self {
        let service = sealed(&["--failover"]).await;
        let ids = [
            service.create(&channel("one")).await,
            service.create(&channel("two")).await,
        ];
        let manifest = filter(&service, &format!("{LIVE}{more}")).await;
        let (listener, pools) = gateway_with_pools(&service, &manifest).await;
        let mut live = Self {
            service,
            ids,
            listener,
            _pools: pools,
        };
        assert!(live.fails_over().await);
        live
    }

    /// Whether the next configuration that the gateway gets has failover.
    async fn fails_over(&mut self) -> bool {
        let plugin = self.listener.receive(ECDS).await;
        self.listener.ack(&plugin).await;
        plugin_json(&plugin).get("failover").is_some()
    }

    /// Edits `one`; returns the codes of the warnings about clusters, each with its place.
    async fn edit(&self, change: &Value) -> Vec<(String, String)> {
        let edited = self.service.patch(&self.ids[0], change).await.json();
        about_clusters(&edited)
    }

    async fn missing(&self) -> String {
        let status = self.service.get("/api/status").await.json();
        status["envoys"][0]["missing_clusters"].to_string()
    }
}

fn about_clusters(view: &Value) -> Vec<(String, String)> {
    let warnings = view["warnings"].as_array().unwrap().iter();
    let text = |own: &Value, name: &str| own[name].as_str().unwrap().to_owned();
    let pairs = warnings.map(|own| (text(own, "code"), text(own, "pointer")));
    pairs
        .filter(|(code, _)| code == "no_cluster" || code == "no_pool")
        .collect()
}

fn warned(code: &str, place: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), place.to_owned())]
}

#[tokio::test]
async fn an_endpoint_never_gets_what_was_meant_for_another() {
    let mut live = Live::start("&endpoints=eu-west-1").await;
    // The pools of the manifest lead to the former endpoint.
    let known = live.edit(&json!({"region": "eu-west-1"})).await;
    assert_eq!(known, warned("no_pool", ""));
    assert!(!live.fails_over().await);
    assert!(live.missing().await.contains("|pool|"));
    let unknown = live.edit(&json!({"region": "eu-west-3"})).await;
    assert_eq!(unknown, warned("no_cluster", "/region"));
    assert!(!live.fails_over().await);
    let missing = live.missing().await;
    assert!(missing.contains("eu-west-3.amazonaws.com"), "{missing}");
    let back = json!({"region": "us-east-1"});
    assert_eq!(live.edit(&back).await, []);
    assert!(live.fails_over().await);
}

#[tokio::test]
async fn nothing_leaves_unsigned_if_envoy_is_to_sign() {
    let mut live = Live::start("").await;
    let signer = json!({"signer": "envoy"});
    let edited = live.service.patch(&live.ids[0], &signer).await.json();
    assert_eq!(about_clusters(&edited), warned("no_cluster", "/signer"));
    // The remedy is not another manifest, which would show the key.
    let message = edited["warnings"].to_string();
    assert!(message.contains("to `filter`"), "{message}");
    check_refused(&live.service, LIVE, &["`one`", "filter"]).await;
    assert!(!live.fails_over().await);
    let missing = live.missing().await;
    let own = "amazonaws.com|443|one\"";
    assert!(missing.contains(own), "{missing}");
    assert_eq!(live.edit(&json!({"signer": "filter"})).await, []);
    assert!(live.fails_over().await);
}

#[tokio::test]
async fn a_new_or_renamed_channel_on_a_known_endpoint_lacks_pools_alone() {
    let mut live = Live::start("").await;
    let created = live.service.post(&channel("three")).await.json();
    assert_eq!(about_clusters(&created), warned("no_pool", ""));
    assert!(!live.fails_over().await);
    let path = format!("/api/channels/{}", created["id"].as_str().unwrap());
    let deleted = live.service.send(Method::DELETE, &path, "").await;
    assert!(deleted.status.is_success(), "{deleted:?}");
    assert!(live.fails_over().await);
    let renamed = live.edit(&json!({"name": "renamed"})).await;
    assert_eq!(renamed, warned("no_pool", ""));
    assert!(!live.fails_over().await);
}

#[tokio::test]
async fn a_warning_comes_before_a_channel_is_enabled() {
    let live = Live::start("&endpoints=eu-west-1").await;
    let disabled = channel_with("three", &json!({"enabled": false, "region": "eu-west-1"}));
    let created = live.service.post(&disabled).await.json();
    assert_eq!(about_clusters(&created), warned("no_pool", ""));
}
