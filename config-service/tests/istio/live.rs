//! Gateways that get their channels from the service, and their clusters from a manifest.

use crate::common::envoy::{ECDS, Envoy, plugin_json, pool_channels};
use crate::common::{TestService, channel, channel_with};
use serde_json::{Value, json};

use super::{check_refused, documents, filter, sealed, serving, values};

pub(super) const LIVE: &str = "mode=live&xds=config-service.bedrock:18000";

fn source(manifest: &Value) -> &Value {
    &values(manifest, "HTTP_FILTER")[0]["config_discovery"]["config_source"]
}

/// The short names of the clusters that a manifest says it has, a list for each header.
fn lists(manifest: &Value) -> Vec<String> {
    let service = &source(manifest)["api_config_source"]["grpc_services"][0];
    let headers = service["initial_metadata"].as_array().unwrap().iter();
    let lists = headers.zip(1..).map(|(header, number)| {
        // Envoy sends only one header of each name.
        let key = match number {
            1 => "x-bedrock-clusters".to_owned(),
            number => format!("x-bedrock-clusters-{number}"),
        };
        assert_eq!(header["key"], key);
        header["value"].as_str().unwrap().to_owned()
    });
    lists.collect()
}

/// Opens the stream of a gateway that has a manifest.
async fn gateway(service: &TestService, id: &str, manifest: &Value) -> Envoy {
    Envoy::naming_clusters(service, id, &lists(manifest)).await
}

#[tokio::test]
async fn the_manifest_has_no_channels_but_where_they_come_from() {
    // Without a seal key, and with credentials that AWS renews, a copy would be refused.
    let service = TestService::start().await;
    let chain = json!({"credentials": {"type": "default_chain"}});
    service.create(&channel_with("renewed", &chain)).await;
    let manifest = filter(&service, LIVE).await;
    assert!(values(&manifest, "EXTENSION_CONFIG").is_empty());
    assert!(!manifest.to_string().contains("renewed"));
    let api = &source(&manifest)["api_config_source"];
    assert_eq!(api["api_type"], "GRPC");
    let client = &api["grpc_services"][0]["google_grpc"];
    assert_eq!(client["target_uri"], "config-service.bedrock:18000");
    assert_eq!(client.get("channel_credentials"), None);
    assert_eq!(source(&manifest)["initial_fetch_timeout"], "0s");
    let shared = filter(&service, &format!("{LIVE}&sharing=shared")).await;
    assert_eq!(source(&shared)["initial_fetch_timeout"], "15s");
    check_refused(&service, "mode=live", &["xds"]).await;
}

