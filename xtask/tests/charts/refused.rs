//! Values that the chart refuses before anything is rendered, and what it says then.

use std::path::Path;

use crate::charts::template;
use crate::support::tool;

/// What Helm says about the chart with these values, which it must refuse.
#[track_caller]
fn refusal(helm: &Path, values: &[&str]) -> String {
    let mut arguments = vec!["--set", "secrets.existing=bedrock"];
    for own in values {
        arguments.extend(["--set-json", own]);
    }
    let output = template(helm, "bedrock", &arguments);
    assert!(!output.status.success(), "{values:?} are accepted");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn values_of_the_wrong_type_are_refused_by_the_schema() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for wrong in [
        "envoy.replica=2",
        r#"envoy.replicas="two""#,
        r#"configService.logFormat="xml""#,
        r#"istio.parameters.mode="push""#,
        "envoy.service.port=0",
        r#"envoy.podDisruptionBudget.maxUnavailable="foo""#,
        "envoy.podDisruptionBudget.maxUnavailable=-1",
        "envoy.podAnnotations.scrape=true",
        "envoy.podLabels.tier=1",
        "envoy.nodeSelector.spot=true",
        "envoy.service.annotations.port=80",
        "configService.serviceAccount.annotations.role=1",
        "configService.podLabels.tier=1",
        "monitoring.labels.release=1",
        r#"configService.flags=["--drain-seconds 60"]"#,
        r#"configService.adminTls.secret="a: b""#,
    ] {
        let said = refusal(&helm, &[wrong]);
        assert!(said.contains("schema"), "{wrong}: {said}");
    }
}

#[test]
fn values_that_do_not_go_together_are_refused_with_what_to_do() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let live = r#"istio={"enabled":true,"parameters":{"mode":"live"}}"#;
    let routes = r#"istio={"enabled":true,"parameters":{"mode":"routes","gateways":"llm"}}"#;
    let module = r#"configService.wasmPathInEnvoy="/etc/bedrock/filter.wasm""#;
    let alone = "envoy.enabled=false";
    let tls = r#"configService.xdsTls={"secret":"xds"}"#;
    let mutual = r#"configService.xdsTls={"secret":"xds","clientCa":"ca.crt"}"#;
    let gateway_ca = r#"istio.parameters.xds_ca="/etc/ca.crt""#;
    let policy = "networkPolicy.enabled=true";
    for (values, remedy) in [
        (&[live, alone][..], "set configService.wasmPathInEnvoy"),
        (&[routes, alone], "set configService.wasmPathInEnvoy"),
        (
            &[routes, alone, module, "configService.failover=true"],
            "set configService.failover=false",
        ),
        (&[live, module], "envoy.enabled=false"),
        (
            &[live, alone, module, policy],
            "set networkPolicy.envoysFrom",
        ),
        (
            &[live, alone, module, tls],
            "istio.parameters.xds_ca is not",
        ),
        (
            &[live, alone, module, gateway_ca],
            "set configService.xdsTls.secret",
        ),
        (
            &[live, alone, module, gateway_ca, mutual],
            "set istio.parameters.xds_certificate",
        ),
        (&["istio.apply=true"], "set istio.enabled=true"),
        (
            &[r#"istio={"enabled":true,"parameters":{"gateway":"llm","selector":"app=llm"}}"#],
            "leave one of them out",
        ),
        (
            &[
                "configService.failover=true",
                "configService.maxRequestBytes=134217729",
            ],
            "add --max-held-bytes=268435458",
        ),
        (&[tls], "set envoy.xdsTls.secret"),
        (
            &[r#"envoy.xdsTls.secret="envoy""#],
            "set configService.xdsTls.secret",
        ),
        (
            &[r#"configService.xdsTls.clientCa="ca.crt""#],
            "set configService.xdsTls.secret",
        ),
        (
            &[
                tls,
                r#"configService.xdsTls.clientNames=["envoy"]"#,
                r#"envoy.xdsTls.secret="envoy""#,
            ],
            "set configService.xdsTls.clientCa",
        ),
        (
            &[r#"configService.serviceAccount={"name":"own","annotations":{"role":"arn"}}"#],
            "annotate that one",
        ),
        (
            &[r#"envoy.autoscaling={"enabled":true,"minReplicas":5,"maxReplicas":3}"#],
            "raise the second",
        ),
        (
            &["envoy.autoscaling.enabled=true", "envoy.resources=null"],
            "set envoy.resources.requests.cpu",
        ),
        (
            &[r#"configService.persistence={"enabled":false,"existingClaim":"own"}"#],
            "set configService.persistence.enabled=true",
        ),
        (
            &[r#"networkPolicy.adminFrom=[{"podSelector":{}}]"#],
            "set networkPolicy.enabled=true",
        ),
        (
            &[r#"configService.flags=["--listen=[::]:8080"]"#],
            "the chart sets itself",
        ),
        (
            &[r#"configService.flags=["--wasm-path-in-envoy=/filter.wasm"]"#],
            "the chart sets itself",
        ),
    ] {
        let said = refusal(&helm, values);
        assert!(said.contains(remedy), "{values:?}: {said}");
    }
}

#[test]
fn parameters_that_the_export_would_refuse_are_refused_at_once() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let copy = r#"{"mode":"copy"}"#;
    let live = r#"{"mode":"live"}"#;
    let routes = r#"{"mode":"routes","gateways":"llm"}"#;
    for (mode, parameter, remedy) in [
        (r#"{"mode":"routes"}"#, "", "set istio.parameters.gateways"),
        (routes, r#"gateway="llm""#, "leave one of them out"),
        (routes, r#"other_module="/b.wasm""#, "leave it out"),
        (routes, r#"limits="shared""#, "mode live"),
        (
            routes,
            r#"context="sidecar""#,
            "set istio.parameters.selector",
        ),
        (live, r#"gateways="llm""#, "leave it out"),
        (
            live,
            r#"context="sidecar""#,
            "set istio.parameters.selector",
        ),
        (
            live,
            r#"module="/x.wasm""#,
            "leave istio.parameters.module out",
        ),
        (live, r#"other_module="b""#, "an absolute path"),
        (live, r#"xds_ca="ca.crt""#, "an absolute path"),
        (live, r#"xds_key="/tls.key""#, "set both"),
        (copy, r#"limits="shared""#, "mode live"),
        (
            copy,
            r#"xds_client="envoy_grpc""#,
            "set istio.parameters.mode=live",
        ),
        (
            copy,
            r#"module="filter.wasm""#,
            "an absolute path, `served`",
        ),
        (copy, r#"module="served""#, "leave one of them out"),
        (copy, r#"name="My_Name""#, "lower-case letters"),
        (copy, r#"namespace="Foo""#, "lower-case letters"),
        (copy, r#"seal_secret="-""#, "lower-case letters"),
        ("null", "", "leave it out"),
    ] {
        let mut values = vec![
            r#"istio={"enabled":true,"apply":true}"#.to_owned(),
            r#"configService.wasmPathInEnvoy="/etc/bedrock/filter.wasm""#.to_owned(),
            "envoy.enabled=false".to_owned(),
            format!("istio.parameters={mode}"),
        ];
        values.extend((!parameter.is_empty()).then(|| format!("istio.parameters.{parameter}")));
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let said = refusal(&helm, &values);
        assert!(said.contains(remedy), "{values:?}: {said}");
    }
}
