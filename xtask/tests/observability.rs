//! Rules, alerts and dashboards in `deploy/` are sound, and use only what `docs/METRICS.md` has.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Map, Value};

use crate::support::{root, text, yaml};

/// Runs `promtool` on the files in `deploy/prometheus`.
#[track_caller]
fn promtool(arguments: &[&str]) {
    let tool = std::env::var_os("PROMTOOL").expect("PROMTOOL is set by `cargo xtask test`");
    let mut command = Command::new(tool);
    let output = command
        .args(arguments)
        .current_dir(root().join("deploy/prometheus"));
    let output = output.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn prometheus_accepts_configuration_and_rules() {
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "rules.yml", "alerts.yml"]);
}

#[test]
fn rules_and_alerts_do_what_they_should() {
    promtool(&["test", "rules", "tests.yml"]);
}

/// Names and documents of the dashboards.
fn dashboards() -> Vec<(String, Value)> {
    let files = fs::read_dir(root().join("deploy/grafana")).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|own| own == "json"))
        .collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        (name, serde_json::from_str(&text).unwrap())
    };
    paths.into_iter().map(read).collect()
}

/// The queries of a dashboard.
fn queries(dashboard: &Value) -> Vec<&str> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect()
}

#[track_caller]
fn check_fields(object: &Value, known: &[&str], what: &str) {
    let names: BTreeSet<_> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, known.iter().copied().collect(), "{what}");
}

/// Grafana ignores what it does not know, such as a misspelt field.
#[test]
fn dashboards_have_the_fields_that_grafana_knows() {
    let mut seen = BTreeSet::new();
    for (name, dashboard) in dashboards() {
        let known = [
            "annotations",
            "description",
            "editable",
            "graphTooltip",
            "links",
            "panels",
            "refresh",
            "schemaVersion",
            "tags",
            "templating",
            "time",
            "timezone",
            "title",
            "uid",
            "version",
        ];
        check_fields(&dashboard, &known, &name);
        assert!(
            seen.insert(dashboard["uid"].as_str().unwrap().to_owned()),
            "{name}: its uid is there twice"
        );
        let mut ids = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let what = format!("{name}: {}", panel["title"]);
            let known = [
                "datasource",
                "description",
                "fieldConfig",
                "gridPos",
                "id",
                "options",
                "targets",
                "title",
                "type",
            ];
            check_fields(panel, &known, &what);
            check_fields(&panel["gridPos"], &["h", "w", "x", "y"], &what);
            assert!(
                ids.insert(panel["id"].as_u64().unwrap()),
                "{what}: its id is there twice"
            );
            assert!(
                ["stat", "timeseries"].contains(&panel["type"].as_str().unwrap()),
                "{what}"
            );
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{what}");
            for target in panel["targets"].as_array().unwrap() {
                check_fields(
                    target,
                    &["datasource", "expr", "legendFormat", "refId"],
                    &what,
                );
            }
        }
    }
    assert_eq!(seen.len(), 7);
}

#[test]
fn panels_do_not_overlap() {
    for (name, dashboard) in dashboards() {
        let mut taken = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let place = |field: &str| panel["gridPos"][field].as_u64().unwrap();
            assert!(place("x") + place("w") <= 24, "{name}: {}", panel["title"]);
            let columns = place("x")..place("x") + place("w");
            for (x, y) in
                columns.flat_map(|x| (place("y")..place("y") + place("h")).map(move |y| (x, y)))
            {
                assert!(taken.insert((x, y)), "{name}: {}", panel["title"]);
            }
        }
    }
}

/// Every query is `PromQL`, as far as Prometheus can tell with the variables filled in.
#[test]
fn dashboards_ask_in_valid_promql() {
    let all = dashboards();
    let queries = all.iter().flat_map(|(_, dashboard)| queries(dashboard));
    let rules = queries.enumerate().map(|(number, query)| {
        let query = ["$__rate_interval", "$__range"]
            .iter()
            .fold(query.to_owned(), |query, variable| {
                query.replace(variable, "5m")
            });
        let record = format!("dashboards:query:{number}");
        let fields = [("record", record), ("expr", query)];
        Value::Object(
            fields
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into_iter()
                .collect::<Map<_, _>>(),
        )
    });
    let rules =
        serde_json::json!({"groups": [{"name": "dashboards", "rules": rules.collect::<Vec<_>>()}]});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    fs::write(&file, rules.to_string()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
}

/// The names of metrics of ours in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let words = text.split(|c| !is_part(c));
    let prefixes = ["bedrock_", "gen_ai_", "config_service_"];
    let ours = words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)));
    let labels = ["gen_ai_request_model", "gen_ai_token_type"];
    let names = ours.filter(|word| !labels.contains(word) && !word.contains(':'));
    let base = |word: &str| {
        let suffix = ["_bucket", "_count", "_sum"]
            .into_iter()
            .find(|own| word.ends_with(own));
        word.strip_suffix(suffix.unwrap_or_default())
            .unwrap_or(word)
            .to_owned()
    };
    names.map(base).collect()
}