#[tokio::test]
async fn gateways_ask_about_limits_if_they_shall() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let alone = filter(&service, LIVE).await;
    assert_eq!(values(&alone, "HTTP_FILTER").len(), 1);
    let query = format!("{LIVE}&limits=shared&xds_ca=/etc/bedrock/xds/ca.crt");
    let manifest = filter(&service, &query).await;
    let filters = values(&manifest, "HTTP_FILTER");
    let names: Vec<_> = filters.iter().map(|own| &own["name"]).collect();
    // Each is inserted before the router: so ours is in front.
    assert_eq!(names, ["bedrock", "envoy.filters.http.ratelimit"]);
    let clusters = values(&manifest, "CLUSTER");
    let cluster = clusters.iter().find(|own| own["name"] == "rate-limit");
    let cluster = cluster.unwrap().to_string();
    assert!(cluster.contains(r#""address":"config-service.bedrock""#));
    assert!(cluster.contains("/etc/bedrock/xds/ca.crt"), "{cluster}");
    let hosts = &values(&manifest, "VIRTUAL_HOST")[0]["routes"];
    let inserted = values(&manifest, "HTTP_ROUTE").into_iter();
    let to_bedrock = |own: &&Value| own["match"]["prefix"] == "/model/";
    let routes = inserted.chain(hosts.as_array().unwrap()).filter(to_bedrock);
    let counts: Vec<_> = routes.map(|own| &own["typed_per_filter_config"]).collect();
    assert_eq!(counts.len(), 4);
    for own in counts {
        assert!(own.to_string().contains("wasm.rl.rpm"), "{own}");
    }
    check_refused(&service, "limits=shared", &["mode live"]).await;
}

#[tokio::test]
async fn endpoints_can_be_named_in_advance() {
    let service = sealed(&[]).await;
    service.create(&channel("one")).await;
    let more = "eu-west-1,https://llm.example:8443";
    let manifest = filter(&service, &format!("{LIVE}&endpoints={more}")).await;
    let clusters = values(&manifest, "CLUSTER");
    let names: Vec<_> = clusters
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    for name in [
        "bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443",
        "bedrock|https|bedrock-runtime.eu-west-1.amazonaws.com|443",
        "bedrock|https|llm.example|8443",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let domains = &values(&manifest, "VIRTUAL_HOST")[0]["domains"];
    assert!(
        domains
            .as_array()
            .unwrap()
            .contains(&json!("llm.example:8443"))
    );
}

#[tokio::test]
async fn pools_of_channels_that_are_disabled_as_yet_are_there_before_they_are_needed() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    service
        .create(&channel_with("two", &json!({"enabled": false})))
        .await;
    let manifest = filter(&service, LIVE).await;
    let clusters = values(&manifest, "CLUSTER");
    let pools = |channels: &str| {
        let names = clusters.iter().map(|own| own["name"].as_str().unwrap());
        names
            .filter(|name| pool_channels(name) == Some(channels))
            .count()
    };
    for pool in ["one", "two", "one|two", "two|one"] {
        assert_eq!(pools(pool), 1, "{pool}");
    }
    let pool = clusters
        .iter()
        .find(|own| own.to_string().contains("bedrock-upstream-"));
    let pool = pool.unwrap().to_string();
    assert!(pool.contains("config-service.bedrock:18000"), "{pool}");
    // There may be hundreds of pools.
    assert!(!pool.contains("x-bedrock-clusters"), "{pool}");
}

#[tokio::test]
async fn tls_to_the_service_is_that_of_either_client() {
    let service = sealed(&[]).await;
    let tls = format!("{LIVE}&xds_ca=/ca.pem&xds_certificate=/own.pem&xds_key=/own.key");
    let manifest = filter(&service, &tls).await;
    let services = &source(&manifest)["api_config_source"]["grpc_services"];
    let credentials = &services[0]["google_grpc"]["channel_credentials"]["ssl_credentials"];
    assert_eq!(credentials["root_certs"]["filename"], "/ca.pem");
    assert_eq!(credentials["cert_chain"]["filename"], "/own.pem");
    assert_eq!(credentials["private_key"]["filename"], "/own.key");

    let documents = documents(&service, &format!("{tls}&xds_client=envoy_grpc")).await;
    let services = &source(&documents[0])["api_config_source"]["grpc_services"];
    assert_eq!(
        services[0]["envoy_grpc"]["cluster_name"],
        "config-service-xds"
    );
    assert_eq!(documents[1]["kind"], "ConfigMap");
    let bootstrap = documents[1]["data"]["custom_bootstrap.json"]
        .as_str()
        .unwrap();
    let bootstrap: Value = serde_json::from_str(bootstrap).unwrap();
    assert!(bootstrap.get("overload_manager").is_some());
    let cluster = &bootstrap["static_resources"]["clusters"][0];
    assert_eq!(cluster["name"], "config-service-xds");
    let context = &cluster["transport_socket"]["typed_config"];
    assert_eq!(context["sni"], "config-service.bedrock");
    check_refused(
        &service,
        &format!("{LIVE}&xds_certificate=/own.pem"),
        &["xds_key"],
    )
    .await;
}

#[tokio::test]
async fn a_key_for_envoys_own_signer_is_never_in_a_manifest() {
    let service = sealed(&[]).await;
    service
        .create(&channel_with("one", &json!({"signer": "envoy"})))
        .await;
    check_refused(&service, LIVE, &["`one`", "signer"]).await;
}

#[tokio::test]
async fn a_channel_that_a_gateway_has_no_cluster_for_is_reported() {
    let service = sealed(&[]).await;
    let id = service.create(&channel("one")).await;
    let manifest = filter(&service, LIVE).await;
    let mut first = gateway(&service, "gateway-1", &manifest).await;
    first.subscribe(ECDS, "").await;
    let plugin = first.receive(ECDS).await;
    first.ack(&plugin).await;
    let view = service.get(&format!("/api/channels/{id}")).await;
    assert!(!view.text.contains("no_cluster"), "{view:?}");

    let elsewhere = channel_with("two", &json!({"region": "eu-west-1"}));
    let created = service.post(&elsewhere).await.json();
    let mut warnings = created["warnings"].as_array().unwrap().iter();
    let warning = warnings.find(|own| own["code"] == "no_cluster").unwrap();
    assert_eq!(warning["pointer"], "/region");
    let message = warning["message"].as_str().unwrap();
    assert!(
        message.contains("`gateway-1`") && message.contains("export"),
        "{message}"
    );
    let status = service.get("/api/status").await.json();
    let name = "bedrock|https|bedrock-runtime.eu-west-1.amazonaws.com|443";
    assert_eq!(
        status["envoys"][0]["missing_clusters"],
        json!([name]),
        "{status}"
    );
    let summary = status["summary"].as_str().unwrap();
    assert!(summary.contains("1 lacks clusters"), "{summary}");

    // The remedy.
    drop(first);
    let manifest = filter(&service, LIVE).await;
    let mut second = gateway(&service, "gateway-2", &manifest).await;
    second.subscribe(ECDS, "").await;
    second.receive(ECDS).await;
    let status = service.get("/api/status").await.json();
    let envoys = status["envoys"].as_array().unwrap();
    let own = envoys
        .iter()
        .find(|own| own["node_id"] == "gateway-2")
        .unwrap();
    assert_eq!(own["missing_clusters"], json!([]));
}

/// The name of the filter on pools.
fn stage(manifest: &Value) -> String {
    let stage = values(manifest, "CLUSTER").into_iter().find_map(|own| {
        let options = &own["typed_extension_protocol_options"];
        let options = &options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
        let name = options["http_filters"][0]["name"].as_str()?;
        name.starts_with("bedrock-upstream-")
            .then(|| name.to_owned())
    });
    stage.expect("a filter on pools")
}

/// The streams of a gateway that has a manifest and has accepted the filter on its pools: the listener's and the pools'.
pub(super) async fn gateway_with_pools(service: &TestService, manifest: &Value) -> (Envoy, Envoy) {
    let mut pools = Envoy::naming_clusters(service, "gateway-1", &[]).await;
    let stage = stage(manifest);
    let response = pools.ask_for(&stage).await;
    pools.ack_of(&stage, &response).await;
    let mut listener = gateway(service, "gateway-1", manifest).await;
    listener.subscribe(ECDS, "").await;
    (listener, pools)
}

#[tokio::test]
async fn a_gateway_that_lacks_a_pool_gets_every_edit_and_does_not_fail_over() {
    let service = sealed(&["--failover"]).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(service.create(&channel(name)).await);
    }
    let manifest = filter(&service, LIVE).await;
    let (mut listener, _pools) = gateway_with_pools(&service, &manifest).await;
    let mut fails_over = async || {
        let plugin = listener.receive(ECDS).await;
        listener.ack(&plugin).await;
        let config = plugin_json(&plugin);
        assert_eq!(config["channels"].as_array().unwrap().len(), 3, "{config}");
        config.get("failover").is_some()
    };
    assert!(fails_over().await);
    let edit = async |enabled: bool| {
        let edited = service.patch(&ids[1], &json!({ "enabled": enabled })).await;
        edited.json()["warnings"].to_string()
    };
    let warnings = edit(false).await;
    assert!(
        warnings.contains("no_pool") && warnings.contains("`gateway-1`"),
        "{warnings}"
    );
    assert!(!fails_over().await);
    let status = service.wait_for("the edit is active", |status| {
        status["envoys"][0]["state"] == "active"
    });
    let missing = status.await["envoys"][0]["missing_clusters"].clone();
    assert!(missing.to_string().contains("|one|three"), "{missing}");
    assert!(!edit(true).await.contains("no_pool"));
    assert!(fails_over().await);
}

