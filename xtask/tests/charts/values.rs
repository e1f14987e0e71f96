//! What single values do to what is rendered.

use std::path::Path;

use serde_json::Value;

use super::{documents, kubernetes, template};
use crate::support::tool;

/// What is rendered with these values.
#[track_caller]
pub(super) fn with(helm: &Path, release: &str, values: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["--set", "secrets.existing=bedrock"];
    for own in values {
        arguments.extend(["--set-json", own]);
    }
    let output = template(helm, release, &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{values:?}: {said}");
    documents(&String::from_utf8(output.stdout).unwrap())
}

/// A container by its name.
#[track_caller]
pub(super) fn container<'d>(all: &'d [Value], name: &str) -> &'d Value {
    let mut containers = all.iter().flat_map(kubernetes::containers);
    containers.find(|own| own["name"] == name).unwrap()
}

/// The value of a container's variable.
fn variable<'c>(container: &'c Value, name: &str) -> Option<&'c str> {
    let all = container["env"].as_array().unwrap();
    let own = all.iter().find(|own| own["name"] == name)?;
    own["value"].as_str()
}

/// Every text that is rendered.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(all) => all.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn values_arrive_as_they_are_whatever_yaml_makes_of_them() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for hostile in [
        "a=b: c",
        "- a",
        "a #b",
        "{{ .Values }}",
        "yes",
        "0x10",
        "\"a'",
    ] {
        let json = Value::from(hostile);
        let values = [
            r#"istio={"enabled":true,"apply":true,"parameters":{"mode":"copy"}}"#,
            &format!("istio.parameters.selector={json}"),
            &format!("istio.kubectlImage={json}"),
            &format!("configService.logLevel={json}"),
            &format!("configService.xdsTls.clientNames=[{json}]"),
            r#"configService.xdsTls.secret="true""#,
            r#"configService.xdsTls.clientCa="ca.crt""#,
            r#"configService.adminTls.secret="1""#,
            r#"configService.persistence.existingClaim="2""#,
            r#"envoy.xdsTls.secret="null""#,
            &format!("configService.podLabels.own={json}"),
            &format!("envoy.service.annotations.own={json}"),
        ];
        let all = with(&helm, "bedrock", &values);
        let all: Vec<_> = all.iter().flat_map(texts).collect();
        for expected in [
            hostile,
            &format!("--selector={hostile}"),
            &format!("--xds-tls-client-names={hostile}"),
            "true",
            "1",
            "2",
            "null",
        ] {
            assert!(all.contains(&expected), "{expected}");
        }
    }
}

#[test]
fn every_release_name_of_helm_makes_names_that_kubernetes_accepts() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for (release, name) in [
        ("my.rel", "my-rel"),
        ("1st", "bedrock-1st"),
        ("42", "bedrock-42"),
        ("true", "true"),
    ] {
        for own in with(&helm, release, &[]) {
            let metadata = &own["metadata"];
            let own = metadata["name"].as_str().unwrap();
            assert!(own.starts_with(&format!("{name}-")), "{own}");
            assert_eq!(metadata["labels"]["app.kubernetes.io/instance"], release);
        }
    }
}

#[test]
fn everything_listens_at_ipv6_addresses_where_there_are_no_others() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let all = with(
        &helm,
        "bedrock",
        &[r#"ipFamily="IPv6""#, "monitoring.podMonitor=true"],
    );
    let all: Vec<_> = all.iter().flat_map(texts).collect();
    assert!(all.contains(&"--listen=[::]:8080"));
    assert!(!all.iter().any(|text| text.contains("0.0.0.0")));
}

#[test]
fn metrics_of_an_envoy_are_open_only_where_they_are_scraped() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for (is_scraped, address) in [(true, "0.0.0.0"), (false, "127.0.0.1")] {
        let value = format!("monitoring.podMonitor={is_scraped}");
        let all = with(&helm, "bedrock", &[&value]);
        let mut texts = all
            .iter()
            .filter_map(|own| own["data"]["envoy.yaml"].as_str());
        let bootstrap: Value = serde_saphyr::from_str(texts.next().unwrap()).unwrap();
        let listeners = &bootstrap["static_resources"]["listeners"];
        let listeners = listeners.as_array().unwrap().iter();
        let metrics: Vec<_> = listeners.filter(|own| own["name"] == "metrics").collect();
        assert_eq!(metrics.len(), 1);
        let socket = &metrics[0]["address"]["socket_address"];
        assert_eq!(socket["address"], address);
        assert_eq!(socket["port_value"], 9902);
    }
}

#[test]
fn longer_requests_have_larger_buffers() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for (longest, buffer) in [(1_000, 67_108_864), (104_857_600_u64, 209_715_200)] {
        let value = format!("configService.maxRequestBytes={longest}");
        let all = with(&helm, "bedrock", &[&value]);
        let service = container(&all, "config-service")["args"].to_string();
        assert!(service.contains(&format!("--max-request-bytes={longest}\"")));
        let mut bootstraps = all
            .iter()
            .filter_map(|own| own["data"]["envoy.yaml"].as_str());
        let bootstrap = bootstraps.next().unwrap();
        for (field, places, bytes) in [
            ("per_connection_buffer_limit_bytes", 1, buffer),
            ("request_body_buffer_limit", 2, buffer),
            ("initial_stream_window_size", 1, buffer),
            ("initial_connection_window_size", 1, 2 * buffer),
        ] {
            let line = format!("{field}: {bytes}\n");
            assert_eq!(bootstrap.matches(&line).count(), places, "{line}");
            assert_eq!(bootstrap.matches(field).count(), places, "{field}");
        }
    }
}

#[test]
fn commands_in_the_pod_find_a_service_with_tls() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let values = [r#"configService.adminTls.secret="admin""#];
    let all = with(&helm, "bedrock", &values);
    let service = container(&all, "config-service");
    assert_eq!(
        variable(service, "BEDROCK_SERVER"),
        Some("https://bedrock-config-service.bedrock:8080")
    );
    assert_eq!(
        variable(service, "BEDROCK_SERVER_CA_FILE"),
        Some("/etc/bedrock/admin/ca.crt")
    );
}

#[test]
fn envoys_are_not_restarted_for_want_of_a_config_service() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let all = with(&helm, "bedrock", &[]);
    let envoy = container(&all, "envoy");
    assert!(envoy["startupProbe"].is_null());
    // The port for clients is closed until there are channels.
    let script = &envoy["livenessProbe"]["exec"]["command"][1];
    assert_eq!(script, "/etc/envoy/alive.sh");
    assert!(envoy["readinessProbe"]["httpGet"].is_object());
}
