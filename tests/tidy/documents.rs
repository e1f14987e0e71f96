//! What the documentation names exists.

use std::fs;
use std::path::{Path, PathBuf};

use super::source::{production, root};

#[test]
fn paths_in_the_documentation_exist() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        let name = document.display();
        let in_code = text.split('`').skip(1).step_by(2);
        let absent = in_code.filter(|text| is_path(text) && !root().join(text).exists());
        missing.extend(absent.map(|path| format!("{name}: {path}")));
        missing.extend(broken_links(&document, &text));
    }
    assert!(missing.is_empty(), "no such path:\n{}", missing.join("\n"));
}

#[test]
fn headings_that_links_name_exist() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        for target in targets(&text) {
            let Some((path, anchor)) = target.split_once('#') else {
                continue;
            };
            let named = if path.is_empty() {
                document.clone()
            } else {
                document.parent().unwrap().join(path)
            };
            let page = fs::read_to_string(root().join(named)).unwrap_or_default();
            if !anchors(&page).iter().any(|own| own == anchor) {
                missing.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no such heading:\n{}",
        missing.join("\n")
    );
}

/// People search for what the log says, so it must be in the table literally.
#[test]
fn messages_in_the_troubleshooting_are_in_the_code() {
    let page = fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    let (_, table) = page.split_once("\n## Troubleshooting\n").unwrap();
    let symptoms: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.split(" | ").next())
        .collect();
    assert!(symptoms.len() > 20, "{symptoms:?}");
    let code = literals();
    let mut missing = Vec::new();
    for symptom in symptoms {
        let spans = symptom.split('`').skip(1).step_by(2);
        // Envoy's own messages are not in our code, and a path is not a message.
        let ours = spans.filter(|span| !of_envoy(span) && !span.starts_with('/'));
        missing.extend(ours.filter(|span| !code.contains(span.trim_end_matches(" …"))));
    }
    assert!(
        missing.is_empty(),
        "no code prints these; correct docs/OPERATIONS.md: {missing:#?}"
    );
}

/// Whether a message is one of Envoy's own; add new ones here.
fn of_envoy(message: &str) -> bool {
    [
        "Retry limit exceeded for fetching data from remote data source",
        "Plugin bedrock failed to load",
        "Unable to create Wasm plugin bedrock",
        "Wasm remote code fetch is unstable and may cause a crash",
        "filter config has type URL google.protobuf.StringValue",
    ]
    .contains(&message)
}

/// The programs' code, with multi-line literals joined as they are printed, and the bootstrap, which has its own
/// replies.
fn literals() -> String {
    let mut text = fs::read_to_string(root().join("envoy/envoy.yaml")).unwrap();
    for start in ["src", "config-service/src", "secret-source/src"] {
        for source in production(start) {
            let lines = source.code().map(|(_, line)| line);
            text.push_str(&lines.collect::<Vec<_>>().join("\n"));
        }
    }
    text.replace("\\\n", "")
        .replace("{KEY_VARIABLE}", "BEDROCK_SEAL_KEY")
}

/// The targets of a text's links within this repository.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// Every document for people.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "tests", "fuzz"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let documents = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
        found.extend(documents.map(|path| path.strip_prefix(root()).unwrap().to_owned()));
    }
    assert!(found.len() > 5, "{found:?}");
    found
}

/// Paths of this repository start with one of its folders.
fn is_path(text: &str) -> bool {
    let folders = [
        "src/",
        "config-service/",
        "envoy/",
        "tests/",
        "xtask/",
        "docs/",
        "fuzz/",
        "benches/",
        ".ci/",
    ];
    let plain = !text.contains([' ', '*', '<', '{', '\n', '?']);
    plain && folders.iter().any(|folder| text.starts_with(folder))
}

fn broken_links(document: &Path, text: &str) -> Vec<String> {
    let base = root().join(document);
    let base = base.parent().unwrap();
    targets(text)
        .filter(|target| !target.starts_with('#'))
        .filter(|target| !base.join(target.split('#').next().unwrap()).exists())
        .map(|target| format!("{}: {target}", document.display()))
        .collect()
}
