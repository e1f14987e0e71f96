//! Parameters that Kubernetes, Istio or a gateway could not use.

use super::{check_refused, code, filter, sealed, serving};

#[tokio::test]
async fn a_module_that_gateways_cannot_fetch_is_refused() {
    for flags in [&[][..], &["--wasm-url-base", "http://localhost:8080"]] {
        let service = serving(flags).await;
        check_refused(&service, "module=served", &["--wasm-url-base"]).await;
    }
    let service = serving(&["--wasm-url-base", "http://config-service.bedrock:8080"]).await;
    let manifest = filter(&service, "module=served").await;
    let remote = &code(&manifest)["remote"];
    let uri = remote["http_uri"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("http://config-service.bedrock:8080/filter/"));
    assert_eq!(remote["sha256"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn live_gateways_never_fetch_the_module() {
    // Wherever it is served: one that is late answers 503 on every path of a gateway that starts.
    let service = serving(&["--wasm-url-base", "http://config-service.bedrock:8080"]).await;
    let words = ["image", "--wasm-path-in-envoy"];
    for mode in ["live", "live&sharing=shared", "routes&gateways=llm"] {
        let query = format!("mode={mode}&xds=config-service.bedrock:18000");
        check_refused(&service, &query, &words).await;
    }
}

#[tokio::test]
async fn no_parameter_adds_a_document_to_the_manifest() {
    let service = sealed(&[]).await;
    let all = service.get("/api/openapi.json").await.json();
    let all = &all["paths"]["/api/export/istio"]["get"]["parameters"];
    let names = all.as_array().unwrap().iter();
    let names: Vec<_> = names.map(|own| own["name"].as_str().unwrap()).collect();
    assert!(
        names.contains(&"module") && names.contains(&"gateways"),
        "{names:?}"
    );
    for name in names {
        for end in ["%0A", "%0D", "%C2%85", "%E2%80%A8"] {
            let query = format!("{name}=/x{end}---{end}kind:%20ClusterRoleBinding");
            check_refused(&service, &query, &[name]).await;
        }
    }
}

#[tokio::test]
async fn what_kubernetes_would_refuse_or_a_gateway_could_not_reach_is_refused_here() {
    let service = sealed(&[]).await;
    let live = "mode=live&xds=config-service.bedrock:18000";
    for (query, word) in [
        ("selector=a=b%20c", "selector"),
        ("selector=istio=x,istio=y", "selector"),
        ("selector=a={{x}}", "selector"),
        ("mode=routes&gateways=,,", "gateways"),
        ("mode=routes&gateways=BAD%20NAME!!/x/y", "gateways"),
        ("mode=routes&gateways=a&gateway=b", "gateways"),
        ("gateways=a", "mode routes"),
        ("xds_ca=/ca.crt", "xds"),
        ("xds_client=envoy_grpc", "xds_client"),
        ("mode=live&xds=127.0.0.1:18000", "reach"),
        ("mode=live&xds=localhost:18000", "reach"),
        ("mode=live&xds=cs.bedrock:0", "xds"),
        ("mode=live&xds=2001:db8::1:18000", "brackets"),
        ("module=http://127.0.0.1:8080/x.wasm", "reach"),
        ("module=oci://", "module"),
        (&format!("{live}&xds_ca=relative.crt"), "xds_ca"),
    ] {
        check_refused(&service, query, &[word]).await;
    }
}
