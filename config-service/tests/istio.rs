//! Manifests for Istio: what each mode has, and what is refused because it would not work.

mod edits;
mod golden;
mod left;
mod listener;
mod live;
mod modules;
mod names;
mod paths;
mod refused;

use std::sync::Arc;

use crate::common::envoy::pool_channels;
use crate::common::{SECRET, TestService, channel, channel_with};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

const KEY: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A service that seals, with these flags.
async fn sealed(flags: &[&str]) -> TestService {
    let dir = Arc::new(TempDir::new().unwrap());
    let flags: Vec<_> = ["--seal-key", KEY].iter().chain(flags).copied().collect();
    TestService::start_in(dir, &flags).await
}

/// A service that serves its module from a file, with these flags.
async fn serving(flags: &[&str]) -> TestService {
    let dir = Arc::new(TempDir::new().unwrap());
    let module = dir.path().join("filter.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let own = ["--seal-key", KEY, "--wasm", module.to_str().unwrap()];
    let flags: Vec<_> = own.iter().chain(flags).copied().collect();
    TestService::start_in(Arc::clone(&dir), &flags).await
}

/// The text of a manifest.
async fn text(service: &TestService, query: &str) -> String {
    let reply = service.get(&format!("/api/export/istio?{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert!(!reply.text.contains(SECRET), "{}", reply.text);
    reply.text
}

/// The documents of a manifest.
async fn documents(service: &TestService, query: &str) -> Vec<Value> {
    let text = text(service, query).await;
    let documents = text.split("\n---\n");
    let documents = documents.map(|own| serde_saphyr::from_str(own).unwrap());
    documents.collect()
}

/// Its `EnvoyFilter`: of several the one with the filter, which is the last.
async fn filter(service: &TestService, query: &str) -> Value {
    let documents = documents(service, query).await.into_iter();
    let mut filters = documents.filter(|own| own["kind"] == "EnvoyFilter");
    filters.next_back().unwrap()
}

/// The values of all patches of a kind.
fn values<'m>(manifest: &'m Value, kind: &str) -> Vec<&'m Value> {
    let patches = manifest["spec"]["configPatches"].as_array().unwrap().iter();
    let own = patches.filter(|patch| patch["applyTo"] == kind);
    own.map(|patch| &patch["patch"]["value"]).collect()
}

fn code(manifest: &Value) -> &Value {
    &values(manifest, "EXTENSION_CONFIG")[0]["typed_config"]["config"]["vm_config"]["code"]
}

/// Checks that a query is refused with a sentence that has these words.
async fn check_refused(service: &TestService, query: &str, words: &[&str]) {
    let reply = service.get(&format!("/api/export/istio?{query}")).await;
    assert!(reply.status.is_client_error(), "{reply:?}");
    for word in words {
        assert!(reply.text.contains(word), "{query}: {reply:?}");
    }
}

#[tokio::test]
async fn endpoints_have_a_virtual_host_of_their_own() {
    let service = sealed(&[]).await;
    service.create(&channel("aws")).await;
    for (name, endpoint) in [
        ("named", "https://llm.example:8443"),
        ("address", "http://[::1]:9000"),
    ] {
        let change = json!({ "endpoint": endpoint });
        service.create(&channel_with(name, &change)).await;
    }
    let manifest = filter(&service, "").await;
    let [host] = values(&manifest, "VIRTUAL_HOST")[..] else {
        panic!("one virtual host");
    };
    let domains = host["domains"].as_array().unwrap();
    for domain in [
        "*.amazonaws.com",
        "*.amazonaws.com.cn",
        "*.api.aws",
        "stand-in.invalid",
        "llm.example",
        "llm.example:8443",
        "[::1]:9000",
    ] {
        assert!(domains.contains(&json!(domain)), "{domain}: {domains:?}");
    }
    let routes = host["routes"].as_array().unwrap();
    let inserted = values(&manifest, "HTTP_ROUTE");
    assert_eq!(routes.len(), 1);
    assert!(inserted.contains(&&routes[0]), "{routes:?}");
    assert_eq!(routes[0]["route"]["cluster_header"], "x-bedrock-cluster");
}

#[tokio::test]
async fn the_module_is_in_the_gateways_image_unless_it_is_told_otherwise() {
    let service = serving(&[]).await;
    let version = env!("CARGO_PKG_VERSION");
    let path = format!("/etc/bedrock/bedrock_filter-{version}.wasm");
    let local = |path: &str| json!({ "local": { "filename": path } });
    assert_eq!(*code(&filter(&service, "").await), local(&path));
    let other = filter(&service, "module=/opt/filter.wasm").await;
    assert_eq!(*code(&other), local("/opt/filter.wasm"));
    let service = sealed(&[]).await;
    let known = filter(&service, "").await;
    assert_eq!(*code(&known), local("/etc/envoy/bedrock_filter.wasm"));
}

/// What a repository of manifests compares.
#[tokio::test]
async fn copies_without_an_edit_between_them_differ_in_sealed_secrets_alone() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let [first, second] = [text(&service, "").await, text(&service, "").await];
    assert_ne!(first, second);
    let rest = |text: &str| {
        let mut parts = text.split("sealed:").map(str::to_owned);
        let start = parts.next();
        let ends = parts.filter_map(|own| own.split_once('"').map(|own| own.1.to_owned()));
        start.into_iter().chain(ends).collect::<Vec<_>>()
    };
    assert_eq!(rest(&first), rest(&second));
    let revision = first.lines().next().unwrap();
    assert!(revision.contains("of revision "), "{revision}");
    let live = "mode=live&xds=config-service.bedrock:18000";
    assert_eq!(text(&service, live).await, text(&service, live).await);
}

