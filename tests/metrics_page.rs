//! `docs/METRICS.md` lists what is measured and logged, and the bootstraps make the labels.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bedrock_filter::protocol::{Protocol, anthropic_messages::Messages};
use bedrock_filter::protocol::{openai_chat::Chat, openai_responses::Responses};
use bedrock_filter::telemetry::{Ending, FIELDS, Kind, Label, metric};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(path)).unwrap()
}

/// The cells of each row of the first table under a heading, without its head.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = read("docs/METRICS.md");
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap();
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| {
        let inner = line.trim_matches('|').split(" | ");
        inner.map(|cell| cell.trim().to_owned()).collect()
    };
    table.map(cells).collect()
}

/// What is in code in a cell, up to a colon: what follows are values.
fn names(cell: &str) -> Vec<String> {
    let listed = cell.split("; ").flat_map(|part| {
        let (names, _) = part.split_once(':').unwrap_or((part, ""));
        names.split('`').skip(1).step_by(2)
    });
    listed.map(str::to_owned).collect()
}

#[test]
fn the_page_has_every_metric_with_its_labels() {
    let documented = rows("## The filter").into_iter().map(|row| {
        let labels = names(&row[2]);
        (names(&row[0]).concat(), (row[1].clone(), labels))
    });
    let documented: BTreeMap<_, _> = documented.collect();
    let real = metric::ALL.iter().map(|own| {
        let kind = match own.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels = own.labels.iter();
        let labels = labels.map(|label| label.name().replace('.', "_"));
        (own.exported(), (kind.to_owned(), labels.collect()))
    });
    assert_eq!(documented, real.collect());
}

#[test]
fn the_page_has_every_outcome_and_protocol() {
    let documented: Vec<_> = rows("### Outcomes")
        .iter()
        .map(|row| names(&row[0]).concat())
        .collect();
    assert_eq!(documented, Ending::ALL.map(Ending::name));
    let page = read("docs/METRICS.md");
    let (_, section) = page.split_once("\n### Protocols\n").unwrap();
    let section = section.split("\n#").next().unwrap();
    let all: [&dyn Protocol; 5] = [
        &Chat,
        &Responses::Create,
        &Responses::CountTokens,
        &Messages::Create,
        &Messages::CountTokens,
    ];
    let listed: Vec<_> = section.split('`').skip(1).step_by(2).skip(1).collect();
    assert_eq!(listed, all.map(Protocol::name));
}

#[test]
fn the_page_has_every_field_of_the_access_log() {
    let documented: Vec<_> = rows("## Access log")
        .iter()
        .flat_map(|row| names(&row[0]))
        .collect();
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let text = read(file);
        let (_, format) = text
            .split_once("json_format:\n                          time:")
            .unwrap();
        let format = format!("                          time:{format}");
        let lines = format
            .lines()
            .take_while(|line| line.starts_with("                          "));
        let logged: Vec<_> = lines
            .map(|line| line.trim().split(':').next().unwrap())
            .collect();
        assert_eq!(documented, logged, "{file}");
        for field in FIELDS {
            assert!(
                text.contains(&format!("%FILTER_STATE(wasm.{field}:PLAIN)%")),
                "{file}: {field}"
            );
        }
    }
}

#[test]
fn bootstraps_make_every_label_and_bucket() {
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let text = read(file);
        for label in Label::ALL {
            let (name, mark) = (label.name(), label.mark());
            let tag = format!(r"{{ tag_name: {name}, regex: '(_{mark}\.(.*?)\._)' }}");
            assert!(text.contains(&tag), "{file}: {tag}");
        }
        for own in metric::ALL.iter().filter(|own| own.kind == Kind::Histogram) {
            let buckets = format!("- match: {{ contains: {} }}", own.name);
            assert!(text.contains(&buckets), "{file}: {buckets}");
        }
    }
}
