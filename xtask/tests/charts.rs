//! The Helm chart renders what Kubernetes and Envoy accept, and the plain manifests are what it renders.

mod cluster;
mod kubernetes;
mod monitoring;
mod notes;
mod parameters;
mod programs;
mod refused;
mod roles;
mod scaling;
mod secrets;
mod values;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{root, text, tool, yaml};
use serde_json::Value;

const CHART: &str = "deploy/helm/bedrock-filter";

/// What `helm template` says with further arguments, in the namespace `bedrock`.
fn template(helm: &Path, release: &str, arguments: &[&str]) -> Output {
    template_of(&root().join(CHART), helm, release, arguments)
}

/// The same of the chart in a folder.
fn template_of(chart: &Path, helm: &Path, release: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(helm);
    command
        .current_dir(root())
        .args(["template", release, "--namespace=bedrock"])
        .arg(chart)
        .arg("--kube-version=1.35.0")
        .args(arguments);
    command.output().unwrap()
}

/// What `helm template` makes of a file of values, in the namespace `bedrock`.
fn rendered(helm: &Path, values: &str) -> String {
    // Whoever renders without a cluster has a Secret; where the values name none, see what is generated.
    let trial = ["--set", "secrets.allowUnstable=true"];
    let output = template(
        helm,
        "bedrock",
        &[&["--values", values], &trial[..]].concat(),
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{values}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The sets of values that the tests render.
fn value_sets() -> Vec<String> {
    let files = std::fs::read_dir(root().join(CHART).join("ci")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut sets: Vec<_> = names.map(|name| format!("{CHART}/ci/{name}")).collect();
    sets.sort();
    assert!(sets.len() >= 5, "{sets:?}");
    sets
}

/// The documents of a stream.
fn documents(text: &str) -> Vec<Value> {
    let documents = text.split("\n---").map(|own| own.trim_start_matches("---"));
    let documents = documents.map(|own| {
        serde_saphyr::from_str::<Value>(own).unwrap_or_else(|error| panic!("{error}: {own}"))
    });
    documents.filter(|own| !own.is_null()).collect()
}

#[test]
fn each_set_of_values_renders_what_kubernetes_accepts() {
    let (Some(helm), Some(python)) = (tool("HELM"), tool("KUBERNETES_PYTHON")) else {
        return;
    };
    for values in value_sets() {
        let all = documents(&rendered(&helm, &values));
        assert!(!all.is_empty());
        // Else what `kubectl apply` gets without Helm would land wherever the user is.
        for own in &all {
            assert!(own["metadata"]["namespace"].is_string(), "{values}: {own}");
        }
        kubernetes::check(&python, &all, &values);
        kubernetes::check_pods(&all, &values);
    }
}

#[test]
fn each_bootstrap_that_is_rendered_is_valid() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let certificates = kubernetes::Certificates::new();
    let mut seen = 0;
    for values in value_sets() {
        for own in documents(&rendered(&helm, &values)) {
            if let Some(bootstrap) = own["data"]["envoy.yaml"].as_str() {
                seen += 1;
                let bootstrap = bootstrap.replace("/etc/bedrock/xds", certificates.folder());
                assert!(bootstrap.contains("-config-service.bedrock"), "{values}");
                crate::bootstraps::check_accepted(&bootstrap);
            }
        }
    }
    assert!(seen >= 4, "{seen} bootstraps");
}

#[test]
fn the_config_service_knows_the_flags_that_it_is_started_with() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let program = std::env::var_os("CONFIG_SERVICE_BIN").expect("run `cargo xtask test`");
    let help = |arguments: &[&str]| {
        let output = Command::new(&program).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (serving, exporting) = (help(&["--help"]), help(&["export-istio", "--help"]));
    for values in value_sets() {
        for own in documents(&rendered(&helm, &values)) {
            for container in kubernetes::containers(&own) {
                let arguments = container["args"].as_array().into_iter().flatten();
                let arguments: Vec<_> = arguments.map(|own| own.as_str().unwrap()).collect();
                let help = match container["name"].as_str().unwrap() {
                    "config-service" => &serving,
                    "export" => &exporting,
                    _ => continue,
                };
                for flag in arguments.iter().filter(|own| own.starts_with("--")) {
                    let name = flag.split('=').next().unwrap();
                    assert!(
                        help.contains(&format!("{name} ")) || help.contains(&format!("{name}\n")),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[test]
fn plain_manifests_are_what_the_chart_renders() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    for name in ["envoy", "istio"] {
        let values = format!("deploy/kubernetes/values-{name}.yaml");
        let made = rendered(&helm, &values);
        let file = root().join(format!("deploy/kubernetes/{name}.yaml"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &made).unwrap();
            continue;
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            made == kept,
            "{} is out of date; run UPDATE_GOLDEN=1 cargo xtask test charts::plain",
            file.display()
        );
    }
}

/// kubectl refuses a file with objects of two namespaces if its command names one of them.
#[test]
fn plain_manifests_are_applied_as_their_readme_says() {
    let readme = text("deploy/kubernetes/README.md");
    for name in ["envoy", "istio"] {
        let command = format!("\nkubectl apply --server-side -f {name}.yaml\n");
        assert!(readme.contains(&command), "{command}");
    }
    let namespaces: BTreeSet<_> = documents(&text("deploy/kubernetes/istio.yaml"))
        .iter()
        .map(|own| own["metadata"]["namespace"].as_str().unwrap().to_owned())
        .collect();
    let expected = ["bedrock", "istio-system"].map(str::to_owned);
    assert_eq!(namespaces, BTreeSet::from(expected));
}

#[test]
fn the_chart_has_the_bootstrap_and_the_version_of_the_repository() {
    assert_eq!(
        text(&format!("{CHART}/files/envoy.yaml")),
        text("envoy/envoy.yaml")
    );
    let chart = yaml(&format!("{CHART}/Chart.yaml"));
    let cargo = text("Cargo.toml");
    for field in ["version", "appVersion"] {
        let version = chart[field].as_str().unwrap();
        assert!(
            cargo.contains(&format!("\nversion = \"{version}\"\n")),
            "{field}"
        );
    }
}