#[test]
fn every_metric_that_is_asked_for_is_documented() {
    let page = text("docs/METRICS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows.filter_map(|row| row.split('`').next()).collect();
    let files = [
        "deploy/prometheus/rules.yml",
        "deploy/prometheus/alerts.yml",
    ];
    let mut asked = metrics(&files.map(text).concat());
    for (_, dashboard) in dashboards() {
        asked.extend(metrics(&queries(&dashboard).join("\n")));
    }
    let unknown: Vec<_> = asked
        .iter()
        .filter(|own| !documented.contains(own.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(asked.len() > 15, "{asked:?}");
}

#[test]
fn the_page_has_every_alert() {
    let page = text("docs/METRICS.md");
    let (_, section) = page.split_once("\n## What to alert on\n").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows
        .flat_map(|row| row.split(" | ").next().unwrap().split("`, `"))
        .map(|name| name.trim_matches('`').to_owned())
        .collect();
    let alerts = yaml("deploy/prometheus/alerts.yml");
    let groups = alerts["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let names = rules.map(|rule| rule["alert"].as_str().unwrap().to_owned());
    assert_eq!(documented, names.collect());
}

/// Families of Envoy's metrics that a text asks for, such as `cluster`.
fn families(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let labels = [
        "envoy_cluster_name",
        "envoy_http_conn_manager_prefix",
        "envoy_response_code_class",
    ];
    let words = text.split(|c| !is_part(c));
    let names = words.filter(|word| !labels.contains(word));
    let families = names.filter_map(|word| word.strip_prefix("envoy_")?.split('_').next());
    families.map(str::to_owned).collect()
}

/// Istio keeps metrics with a few prefixes of its own, and drops all others
/// (<https://istio.io/latest/docs/ops/configuration/telemetry/envoy-stats/>).
#[test]
fn gateways_of_istio_keep_the_metrics_that_are_asked_for() {
    let map = yaml("envoy/istio-bootstrap.yaml");
    let bootstrap = map["data"]["custom_bootstrap.json"].as_str().unwrap();
    let bootstrap: Value = serde_json::from_str(bootstrap).unwrap();
    let patterns = &bootstrap["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"];
    let patterns = patterns.as_array().unwrap().iter();
    let kept: Vec<_> = patterns
        .map(|own| own["prefix"].as_str().unwrap())
        .collect();
    let annotation = format!(
        "`sidecar.istio.io/statsInclusionPrefixes: {}`",
        kept.join(",")
    );
    assert!(text("docs/ISTIO.md").contains(&annotation), "{annotation}");

    let is_kept = |family: &String| {
        family == "server" || kept.iter().any(|own| own.split('.').next() == Some(family))
    };
    let alerts = ["rules", "alerts"].map(|name| text(&format!("deploy/prometheus/{name}.yml")));
    let alerts = families(&alerts.concat());
    assert!(alerts.len() >= 3, "{alerts:?}");
    assert!(alerts.iter().all(is_kept), "{alerts:?}, but {kept:?}");

    let all = dashboards();
    let asked = all.iter().flat_map(|(_, dashboard)| queries(dashboard));
    let asked: String = asked.collect::<Vec<_>>().join("\n");
    let lacking = families(&asked).into_iter().filter(|own| !is_kept(own));
    // The page says so: Istio calls the manager of connections something else.
    assert_eq!(lacking.collect::<Vec<_>>(), ["http"]);
    assert!(text("docs/METRICS.md").contains("begin with `envoy_http_` they lack"));
    for cluster in ["cluster.bedrock|", "cluster.rate-limit."] {
        assert!(kept.contains(&cluster), "{cluster}");
    }
}
