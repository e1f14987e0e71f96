//! What Prometheus calls what it scrapes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CHART, documents, rendered};
use crate::support::{text, tool, yaml};

/// The jobs that a monitor's endpoints give their metrics.
fn jobs(monitor: &Value) -> Vec<String> {
    let spec = &monitor["spec"];
    let endpoints = [&spec["endpoints"], &spec["podMetricsEndpoints"]];
    let endpoints = endpoints.into_iter().filter_map(Value::as_array).flatten();
    let job = |endpoint: &Value| {
        let labels = endpoint["relabelings"].as_array();
        let mut labels = labels.into_iter().flatten();
        let own = labels.find(|own| own["targetLabel"] == "job");
        own.and_then(|own| own["replacement"].as_str())
            .unwrap_or("what the operator calls it")
            .to_owned()
    };
    endpoints.map(job).collect()
}

/// The jobs that alerts ask for.
fn asked() -> BTreeSet<String> {
    let alerts = text("deploy/prometheus/alerts.yml");
    let parts = alerts.split("job=\"").skip(1);
    parts
        .map(|part| part.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn alerts_know_the_jobs_by_the_names_that_prometheus_has() {
    let asked = asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let scraped = prometheus["scrape_configs"].as_array().unwrap().iter();
    let scraped: BTreeSet<_> = scraped
        .map(|own| own["job_name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(scraped, asked);

    let Some(helm) = tool("HELM") else {
        return;
    };
    let all = documents(&rendered(&helm, &format!("{CHART}/ci/monitored.yaml")));
    let monitors = all.iter().filter(|own| {
        let kind = own["kind"].as_str().unwrap();
        ["PodMonitor", "ServiceMonitor"].contains(&kind)
    });
    let rendered: BTreeSet<_> = monitors.flat_map(jobs).collect();
    assert_eq!(rendered, asked);
}