#[tokio::test]
async fn a_gateway_without_the_module_keeps_its_other_paths() {
    let manifest = filter(&sealed(&[]).await, "").await;
    let discovery = &values(&manifest, "HTTP_FILTER")[0]["config_discovery"];
    let harmless = "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config";
    assert_eq!(discovery["default_config"]["@type"], harmless);
    let types = discovery["type_urls"].as_array().unwrap();
    assert!(types.contains(&json!(harmless)));
    assert!(!types.iter().any(|own| own.to_string().contains("rbac")));
}

#[tokio::test]
async fn what_kubectl_would_refuse_is_announced_and_what_etcd_would_is_refused() {
    let service = sealed(&[]).await;
    let small = text(&service, "").await;
    assert!(small.contains("kubectl apply --server-side"), "{small}");
    assert!(!small.contains("mode=live"), "{small}");
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456";
    let entry = |number| (format!("model-with-a-long-name-{number}"), json!(arn));
    let map: serde_json::Map<_, _> = (0..4_000).map(entry).collect();
    let map = json!({ "inference_profile_arn_map": map });
    service.create(&channel_with("first", &map)).await;
    let large = text(&service, "").await;
    let head: String = large.lines().take(12).collect();
    assert!(head.contains("without --server-side"), "{head}");
    assert!(head.contains("mode=live"), "{head}");
    for name in ["second", "third", "fourth"] {
        service.create(&channel_with(name, &map)).await;
    }
    check_refused(&service, "", &["mode=live"]).await;
}

#[tokio::test]
async fn no_endpoint_gets_trace_headers() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    service
        .create(&channel_with("two", &json!({"region": "us-west-2"})))
        .await;
    let manifest = filter(&service, "").await;
    let clusters = values(&manifest, "CLUSTER");
    assert!(clusters.len() > 3, "pools too");
    for cluster in clusters {
        let options = &cluster["typed_extension_protocol_options"];
        let options = &options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
        let filters = options["http_filters"].as_array().unwrap();
        let names: Vec<_> = filters
            .iter()
            .map(|own| own["name"].as_str().unwrap())
            .collect();
        let last = [
            "envoy.filters.http.header_mutation",
            "envoy.filters.http.upstream_codec",
        ];
        assert!(names.ends_with(&last), "{names:?}");
        let removed = filters[filters.len() - 2]["typed_config"].to_string();
        assert!(removed.contains("traceparent") && removed.contains("tracestate"));
    }
}

#[tokio::test]
async fn istios_own_clusters_stop_trace_headers_too() {
    let service = sealed(&[]).await;
    service.create(&channel("one")).await;
    let query = "mode=routes&gateways=llm&endpoints=eu-west-1";
    let manifest = filter(&service, query).await;
    let patches = manifest["spec"]["configPatches"].as_array().unwrap().iter();
    let clusters: Vec<_> = patches.filter(|own| own["applyTo"] == "CLUSTER").collect();
    let services: Vec<_> = clusters
        .iter()
        .map(|own| own["match"]["cluster"].clone())
        .collect();
    let service = |region: &str| {
        let host = format!("bedrock-runtime.{region}.amazonaws.com");
        json!({ "service": host, "portNumber": 80 })
    };
    assert_eq!(services, [service("eu-west-1"), service("us-east-1")]);
    for cluster in clusters {
        assert_eq!(cluster["patch"]["operation"], "MERGE");
        assert_eq!(cluster["match"]["context"], "GATEWAY");
        assert!(cluster.to_string().contains("traceparent"), "{cluster}");
    }
}

