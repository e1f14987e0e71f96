//! Reads what the collector wrote: a message of OTLP in JSON in each line, and the page that says what it should be.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::collections::BTreeMap;

use e2e::repository;
use serde_json::Value;

/// A span, or a record of a log, which has no name.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) span: String,
    attributes: BTreeMap<String, String>,
}

impl Span {
    /// An attribute's value; empty if it is not there.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// A series of a metric of ours.
#[derive(Debug)]
pub(super) struct Series {
    /// Without what Envoy puts before it.
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) labels: BTreeMap<String, String>,
}

/// Its row on the page.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
}

impl Series {
    /// Its name as Prometheus has it, and the page.
    pub(super) fn exported(&self) -> String {
        self.name.replace('.', "_")
    }
}

fn items<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Attributes, all of which are texts.
fn attributes(of: &Value) -> BTreeMap<String, String> {
    let all = items(of, "attributes");
    all.map(|own| (text(&own["key"]), text(&own["value"]["stringValue"])))
        .collect()
}

/// Everything of a kind, each with its resource.
fn all<'v>(messages: &'v [Value], [of, scopes, kind]: [&str; 3]) -> Vec<(String, &'v Value)> {
    let mut found = Vec::new();
    for resource in messages.iter().flat_map(|own| items(own, of)) {
        let service = attributes(&resource["resource"]).remove("service.name");
        let service = service.unwrap_or_default();
        for own in items(resource, scopes).flat_map(|own| items(own, kind)) {
            found.push((service.clone(), own));
        }
    }
    found
}

fn told((service, own): (String, &Value)) -> Span {
    Span {
        service,
        name: text(&own["name"]),
        trace: text(&own["traceId"]),
        span: text(&own["spanId"]),
        attributes: attributes(own),
    }
}

/// All spans.
pub(super) fn spans(messages: &[Value]) -> Vec<Span> {
    let spans = all(messages, ["resourceSpans", "scopeSpans", "spans"]);
    spans.into_iter().map(told).collect()
}

/// All records of the access log.
pub(super) fn logs(messages: &[Value]) -> Vec<Span> {
    let records = all(messages, ["resourceLogs", "scopeLogs", "logRecords"]);
    records.into_iter().map(told).collect()
}

/// All series of the filter's metrics.
pub(super) fn metrics(messages: &[Value]) -> Vec<Series> {
    let mut found = Vec::new();
    for (service, metric) in all(messages, ["resourceMetrics", "scopeMetrics", "metrics"]) {
        let name = text(&metric["name"]);
        let Some((_, name)) = name.split_once("wasmcustom.") else {
            continue;
        };
        assert_eq!(service, "bedrock-gateway");
        let kinds = [
            ("sum", "counter"),
            ("gauge", "gauge"),
            ("histogram", "histogram"),
        ];
        for (field, kind) in kinds {
            let points = items(&metric[field], "dataPoints");
            found.extend(points.map(|point| Series {
                name: name.to_owned(),
                kind,
                labels: attributes(point),
            }));
        }
    }
    found
}

/// The table of the page.
pub(super) fn documented_metrics() -> Vec<Row> {
    let page = std::fs::read_to_string(repository().join("docs/METRICS.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.filter_map(|line| {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let (name, kind, labels) = (cells.next()?, cells.next()?, cells.next()?);
        // What a label may say stands behind a colon.
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned);
        Some(Row {
            name: name.trim_matches('`').to_owned(),
            kind: kind.to_owned(),
            labels: labels.collect(),
        })
    });
    rows.collect()
}
