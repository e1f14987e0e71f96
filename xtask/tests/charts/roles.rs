//! What the Job that applies a manifest may do, and where.

use std::collections::BTreeSet;
use std::path::Path;

use super::{documents, template};
use crate::support::tool;

/// Kind and name of what a release in a namespace has in `istio-system`.
fn in_istio_system(helm: &Path, namespace: &str) -> BTreeSet<(String, String)> {
    let namespace = format!("--namespace={namespace}");
    let arguments = [
        &namespace,
        "--set=secrets.existing=own,istio.enabled=true,istio.apply=true,istio.parameters.mode=copy",
    ];
    let output = template(helm, "gw", &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let all = documents(&String::from_utf8(output.stdout).unwrap());
    let there = all
        .iter()
        .filter(|own| own["metadata"]["namespace"] == "istio-system");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    there
        .map(|own| (text(&own["kind"]), text(&own["metadata"]["name"])))
        .collect()
}

#[test]
fn releases_of_one_name_in_two_namespaces_serve_the_same_gateways() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let [edge, other] = ["edge", "other"].map(|own| in_istio_system(&helm, own));
    assert_eq!(edge.len(), 2, "{edge:?}");
    assert!(edge.is_disjoint(&other), "{edge:?}, {other:?}");
}
