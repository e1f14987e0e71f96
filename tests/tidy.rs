//! The rules of `docs/ARCHITECTURE.md` that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest production part of a file, in lines.
const MAX_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Rust files below a folder or the file itself, relative to the repository.
fn rust_files(start: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(start)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust files below {start}");
    found
}

/// Whether a file is part of the tests alone.
fn is_test(path: &Path) -> bool {
    let names = ["tests", "tests.rs", "testing.rs"];
    path.components()
        .skip(2)
        .any(|part| names.iter().any(|name| part.as_os_str() == *name))
}

/// The file without its tests.
fn production(path: &Path) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].to_owned()
}

/// Lines of code, without comments, in which a text stands.
fn lines_with<'t>(text: &'t str, wanted: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(move |(_, line)| line.contains(wanted))
        .map(|(number, line)| (number + 1, line.trim()))
}

/// Fails for every line of code below `start` that has one of `words`, except in `allowed`.
#[track_caller]
fn forbid(start: &str, words: &[&str], allowed: &[&str], rule: &str) {
    let mut faults = Vec::new();
    for path in rust_files(start) {
        let name = path.to_string_lossy().into_owned();
        if is_test(&path) || allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        let text = production(&path);
        for word in words {
            for (number, line) in lines_with(&text, word) {
                faults.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn only_the_host_layer_names_the_host() {
    let allowed = ["src/filter.rs", "src/filter/"];
    forbid(
        "src",
        &["proxy_wasm"],
        &allowed,
        "only src/filter may name proxy_wasm",
    );
}

#[test]
fn the_filter_reads_no_clock_environment_or_file_and_starts_no_thread() {
    let words = [
        "SystemTime::now",
        "Instant::now",
        "std::env",
        "env::var",
        "std::fs",
        "File::open",
        "thread::spawn",
    ];
    forbid(
        "src",
        &words,
        &[],
        "the module has no such thing; take it as a parameter",
    );
}

#[test]
fn the_filter_cannot_panic_on_purpose() {
    let words = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
    ];
    forbid(
        "src",
        &words,
        &[],
        "a panic ends every stream of an Envoy worker",
    );
}

#[test]
fn only_the_store_speaks_sql() {
    let words = [
        "SELECT ",
        "INSERT INTO",
        "DELETE FROM",
        "UPDATE channels",
        "sqlx::",
    ];
    let allowed = ["config-service/src/store"];
    forbid(
        "config-service/src",
        &words,
        &allowed,
        "SQL belongs into store",
    );
}

#[test]
fn only_xds_names_envoys_messages() {
    let allowed = ["config-service/src/xds"];
    forbid(
        "config-service/src",
        &["envoy_types"],
        &allowed,
        "envoy_types belongs into xds",
    );
}

#[test]
fn families_are_named_in_their_own_files_alone() {
    let words = [
        "claude", "Claude", "nova", "Nova", "llama", "Llama", "mistral", "Mistral", "cohere",
        "Cohere", "jamba", "Jamba", "titan", "Titan", "deepseek",
    ];
    let own = [
        "src/bedrock/family.rs",
        "src/bedrock/anthropic",
        "src/bedrock/cohere",
        "src/bedrock/converse",
        "src/bedrock/deepseek_r1",
        "src/bedrock/jamba",
        "src/bedrock/legacy",
        "src/bedrock/llama",
        "src/bedrock/mistral",
        "src/bedrock/nova",
        "src/bedrock/openai_chat",
        "src/bedrock/titan",
        // The list of modules.
        "src/bedrock.rs",
    ];
    forbid(
        "src",
        &words,
        &own,
        "what is special to a family belongs into its file",
    );
}

#[test]
fn files_are_short_enough_to_read() {
    let mut long = Vec::new();
    for start in [
        "src",
        "config-service/src",
        "xtask/src",
        "tests/simulator/src",
        "tests/e2e/src",
    ] {
        for path in rust_files(start) {
            let lines = production(&path).lines().count();
            if lines > MAX_LINES && !is_test(&path) {
                long.push(format!("{} has {lines} lines", path.display()));
            }
        }
    }
    assert!(
        long.is_empty(),
        "over {MAX_LINES} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn paths_in_the_documentation_exist() {
    let mut missing = Vec::new();
    let documents = ["README.md", "docs/ARCHITECTURE.md", "CHANGELOG.md"];
    for document in documents {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let in_code = text.split('`').skip(1).step_by(2);
        for path in in_code.filter(|text| is_path(text)) {
            if !root().join(path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
        missing.extend(broken_links(document, &text));
    }
    assert!(missing.is_empty(), "no such path:\n{}", missing.join("\n"));
}

/// Paths of this repository start with one of its folders or end like one of its files.
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

fn broken_links(document: &str, text: &str) -> Vec<String> {
    let base = root().join(document);
    let base = base.parent().unwrap();
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter(|target| !base.join(target.split('#').next().unwrap()).exists())
        .map(|target| format!("{document}: {target}"))
        .collect()
}
