//! How many Envoys there are.

use std::path::Path;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{documents, template};
use crate::support::tool;

const ENVOYS: &str = "/apis/apps/v1/namespaces/bedrock/deployments/bedrock-envoy";

/// The number that is rendered for a cluster, with autoscaling or without.
fn replicas(helm: &Path, cluster: &Cluster, has_autoscaling: bool) -> Value {
    let scaling = format!("envoy.autoscaling.enabled={has_autoscaling}");
    let arguments = [
        "--dry-run=server",
        "--kube-apiserver",
        &cluster.origin,
        "--set=secrets.existing=own",
        "--set",
        &scaling,
    ];
    let output = template(helm, "bedrock", &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let all = documents(&String::from_utf8(output.stdout).unwrap());
    let envoys =
        |own: &&Value| own["kind"] == "Deployment" && own["metadata"]["name"] == "bedrock-envoy";
    all.iter().find(envoys).unwrap()["spec"]["replicas"].clone()
}

/// Kubernetes reads a number that is gone as 1.
#[test]
fn autoscaling_begins_with_the_envoys_that_run() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let running = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bedrock-envoy", "namespace": "bedrock"},
        "spec": {"replicas": 6},
    });
    let cluster = Cluster::start([(ENVOYS, running)]);
    assert_eq!(replicas(&helm, &cluster, true), 6);
    assert_eq!(replicas(&helm, &cluster, false), 2);
}

/// What is applied again and again, as by Argo CD, must not undo what the autoscaler does.
#[test]
fn the_number_is_the_autoscalers_where_none_run() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let nothing = Cluster::start([]);
    assert_eq!(replicas(&helm, &nothing, true), Value::Null);
}