#[tokio::test]
async fn a_gateway_gets_its_channels_after_the_filter_on_its_pools() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let manifest = filter(&service, LIVE).await;
    let stage = stage(&manifest);

    // Each filter has a stream of its own.
    let mut listener = gateway(&service, "gateway-1", &manifest).await;
    listener.subscribe(ECDS, "").await;
    let waiting = |status: &Value| status["envoys"][0]["waiting_for"] == "module";
    service.wait_for("the listener waits", waiting).await;
    let mut pools = Envoy::naming_clusters(&service, "gateway-1", &[]).await;
    let filter = pools.ask_for(&stage).await;
    service
        .wait_for("it waits until the filter is accepted", waiting)
        .await;
    pools.ack_of(&stage, &filter).await;
    let plugin = listener.receive(ECDS).await;
    listener.ack(&plugin).await;
    service
        .wait_for("the gateway runs it", |status| {
            status["envoys"][0]["state"] == "active"
        })
        .await;
}

#[tokio::test]
async fn a_gateway_is_never_told_to_fetch_a_module_that_it_has_no_cluster_for() {
    // The manifest was made when the service named a file in gateways.
    let service = serving(&[]).await;
    service.create(&channel("one")).await;
    let mut gateway = Envoy::naming_clusters(&service, "gateway-1", &["none".to_owned()]).await;
    gateway.subscribe(ECDS, "").await;
    let waiting = |status: &Value| status["envoys"][0]["waiting_for"] == "module";
    service.wait_for("the gateway waits", waiting).await;
    // As other lists: the start of the SHA-256 of `config-service`.
    let own = vec!["387117cb".to_owned()];
    let mut able = Envoy::naming_clusters(&service, "gateway-2", &own).await;
    able.subscribe(ECDS, "").await;
    able.receive(ECDS).await;
}

