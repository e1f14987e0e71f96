//! The Secret that the chart generates.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{documents, template};
use crate::support::tool;

const SECRET: &str = "/api/v1/namespaces/bedrock/secrets/bedrock-secrets";

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn secret(data: &Value) -> Value {
    let metadata = json!({"name": "bedrock-secrets", "namespace": "bedrock"});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
}

fn with_cluster(helm: &Path, cluster: &Cluster) -> Output {
    let arguments = ["--dry-run=server", "--kube-apiserver", &cluster.origin];
    template(helm, "bedrock", &arguments)
}

/// The data of the Secret that is rendered.
#[track_caller]
fn data(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut all = documents(&text).into_iter();
    let mut secret = all.find(|own| own["kind"] == "Secret").unwrap();
    secret["data"].take()
}

#[track_caller]
fn check_refused(output: &Output, remedy: &str) {
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(remedy), "{said}");
}

#[test]
fn nothing_is_rendered_whose_seal_key_would_change_at_each_rendering() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    check_refused(
        &template(&helm, "bedrock", &[]),
        "name it in secrets.existing",
    );
    let trial = ["--set", "secrets.allowUnstable=true"];
    let [one, other] = [(); 2].map(|()| data(&template(&helm, "bedrock", &trial)));
    assert_ne!(one["BEDROCK_SEAL_KEY"], other["BEDROCK_SEAL_KEY"]);
}

#[test]
fn an_installation_generates_the_secret_whether_or_not_its_namespace_exists() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for name in ["bedrock", "default"] {
        let path = format!("/api/v1/namespaces/{name}");
        let cluster = Cluster::start([(path.as_str(), namespace(name))]);
        let data = data(&with_cluster(&helm, &cluster));
        assert!(data["BEDROCK_SEAL_KEY"].is_string(), "{name}");
    }
}

#[test]
fn an_upgrade_keeps_the_secret_that_is_there() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let kept = json!({"BEDROCK_ADMIN_TOKEN": "dG9rZW4=", "BEDROCK_SEAL_KEY": "a2V5"});
    let cluster = Cluster::start([(SECRET, secret(&kept))]);
    assert_eq!(data(&with_cluster(&helm, &cluster)), kept);
}

#[test]
fn a_kept_secret_without_a_key_is_not_emptied() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for lacking in [json!({"BEDROCK_ADMIN_TOKEN": "dG9rZW4="}), Value::Null] {
        let cluster = Cluster::start([(SECRET, secret(&lacking))]);
        check_refused(
            &with_cluster(&helm, &cluster),
            "the Secret bedrock-secrets has no BEDROCK_",
        );
    }
}
