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
    let module = r#"configService.wasmPathInEnvoy="/etc/bedrock/filter.wasm""#;
    let alone = "envoy.enabled=false";
    let tls = r#"configService.xdsTls={"secret":"xds"}"#;
    let mutual = r#"configService.xdsTls={"secret":"xds","clientCa":"ca.crt"}"#;
    let gateway_ca = r#"istio.parameters.xds_ca="/etc/ca.crt""#;
    let policy = "networkPolicy.enabled=true";
    for (values, remedy) in [
        (&[live, alone][..], "set configService.wasmPathInEnvoy"),
        (
            &[live, alone, r#"istio.parameters.mode="routes""#],
            "set configService.wasmPathInEnvoy",
        ),
        (
            &[
                live,
                alone,
                module,
                "configService.failover=true",
                r#"istio.parameters.mode="routes""#,
            ],
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
            &[r#"istio.parameters={"gateway":"llm","selector":"app=llm"}"#],
            "leave one of them out",
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