#[tokio::test]
async fn a_manifest_without_clusters_says_so() {
    let service = sealed(&[]).await;
    let manifest = filter(&service, LIVE).await;
    assert!(values(&manifest, "CLUSTER").is_empty());
    // Envoy sends no header without a value.
    let lists = lists(&manifest);
    assert!(!lists.is_empty() && lists.iter().all(|list| !list.is_empty()));
    let mut envoy = gateway(&service, "gateway-1", &manifest).await;
    envoy.subscribe(ECDS, "").await;
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
    let created = service.post(&channel("one")).await.json();
    let warnings = created["warnings"].to_string();
    assert!(warnings.contains("no_cluster"), "{warnings}");
}

#[tokio::test]
async fn a_gateway_may_have_thousands_of_clusters() {
    let service = sealed(&[]).await;
    service.create(&channel("one")).await;
    let more: Vec<_> = (0..1_500).map(|own| format!("https://e{own}.c")).collect();
    let query = format!("{LIVE}&endpoints={}", more.join(","));
    let manifest = filter(&service, &query).await;
    let mut lists = lists(&manifest);
    assert_eq!(lists.len(), 2);
    // Envoy's limit.
    assert!(lists.iter().all(|list| list.len() <= 16_384));
    lists.extend((0..10).map(|_| "00000000,".repeat(1_000)));
    let mut envoy = Envoy::naming_clusters(&service, "gateway-1", &lists).await;
    envoy.subscribe(ECDS, "").await;
    envoy.receive(ECDS).await;
    let elsewhere = channel_with("two", &json!({"endpoint": "https://e1499.c"}));
    let created = service.post(&elsewhere).await.json();
    assert!(!created.to_string().contains("no_cluster"), "{created}");
    let unknown = channel_with("three", &json!({"endpoint": "https://e1500.c"}));
    let created = service.post(&unknown).await.json();
    assert!(created.to_string().contains("no_cluster"), "{created}");
}
