//! The chart passes on every parameter of the export for Istio.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::CHART;
use crate::support::text;

/// The flags of a subcommand, as the API writes them.
fn flags(subcommand: &str) -> BTreeSet<String> {
    let program = std::env::var_os("CONFIG_SERVICE_BIN").expect("run `cargo xtask test`");
    let mut help = Command::new(program);
    let output = help.args([subcommand, "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    help.lines()
        .filter_map(|line| line.trim_start().split_once("--"))
        .filter(|(before, _)| before.is_empty() || before.starts_with('-'))
        .filter_map(|(_, flag)| flag.split(' ').next())
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[test]
fn the_chart_knows_every_parameter_of_the_export() {
    let schema: Value =
        serde_json::from_str(&text(&format!("{CHART}/values.schema.json"))).unwrap();
    let known = schema.pointer("/properties/istio/properties/parameters/properties");
    let mut known: BTreeSet<_> = known
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    // The chart knows where its xDS port is.
    assert!(known.insert("xds".to_owned()));
    // Those that any subcommand has which calls the API.
    let mut parameters = flags("export-istio");
    for common in flags("export") {
        parameters.remove(&common);
    }
    assert!(parameters.remove("output"));
    assert_eq!(known, parameters);

    let values = text(&format!("{CHART}/values.yaml"));
    for name in known {
        assert!(
            values.contains(&format!(" {name},"))
                || values.contains(&format!(" {name}."))
                || values.contains(&format!("`{name}`")),
            "values.yaml does not name {name}"
        );
    }
}
