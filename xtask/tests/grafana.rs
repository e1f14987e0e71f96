//! Grafana's own types read the dashboards, and know every field in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{root, tool};

/// What the check says about a file; nothing if it has no objection.
fn objections(check: &Path, dashboards: &[PathBuf]) -> String {
    let output = Command::new(check).args(dashboards).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{output:?}");
    said
}

fn dashboards() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("deploy/grafana")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_dashboard = |path: &PathBuf| path.extension().is_some_and(|own| own == "json");
    paths.filter(is_dashboard).collect()
}

#[test]
fn grafana_knows_every_field_of_the_dashboards() {
    let Some(check) = tool("DASHBOARDS") else {
        return;
    };
    let all = dashboards();
    assert!(all.len() > 5, "{all:?}");
    assert_eq!(objections(&check, &all), "");
    // It would notice.
    let text = fs::read_to_string(&all[0]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (pointer, member, value) in [
        ("/panels/0/targets/0", "legendFormt", Value::from("x")),
        ("/panels/0/gridPos", "w", Value::from("wide")),
        ("", "titel", Value::from("x")),
    ] {
        let mut dashboard: Value = serde_json::from_str(&text).unwrap();
        dashboard.pointer_mut(pointer).unwrap()[member] = value;
        let file = folder.path().join("dashboard.json");
        fs::write(&file, dashboard.to_string()).unwrap();
        let said = objections(&check, &[file]);
        assert!(said.contains(member), "{member}: {said}");
    }
}