#[tokio::test]
async fn a_copy_fails_over_by_two_resources() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    service
        .create(&channel_with("two", &json!({"priority": 1})))
        .await;
    let manifest = filter(&service, "").await;
    let resources = values(&manifest, "EXTENSION_CONFIG");
    let names: Vec<_> = resources
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], "bedrock");
    assert!(names[1].starts_with("bedrock-upstream-"), "{names:?}");
    // Both run in one VM, or the second could not see the first one's requests.
    let vm = |own: &Value| own["typed_config"]["config"]["vm_config"].clone();
    assert_eq!(vm(resources[0]), vm(resources[1]));
    let config = &resources[0]["typed_config"]["config"]["configuration"]["value"];
    let config: Value = serde_json::from_str(config.as_str().unwrap()).unwrap();
    let generation = config["failover"]["generation"].as_str().unwrap();
    assert_eq!(names[1], format!("bedrock-upstream-{generation}"));
    let clusters = values(&manifest, "CLUSTER");
    let find = |channels: &str| {
        let is_it = |own: &&&Value| {
            let name = own["name"].as_str();
            name.and_then(pool_channels) == Some(channels)
        };
        *clusters.iter().find(is_it).unwrap()
    };
    let [one, two] = ["one", "two"].map(find);
    let members = &find("one|two")["cluster_type"]["typed_config"]["clusters"];
    assert_eq!(*members, json!([one["name"], two["name"]]));
    let alone = one;
    let endpoint = &alone["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
    assert_eq!(
        endpoint["metadata"]["filter_metadata"]["bedrock"]["channel"],
        "one"
    );
    let routes = values(&manifest, "VIRTUAL_HOST")[0]["routes"]
        .as_array()
        .unwrap();
    assert_eq!(routes[0]["name"], "bedrock-pool");
    assert_eq!(routes[0]["route"]["retry_policy"]["num_retries"], 0);
}

#[tokio::test]
async fn sidecars_and_gateways_of_others_keep_istios_own_limits() {
    let service = sealed(&[]).await;
    let limits = |manifest: &Value| {
        let manager = values(manifest, "NETWORK_FILTER")[0]["typed_config"].clone();
        let streams = manager["http2_protocol_options"].get("max_concurrent_streams");
        (
            manager.get("stream_idle_timeout").is_some(),
            streams.is_some(),
        )
    };
    assert_eq!(limits(&filter(&service, "").await), (true, true));
    let shared = filter(&service, "sharing=shared").await;
    assert_eq!(limits(&shared), (false, false));
    let sidecar = filter(&service, "context=sidecar&selector=app=web").await;
    assert_eq!(limits(&sidecar), (false, false));
    for patch in sidecar["spec"]["configPatches"].as_array().unwrap() {
        assert_eq!(patch["match"]["context"], "SIDECAR_OUTBOUND", "{patch}");
    }
}

#[tokio::test]
async fn sidecars_get_no_virtual_host_that_the_mesh_may_have() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let sidecar = "context=sidecar&selector=app=web";
    for query in [
        sidecar.to_owned(),
        format!("{sidecar}&mode=live&xds=config-service.bedrock:18000"),
    ] {
        let manifest = filter(&service, &query).await;
        assert!(values(&manifest, "VIRTUAL_HOST").is_empty());
        // The one that every sidecar has for all names gets these.
        let routes = values(&manifest, "HTTP_ROUTE");
        for name in ["bedrock", "bedrock-pool"] {
            assert!(routes.iter().any(|own| own["name"] == name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_gateway_of_the_gateway_api_is_named_instead_of_labels() {
    let service = sealed(&[]).await;
    let manifest = filter(&service, "gateway=llm&namespace=edge").await;
    assert_eq!(manifest["spec"].get("workloadSelector"), None);
    let reference = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "llm"});
    assert_eq!(manifest["spec"]["targetRefs"], json!([reference]));
    check_refused(&service, "gateway=llm&selector=a=b", &["selector"]).await;
}

#[tokio::test]
async fn routes_leave_the_way_to_istio() {
    let service = sealed(&["--failover"]).await;
    service.create(&channel("one")).await;
    let documents = documents(&service, "mode=routes&gateways=llm").await;
    let kinds: Vec<_> = documents
        .iter()
        .map(|own| own["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "EnvoyFilter",
            "ServiceEntry",
            "DestinationRule",
            "VirtualService"
        ]
    );
    assert!(values(&documents[0], "VIRTUAL_HOST").is_empty());
    let routes = values(&documents[0], "HTTP_ROUTE");
    assert!(
        routes
            .iter()
            .all(|own| own.get("direct_response").is_some())
    );
    let host = "bedrock-runtime.us-east-1.amazonaws.com";
    assert_eq!(documents[3]["spec"]["hosts"], json!([host]));
    assert_eq!(documents[3]["spec"]["http"][0]["retries"]["attempts"], 0);
    let config = &values(&documents[0], "EXTENSION_CONFIG")[0];
    assert!(
        !config.to_string().contains("failover"),
        "there is none this way"
    );

    let live = "mode=routes&gateways=llm&xds=config-service.bedrock:18000";
    check_refused(&service, live, &["--failover"]).await;
    let plain = sealed(&[]).await;
    let filter = filter(&plain, live).await;
    assert!(values(&filter, "EXTENSION_CONFIG").is_empty());

    let address = json!({"endpoint": "https://10.0.0.7:8443"});
    service.create(&channel_with("address", &address)).await;
    check_refused(
        &service,
        "mode=routes&gateways=llm",
        &["10.0.0.7", "mode=copy"],
    )
    .await;
}
