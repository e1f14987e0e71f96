//! What the documentation names is there.

use std::fs;
use std::path::PathBuf;

use super::source::root;

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

fn broken_links(document: &std::path::Path, text: &str) -> Vec<String> {
    let base = root().join(document);
    let base = base.parent().unwrap();
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter(|target| !base.join(target.split('#').next().unwrap()).exists())
        .map(|target| format!("{}: {target}", document.display()))
        .collect()
}
